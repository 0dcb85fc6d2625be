"""Expectations shared by several suites."""

from __future__ import annotations

from collections.abc import Collection

from great_expectations import expectations as gxe
from great_expectations.expectations.expectation import Expectation

from dagster_project.contract import input_contract
from expectations.kinds import (
    ExpectAggregateToBeBetween,
    ExpectMeasureToBeBetween,
    ExpectNoRows,
    ExpectNoRowsWhere,
    ExpectShareOfRowsToBeBetween,
)

# The indicators without the supporting measures.
DECIDED = "select indicator_id from reference.indicator where kind = 'decided'"


def every_line_is_read_once(table: str) -> ExpectNoRows:
    """Expect each line of the file at most once."""
    return ExpectNoRows(
        query=f"select line from {table} group by all having count(*) > 1",
        severity="critical",
        notes="a duplicate line number indicates a parsing error",
        meta={"name": "every_line_is_read_once", "owner": "us", "limit": "no line more than once"},
    )


def required_fields_are_filled(table: str) -> ExpectNoRowsWhere:
    """Expect no null in the columns that the contract requires."""
    (file,) = (file for file in input_contract().files if file.table == table)
    required = [column.name for column in file.columns if column.required]
    return ExpectNoRowsWhere(
        condition=" or ".join(f"{column} is null" for column in ("line", *required)),
        severity="critical",
        notes="a row without a required field should be quarantined",
        meta={"name": "required_fields_are_filled", "owner": "us", "limit": "0 rows"},
    )


def offences_are_readable(table: str) -> list[Expectation]:
    """Expect one row per offence, with codes and numbers as the contract defines them."""
    return [
        ExpectNoRows(
            query=f"select diarienummer, brottsnummer from {table} group by all having count(*) > 1",
            severity="critical",
            notes="an offence listed twice would be counted twice",
            meta={"name": "every_offence_is_listed_once", "owner": "us", "limit": "no offence more than once"},
        ),
        every_line_is_read_once(table),
        required_fields_are_filled(table),
        ExpectNoRowsWhere(
            condition="try_cast(diarienummer as uuid) is null",
            severity="critical",
            notes="offences are joined to decisions by pseudonymised case number; the original number must not be stored",
            meta={"name": "case_numbers_are_pseudonyms", "owner": "us", "limit": "0 rows"},
        ),
        offence_numbers_are_positive(),
        ExpectNoRowsWhere(
            condition="not regexp_full_match(brottskod, '[0-9]{4}')",
            severity="critical",
            notes="a code without its leading zero could match another offence",
            meta={"name": "offence_codes_have_four_digits", "owner": "us", "limit": "0 rows"},
        ),
        every_row_stands_for_an_offence(),
        ExpectNoRowsWhere(
            condition="not regexp_full_match(kommunkod, '[0-9]{4}')",
            severity="critical",
            notes="a code without its leading zero would move the offence to another place",
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
                "limit": "0 rows with a value other than Rn01–Rn07",
                "may_be_all_null": True,
            },
        ),
    ]


def share_without_municipality() -> ExpectShareOfRowsToBeBetween:
    """Expect nearly every offence to have a municipality."""
    five_per_cent_below = "cast(5 * floor(100.0 * count(*) filter (where kommunkod is null) / count(*) / 5) as integer)"
    return ExpectShareOfRowsToBeBetween(
        condition="kommunkod is null",
        max_value=10,
        # An exact share would disclose the number of offences in county `okand`, which may be withheld.
        shown=f"{five_per_cent_below} || '–' || {five_per_cent_below} + 5 || ' %'",
        severity="warning",
        notes="offences without a municipality are missing from county and municipality figures",
        meta={"name": "share_without_municipality", "owner": "supplier", "limit": "at most 10 % of the rows"},
    )


def share_without_region() -> ExpectShareOfRowsToBeBetween:
    """Expect most offences to have a handling region."""
    return ExpectShareOfRowsToBeBetween(
        condition="handlaggande_region is null",
        max_value=15,
        severity="warning",
        notes="an offence without a handling region is counted in the region of the crime scene",
        meta={"name": "share_without_region", "owner": "supplier", "limit": "at most 15 % of the rows"},
    )


def every_row_stands_for_an_offence() -> gxe.ExpectColumnValuesToBeBetween:
    """Expect every row to count at least one offence."""
    return gxe.ExpectColumnValuesToBeBetween(
        column="brottsantal",
        min_value=1,
        severity="critical",
        notes="a row with a zero or negative offence count would make sums wrong",
        meta={"name": "every_row_stands_for_an_offence", "owner": "us", "limit": "0 rows below 1"},
    )


def offence_numbers_are_positive() -> gxe.ExpectColumnValuesToBeBetween:
    """Expect the offences of a case to be numbered from 1."""
    return gxe.ExpectColumnValuesToBeBetween(
        column="brottsnummer",
        min_value=1,
        severity="critical",
        notes="offences of a case are numbered from 1",
        meta={"name": "offence_numbers_are_positive", "owner": "us", "limit": "0 rows below 1"},
    )


def decisions_are_of_the_year() -> ExpectNoRowsWhere:
    """Expect decisions of the delivery's year only; `year` is a column of the view."""
    return ExpectNoRowsWhere(
        condition="year(beslutsdatum) <> year",
        severity="critical",
        notes="offences are counted in the year of their decision",
        meta={"name": "decisions_are_of_the_year", "owner": "us", "limit": "0 rows decided outside {year}"},
    )


def decisions_are_known(kinds: Collection[str]) -> gxe.ExpectColumnValuesToBeInSet:
    """Expect decisions of these kinds only."""
    return gxe.ExpectColumnValuesToBeInSet(
        column="beslut",
        value_set=[*kinds],
        severity="critical",
        notes="the figures do not define any other kind of decision",
        meta={"name": "decisions_are_known", "owner": "us", "limit": "0 rows with another decision"},
    )


def all_months_have_decisions() -> ExpectAggregateToBeBetween:
    """Expect decisions in every month."""
    return _all_months_have("decision", "beslutsdatum")


def all_months_have_reports() -> ExpectAggregateToBeBetween:
    """Expect reports in every month."""
    return _all_months_have("report", "anmalningsdatum")


def _all_months_have(event: str, column: str) -> ExpectAggregateToBeBetween:
    return ExpectAggregateToBeBetween(
        expression=f"count(distinct month({column}))",
        min_value=12,
        shown=f"count(distinct month({column})) || ' of 12 months'",
        only_if="count(*) >= 1000",
        needs="at least 1,000 rows",
        severity="warning",
        notes=f"a month without any {event} is probably missing from the delivery",
        meta={
            "name": f"all_months_have_{event}s",
            "owner": "supplier",
            "limit": f"{event}s in all 12 months of {{year}}",
        },
    )


def no_day_has_most(name: str, table: str, column: str) -> ExpectNoRows:
    """Expect no day with an unusually large share of the dates."""
    return ExpectNoRows(
        query=f"""
            with by_day as materialized (
                select {column}, count(*) as days from {table} where {column} is not null group by all
            )
            select {column} from by_day where days >= 100 and days > 0.05 * (select sum(days) from by_day)
        """,
        shown=f"""
            select round(100.0 * max(days) / sum(days), 4) || ' % on one day'
            from (select count(*) as days from {table} where {column} is not null group by {column})
        """,
        only_if="count(*) >= 100",
        needs="at least 100 rows",
        severity="warning",
        notes="a placeholder date would distort processing times",
        meta={
            "name": name,
            "owner": "supplier",
            "limit": "at most 5 % of the rows, or fewer than 100 rows, on any day",
        },
    )


def typical_decisions_are_there(kinds: Collection[str], notes: str) -> ExpectAggregateToBeBetween:
    """Expect decisions of each of these kinds."""
    *others, last = kinds
    number_of_kinds = f"count(distinct beslut) filter (where beslut in ({', '.join(f'{kind!r}' for kind in kinds)}))"
    return ExpectAggregateToBeBetween(
        expression=number_of_kinds,
        min_value=len(kinds),
        shown=f"{number_of_kinds} || ' of {len(kinds)} kinds'",
        only_if="count(*) >= 1000",
        needs="at least 1,000 rows",
        severity="warning",
        notes=notes,
        meta={
            "name": "typical_decisions_are_there",
            "owner": "supplier",
            "limit": f"none of {', '.join(others)} and {last} is missing",
        },
    )


def share_reopened() -> ExpectShareOfRowsToBeBetween:
    """Expect few decisions that reopen an investigation."""
    return ExpectShareOfRowsToBeBetween(
        condition="beslut = 'ATERUPPTAGEN'",
        max_value=5,
        severity="warning",
        notes="a reopening removes the offence from the year's figures, and few cases are reopened",
        meta={"name": "share_reopened", "owner": "supplier", "limit": "at most 5 % of the rows"},
    )


def share_of_a_years_offences(
    name: str,
    part: str,
    *,
    max_value: float,
    owner: str,
    notes: str,
) -> ExpectMeasureToBeBetween:
    """Expect at most a percentage of each year's processed offences under the decided indicators to meet a condition."""
    return ExpectMeasureToBeBetween(
        query=f"""
            with of_year as (
                select year, sum(brottsantal) as offences, sum(case when {part} then brottsantal else 0 end) as part
                from intermediate.int_processed_offence
                where indicator_id in ({DECIDED})
                group by year
            )
            select
                cast(year as varchar) as unit,
                case when offences >= 100 then 100.0 * part / offences end as value,
                round(100.0 * part / offences, 4) || ' %' as shown
            from of_year
        """,
        max_value=max_value,
        unit="year",
        needs="at least 100 offences",
        severity="warning",
        notes=notes,
        meta={"name": name, "owner": owner, "limit": f"at most {max_value:g} % of a year's offences"},
    )


def count_like_the_year_before(
    name: str, min_value: float, max_value: float, *, severity: str, notes: str, limit: str, condition: str = "true"
) -> ExpectMeasureToBeBetween:
    """Expect each indicator's processed offences in the country to be within a multiple of the previous year."""
    return ExpectMeasureToBeBetween(
        query=f"""
            {_country("processed", "processed")}
            select
                this.indicator_id || ' ' || this.year as unit,
                case when greatest(this.processed, before.processed) >= 100 and before.year is not null
                    then this.processed / greatest(before.processed, 1)
                end as value,
                round(this.processed / greatest(before.processed, 1), 2)
                || ' times (' || this.processed || ' offences after ' || before.processed || ')' as shown
            {_WITH_THE_YEAR_BEFORE} and {condition}
        """,
        min_value=min_value,
        max_value=max_value,
        unit="comparison",
        needs="the year before, and 100 offences in either year",
        severity=severity,
        notes=notes,
        meta={"name": name, "owner": "supplier", "limit": limit},
    )


def share_like_the_year_before(
    name: str, share: str, share_of_kept_years: str, *, max_value: float, notes: str, limit: str
) -> ExpectMeasureToBeBetween:
    """Expect each indicator's share in the country to be within some percentage points of the previous year."""
    return ExpectMeasureToBeBetween(
        query=f"""
            {_country(share, share_of_kept_years)}
            select
                this.indicator_id || ' ' || this.year as unit,
                case when least(this.processed, before.processed) >= 300 and before.year is not null
                    then abs(this.value - before.value)
                end as value,
                round(this.value, 1) || ' % after ' || round(before.value, 1) || ' %' as shown
            {_WITH_THE_YEAR_BEFORE}
        """,
        max_value=max_value,
        unit="comparison",
        needs="the year before, and 300 offences in both years",
        severity="warning",
        notes=notes,
        meta={"name": name, "owner": "supplier", "limit": limit},
    )


_WITH_THE_YEAR_BEFORE = """
    from yearly as this
    left join yearly as before on this.indicator_id = before.indicator_id and this.year = before.year + 1
    where not this.is_kept
"""


def _country(value: str, value_of_kept_years: str) -> str:
    """Return a CTE with each indicator's national value by year, including purged years."""
    tables = (
        ("intermediate.int_figure_year", value, False),
        ("raw.kept_fct_indicator_year", value_of_kept_years, True),
    )
    selects = [
        f"""
        select indicator_id, year, processed, {its_value} as value, {is_kept} as is_kept
        from {table}
        where geography_level = 'riket' and variant = 'beslutad' and victim_group = 'total'
        """
        for table, its_value, is_kept in tables
    ]
    return f"with yearly as ({' union all '.join(selects)})"
