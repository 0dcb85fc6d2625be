"""What must be true of one year's offences as police delivered them, once typed. What blocks should have been quarantined on reading."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from dagster_project.seeds import seed_rows
from expectations import rules
from expectations.kinds import ExpectAggregateToBeBetween, ExpectNoRows, ExpectNoRowsWhere, ExpectShareOfRowsToBeBetween

COUNTIES = ", ".join(f"'{county['county_code']}'" for county in seed_rows("county"))

suite = ExpectationSuite(
    name="raw_police_offences",
    # All rows of a file can be quarantined; the gate says so.
    meta={"layer": "raw", "asset": "police_offences", "table": "police_offences", "may_be_empty": True},
    expectations=[
        *rules.offences_are_readable("police_offences"),
        ExpectNoRowsWhere(
            condition="brottsdatum > anmalningsdatum",
            severity="critical",
            notes="nobody reports an offence before it happens",
            meta={"name": "offence_comes_before_its_report", "owner": "us", "limit": "0 rows"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="malsagande_kon",
            value_set=["K", "M"],
            severity="critical",
            notes="the victim's sex decides the victim group",
            meta={
                "name": "sexes_are_known",
                "owner": "us",
                "limit": "0 rows with anything but K or M",
                "may_be_all_null": True,
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="malsagande_alder",
            min_value=0,
            max_value=120,
            severity="critical",
            notes="the victim's age decides the victim group",
            meta={
                "name": "ages_are_those_of_people",
                "owner": "us",
                "limit": "0 rows outside 0–120 years",
                "may_be_all_null": True,
            },
        ),
        # Their decisions are quarantined one by one; slips of the pen stay far below one row in a thousand.
        ExpectAggregateToBeBetween(
            expression="100.0 * count(*) filter (where year(anmalningsdatum) > year) / count(*)",
            max_value=0.1,
            shown="count(*) filter (where year(anmalningsdatum) > year) || ' of ' || count(*) || ' rows'",
            only_if="count(anmalningsdatum) > 0",
            needs="at least one report date",
            severity="warning",
            notes="what was reported after the year cannot have been decided on in it",
            meta={
                "name": "reports_come_before_the_year_ends",
                "owner": "supplier",
                "limit": "at most 0.1 % of the rows reported after {year}",
            },
        ),
        # Few offences can still be decided on after 25 years; of those of 2025, 84.6 % were reported that year and most others one before.
        ExpectAggregateToBeBetween(
            expression="100.0 * count(*) filter (where year(anmalningsdatum) < year - 40) / count(*)",
            max_value=0.1,
            shown="count(*) filter (where year(anmalningsdatum) < year - 40) || ' of ' || count(*) || ' rows'",
            only_if="count(anmalningsdatum) > 0",
            needs="at least one report date",
            severity="warning",
            notes="a report of more than forty years ago is more likely a date that stands for unknown or another century",
            meta={
                "name": "reports_are_not_from_another_age",
                "owner": "supplier",
                "limit": "at most 0.1 % of the rows reported more than 40 years before {year}",
            },
        ),
        ExpectShareOfRowsToBeBetween(
            condition="year(anmalningsdatum) = year",
            min_value=70,
            max_value=95,
            severity="warning",
            notes="about 85 % of what is decided in a year was reported that year (84.6 % in 2025)",
            meta={"name": "share_reported_the_same_year", "owner": "supplier", "limit": "70–95 % of the rows"},
        ),
        rules.no_day_has_most("no_day_has_most_reports", "police_offences", "anmalningsdatum"),
        ExpectShareOfRowsToBeBetween(
            condition="anmalningsdatum is null",
            max_value=1,
            severity="warning",
            notes="offences without a report date take no part in processing times (0.24 % of those processed in 2025 have none)",
            meta={"name": "share_without_report_date", "owner": "supplier", "limit": "at most 1 % of the rows"},
        ),
        rules.share_without_municipality(),
        ExpectNoRows(
            query=f"""
                with by_code as (
                    select kommunkod, count(*) as offences from police_offences where kommunkod is not null group by all
                )
                select sum(offences) from by_code
                having
                    100.0 * sum(offences) filter (
                        where kommunkod[1:2] not in ({COUNTIES}) or kommunkod[3:4] = '00'
                    ) / sum(offences) > 1
            """,
            # Of all rows: whether it is judged must not say how many have a municipality.
            only_if="count(*) >= 1000",
            needs="at least 1,000 rows",
            severity="warning",
            notes="a municipality's code begins with that of one of the 21 counties",
            meta={
                "name": "share_of_impossible_municipalities",
                "owner": "supplier",
                "limit": "at most 1 % of the rows with a code that cannot be a municipality",
            },
        ),
        rules.share_without_region(),
        ExpectShareOfRowsToBeBetween(
            condition="lagrum is null",
            max_value=40,
            severity="warning",
            notes="an offence whose code is not in the catalogue is found by its legal provision only",
            meta={"name": "share_without_provision", "owner": "supplier", "limit": "at most 40 % of the rows"},
        ),
        ExpectShareOfRowsToBeBetween(
            condition="malsagande_kon is null or malsagande_alder is null",
            max_value=90,
            severity="warning",
            notes="where the code is silent, the victim group follows from sex and age",
            meta={
                "name": "share_without_victim",
                "owner": "supplier",
                "limit": "at most 90 % of the rows without sex or age",
            },
        ),
        ExpectShareOfRowsToBeBetween(
            condition="brottskod in ('0000', '9999')",
            max_value=0.5,
            severity="warning",
            notes="offences with a placeholder for a code are counted under no indicator",
            meta={
                "name": "codes_are_not_placeholders",
                "owner": "supplier",
                "limit": "at most 0.5 % of the rows with 0000 or 9999",
            },
        ),
        ExpectNoRows(
            query="""
                with by_code as materialized (select brottskod, count(*) as registered from police_offences group by all)
                select brottskod from by_code where registered >= 1000 and registered > 0.3 * (select sum(registered) from by_code)
            """,
            shown="""
                select round(100.0 * max(registered) / sum(registered), 4) || ' % under one code'
                from (select count(*) as registered from police_offences group by brottskod)
            """,
            only_if="count(*) >= 1000",
            needs="at least 1,000 rows",
            severity="warning",
            notes="a code on a third of all rows was filled in by a machine",
            meta={
                "name": "no_code_has_most_offences",
                "owner": "supplier",
                "limit": "at most 30 % of the rows under one code",
            },
        ),
        ExpectAggregateToBeBetween(
            expression="100.0 * sum(case when brottsantal > 100 then brottsantal else 0 end) / sum(brottsantal)",
            max_value=5,
            shown="'at most ' || max(brottsantal) || ' offences in a row'",
            severity="warning",
            notes="rows of more than a hundred offences each are rare, and few of them move a whole series",
            meta={
                "name": "offences_are_not_in_few_rows",
                "owner": "supplier",
                "limit": "at most 5 % of the offences in rows of more than 100",
            },
        ),
    ],
)
