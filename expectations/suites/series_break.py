"""What must be true of the breaks in the series."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="series_break",
    meta={"layer": "marts", "asset": "series_break", "table": "marts.series_break"},
    expectations=[
        gxe.ExpectCompoundColumnsToBeUnique(
            column_list=["indicator_id", "in_force", "provision"],
            severity="critical",
            notes="a cause is listed once",
            meta={"name": "key_is_unique", "owner": "us", "limit": "no cause more than once per indicator"},
        ),
        ExpectNoRows(
            query="""
                select indicator_id from marts.series_break where indicator_id not in (select indicator_id from marts.dim_indicator)
            """,
            severity="critical",
            notes="a break of an indicator that does not exist is shown nowhere",
            meta={"name": "indicators_are_known", "owner": "us", "limit": "0 rows of another indicator"},
        ),
        ExpectNoRows(
            query="""
                select indicator.indicator_id, change.in_force, change.provision
                from reference.law_change as change
                cross join (select distinct indicator_id from marts.dim_indicator) as indicator
                left join marts.series_break as break
                    on
                        indicator.indicator_id = break.indicator_id
                        and change.in_force = break.in_force
                        and change.provision = break.provision
                where
                    change.series_break = 'yes'
                    and change.indicator_id in ('all', indicator.indicator_id)
                    and break.indicator_id is null
            """,
            severity="critical",
            notes="a break that is known must be shown, and some break every indicator",
            meta={
                "name": "every_indicator_has_the_breaks_of_all",
                "owner": "us",
                "limit": "every known break, for every indicator that it concerns",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                year is distinct from year(in_force)
                or mixed_year is distinct from (in_force <> make_date(year(in_force), 1, 1))
            """,
            severity="critical",
            notes="a change within a year mixes two kinds of figures",
            meta={
                "name": "year_and_mixing_follow_from_the_day",
                "owner": "us",
                "limit": "the year of the day, mixed unless the day is 1 January",
            },
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="kind",
            value_set=["law", "coding", "statistics", "geography"],
            severity="critical",
            notes="readers tell a new law from a new way of counting",
            meta={"name": "kinds_are_known", "owner": "us", "limit": "law, coding, statistics or geography"},
        ),
        ExpectNoRowsWhere(
            condition="""
                coalesce(trim(kind), '') = '' or coalesce(trim(cause_sv), '') = '' or coalesce(trim(cause_en), '') = ''
                or coalesce(trim(provision), '') = '' or coalesce(trim(reference), '') = '' or is_confirmed is null
            """,
            severity="critical",
            notes="readers must be told why a line breaks, in Swedish and English, and by which source",
            meta={"name": "causes_are_told", "owner": "us", "limit": "0 rows without a text or a source"},
        ),
    ],
)
