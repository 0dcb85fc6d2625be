"""Expectations on cohorts: the offences reported in a year, and how many of them were decided and cleared by a later year."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="fct_reported_year",
    meta={
        "layer": "marts",
        "asset": "fct_reported_year",
        "table": "marts.fct_reported_year",
        # Reports are an optional file.
        "may_be_empty": True,
        "follows": ["police_reports", "int_processed_offence"],
    },
    expectations=[
        ExpectNoRowsWhere(
            condition="(0 <= cleared and cleared <= decided and decided <= reported) is not true",
            severity="critical",
            notes="cleared offences are decided, and decided offences are reported",
            meta={
                "name": "stages_do_not_exceed_each_other",
                "owner": "us",
                "limit": "0 ≤ cleared ≤ decided ≤ reported in every row",
            },
        ),
        ExpectNoRows(
            query="""
                select later.year
                from marts.fct_reported_year as later
                inner join marts.fct_reported_year as earlier
                    using (indicator_id, variant, year, geography_level, geography_code)
                where
                    later.by_year = earlier.by_year + 1
                    and (
                        later.reported <> earlier.reported
                        or later.decided < earlier.decided
                        or later.cleared < earlier.cleared
                    )
            """,
            severity="critical",
            notes="a cohort is fixed, and a decided offence stays decided",
            meta={
                "name": "cohorts_only_progress",
                "owner": "us",
                "limit": "reported is constant, and decided and cleared never decrease from year to year",
            },
        ),
        ExpectNoRows(
            query="""
                select year, by_year
                from marts.fct_reported_year
                group by indicator_id, variant, year, by_year
                having
                    sum(reported) filter (where geography_level = 'polisregion')
                    > sum(reported) filter (where geography_level = 'riket')
                    or sum(decided) filter (where geography_level = 'polisregion')
                    > sum(decided) filter (where geography_level = 'riket')
                    or sum(cleared) filter (where geography_level = 'polisregion')
                    > sum(cleared) filter (where geography_level = 'riket')
            """,
            severity="critical",
            notes="the country includes every region",
            meta={
                "name": "regions_do_not_exceed_the_country",
                "owner": "us",
                "limit": "the regions' sum is at most the country",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                with offence as (
                    select distinct year(report_date) as year, diarienummer, brottsnummer
                    from intermediate.int_processed_offence
                    where year(report_date) in (select year from raw.delivery_file where file = 'reports')
                )
                select
                    cast(offence.year as varchar) as unit,
                    case when count(*) >= 100 then 100.0 * count(*) filter (where reported.year is null) / count(*) end as value,
                    round(100.0 * count(*) filter (where reported.year is null) / count(*), 4) || ' %' as shown
                from offence
                left join raw.police_reports as reported using (year, diarienummer, brottsnummer)
                group by offence.year
            """,
            max_value=1,
            unit="cohort",
            needs="at least 100 decided offences reported in a year",
            severity="warning",
            notes="a decided offence must have been reported, so it should be in the file of its report year",
            meta={
                "name": "decided_offences_are_among_the_reported",
                "owner": "supplier",
                "limit": "at most 1 % of the decided offences reported in a year are missing from that year's file",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                select
                    cast(year as varchar) as unit,
                    case when sum(reported) >= 100 then 100.0 * sum(decided) / sum(reported) end as value,
                    round(100.0 * sum(decided) / sum(reported), 4) || ' %' as shown
                from marts.fct_reported_year
                where
                    by_year = year and geography_level = 'riket' and variant = 'beslutad'
                    and year not in (select year from raw.kept_year)
                group by year
            """,
            max_value=95,
            unit="cohort",
            needs="at least 100 offences of the indicators reported in a year",
            severity="warning",
            notes="investigations take time; if nearly all offences are decided, the file probably lacks open cases",
            meta={
                "name": "some_reported_offences_are_not_decided_yet",
                "owner": "supplier",
                "limit": "at most 95 % of the offences reported in a year are decided by its end",
            },
        ),
        ExpectMeasureToBeBetween(
            query="""
                with offence as (select distinct year, diarienummer, brottsnummer from intermediate.int_reported_offence),
                first_report as (
                    select year, year > min(year) over (partition by diarienummer, brottsnummer) as is_again from offence
                )
                select
                    cast(year as varchar) as unit,
                    case when count(*) >= 100 then 100.0 * count(*) filter (where is_again) / count(*) end as value,
                    round(100.0 * count(*) filter (where is_again) / count(*), 4) || ' %' as shown
                from first_report
                group by year
            """,
            max_value=0.1,
            unit="cohort",
            needs="at least 100 offences reported in a year",
            severity="warning",
            notes="an offence is reported once; if it is in the files of two years, it counts in two cohorts",
            meta={
                "name": "offences_are_reported_in_one_year",
                "owner": "supplier",
                "limit": "at most 0.1 % of the offences reported in a year are also in an earlier year's file",
            },
        ),
    ],
)
