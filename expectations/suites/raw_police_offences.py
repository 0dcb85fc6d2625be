"""What must be true of one year's offences as police delivered them, once typed. What blocks should have been quarantined on reading."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from dagster_project.seeds import seed_rows
from expectations import rules
from expectations.kinds import ExpectAggregateToBeBetween, ExpectNoRows, ExpectNoRowsWhere, ExpectShareOfRowsToBeBetween

COUNTIES = ", ".join(f"'{county['county_code']}'" for county in seed_rows("county"))
FIVE_PER_CENT_BELOW = "cast(5 * floor(100.0 * count(*) filter (where kommunkod is null) / count(*) / 5) as integer)"

suite = ExpectationSuite(
    name="raw_police_offences",
    # All rows of a file can be quarantined; the gate says so.
    meta={"layer": "raw", "asset": "police_offences", "table": "police_offences", "may_be_empty": True},
    expectations=[
        ExpectNoRows(
            query="select diarienummer, brottsnummer from police_offences group by all having count(*) > 1",
            severity="critical",
            notes="an offence listed twice would be counted twice",
            meta={"name": "every_offence_is_listed_once", "owner": "us", "limit": "no offence more than once"},
        ),
        rules.every_line_is_read_once("police_offences"),
        rules.required_fields_are_filled("police_offences"),
        ExpectNoRowsWhere(
            condition="try_cast(diarienummer as uuid) is null",
            severity="critical",
            notes="an offence is joined with its decisions by the pseudonym of the case number, which itself is kept nowhere",
            meta={"name": "case_numbers_are_pseudonyms", "owner": "us", "limit": "0 rows"},
        ),
        rules.offence_numbers_are_positive(),
        ExpectNoRowsWhere(
            condition="not regexp_full_match(brottskod, '[0-9]{4}')",
            severity="critical",
            notes="a code that lost its leading zero would be taken for another offence",
            meta={"name": "offence_codes_have_four_digits", "owner": "us", "limit": "0 rows"},
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="brottsantal",
            min_value=1,
            severity="critical",
            notes="a row that stands for no offence, or for fewer than none, would make the sums wrong",
            meta={"name": "every_row_stands_for_an_offence", "owner": "us", "limit": "0 rows below 1"},
        ),
        ExpectNoRowsWhere(
            condition="brottsdatum > anmalningsdatum",
            severity="critical",
            notes="nobody reports an offence before it happens",
            meta={"name": "offence_comes_before_its_report", "owner": "us", "limit": "0 rows"},
        ),
        ExpectNoRowsWhere(
            condition="not regexp_full_match(kommunkod, '[0-9]{4}')",
            severity="critical",
            notes="a code that lost its leading zero would move the offence to another place",
            meta={"name": "municipality_codes_have_four_digits", "owner": "us", "limit": "0 rows"},
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="handlaggande_region",
            value_set=["Rn01", "Rn02", "Rn03", "Rn04", "Rn05", "Rn06", "Rn07"],
            severity="critical",
            notes="there are seven police regions",
            meta={
                "name": "regions_are_known",
                "owner": "us",
                "limit": "0 rows with anything but Rn01–Rn07",
                "may_be_all_null": True,
            },
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
        ExpectShareOfRowsToBeBetween(
            condition="kommunkod is null",
            max_value=10,
            # An exact share would give the number of offences in county `okand`, which may be withheld.
            shown=f"{FIVE_PER_CENT_BELOW} || '–' || {FIVE_PER_CENT_BELOW} + 5 || ' %'",
            severity="warning",
            notes="offences without a place are missing in counties and municipalities",
            meta={"name": "share_without_municipality", "owner": "supplier", "limit": "at most 10 % of the rows"},
        ),
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
        ExpectShareOfRowsToBeBetween(
            condition="handlaggande_region is null",
            max_value=15,
            severity="warning",
            notes="without the region that handled it, an offence is counted where it happened",
            meta={"name": "share_without_region", "owner": "supplier", "limit": "at most 15 % of the rows"},
        ),
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
