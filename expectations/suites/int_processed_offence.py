"""Expectations on the offences that count under an indicator or measure, by year."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations import rules
from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="int_processed_offence",
    # A year may have no offence under any indicator.
    meta={
        "layer": "intermediate",
        "asset": "int_processed_offence",
        "table": "intermediate.int_processed_offence",
        "may_be_empty": True,
        "follows": [
            "police_offences",
            "police_decisions",
            "prosecution_decisions",
            "int_delivery_balance",
            "int_year_content",
            "int_code_year",
        ],
    },
    expectations=[
        ExpectNoRows(
            query=f"""
                select year, diarienummer, brottsnummer from intermediate.int_processed_offence
                where indicator_id in ({rules.DECIDED}) group by all having count(*) > 1
            """,
            severity="critical",
            notes="an offence counts once per year, regardless of its decisions and suspects",
            meta={
                "name": "every_offence_counts_once_a_year",
                "owner": "us",
                "limit": "no offence more than once per year in the indicators",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                year is null or extract_year is null or diarienummer is null or brottsnummer is null or brottsantal is null
                or decision_date is null or classified_by is null or class_key is null
                or indicator_id is null or victim_group is null or county_code is null or municipality_code is null
                or has_unknown_municipality is null or outcome is null or is_cleared is null or is_investigated is null
                or has_suspect is null or at_prosecutor is null
            """,
            severity="critical",
            notes="only region and report date may be null; all other columns determine how an offence is counted",
            meta={"name": "attributes_are_filled", "owner": "us", "limit": "0 rows"},
        ),
        rules.every_row_stands_for_an_offence(),
        ExpectNoRowsWhere(
            condition="year(decision_date) <> year",
            severity="critical",
            notes="the reference year is the year of the decision",
            meta={"name": "year_is_that_of_the_decision", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="decision_date < report_date",
            severity="critical",
            notes="a decision dated before the report should be quarantined",
            meta={"name": "decision_does_not_precede_the_report", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="extract_year > year",
            severity="critical",
            notes="later extracts must not change a published year",
            meta={"name": "attributes_are_never_from_a_later_extract", "owner": "us", "limit": "0 rows"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="outcome",
            value_set=["cleared_indictment", "cleared_penalty_order", "cleared_waiver", "limited", "other"],
            severity="critical",
            notes="sums by outcome would omit any other outcome",
            meta={"name": "outcomes_are_known", "owner": "us", "limit": "0 rows with another outcome"},
        ),
        ExpectNoRowsWhere(
            condition="is_cleared <> (outcome in ('cleared_indictment', 'cleared_penalty_order', 'cleared_waiver'))",
            severity="critical",
            notes="only an indictment, a penalty order or a waiver clears an offence",
            meta={"name": "cleared_is_what_its_outcome_says", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="is_cleared and not (is_investigated and has_suspect and at_prosecutor)",
            severity="critical",
            notes="only a prosecutor clears an offence, after an investigation and against a person",
            meta={"name": "cleared_is_investigated_with_suspect_by_a_prosecutor", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="at_prosecutor and not is_investigated",
            severity="critical",
            notes="every prosecutor's decision belongs to an investigated offence",
            meta={"name": "at_prosecutor_is_investigated", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="has_unknown_municipality and municipality_code <> 'okand'",
            severity="critical",
            notes="an offence with an unknown municipality code must count under municipality okand",
            meta={"name": "unknown_municipalities_are_counted_as_unknown", "owner": "us", "limit": "0 rows"},
        ),
        ExpectMeasureToBeBetween(
            query=f"""
                select cast(y.year as varchar) as unit, count(offence.year) as value
                from marts.dim_year as y
                left join intermediate.int_processed_offence as offence
                    on y.year = offence.year and offence.indicator_id in ({rules.DECIDED})
                where y.year not in (select year from raw.kept_year)
                group by y.year
            """,
            min_value=1,
            unit="year",
            evaluates_an_empty_table=True,
            severity="warning",
            notes="a year without any offence under the eleven indicators is implausible",
            meta={
                "name": "every_year_has_offences",
                "owner": "supplier",
                "limit": "at least one offence under the eleven indicators every year",
            },
        ),
        rules.share_of_a_years_offences(
            "share_classified_by_provision",
            "classified_by = 'provision'",
            max_value=3,
            owner="us",
            notes="many offences classified only by legal provision indicate codes missing from the catalogue",
        ),
        rules.share_of_a_years_offences(
            "share_found_in_an_earlier_extract",
            "extract_year < year",
            max_value=1,
            owner="supplier",
            notes="a year's police extract should contain every offence decided on that year",
        ),
        rules.share_of_a_years_offences(
            "share_with_unknown_victim_group",
            "victim_group = 'okand'",
            max_value=20,
            owner="supplier",
            notes="code, sex and age determine the victim group of nearly all offences",
        ),
        ExpectNoRowsWhere(
            condition="brottsantal > 100",
            shown="'at most ' || max(brottsantal) || ' offences in a row'",
            severity="warning",
            notes="a single row of more than 100 offences would shift the whole indicator",
            meta={
                "name": "no_row_stands_for_very_many_offences",
                "owner": "supplier",
                "limit": "at most 100 offences per row",
            },
        ),
        ExpectMeasureToBeBetween(
            query=f"""
                with of_year as (
                    select
                        offence.year,
                        sum(offence.brottsantal) as offences,
                        sum(
                            case
                                when offence.report_date not between
                                    coalesce(code.valid_from, date '0001-01-01') - interval 1 year
                                    and coalesce(code.valid_to, date '9000-01-01') + interval 1 year
                                then offence.brottsantal
                                else 0
                            end
                        ) as part
                    from intermediate.int_processed_offence as offence
                    inner join reference.offence_code as code
                        on offence.classified_by = 'code' and offence.class_key = code.brottskod
                    where
                        code.brottskod not in (select brottskod from raw.own_offence_code)
                        and offence.indicator_id in ({rules.DECIDED})
                    group by offence.year
                )
                select
                    cast(year as varchar) as unit,
                    case when offences >= 100 then 100.0 * part / offences end as value,
                    round(100.0 * part / offences, 4) || ' %' as shown
                from of_year
            """,
            max_value=2,
            unit="year",
            needs="at least 100 offences",
            severity="warning",
            notes="codes used long before or after their validity indicate converted or mixed-up codes",
            meta={
                "name": "codes_are_of_their_time",
                "owner": "supplier",
                "limit": "at most 2 % of a year's offences reported more than a year outside the validity of their code",
            },
        ),
    ],
)
