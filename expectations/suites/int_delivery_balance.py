"""Expectations on the files of every complete year: row balance, quarantine share and volume."""

from great_expectations import ExpectationSuite

from dagster_project.contract import input_contract
from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

QUARANTINE_LIMIT_PCT = input_contract().quarantine_limit_pct

suite = ExpectationSuite(
    name="int_delivery_balance",
    meta={"layer": "intermediate", "asset": "int_delivery_balance", "table": "intermediate.int_delivery_balance"},
    expectations=[
        ExpectNoRowsWhere(
            condition="""
                is_complete_year
                and (
                    rows_read is distinct from rows_loaded + rows_quarantined + duplicates
                    or least(rows_loaded, rows_quarantined, duplicates) < 0
                )
            """,
            severity="critical",
            notes="every row read is loaded, quarantined or dropped as an exact duplicate",
            meta={
                "name": "every_row_is_accounted_for",
                "owner": "us",
                "limit": "rows read = loaded + quarantined + duplicates in every file",
                "of_one_delivery": True,
            },
        ),
        ExpectMeasureToBeBetween(
            query=f"""
                select
                    source || '/' || year || '/' || file as unit,
                    -- All rows of a file whose counts are not known are taken for faulty.
                    coalesce(100.0 * rows_quarantined / if(rows_read = 0, 1, rows_read), 100.0) as value,
                    coalesce(printf('%.2f', 100.0 * rows_quarantined / if(rows_read = 0, 1, rows_read)), 'unknown') || ' % ('
                    || coalesce(rows_quarantined || ' of ' || rows_read, 'unknown') || ' rows, limit {QUARANTINE_LIMIT_PCT:g} %)' as shown
                from intermediate.int_delivery_balance where is_complete_year
            """,
            max_value=QUARANTINE_LIMIT_PCT,
            unit="file",
            severity="critical",
            notes="figures would omit offences if many rows are quarantined",
            meta={
                "name": "quarantine_within_limit",
                "owner": "supplier",
                "limit": f"at most {QUARANTINE_LIMIT_PCT:g} % of a file's rows",
                "of_one_delivery": True,
            },
        ),
        ExpectNoRows(
            query="""
                select year from intermediate.int_delivery_balance
                where is_complete_year
                group by year
                having
                    list_sort(list(source || '/' || file) filter (where file <> 'reports')) is distinct from
                    ['police/decisions', 'police/offences', 'prosecution/decisions']
                    or count(*) filter (where file = 'reports') > 1
            """,
            severity="critical",
            notes="a year's figures require complete deliveries from both authorities",
            meta={
                "name": "every_year_has_all_files",
                "owner": "us",
                "limit": "one police/offences, one police/decisions and one prosecution/decisions file in every complete year",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                select
                    source || '/' || year || '/' || file as unit,
                    case when rows_read >= 1000 then 100.0 * duplicates / rows_read end as value,
                    round(100.0 * duplicates / rows_read, 4) || ' %' as shown
                from intermediate.int_delivery_balance
                where is_complete_year
            """,
            max_value=1,
            unit="file",
            needs="at least 1,000 rows",
            severity="warning",
            notes="many duplicate rows indicate a faulty join in the extract",
            meta={
                "name": "share_of_exact_duplicates",
                "owner": "supplier",
                "limit": "at most 1 % of a file's rows",
                "of_one_delivery": True,
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                with orphan as (
                    select source, year, file, count(*) as orphans
                    from intermediate.int_quarantined_decision where reason = 'orphan' group by all
                )
                select
                    source || '/' || year || '/' || file as unit,
                    case when rows_read >= 1000 then 100.0 * coalesce(orphans, 0) / rows_read end as value,
                    round(100.0 * coalesce(orphans, 0) / rows_read, 4) || ' %' as shown
                from intermediate.int_delivery_balance
                left join orphan using (source, year, file)
                where is_complete_year and file = 'decisions'
            """,
            max_value=0.2,
            unit="file",
            needs="at least 1,000 rows",
            severity="warning",
            notes="decisions on offences that no police extract contains indicate that the extracts do not match",
            meta={"name": "share_of_orphans", "owner": "supplier", "limit": "at most 0.2 % of a file's rows"},
        ),
        # Every offence in the extract was decided on that year; offences referred to a prosecutor have a decision of either authority.
        ExpectMeasureToBeBetween(
            query="""
                with of_year as (
                    select
                        year,
                        sum(case when file = 'offences' then rows_loaded else 0 end) as offences,
                        sum(case when file = 'decisions' then rows_loaded else 0 end) as decisions
                    from intermediate.int_delivery_balance
                    where is_complete_year
                    group by year
                )
                select
                    cast(year as varchar) as unit,
                    case when offences >= 1000 then decisions / offences end as value,
                    round(decisions / offences, 2) as shown
                from of_year
            """,
            min_value=0.9,
            max_value=3,
            unit="year",
            needs="at least 1,000 offences",
            severity="warning",
            notes="the police extract contains the offences decided on that year, most with one or two decisions",
            meta={
                "name": "decisions_match_offences",
                "owner": "supplier",
                "limit": "0.9–3 decisions per offence, every year",
            },
        ),
        # In Brå's figures for region Stockholm 2019–2025, indicators of at least 100 offences changed to between 0.77 and 1.43 times the
        # previous year; a whole file varies less than one offence type.
        ExpectMeasureToBeBetween(
            query="""
                with yearly as (
                    select source, file, year, rows_read, median(rows_read) over earlier as usual
                    from intermediate.int_delivery_balance
                    where is_complete_year
                    window earlier as (partition by source, file order by year range between 5 preceding and 1 preceding)
                )
                select
                    source || '/' || year || '/' || file as unit,
                    case when usual >= 1000 then rows_read / usual end as value,
                    round(rows_read / usual, 2) || ' times (' || rows_read || ' rows after ' || cast(usual as bigint) || ')' as shown
                from yearly
            """,
            min_value=0.667,
            max_value=1.5,
            unit="file",
            needs="an earlier year with at least 1,000 rows",
            severity="warning",
            notes="far fewer rows than usual indicate a truncated delivery, and far more a delivery of two years",
            meta={
                "name": "rows_read_like_earlier_years",
                "owner": "supplier",
                "limit": "two thirds to one and a half times the median of up to five previous years",
            },
        ),
    ],
)
