"""Expectations on the list of indicators and their variants."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from dagster_project.seeds import seed_rows
from expectations.kinds import ExpectNoRows

INDICATORS, VARIANTS = len(seed_rows("indicator")), len(seed_rows("indicator_variant"))

suite = ExpectationSuite(
    name="dim_indicator",
    meta={"layer": "marts", "asset": "dim_indicator", "table": "marts.dim_indicator"},
    expectations=[
        gxe.ExpectTableRowCountToEqual(
            value=VARIANTS,
            severity="critical",
            notes="the decided indicator definitions and their variants are fixed",
            meta={"name": "every_variant_is_there", "owner": "us", "limit": f"{VARIANTS}"},
        ),
        gxe.ExpectColumnDistinctValuesToEqualSet(
            column="indicator_number",
            value_set=list(range(1, INDICATORS + 1)),
            severity="critical",
            notes="the indicators of the strategy and the supporting measures are fixed",
            meta={"name": "every_indicator_is_there", "owner": "us", "limit": f"numbers 1–{INDICATORS}"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="kind",
            value_set=["decided", "commitment", "tip"],
            severity="critical",
            notes="this column distinguishes supporting measures from the decided indicators",
            meta={"name": "kinds_are_known", "owner": "us", "limit": "decided, commitment or tip"},
        ),
        ExpectNoRows(
            query="""
                select indicator_number from marts.dim_indicator
                group by indicator_number
                having count(distinct indicator_id) <> 1 or count(distinct name_sv) <> 1 or count(distinct name_en) <> 1
                union all
                select count(*) as indicators from marts.dim_indicator
                having count(distinct indicator_number) <> count(distinct indicator_id)
            """,
            severity="critical",
            notes="an indicator has one number and one name",
            meta={
                "name": "numbers_and_names_go_together",
                "owner": "us",
                "limit": "one indicator per number, and one number per indicator",
            },
        ),
        ExpectNoRows(
            query="""
                select indicator_id from marts.dim_indicator
                group by indicator_id
                having list(variant order by sort_order)[1] <> if(any_value(kind) = 'decided', 'beslutad', 'egen')
                    or list_sort(list(sort_order)) <> range(1, count(*) + 1)
            """,
            severity="critical",
            notes="the default variant must be the decided one",
            meta={
                "name": "decided_variant_comes_first",
                "owner": "us",
                "limit": "beslutad is first for every indicator and egen for every measure; variants are numbered from 1 without gaps",
            },
        ),
        ExpectNoRows(
            query="""
                select column_name
                from marts.dim_indicator unpivot include nulls (text for column_name in (columns('^(.*_(sv|en)|legal_reference)$')))
                where coalesce(trim(text), '') = ''
            """,
            severity="critical",
            notes="readers need descriptions in both Swedish and English",
            meta={"name": "texts_are_filled", "owner": "us", "limit": "0 empty texts"},
        ),
        ExpectNoRows(
            query="""
                select indicator.indicator_id
                from marts.dim_indicator as indicator
                left join marts.series_break as break
                    on
                        indicator.indicator_id = break.indicator_id
                        and break.year <= (select max(year) from marts.dim_year)
                        -- comparable years may start with a break on 1 January; a later break makes its year mixed
                        and (break.year > indicator.first_comparable_year
                            or (break.year = indicator.first_comparable_year and break.mixed_year))
                where break.year is not null or indicator.first_comparable_year is null
            """,
            severity="critical",
            notes="a series break makes the years before and after it incomparable",
            meta={
                "name": "no_break_within_the_comparable_years",
                "owner": "us",
                "limit": "no break after the first comparable year",
            },
        ),
    ],
)
