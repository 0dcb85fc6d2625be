"""Expectations on one year's police offences, after typing. Ingestion should already have quarantined rows that block here."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from dagster_project.seeds import seed_rows
from expectations import rules
from expectations.kinds import ExpectAggregateToBeBetween, ExpectNoRows, ExpectNoRowsWhere, ExpectShareOfRowsToBeBetween

COUNTIES = ", ".join(f"'{county['county_code']}'" for county in seed_rows("county"))

suite = ExpectationSuite(
    name="raw_police_offences",
    # May be empty if every row is quarantined; the quarantine limit reports that.
    meta={"layer": "raw", "asset": "police_offences", "table": "police_offences", "may_be_empty": True},
    expectations=[
        *rules.offences_are_readable("police_offences"),
        ExpectNoRowsWhere(
            condition="brottsdatum > anmalningsdatum",
            severity="critical",
            notes="an offence cannot be reported before it occurs",
            meta={"name": "offence_comes_before_its_report", "owner": "us", "limit": "0 rows"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="malsagande_kon",
            value_set=["K", "M"],
            severity="critical",
            notes="the victim's sex determines the victim group",
            meta={
                "name": "sexes_are_known",
                "owner": "us",
                "limit": "0 rows with a value other than K or M",
                "may_be_all_null": True,
            },
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="malsagande_alder",
            min_value=0,
            max_value=120,
            severity="critical",
            notes="the victim's age determines the victim group",
            meta={
                "name": "ages_are_those_of_people",
                "owner": "us",
                "limit": "0 rows outside 0–120 years",
                "may_be_all_null": True,
            },
        ),
        # Their decisions are quarantined individually; typing errors affect far fewer than one row in a thousand.
        ExpectAggregateToBeBetween(
            expression="100.0 * count(*) filter (where year(anmalningsdatum) > year) / count(*)",
            max_value=0.1,
            shown="count(*) filter (where year(anmalningsdatum) > year) || ' of ' || count(*) || ' rows'",
            only_if="count(anmalningsdatum) > 0",
            needs="at least one report date",
            severity="warning",
            notes="an offence reported after the year cannot have been decided on during the year",
            meta={
                "name": "reports_come_before_the_year_ends",
                "owner": "supplier",
                "limit": "at most 0.1 % of the rows reported after {year}",
            },
        ),
        # Few offences can be decided on after 25 years; 84.6 % of those of 2025 were reported that year, most others the year before.
        ExpectAggregateToBeBetween(
            expression="100.0 * count(*) filter (where year(anmalningsdatum) < year - 40) / count(*)",
            max_value=0.1,
            shown="count(*) filter (where year(anmalningsdatum) < year - 40) || ' of ' || count(*) || ' rows'",
            only_if="count(anmalningsdatum) > 0",
            needs="at least one report date",
            severity="warning",
            notes="a report date more than 40 years old is probably a placeholder or has the wrong century",
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
            notes="about 85 % of the offences decided on in a year were reported that year (84.6 % in 2025)",
            meta={"name": "share_reported_the_same_year", "owner": "supplier", "limit": "70–95 % of the rows"},
        ),
        rules.no_day_has_most("no_day_has_most_reports", "police_offences", "anmalningsdatum"),
        ExpectShareOfRowsToBeBetween(
            condition="anmalningsdatum is null",
            max_value=1,
            severity="warning",
            notes="processing times exclude offences without a report date (0.24 % of those processed in 2025)",
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
            # Counts all rows: whether the check is evaluated must not reveal how many rows have a municipality.
            only_if="count(*) >= 1000",
            needs="at least 1,000 rows",
            severity="warning",
            notes="a municipality code begins with the code of one of the 21 counties",
            meta={
                "name": "share_of_impossible_municipalities",
                "owner": "supplier",
                "limit": "at most 1 % of the rows with an impossible municipality code",
            },
        ),
        rules.share_without_region(),
        ExpectShareOfRowsToBeBetween(
            condition="lagrum is null",
            max_value=40,
            severity="warning",
            notes="an offence with a code outside the catalogue can only be classified by its legal provision",
            meta={"name": "share_without_provision", "owner": "supplier", "limit": "at most 40 % of the rows"},
        ),
        ExpectShareOfRowsToBeBetween(
            condition="malsagande_kon is null or malsagande_alder is null",
            max_value=90,
            severity="warning",
            notes="sex and age determine the victim group if the offence code does not",
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
            notes="offences with a placeholder code count under no indicator",
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
            notes="a code on a third of all rows is probably a default value",
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
            notes="rows of more than 100 offences are rare, and a few of them can shift a whole series",
            meta={
                "name": "offences_are_not_in_few_rows",
                "owner": "supplier",
                "limit": "at most 5 % of the offences in rows of more than 100",
            },
        ),
    ],
)
