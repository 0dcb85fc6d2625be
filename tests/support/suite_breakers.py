"""For every expectation, SQL that breaks valid data in the warehouse of `test_suites.py` so that the expectation must fail.

The warehouse holds four years of the sample, 2021–2024; raw tables are those of 2024. An expectation with several columns or
conditions has a breaker for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Breaker:
    """A fault and the SQL that causes it; `given` first creates valid data large enough to be judged."""

    what: str
    sql: str
    given: str = ""


Breakers = dict[str, Sequence[Breaker]]


def change(table: str, what: str, values: str, where: str, given: str = "") -> Breaker:
    """Change all selected rows."""
    return Breaker(what, f"update {table} set {values} where {where}", given)


def change_one(table: str, what: str, values: str, where: str = "true") -> Breaker:
    """Change the first selected row."""
    return change(table, what, values, f"rowid = (select min(rowid) from {table} where {where})")


def readable(table: str, what: str, column: str, value: str) -> Breaker:
    """Store a column as text, with one value that can be read."""
    first = f"rowid = (select min(rowid) from {table} where {column} is not null)"
    return Breaker(
        what, f"update {table} set {column} = {value} where {first}", f"alter table {table} alter {column} type varchar"
    )


def each_null(table: str, columns: Iterable[str]) -> list[Breaker]:
    return [change_one(table, f"no {column}", f"{column} = null") for column in columns]


def delete(table: str, what: str, where: str) -> Breaker:
    return Breaker(what, f"delete from {table} where {where}")


def repeat(table: str, what: str = "a row twice") -> Breaker:
    return Breaker(what, f"insert into {table} select * from {table} limit 1")


def just_beyond(table: str, what: str, bad: str, good: str, pct: float, where: str = "true") -> Breaker:
    """Create the largest number of bad rows that must pass, then one more, to test the exact limit."""

    def some(limit: str) -> str:
        return f"update {table} set {bad} where rowid in (select rowid from {table} where {where} order by rowid limit {limit})"

    most = f"cast(floor({pct} * (select count(*) from {table} where {where}) / 100) as bigint)"
    given = f"update {table} set {good} where {where}; {some(f'({most})')}"
    return Breaker(f"one more than may be: {what}", some(f"({most} + 1)"), given)


# --- raw -------------------------------------------------------------------------------------------------------------


def of_decisions(table: str) -> Breakers:
    """Return the breakers shared by both files of decisions."""
    return {
        "every_line_is_read_once": [repeat(table, "a line twice")],
        "offence_numbers_are_positive": [change_one(table, "offence number 0", "brottsnummer = 0")],
        "decisions_are_of_the_year": [
            change_one(table, "New Year's Eve before", "beslutsdatum = '2023-12-31'"),
            change_one(table, "New Year's Day after", "beslutsdatum = '2025-01-01'"),
        ],
        "decisions_are_known": [change_one(table, "a decision of another name", "beslut = 'AVSLUTAD'")],
        "all_months_have_decisions": [delete(table, "the extract ends in November", "month(beslutsdatum) = 12")],
        "no_day_has_most_decisions": [
            change(table, "midsummer for every unknown day", "beslutsdatum = '2024-06-21'", "line % 10 = 0")
        ],
        "share_reopened": [change(table, "a tenth is reopened", "beslut = 'ATERUPPTAGEN'", "line % 10 = 0")],
    }


def of_offences(table: str) -> Breakers:
    """Return the breakers shared by both files of offences."""
    return {
        "every_offence_is_listed_once": [
            Breaker(
                "an offence in two lines",
                f"insert into {table} select * replace (0 as line) from {table} limit 1",
            )
        ],
        "every_line_is_read_once": [
            Breaker(
                "two offences from one line",
                f"insert into {table} select * replace (uuid() as diarienummer) from {table} limit 1",
            )
        ],
        "required_fields_are_filled": each_null(
            table, ["line", "diarienummer", "brottsnummer", "brottskod", "brottsantal"]
        ),
        "case_numbers_are_pseudonyms": [readable(table, "the number itself", "diarienummer", "'2200-K1276-14'")],
        "offence_numbers_are_positive": [change_one(table, "offence number 0", "brottsnummer = 0")],
        "offence_codes_have_four_digits": [
            change_one(table, "a lost zero", "brottskod = '355'"),
            change_one(table, "a letter", "brottskod = 'O355'"),
        ],
        "every_row_stands_for_an_offence": [change_one(table, "no offence", "brottsantal = 0")],
        "municipality_codes_have_four_digits": [change_one(table, "a lost zero", "kommunkod = '180'")],
        "regions_are_known": [change_one(table, "an eighth region", "handlaggande_region = 'Rn08'")],
        "share_without_municipality": [
            change(table, "every fifth without a place", "kommunkod = null", "line % 5 = 0")
        ],
        "share_without_region": [
            change(table, "every fifth without a region", "handlaggande_region = null", "line % 5 = 0")
        ],
    }


OFFENCES, POLICE, PROSECUTION = "police_offences", "police_decisions", "prosecution_decisions"
REPORTS = "police_reports"
RAW: dict[str, Breakers] = {
    "raw_police_offences": {
        **of_offences(OFFENCES),
        "offence_comes_before_its_report": [
            change_one(OFFENCES, "reported the day before", "brottsdatum = anmalningsdatum + 1")
        ],
        "sexes_are_known": [change_one(OFFENCES, "an English letter", "malsagande_kon = 'F'")],
        "ages_are_those_of_people": [
            change_one(OFFENCES, "too old", "malsagande_alder = 121"),
            change_one(OFFENCES, "not born", "malsagande_alder = -1"),
        ],
        "reports_come_before_the_year_ends": [
            change(OFFENCES, "reported on New Year's Day after", "anmalningsdatum = '2025-01-01'", "line % 500 = 0")
        ],
        "reports_are_not_from_another_age": [
            change(OFFENCES, "1924 for 2024", "anmalningsdatum = '1924-05-06'", "line % 500 = 0"),
        ],
        "share_reported_the_same_year": [
            change(OFFENCES, "reports dated a year early", "anmalningsdatum = anmalningsdatum - 366", "line % 2 = 0"),
            change(OFFENCES, "all reports dated on New Year's Day", "anmalningsdatum = '2024-01-01'", "true"),
        ],
        "no_day_has_most_reports": [
            change(OFFENCES, "New Year's Day for every unknown day", "anmalningsdatum = '2024-01-01'", "line % 10 = 0")
        ],
        "share_without_report_date": [
            change(OFFENCES, "every fiftieth without a report date", "anmalningsdatum = null", "line % 50 = 0")
        ],
        "share_of_impossible_municipalities": [
            change(OFFENCES, "codes of a county that is no more", "kommunkod = '1180'", "line % 20 = 0"),
            change(OFFENCES, "codes of counties", "kommunkod = '0100'", "line % 20 = 0"),
            change(OFFENCES, "where few have a place", "kommunkod = case when line % 20 = 0 then '0100' end", "true"),
        ],
        "share_without_provision": [change(OFFENCES, "no provisions", "lagrum = null", "true")],
        "share_without_victim": [
            change(OFFENCES, "no ages", "malsagande_alder = null", "true"),
            change(OFFENCES, "no sexes", "malsagande_kon = null", "true"),
        ],
        "codes_are_not_placeholders": [
            change(OFFENCES, "every fiftieth is 9999", "brottskod = '9999'", "line % 50 = 0"),
            change(OFFENCES, "every fiftieth is 0000", "brottskod = '0000'", "line % 50 = 0"),
        ],
        "no_code_has_most_offences": [change(OFFENCES, "every other is theft", "brottskod = '0801'", "line % 2 = 0")],
        "offences_are_not_in_few_rows": [
            change(OFFENCES, "amounts instead of numbers", "brottsantal = 500", "line % 1000 = 0")
        ],
    },
    "raw_police_reports": {
        **of_offences(REPORTS),
        "required_fields_are_filled": each_null(
            REPORTS, ["line", "diarienummer", "brottsnummer", "brottskod", "brottsantal", "anmalningsdatum"]
        ),
        "reports_are_of_the_year": [
            change_one(REPORTS, "New Year's Eve before", "anmalningsdatum = '2023-12-31'"),
            change_one(REPORTS, "New Year's Day after", "anmalningsdatum = '2025-01-01'"),
        ],
        "all_months_have_reports": [delete(REPORTS, "the extract ends in November", "month(anmalningsdatum) = 12")],
        "no_day_has_most_reports": [
            change(REPORTS, "New Year's Day for every unknown day", "anmalningsdatum = '2024-01-01'", "line % 10 = 0")
        ],
    },
    "raw_police_decisions": {
        **of_decisions(POLICE),
        "required_fields_are_filled": each_null(
            POLICE,
            ["line", "diarienummer", "brottsnummer", "beslutsdatum", "beslut", "utredning", "skaligen_misstankt"],
        ),
        "case_numbers_are_pseudonyms": [readable(POLICE, "cut off", "diarienummer", "left(diarienummer, 31)")],
        "investigation_is_yes_or_no": [change_one(POLICE, "an English letter", "utredning = 'Y'")],
        "suspect_is_yes_or_no": [change_one(POLICE, "a number", "skaligen_misstankt = '1'")],
        "dismissed_at_once_is_not_investigated": [
            change_one(
                POLICE, "dismissed at once after an investigation", "beslut = 'DIREKTAVSKRIVEN', utredning = 'J'"
            )
        ],
        "typical_decisions_are_there": [
            change(POLICE, f"no {kind}", "beslut = 'OVRIGT'", f"beslut = '{kind}'")
            for kind in ("DIREKTAVSKRIVEN", "NEDLAGD", "FU_BEGRANSAD", "OVERLAMNAD")
        ],
        "share_investigated": [
            change(POLICE, "hardly any investigation", "utredning = 'N'", "line % 10 <> 0"),
            change(POLICE, "nothing without an investigation", "utredning = 'J'", "true"),
        ],
        "share_with_suspect": [
            change(POLICE, "nobody suspected", "skaligen_misstankt = 'N'", "true"),
            change(POLICE, "always a suspect", "skaligen_misstankt = 'J'", "true"),
        ],
    },
    "raw_prosecution_decisions": {
        **of_decisions(PROSECUTION),
        "required_fields_are_filled": each_null(
            PROSECUTION, ["line", "aklagarnummer", "diarienummer", "brottsnummer", "beslutsdatum", "beslut"]
        ),
        "case_numbers_are_pseudonyms": [
            readable(PROSECUTION, "the police's number itself", "diarienummer", "'2200-K1276-14'"),
            readable(PROSECUTION, "the prosecutor's number itself", "aklagarnummer", "'AM-1276-22'"),
        ],
        "suspects_are_pseudonyms": [
            readable(PROSECUTION, "a name", "misstanke_id", "'m1'"),
            readable(PROSECUTION, "an empty name", "misstanke_id", "''"),
        ],
        "clearing_decisions_have_a_suspect": [
            change_one(PROSECUTION, f"{kind} of nobody", f"beslut = '{kind}', misstanke_id = null")
            for kind in ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE")
        ],
        "typical_decisions_are_there": [
            change(PROSECUTION, f"no {kind}", "beslut = 'OVRIGT'", f"beslut = '{kind}'")
            for kind in ("ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE", "NEDLAGD", "EJ_ATAL")
        ],
        "share_clearing": [
            change(PROSECUTION, "hardly anything cleared", "beslut = 'NEDLAGD'", "line % 10 <> 0"),
            change(PROSECUTION, "everything cleared", "beslut = 'ATAL'", "true"),
        ],
        "share_without_suspect": [
            change(PROSECUTION, "every other without a suspect", "misstanke_id = null", "line % 2 = 0")
        ],
    },
}

# --- intermediate ----------------------------------------------------------------------------------------------------

OFFENCE, BALANCE = "intermediate.int_processed_offence", "intermediate.int_delivery_balance"
PROVISION = "intermediate.int_provision"
UNUSABLE = "raw.unusable_field"
CODE = "reference.offence_code"
CONTENT, CODES = "intermediate.int_year_content", "intermediate.int_code_year"


def delete_earlier_years(table: str, what: str, values: str) -> Breaker:
    """Change the last year if only the year before is there for comparison."""
    return change(table, what, values, "year = 2024", f"delete from {table} where year < 2023")


def change_code(what: str, field: str, code: str, rows: dict[int, int]) -> Breaker:
    """Deliver a code so often by year, after it came and went with one row fewer."""

    def delivered(fewer: int) -> str:
        values = ", ".join(f"({year}, '{field}', '{code}', {many - fewer})" for year, many in rows.items() if many)
        return (
            f"delete from {CODES} where year not in (2023, 2024) or (field = '{field}' and code = '{code}'); "
            f"insert into {CODES} (year, field, code, rows_delivered) values {values}"
        )

    return Breaker(what, delivered(0), delivered(1))


# All except the region and the report date.
ATTRIBUTES = (
    "year", "extract_year", "diarienummer", "brottsnummer", "brottsantal", "decision_date", "classified_by",
    "class_key", "indicator_id", "victim_group", "county_code", "municipality_code", "has_unknown_municipality", "outcome",
    "is_cleared", "is_investigated", "has_suspect", "at_prosecutor",
)  # fmt: skip
INTERMEDIATE: dict[str, Breakers] = {
    "int_processed_offence": {
        "every_offence_counts_once_a_year": [
            Breaker(
                "an offence in two indicators",
                f"insert into {OFFENCE} select * replace ('koppleri' as indicator_id) from {OFFENCE} "
                "where indicator_id = 'valdtakt' limit 1",
            ),
        ],
        "attributes_are_filled": each_null(OFFENCE, ATTRIBUTES),
        "every_row_stands_for_an_offence": [change_one(OFFENCE, "no offence", "brottsantal = 0")],
        "year_is_that_of_the_decision": [change_one(OFFENCE, "the year after", "year = 2022", "year = 2021")],
        "decision_does_not_precede_the_report": [
            change_one(OFFENCE, "decided the day before", "decision_date = report_date - 1")
        ],
        "attributes_are_never_from_a_later_extract": [
            change_one(OFFENCE, "the next year's extract", "extract_year = year + 1")
        ],
        "years_are_complete": [change_one(OFFENCE, "a year that nobody delivered", "year = 2020")],
        "outcomes_are_known": [change_one(OFFENCE, "convicted", "outcome = 'convicted'")],
        "cleared_is_what_its_outcome_says": [
            change_one(OFFENCE, "cleared by a limitation", "outcome = 'limited'", "is_cleared"),
            change_one(OFFENCE, "indicted and not cleared", "outcome = 'cleared_indictment'", "not is_cleared"),
        ],
        "cleared_is_investigated_with_suspect_by_a_prosecutor": [
            change_one(OFFENCE, f"cleared and not {flag}", f"{flag} = false", "is_cleared")
            for flag in ("is_investigated", "has_suspect", "at_prosecutor")
        ],
        "at_prosecutor_is_investigated": [
            change_one(OFFENCE, "without an investigation", "is_investigated = false", "at_prosecutor")
        ],
        "classes_count_under_their_indicator": [
            change_one(OFFENCE, "another indicator", "indicator_id = 'koppleri'", "indicator_id = 'valdtakt'"),
            change_one(OFFENCE, "a code as a provision", "classified_by = 'provision'", "classified_by = 'code'"),
            change_one(OFFENCE, "a code that the catalogue does not have", "class_key = '0001'"),
            Breaker("a sibling code", "update intermediate.int_offence_class set role = 'context' where role = 'core'"),
        ],
        "victim_groups_are_those_of_the_indicator": [
            change_one(
                OFFENCE,
                "a boy as victim of gross violation of a woman's integrity",
                "victim_group = 'pojke'",
                "indicator_id = 'grov_kvinnofridskrankning'",
            )
        ],
        "places_are_known_and_agree": [
            change_one(OFFENCE, "Malmö in the county of Stockholm", "municipality_code = '1280', county_code = '01'"),
            change_one(OFFENCE, "a municipality that is none", "municipality_code = '9999', county_code = 'okand'"),
            change_one(OFFENCE, "a place in no region", "region_code = null", "municipality_code <> 'okand'"),
            change_one(OFFENCE, "an eighth region", "region_code = 'Rn08'"),
        ],
        "unknown_municipalities_are_counted_as_unknown": [
            change_one(
                OFFENCE, "an unknown code placed", "has_unknown_municipality = true", "municipality_code <> 'okand'"
            )
        ],
        "every_year_has_offences": [delete(OFFENCE, "no offence in a year", "year = 2022")],
        "share_classified_by_provision": [
            change(OFFENCE, "every tenth by its provision", "classified_by = 'provision'", "rowid % 10 = 0")
        ],
        "share_found_in_an_earlier_extract": [
            change(OFFENCE, "every tenth from an earlier extract", "extract_year = year - 1", "rowid % 10 = 0")
        ],
        "share_with_unknown_victim_group": [
            change(OFFENCE, "every third without a victim group", "victim_group = 'okand'", "rowid % 3 = 0")
        ],
        "no_row_stands_for_very_many_offences": [change_one(OFFENCE, "a typing error", "brottsantal = 111")],
        "codes_are_of_their_time": [
            change(CODE, "codes used long before they came", "valid_from = '2026-12-31', valid_to = null", "true"),
            change(CODE, "codes used long after they ended", "valid_from = null, valid_to = '2015-12-31'", "true"),
        ],
    },
    "int_provision": {
        "provisions_are_in_their_normal_form": [
            change_one(PROVISION, "with a paragraph sign", "provision = 'BrB 6 kap. 1 §'"),
            change_one(PROVISION, "with a gap too many", "provision = 'BrB 6:10  a'"),
        ],
        "share_of_provisions_not_understood": [
            change_one(
                PROVISION, "the most frequent spelling", "provision = null, offences = 1000000", "is_penal_code"
            ),
            Breaker(
                "one more than may be",
                f"update {PROVISION} set offences = 11 where provision is null",
                f"""delete from {PROVISION};
                    insert into {PROVISION} (year, lagrum, offences, provision, is_penal_code) values
                        (2024, 'a', 990, 'BrB 6:1', true), (2024, 'b', 10, null, true)""",
            ),
        ],
    },
    "unusable_field": {
        "few_values_are_unusable": [
            change(
                UNUSABLE,
                f"one row in {column} more than may be",
                "rows_unusable = floor(rows_read * 0.005) + 1",
                f"column_name = '{column}' and year = 2024",
                given=f"update {UNUSABLE} set rows_unusable = floor(rows_read * 0.005)",
            )
            for column in ("anmalningsdatum", "malsagande_kon")
        ],
        "unusable_values_within_limit": [
            change(
                UNUSABLE,
                "one row more than may be",
                "rows_unusable = floor(rows_read * 0.05) + 1",
                "column_name = 'kommunkod' and year = 2024",
                given=f"update {UNUSABLE} set rows_unusable = floor(rows_read * 0.05)",
            )
        ],
    },
    "int_delivery_balance": {
        "every_row_is_accounted_for": [
            change(BALANCE, "a row lost", "rows_read = rows_read + 1", "year = 2024"),
            change(BALANCE, "less than none", "duplicates = -1, rows_loaded = rows_loaded + duplicates + 1", "true"),
            change(BALANCE, "a count missing", "duplicates = null", "year = 2024"),
        ],
        "loaded_rows_are_in_the_warehouse": [
            change(
                BALANCE,
                f"one of {source}/{file} lost after loading",
                "rows_loaded = rows_loaded + 1, rows_read = rows_read + 1",
                f"source = '{source}' and file = '{file}' and year = 2024",
            )
            for source, file in (
                ("police", "offences"),
                ("police", "decisions"),
                ("police", "reports"),
                ("prosecution", "decisions"),
            )
        ],
        "quarantine_within_limit": [
            change(
                BALANCE,
                "one row too many in quarantine",
                "rows_quarantined = floor(rows_read * 0.005) + 1",
                "file = 'offences' and year = 2024",
                given=f"update {BALANCE} set rows_quarantined = floor(rows_read * 0.005)",
            ),
            change(BALANCE, "rows that were not counted", "rows_read = null", "year = 2024"),
            change(BALANCE, "faulty rows that were not counted", "rows_quarantined = null", "year = 2024"),
            change(BALANCE, "faulty rows of none that were read", "rows_read = 0, rows_quarantined = 1", "year = 2024"),
        ],
        "every_year_has_all_files": [
            delete(BALANCE, "a year without prosecutors", "source = 'prosecution' and year = 2024"),
            delete(BALANCE, "a year without offences", "file = 'offences' and year = 2024"),
            repeat(BALANCE, "a file twice"),
        ],
        "share_of_exact_duplicates": [change(BALANCE, "each row twice", "duplicates = rows_read / 2", "year = 2024")],
        "share_of_orphans": [
            Breaker(
                "many decisions without an offence",
                """insert into intermediate.int_quarantined_decision (year, source, file, line, reason)
                   select 2024, 'prosecution', 'decisions', 1000000 + range, 'orphan' from range(100)""",
            )
        ],
        "decisions_match_offences": [
            change(BALANCE, "half of the decisions", "rows_loaded = rows_loaded / 2", "file = 'decisions'"),
            change(BALANCE, "a third of the offences", "rows_loaded = rows_loaded / 3", "file = 'offences'"),
        ],
        "rows_read_like_earlier_years": [
            change(BALANCE, "a third of a file", "rows_read = rows_read / 3", "year = 2024"),
            change(BALANCE, "three years in a file", "rows_read = rows_read * 3", "year = 2024"),
            delete_earlier_years(BALANCE, "with one earlier year", "rows_read = rows_read / 3"),
        ],
    },
    "int_year_content": {
        "every_year_is_counted_once": [
            repeat(CONTENT, "a year twice"),
            delete(CONTENT, "a year left out", "year = 2022"),
            delete(CONTENT, "no year at all", "true"),
        ],
        "offences_have_decisions": [
            change(CONTENT, "35 % without", "offences_without_decision = offences * 0.35", "year = 2024"),
            *(
                change(
                    CONTENT,
                    f"one more than may be of {offences}",
                    "offences_without_decision = offences_without_decision + 1",
                    "year = 2024",
                    f"update {CONTENT} set offences = {offences}, offences_without_decision = {offences // 10} where year = 2024",
                )
                for offences in (100, 1000)
            ),
        ],
        "few_offences_lack_decisions": [
            change(CONTENT, "8 % without", "offences_without_decision = offences * 0.08", "year = 2024"),
            change(
                CONTENT,
                "one more than may be",
                "offences_without_decision = 11",
                "year = 2024",
                f"update {CONTENT} set offences = 1000, offences_without_decision = 10 where year = 2024",
            ),
        ],
        "codes_agree_with_victims": [
            change(
                CONTENT, "codes of other rows", "offences_with_another_victim = offences_with_coded_victim / 2", "true"
            ),
            change(
                CONTENT,
                "one more than may be",
                "offences_with_another_victim = 3",
                "year = 2024",
                f"update {CONTENT} set offences_with_coded_victim = 100, offences_with_another_victim = 2 where year = 2024",
            ),
        ],
        "cases_lie_in_one_region": [
            change(
                CONTENT, "regions of other rows", "cases_of_several_regions = cases_of_several_offences / 2", "true"
            ),
            change(
                CONTENT,
                "one more than may be",
                "cases_of_several_regions = 6",
                "year = 2024",
                f"update {CONTENT} set cases_of_several_offences = 100, cases_of_several_regions = 5 where year = 2024",
            ),
        ],
    },
    "int_code_year": {
        "codes_come_and_go_by_law": [
            change_code("brottskod 9111 new", "brottskod", "9111", {2023: 0, 2024: 50}),
            change_code("brottskod 9111 gone", "brottskod", "9111", {2023: 50, 2024: 0}),
            change_code("a decision gone", "police beslut", "NEDLAGD", {2023: 50, 2024: 0}),
            change_code("a decision new", "prosecution beslut", "NYTT", {2023: 0, 2024: 50}),
            # 0416 ended on 31 December 2009, and 0682 began in July 2019: neither comes or goes now by law.
            change_code("an ended code begins", "brottskod", "0416", {2023: 0, 2024: 50}),
        ],
    },
}

# --- marts -----------------------------------------------------------------------------------------------------------

FIGURES = "intermediate.int_figure_year"
OUTCOMES = (
    "cleared_indictment", "cleared_penalty_order", "cleared_waiver",
    "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed",
)  # fmt: skip
COUNTS = ("processed", "investigated", "dismissed", "with_suspect", "cleared", *OUTCOMES)
RATES = (
    "clearance_pct", "prosecution_pct", "clearance_pct_country", "clearance_pct_median_region",
)  # fmt: skip
COUNTRY = "geography_level = 'riket' and victim_group = 'total' and variant = 'beslutad'"
RAPES = f"indicator_id = 'valdtakt' and {COUNTRY}"
ONE_FIGURE = f"{RAPES} and year = 2024"
LARGE_VOLUME = f"""
    update {FIGURES} set processed = 100 * processed, investigated = 100 * investigated
    where indicator_id = 'valdtakt' and {COUNTRY}"""


def figure(what: str, values: str, given: str = "") -> Breaker:
    """Change one figure of the country: rape (indicator 9), last year."""
    return change(FIGURES, what, values, ONE_FIGURE, given)


def kept_year(processed: int, cleared: int, sound: str) -> str:
    """Keep the same figure of 2023 as of a purged year, and no other earlier year; what is `sound` beside it is set."""
    return f"""
        delete from {FIGURES} where year < 2024;
        drop table raw.kept_fct_indicator_year;
        create table raw.kept_fct_indicator_year as
        select 'valdtakt' as indicator_id, 'beslutad' as variant, 'riket' as geography_level, 'SE' as geography_code,
            'total' as victim_group, 2023 as year, {processed} as processed, {cleared} as cleared;
        update {FIGURES} set {sound} where {ONE_FIGURE}"""


def each_count(where: str, more: int = 1) -> list[Breaker]:
    """More in one column at a time, of those that an expectation on sums of rows must compare."""
    return [
        change_one(FIGURES, f"more {count}", f"{count} = {count} + {more}", where)
        for count in ("with_suspect", *OUTCOMES)
    ]


FIGURE_BREAKERS: Breakers = {
    "grid_is_full": [
        change_one(FIGURES, "no row for a zero", "variant = 'none'", "processed = 0"),
        delete(FIGURES, "a year without a group", "year = 2022 and victim_group = 'pojke'"),
        Breaker(
            "a group that the indicator cannot have",
            f"""insert into {FIGURES} select * replace ('pojke' as victim_group) from {FIGURES}
                where indicator_id = 'grov_kvinnofridskrankning' and victim_group = 'kvinna' limit 1""",
        ),
    ],
    "counts_are_filled_and_not_negative": [
        figure("no figure", "with_suspect = null"),
        *(figure(f"less than none in {count}", f"{count} = -1") for count in COUNTS),
    ],
    "processed_is_investigated_or_dismissed": [figure("one more", "processed = processed + 1")],
    "cleared_is_the_sum_of_three": [figure(f"one more {of}", f"{of} = {of} + 1") for of in OUTCOMES[:3]],
    "investigated_is_the_sum_of_its_outcomes": [
        figure(f"one more {of}", f"{of} = {of} + 1") for of in ("cleared", *OUTCOMES[3:5])
    ],
    "dismissed_is_the_sum_of_its_outcomes": [figure(f"one more {of}", f"{of} = {of} + 1") for of in OUTCOMES[5:]],
    "cleared_has_a_suspect": [
        figure("cleared without a suspect", "with_suspect = cleared - 1"),
        figure("suspected and not processed", "with_suspect = processed + 1"),
    ],
    "victim_groups_add_up_to_the_total": each_count("victim_group = 'kvinna'"),
    "municipalities_add_up_to_the_county": [
        *each_count("geography_code = '1280'"),
        change_one(
            FIGURES,
            "one more at an unknown place",
            "with_suspect = with_suspect + 1",
            "geography_code = 'okand' and victim_group = 'total'",
        ),
    ],
    "counties_add_up_to_the_country": each_count("geography_level = 'lan' and geography_code = 'okand'"),
    "regions_do_not_exceed_the_country": each_count("geography_code = 'Rn05'", more=100_000),
    "variants_lie_inside_each_other": [
        *each_count("variant = 'exkl_oaktsam' and geography_level = 'riket'", more=100_000),
        *(
            change(
                FIGURES,
                f"more in {indicator}/{narrow} than in the wider variant",
                "cleared_indictment = cleared_indictment + 100000",
                f"indicator_id = '{indicator}' and variant = '{narrow}' and geography_level = 'riket'",
            )
            for indicator, narrow in (
                ("misshandel_nara_relation", "inomhus"),
                ("misshandel_nara_relation", "beslutad"),
                ("grov_fridskrankning", "parrelation"),
                ("aktenskapstvang", "beslutad"),
                ("valdtakt", "parrelation"),
            )
        ),
    ],
    "coercion_and_misleading_make_the_decided_variant": each_count(f"indicator_id = 'aktenskapstvang' and {COUNTRY}"),
    "rates_are_null_without_a_denominator": [
        change_one(FIGURES, f"0 % of nothing in {rate}", f"{rate} = 0", "processed = 0")
        for rate in ("clearance_pct", "clearance_pct_low", "clearance_pct_high", "prosecution_pct")
    ]
    + [figure("a rate missing", "clearance_pct = null")],
    "rates_are_those_of_their_counts": [
        figure(f"{rate} rounded up", f"{rate} = ceil(100 * {rate} + 0.01) / 100")
        for rate in ("clearance_pct", "prosecution_pct")
    ],
    "rates_are_percentages": [
        change_one(FIGURES, f"{column} of {value}", f"{column} = {value}", "geography_level = 'lan'")
        for column in RATES
        for value in ("100.5", "-0.5", "'nan'")
    ]
    + [figure("a change of more than all", "clearance_change_pp = 100.5")],
    "rates_lie_in_their_interval": [
        figure("a lower bound below 0", "clearance_pct_low = -0.1"),
        figure("a lower bound above the rate", "clearance_pct_low = clearance_pct + 0.1"),
        figure("an upper bound below the rate", "clearance_pct_high = clearance_pct - 0.1"),
        figure("an upper bound above 100", "clearance_pct_high = 100.1"),
        figure("no width", "clearance_pct_low = clearance_pct, clearance_pct_high = clearance_pct"),
    ],
    "country_rate_is_that_of_the_country": [
        change_one(FIGURES, "another country", "clearance_pct_country = 12.5", "geography_code = '1280'"),
        change_one(FIGURES, "no country", "clearance_pct_country = null", "clearance_pct_country is not null"),
    ],
    "region_median_is_that_of_the_regions": [
        figure("another median", "clearance_pct_median_region = clearance_pct_median_region + 0.1"),
        figure("no median", "clearance_pct_median_region = null"),
    ],
    "no_change_across_a_break": [
        change_one(FIGURES, "a change from the other side", "clearance_change_pp = 0.5", "series_break"),
        change_one(FIGURES, "a test against the other side", "clearance_change_significant = true", "series_break"),
    ],
    "change_is_from_the_year_before": [
        change(
            FIGURES,
            "the year before delivered again",
            "clearance_pct = clearance_pct + 1",
            "indicator_id = 'valdtakt' and year = 2023",
        ),
        figure("no change", "clearance_change_pp = null"),
        change_one(
            FIGURES, "a change in the first year", "clearance_change_pp = 0", "year = 2021 and not series_break"
        ),
    ],
    "significance_belongs_to_a_change": [
        change_one(
            FIGURES, "none is significant", "clearance_change_significant = true", "clearance_change_pp is null"
        ),
        figure("0 is significant", "clearance_change_pp = 0, clearance_change_significant = true"),
        figure("not tested", "clearance_change_significant = null"),
    ],
    "breaks_are_marked": [
        figure("a break that is no row", "series_break = not series_break"),
        figure("a mixed year that is no row", "mixed_year = not mixed_year"),
        figure("neither yes nor no", "series_break = null"),
        change_one("marts.series_break", "a break that is not marked", "year = 2024", "indicator_id = 'valdtakt'"),
    ],
    "changes_are_marked_as_comparable": [
        figure("marked the other way", "clearance_change_comparable = not clearance_change_comparable"),
        figure("neither yes nor no", "clearance_change_comparable = null"),
        change_one(
            "marts.series_break",
            "a year after a mixed one",
            "mixed_year = true, year = 2021",
            "year = 2022 and not mixed_year",
        ),
        change_one(
            "reference.indicator", "codes worked off later", "worked_off_until = 2022", "worked_off_until = 2020"
        ),
    ],
    "small_numbers_are_marked": [
        figure("marked without reason", "small_number = not small_number"),
        figure("neither yes nor no", "small_number = null"),
    ],
    "volume_is_half_to_twice_the_year_before": [
        figure("ten times as many", "processed = 10 * processed"),
        figure("from 233 to 1", "processed = 1", f"update {FIGURES} set processed = 233 where {RAPES}"),
        figure("from 1 to 233", "processed = 233", f"update {FIGURES} set processed = 1 where {RAPES}"),
        figure(
            "from none to 100",
            "processed = 100",
            f"delete from {FIGURES} where year < 2023; "
            f"update {FIGURES} set processed = 99 where {ONE_FIGURE}; "
            f"update {FIGURES} set processed = 0 where {RAPES} and year = 2023",
        ),
        figure(
            "half of what was kept of a purged year",
            "processed = 49",
            given=kept_year(100, 50, "processed = 50"),
        ),
    ],
    "volume_like_earlier_years": [
        figure("ten times as many", "processed = 10 * processed"),
        figure("a tenth", "processed = processed / 10", f"update {FIGURES} set processed = 150 where {RAPES}"),
    ],
    "rate_like_earlier_years": [
        figure("nearly all cleared", "clearance_pct = 95", LARGE_VOLUME),
        figure(
            "otherwise than what was kept of a purged year",
            "clearance_pct = 62.1",
            given=kept_year(300, 150, "processed = 300, clearance_pct = 62"),
        ),
    ],
    "share_investigated_like_earlier_years": [
        figure("nearly all dismissed", "investigated = processed / 10", LARGE_VOLUME)
    ],
    "large_indicators_reach_every_region_and_county": [
        change(
            FIGURES,
            f"nothing from {where}",
            "processed = 0",
            f"indicator_id = 'valdtakt' and year = 2024 and geography_code = '{code}'",
            given=f"""update {FIGURES} set processed = 1000 + processed where indicator_id = 'valdtakt';
                delete from intermediate.int_suppression where indicator_id = 'valdtakt'""",
        )
        for where, code in (("Gotland", "09"), ("region Bergslagen", "Rn07"))
    ],
}

SHOWN = "marts.fct_indicator_year"
WITHHELD_COLUMNS = (
    *COUNTS,
    "clearance_pct",
    "clearance_pct_low",
    "clearance_pct_high",
    "prosecution_pct",
    "clearance_change_pp",
)
ACCOUNT = "intermediate.int_suppression"
COUNTIES_OF_KOPPLERI = (
    "geography_level = 'lan' and indicator_id = 'koppleri' and year = 2024 and victim_group = 'total'"
)


def withheld_among_many(codes: str) -> str:
    """Many offences in each county and municipality, of which those whose codes begin with some are withheld."""
    return f"""
        update {FIGURES} set processed = 100, cleared = 50 where geography_level in ('lan', 'kommun');
        update {SHOWN} set suppression = case when geography_code[:2] in ({codes}) then 'secondary' end
            where geography_level in ('lan', 'kommun')"""


# The region Rn01 and what has no place; the partners of that region alone.
IN_WITHHELD = "geography_code[:2] in ('ok', '22', '23', '24', '25')"
WITHHELD_TOGETHER = withheld_among_many("'ok', '22', '23', '24', '25'")
PARTNERS_WITHHELD = withheld_among_many("'22', '23'")

SHOWN_BREAKERS: Breakers = {
    "every_figure_is_a_row": [
        delete(SHOWN, "a withheld figure left out", "geography_code = '1280' and suppression is not null"),
        change_one(SHOWN, "another reading of a county", "variant = 'bred'", "geography_level = 'lan'"),
    ],
    "shown_figures_are_those_counted": [
        change_one(
            SHOWN, f"another {column}", f"{column} = {column} + 1", f"suppression is null and {column} is not null"
        )
        for column in (*COUNTS, *RATES, "clearance_pct_low", "clearance_pct_high")
    ]
    + [
        change_one(SHOWN, f"{flag} turned round", f"{flag} = not {flag}", "suppression is null")
        for flag in ("small_number", "series_break", "mixed_year", "clearance_change_comparable")
    ],
    "withheld_rows_show_nothing": [
        *(change_one(SHOWN, f"a withheld {one}", f"{one} = 0", "suppression is not null") for one in WITHHELD_COLUMNS),
        *(
            change_one(SHOWN, f"a withheld {flag}", f"{flag} = true", "suppression is not null")
            for flag in ("small_number", "clearance_change_significant")
        ),
    ],
    "levels_show_only_their_measures": [
        change_one(SHOWN, f"{one} of a {level}", f"{one} = 0", f"geography_level = '{level}'")
        for level in ("lan", "kommun")
        for one in (*sorted({*COUNTS} - {"processed", "cleared"}), "prosecution_pct")
    ],
    "small_numbers_are_withheld": [
        change_one(
            SHOWN, "processed 1", "processed = 1, cleared = 0", "geography_level = 'lan' and suppression is null"
        ),
        change_one(
            SHOWN, "cleared 4", "processed = 40, cleared = 4", "geography_level = 'lan' and suppression is null"
        ),
        change_one(
            SHOWN,
            "all but 4 cleared",
            "processed = 40, cleared = 36",
            "geography_level = 'lan' and suppression is null",
        ),
    ],
    "only_counties_and_municipalities_are_withheld": [
        change_one(SHOWN, "a region", "suppression = 'secondary'", "geography_level = 'polisregion'")
    ],
    "small_numbers_cannot_be_worked_out": [
        *(
            Breaker(
                f"{name} withheld alone",
                f"""update {SHOWN} as figure set suppression = null
                    where suppression is not null and geography_level = '{level}'
                        and geography_code <> (
                            select min(geography_code) from {SHOWN} as other
                            where suppression is not null and geography_level = '{level}'
                                and other.indicator_id = figure.indicator_id and other.year = figure.year)""",
            )
            for name, level in (("a county", "lan"), ("a municipality", "kommun"))
        ),
        *(
            Breaker(what, f"update {SHOWN} set suppression = null where {where}", given=WITHHELD_TOGETHER)
            for what, where in (
                ("what has no place shown", "geography_code = 'okand'"),
                ("what has no place withheld alone", f"{IN_WITHHELD} and geography_code <> 'okand'"),
            )
        ),
        *(
            Breaker(
                f"a whole region with nothing to hide in, {name}",
                f"update {FIGURES} set {counts} where geography_level = 'lan' and {IN_WITHHELD}",
                given=WITHHELD_TOGETHER,
            )
            for name, counts in (
                ("one cleared", "processed = 1, cleared = 1"),
                ("one not cleared", "processed = 1, cleared = 0"),
            )
        ),
        Breaker("a partner shown", withheld_among_many("'23', '24'"), given=PARTNERS_WITHHELD),
        Breaker(
            "a municipality of a withheld county shown",
            f"update {SHOWN} set suppression = null where geography_code = '2280'",
            given=PARTNERS_WITHHELD,
        ),
        *(
            Breaker(
                f"{what}, {name}",
                f"update {FIGURES} set {counts} where geography_level = 'lan' and geography_code in ({codes})",
                given=PARTNERS_WITHHELD,
            )
            for what, codes in (
                ("a region with little to hide in", "'22', '23'"),
                ("few without a place shown", "'okand'"),
            )
            for name, counts in (
                ("two cleared", "processed = 52, cleared = 2"),
                ("two not cleared", "processed = 52, cleared = 50"),
            )
        ),
        *(
            Breaker(
                f"{name} with nothing to hide in",
                f"""update {FIGURES} set processed = case
                        when geography_code like '%80' then 90 when geography_code = '0114' then 1 else 0 end
                        where geography_level = 'kommun';
                    update {FIGURES} set cleared = {cleared} where geography_level = 'kommun';
                    update {SHOWN} set suppression = case when geography_code not like '%80' then 'secondary' end
                        where geography_level = 'kommun'""",
            )
            for name, cleared in (("one cleared", "processed"), ("one not cleared", "0"))
        ),
    ],
    "what_was_withheld_stays_withheld": [
        Breaker(
            "one shown again",
            f"update {SHOWN} set suppression = null where {COUNTIES_OF_KOPPLERI}",
            given=f"""insert into raw.withheld_before by name
                select indicator_id, variant, year, geography_level, geography_code, victim_group
                from {SHOWN} where suppression is not null""",
        )
    ],
    "loss_is_small": [
        change_one(
            FIGURES,
            f"a large {level} withheld",
            "processed = 30000",
            f"""geography_level = '{level}' and victim_group = 'total' and (indicator_id, year, geography_code) in (
                select (indicator_id, year, geography_code) from {ACCOUNT}
                where geography_level = '{level}' and victim_group = 'total')""",
        )
        for level in ("lan", "kommun")
    ],
    "no_change_tells_a_withheld_year": [
        Breaker(
            f"{what} since a withheld year",
            f"""update {SHOWN} as this set {what} from {SHOWN} as before
                where before.suppression is not null and this.year = before.year + 1
                    and this.indicator_id = before.indicator_id and this.geography_level = before.geography_level
                    and this.geography_code = before.geography_code and this.victim_group = before.victim_group""",
        )
        for what in ("clearance_change_pp = 1", "clearance_change_significant = true")
    ],
    "county_median_is_that_of_the_counties_shown": [
        change_one(
            SHOWN, "a municipality among counties", "clearance_pct_median_county = 9", "geography_code = '1280'"
        ),
        # Eleven counties at 10 %, ten at 20 %, the unknown one at 20 %.
        Breaker(
            "another median",
            f"update {SHOWN} set clearance_pct_median_county = 15 where {COUNTIES_OF_KOPPLERI}",
            given=f"""update {SHOWN} set
                suppression = null, clearance_pct_median_county = 10,
                clearance_pct = case when geography_code <= '13' then 10 else 20 end
                where {COUNTIES_OF_KOPPLERI}""",
        ),
        change_one(
            SHOWN,
            "a median where most are withheld",
            "clearance_pct_median_county = 9",
            "geography_level = 'lan' and indicator_id = 'konsstympning'",
        ),
    ],
    "suppression_is_of_a_known_kind": [change_one(SHOWN, "withheld for a reason unknown", "suppression = 'tertiary'")],
}

TIMES, LAGS, FLOW = "marts.fct_processing_time_year", "marts.fct_report_lag_year", "marts.fct_case_flow_year"
SUSPICIONS, REPORTED = "marts.fct_prosecution_year", "marts.fct_reported_year"
REPORTED_OFFENCE = "intermediate.int_reported_offence"
DECIDED_TOTAL = "geography_level = 'riket' and variant = 'beslutad' and victim_group = 'total'"
LINKAGE = "intermediate.int_linkage_year"
RECONCILED = "marts.fct_reconciliation_year"
# A figure for which an official one is embedded.
OFFICIAL = "official_processed is not null and official_match = 'exact' and geography_code = 'Rn03' and year = 2024"
OTHER_FACTS: dict[str, Breakers] = {
    "fct_processing_time_year": {
        "outcomes_are_known": [change_one(TIMES, "convicted", "outcome = 'convicted'")],
        "offences_are_those_of_the_indicators": [
            change_one(TIMES, "a county", "geography_level = 'lan'", "geography_level = 'polisregion'"),
            delete(TIMES, "a region without its cleared", "geography_code = 'Rn05' and outcome = 'cleared'"),
            *(
                change_one(TIMES, f"one more of {outcome}", "offences = offences + 1", f"outcome = '{outcome}'")
                for outcome in ("all", "cleared", "not_cleared")
            ),
        ],
        "quantiles_are_in_order": [
            change_one(TIMES, "before the report", "days_p25 = -1"),
            change_one(TIMES, "half before a quarter", "days_median = days_p25 - 1"),
            change_one(TIMES, "three quarters before half", "days_p75 = days_median - 1"),
            change_one(TIMES, "nine tenths before three quarters", "days_p90 = days_p75 - 1"),
            change_one(TIMES, "no median", "days_median = null"),
        ],
        "median_lies_between_cleared_and_not_cleared": [
            change_one(TIMES, "the whole above its parts", "days_median = 9999", "outcome = 'all'"),
            change_one(TIMES, "the whole below its parts", "days_median = -1", "outcome = 'all'"),
        ],
        "decided_within_90_days_agrees_with_the_days": [
            *(
                change_one(
                    TIMES,
                    what,
                    f"decided_within_90_days = {count}, decided_within_90_days_pct = 100.0 * {count} / offences, "
                    f"days_median = {median}",
                )
                for what, count, median in (("more than all", "(offences + 1)", 90), ("less than none", "(-1)", 91))
            ),
            change_one(TIMES, "no count", "decided_within_90_days = null"),
            change_one(TIMES, "another share", "decided_within_90_days_pct = decided_within_90_days_pct + 0.1"),
            change_one(TIMES, "half after 90 days", "days_median = 91", "days_median <= 90"),
            change_one(TIMES, "half within 90 days", "days_median = 90", "days_median > 90"),
        ],
        "days_of_the_prosecutor_are_in_order": [
            change_one(TIMES, "more than all", "handed_over = offences + 1", "handed_over > 0"),
            change_one(TIMES, "less than none", "handed_over = -1", "handed_over > 0"),
            change_one(TIMES, "days of none", "handed_over = 0", "handed_over > 0"),
            change_one(TIMES, "days of nobody knows how many", "handed_over = null", "handed_over > 0"),
            *(
                change_one(TIMES, f"{what} of {days}", f"{days}_{column} = {value}", "handed_over > 0")
                for days in ("days_to_prosecutor", "days_at_prosecutor")
                for what, column, value in (
                    ("less than nothing", "p25", "-1"),
                    ("half before a quarter", "median", f"{days}_p25 - 1"),
                    ("three quarters before half", "p75", f"{days}_median - 1"),
                    ("nine tenths before three quarters", "p90", f"{days}_p75 - 1"),
                    ("no median", "median", "null"),
                )
            ),
        ],
        "handovers_need_the_year_before": [
            change_one(TIMES, "the first year", "handed_over = 0", "handed_over is null"),
            change_one(TIMES, "a later year", "handed_over = null", "handed_over = 0"),
        ],
        "cleared_and_not_cleared_add_up": [
            change_one(
                TIMES, f"one more of {outcome} {what}", f"{what} = {what} + 1", f"outcome = '{outcome}' and {what} > 0"
            )
            for outcome in ("all", "cleared", "not_cleared")
            for what in ("decided_within_90_days", "handed_over")
        ],
        "usual_time_is_plausible": [
            change(TIMES, "decided on the day of the report", "days_median = 0", "geography_level = 'riket'"),
            change(TIMES, "decided after years", "days_median = 1000", "geography_level = 'riket'"),
        ],
    },
    "fct_report_lag_year": {
        "every_place_has_all_lags": [delete(LAGS, "no row for a zero", "lag = '2' and processed = 0")],
        "cleared_does_not_exceed_processed": [
            change_one(LAGS, "cleared and not processed", "cleared = processed + 1"),
            change_one(LAGS, "less than none", "cleared = -1"),
        ],
        "offences_are_those_of_the_indicators": [
            change_one(LAGS, "one more processed", "processed = processed + 1"),
            change_one(LAGS, "one more cleared", "cleared = cleared + 1"),
            delete(LAGS, "nothing of a region", "geography_code = 'Rn05'"),
        ],
        "share_reported_the_same_year": [
            change(
                LAGS,
                what,
                values,
                "true",
                given=f"update {LAGS} set processed = 100 * processed where geography_level = 'riket'",
            )
            for what, values in (
                ("none reported the same year", "lag = case lag when '0' then '3+' when '3+' then '0' else lag end"),
                ("all reported the same year", "lag = '0'"),
            )
        ],
    },
    "fct_reported_year": {
        "stages_do_not_exceed_each_other": [
            change_one(REPORTED, "more cleared than decided", "cleared = decided + 1"),
            change_one(REPORTED, "more decided than reported", "decided = reported + 1"),
            change_one(REPORTED, "fewer than none", "cleared = -1"),
            change_one(REPORTED, "not counted", "decided = null"),
        ],
        "cohorts_only_progress": [
            change_one(REPORTED, "more reported later", "reported = reported + 1", "by_year = 2024 and year = 2023"),
            change_one(
                REPORTED,
                "fewer decided later",
                "decided = cleared",
                "by_year = 2024 and year = 2023 and indicator_id = 'valdtakt' and geography_level = 'riket'",
            ),
            change_one(
                REPORTED,
                "fewer cleared later",
                "cleared = 0",
                "by_year = 2024 and year = 2023 and indicator_id = 'valdtakt' and geography_level = 'riket'",
            ),
        ],
        "regions_do_not_exceed_the_country": [
            change_one(
                REPORTED,
                f"one region {what} more than all",
                f"{what} = {what} + 100000",
                "geography_level = 'polisregion'",
            )
            for what in ("reported", "decided", "cleared")
        ],
        "decided_offences_are_among_the_reported": [
            change(
                "intermediate.int_processed_offence",
                "every fiftieth of another case",
                "diarienummer = uuid()",
                "hash(diarienummer, brottsnummer) % 50 = 0",
            )
        ],
        "some_reported_offences_are_not_decided_yet": [
            change(REPORTED, "decided offences only", "decided = reported", "by_year = year and year = 2023"),
        ],
        "offences_are_reported_in_one_year": [
            Breaker(
                "some offences in the files of two years",
                f"insert into {REPORTED_OFFENCE} select * replace (2024 as year) from {REPORTED_OFFENCE} "
                "where year = 2023 and hash(diarienummer) % 50 = 0",
            )
        ],
    },
    "fct_prosecution_year": {
        "prosecuted_do_not_exceed_decided": [
            change_one(SUSPICIONS, "prosecuted and not decided on", "suspicions_prosecuted = suspicions_decided + 1"),
            change_one(SUSPICIONS, "less than none", "suspicions_prosecuted = -1"),
            *each_null(SUSPICIONS, ["suspicions_decided", "suspicions_prosecuted"]),
        ],
        "regions_do_not_exceed_the_country": [
            change_one(
                SUSPICIONS, f"a region with more {what}", f"suspicions_{what} = 1000000", "geography_code = 'Rn03'"
            )
            for what in ("decided", "prosecuted")
        ],
        "suspicions_are_of_the_indicators_offences": [
            change_one(SUSPICIONS, "nobody prosecuted", "suspicions_prosecuted = 0", "suspicions_prosecuted > 0"),
            change_one(SUSPICIONS, "nothing cleared", "suspicions_prosecuted = 1", "suspicions_prosecuted = 0"),
            change_one(
                SHOWN, "no suspect", "with_suspect = 0", f"{DECIDED_TOTAL} and with_suspect > 0 and cleared > 0"
            ),
            delete(SUSPICIONS, "nothing of a region", "geography_code = 'Rn05'"),
            change_one(SUSPICIONS, "a county", "geography_level = 'lan'", "geography_level = 'polisregion'"),
        ],
    },
    "fct_reconciliation_year": {
        "figures_are_those_of_the_indicators": [
            *(
                change_one(RECONCILED, f"one more {count}", f"{count} = {count} + 1")
                for count in ("processed", "investigated", "dismissed", "cleared")
            ),
            delete(RECONCILED, "nothing of a region", "geography_code = 'Rn05'"),
            change_one(RECONCILED, "a county", "geography_level = 'lan'"),
        ],
        "status_says_how_the_figures_agree": [
            *(
                change_one(RECONCILED, f"taken for {status}", f"status = '{status}', {values}", OFFICIAL)
                for status, values in (
                    ("equal", "largest_difference = 1"),
                    ("within 5", "largest_difference = 0"),
                    ("within 5", "largest_difference = 6"),
                    ("differs", "largest_difference = 5"),
                    ("differs", "largest_difference = null"),
                    ("not comparable", "largest_difference = 0"),
                    ("equal", "largest_difference = 0, official_match = 'narrow'"),
                    ("equal", "largest_difference = 0, official_match = 'unclear'"),
                    ("not loaded", "official_processed = null, official_match = null"),
                    ("no official row", "official_processed = null"),
                )
            ),
            change_one(RECONCILED, "no word", "status = null"),
        ],
        "official_counts_add_up": [
            change(
                RECONCILED,
                what,
                values,
                OFFICIAL,
                # the embedded figures of these years lack the parts
                given=f"""
                    update {RECONCILED} set
                        official_cleared_indictment = official_cleared, official_cleared_penalty_order = 0,
                        official_cleared_waiver = 0, official_limited_investigated = 0, official_limited_dismissed = 0
                    where {OFFICIAL}""",
            )
            for what, values in (
                ("one more processed", "official_processed = official_processed + 1"),
                ("one more cleared", "official_cleared_waiver = official_cleared_waiver + 1"),
                (
                    "more cleared than investigated",
                    "official_investigated = 0, official_dismissed = official_processed, official_cleared = 1, "
                    "official_cleared_indictment = null, official_limited_investigated = null, official_limited_dismissed = null",
                ),
                ("more limited than not cleared", "official_limited_investigated = official_investigated + 1"),
                ("more limited than dismissed", "official_limited_dismissed = official_dismissed + 1"),
            )
        ],
        "official_figures_have_a_version": [
            change_one(RECONCILED, "no file", "official_file = null", OFFICIAL),
            change_one(RECONCILED, "no checksum", "official_sha256 = null", OFFICIAL),
            change_one(
                RECONCILED,
                "a version of nothing",
                "official_file = 'a', official_sha256 = 'b'",
                "official_processed is null",
            ),
        ],
        "figures_agree_with_official_ones": [
            change(
                RECONCILED,
                what,
                values,
                f"rowid = (select min(rowid) from {RECONCILED} where {OFFICIAL} and official_investigated > 0)",
                given=f"""
                    update {RECONCILED}
                    set
                        processed = official_processed, investigated = official_investigated,
                        largest_difference = {difference}, clearance_pct_difference = {points}, prosecution_pct_difference = -{points}
                    where status <> 'not comparable'""",
            )
            for what, difference, points, values in (
                ("more than 5 offences", 5, 0.6, "largest_difference = 6"),
                ("more than 0.5 points of those cleared", 6, 0.5, "clearance_pct_difference = -0.51"),
                ("more than 0.5 points of those prosecuted", 6, 0.5, "prosecution_pct_difference = 0.51"),
                (
                    "none of them delivered",
                    6,
                    0.5,
                    "processed = 0, clearance_pct_difference = null, prosecution_pct_difference = null",
                ),
                ("none of them investigated", 6, 0.5, "investigated = 0, prosecution_pct_difference = null"),
            )
        ],
    },
    "fct_case_flow_year": {
        "every_place_has_all_stages_in_order": [
            delete(FLOW, "no row for a zero", "stage = 'cleared' and offences = 0"),
            change(FLOW, "two stages exchanged", "stage_order = 9 - stage_order", "stage_order in (4, 5)"),
            change(FLOW, "a number left out", "stage_order = 6", "stage = 'cleared'"),
        ],
        "offences_are_those_of_the_indicators": [
            change_one(FLOW, "a county", "geography_level = 'lan'", "geography_level = 'polisregion'"),
            *(
                change_one(FLOW, f"one more {stage}", "offences = offences + 1", f"stage = '{stage}'")
                for stage in ("processed", "investigated", "with_suspect", "cleared")
            ),
        ],
        "at_prosecutor_lies_between_cleared_and_investigated": [
            change(FLOW, "cleared without a prosecutor", "offences = 0", "stage = 'at_prosecutor'"),
            change(FLOW, "at the prosecutor without an investigation", "offences = 99999", "stage = 'at_prosecutor'"),
        ],
        "linkage_is_a_percentage": [change_one(FLOW, "more than all linked", "linkage_pct = 101")],
        "shares_are_of_the_stage_before": [
            change_one(
                FLOW,
                "another share than that of the numbers",
                "share_of_stage_before_pct = share_of_stage_before_pct + 0.1",
                "share_of_stage_before_pct is not null",
            ),
            change_one(FLOW, "a share at the first stage", "share_of_stage_before_pct = 100", "stage = 'processed'"),
            change_one(
                FLOW, "a share missing", "share_of_stage_before_pct = null", "share_of_stage_before_pct is not null"
            ),
        ],
        "linkage_is_one_figure_per_year": [
            change_one(FLOW, "another linkage for the cleared", "linkage_pct = 50", "linkage_pct is not null"),
            change(FLOW, "no linkage", "linkage_pct = null", "true"),
            change_one(FLOW, "a linkage of a region", "linkage_pct = 50", "geography_level = 'polisregion'"),
            delete(LINKAGE, "a linkage of no prosecutor's year", "year = 2024"),
        ],
        "linkage_is_high": [
            change(
                FLOW,
                "half is unknown to the police",
                "linkage_pct = 50",
                "geography_level = 'riket'",
            )
        ],
    },
}

INDICATOR, PLACE, GROUP = "marts.dim_indicator", "marts.dim_geography", "marts.dim_victim_group"
YEAR, BREAK = "marts.dim_year", "marts.series_break"
TEXTS = (
    "name_sv", "name_en", "variant_name_sv", "variant_name_en", "wording_sv", "wording_en", "numerator_sv", "numerator_en",
    "denominator_sv", "denominator_en", "includes_sv", "includes_en", "excludes_sv", "excludes_en", "legal_reference",
)  # fmt: skip
DIMENSIONS: dict[str, Breakers] = {
    "dim_indicator": {
        "every_variant_is_there": [delete(INDICATOR, "a variant missing", "variant = 'inomhus'")],
        "every_indicator_is_there": [
            delete(INDICATOR, "an indicator missing", "indicator_number = 6"),
            change(INDICATOR, "one too many", "indicator_number = 17", "indicator_number = 1 and variant = 'inomhus'"),
        ],
        "kinds_are_known": [change_one(INDICATOR, "decided, in Swedish", "kind = 'beslutad'")],
        "numbers_and_names_go_together": [
            change(INDICATOR, "another Swedish name", "name_sv = 'Våldtäkt'", "variant = 'inomhus'"),
            change(INDICATOR, "another English name", "name_en = 'Rape'", "variant = 'inomhus'"),
            change(INDICATOR, "another indicator", "indicator_id = 'valdtakt'", "variant = 'inomhus'"),
            change(INDICATOR, "another number", "indicator_number = 9", "indicator_number = 1"),
        ],
        "decided_variant_comes_first": [
            change(INDICATOR, "the wide variant first", "sort_order = 4 - sort_order", "indicator_number = 1"),
            change(INDICATOR, "a place left out", "sort_order = 4", "variant = 'bred'"),
        ],
        "texts_are_filled": [
            change_one(INDICATOR, f"{column} {how}", f"{column} = {value}")
            for column in TEXTS
            for how, value in (("missing", "null"), ("empty", "' '"))
        ],
        "no_break_within_the_comparable_years": [
            change(INDICATOR, "comparable across 2022", "first_comparable_year = 2021", "indicator_id = 'valdtakt'"),
            change(
                INDICATOR, "comparable with 2022 itself", "first_comparable_year = 2022", "indicator_id = 'valdtakt'"
            ),
            change_one(INDICATOR, "not known", "first_comparable_year = null"),
        ],
    },
    "dim_geography": {
        "all_places_are_there": [
            delete(PLACE, f"no {code}", f"geography_code = '{code}'") for code in ("SE", "Rn07", "25", "1280", "okand")
        ],
        "codes_fit_their_level": [
            change(PLACE, f"{wrong} for {code}", f"geography_code = '{wrong}'", f"geography_code = '{code}'")
            for code, wrong in (("SE", "00"), ("Rn01", "Rn1"), ("01", "1"), ("0180", "180"))
        ]
        + [change_one(PLACE, "another level", "geography_level = 'tingsratt'")],
        "names_are_filled": [change_one(PLACE, "an empty name", "name_sv = ''")],
        "no_place_is_nameless": [change_one(PLACE, "no name", "name_sv = null")],
        "parents_are_there_and_agree": [
            change(PLACE, "the country in a region", "region_code = 'Rn01'", "geography_code = 'SE'"),
            change(PLACE, "the unknown in a county", "county_code = '01'", "geography_code = 'okand'"),
            change(PLACE, "a region in another one", "region_code = 'Rn01'", "geography_code = 'Rn02'"),
            change(PLACE, "Malmö in another region than its county", "region_code = 'Rn05'", "geography_code = '1280'"),
            change(PLACE, "Malmö in another county", "county_code = '01'", "geography_code = '1280'"),
            change(PLACE, "a county without a region", "region_code = null", "geography_code = '25'"),
            delete(PLACE, "municipalities without their county", "geography_code = '25'"),
        ],
    },
    "dim_victim_group": {
        "groups_are_the_six": [
            delete(GROUP, "no rest", "victim_group = 'okand'"),
            change(GROUP, "another name", "victim_group = 'alla'", "victim_group = 'total'"),
        ],
        "order_is_unique": [change(GROUP, "no order", "sort_order = 1", "true")],
        "texts_are_filled": [
            change_one(GROUP, "an empty Swedish name", "name_sv = ' '"),
            change_one(GROUP, "an empty English name", "name_en = ' '"),
            *each_null(GROUP, ["name_sv", "name_en", "sort_order"]),
        ],
    },
    "dim_year": {
        "years_are_those_of_the_statistics": [change_one(YEAR, "older statistics", "year = 2013")],
        "deliveries_are_those_audited": [
            change_one(YEAR, "a police delivery that was replaced", "police_delivery_id = 'replaced'"),
            change_one(YEAR, "a prosecution delivery that was replaced", "prosecution_delivery_id = 'replaced'"),
            delete(YEAR, "a complete year missing", "year = 2022"),
            Breaker(
                "a delivery without a name",
                f"update {YEAR} set police_delivery_id = null; update {BALANCE} set delivery_id = null where source = 'police'",
            ),
        ],
        "it_is_known_what_is_synthetic": each_null(YEAR, ["is_synthetic"]),
        "years_are_all_real_or_all_synthetic": [
            change_one(YEAR, "a real year among invented ones", "is_synthetic = false")
        ],
        "years_follow_each_other": [delete(YEAR, "a gap", "year = 2022")],
    },
    "series_break": {
        "indicators_are_known": [change_one(BREAK, "all, as in the source", "indicator_id = 'all'")],
        "every_indicator_has_the_breaks_of_all": [
            delete(BREAK, "a break of all that one indicator lacks", "year = 2014 and indicator_id = 'koppleri'"),
            delete(BREAK, "an indicator's own break", "year = 2022 and indicator_id = 'valdtakt'"),
        ],
        "year_and_mixing_follow_from_the_day": [
            change_one(BREAK, "a whole year", "mixed_year = false", "mixed_year"),
            change_one(BREAK, "the year after", "year = year + 1"),
        ],
        "kinds_are_known": [change_one(BREAK, "another kind", "kind = 'politics'")],
        "causes_are_told": each_null(BREAK, ["kind", "cause_sv", "cause_en", "provision", "reference", "is_confirmed"]),
    },
}

# --- published -------------------------------------------------------------------------------------------------------

SERVED = "read_back"
TABLES = (
    "dim_geography", "dim_indicator", "dim_victim_group", "dim_year", "fct_case_flow_year", "fct_indicator_year",
    "fct_processing_time_year", "fct_prosecution_year", "fct_reconciliation_year", "fct_report_lag_year",
    "fct_reported_year",
    "indicator_report", "series_break",
)  # fmt: skip
PUBLISHED: dict[str, Breakers] = {
    "published_files": {
        "all_tables_are_there": [delete(SERVED, f"no {table}", f"table_name = '{table}'") for table in TABLES],
        "every_table_is_there_in_every_format": [
            delete(SERVED, f"no {form}", f"table_name = 'dim_year' and format = '{form}'")
            for form in ("csv", "duckdb", "parquet")
        ],
        "no_table_is_empty": [
            change(SERVED, "an empty file", "rows_built = 0, rows_served = 0", "table_name = 'dim_year'"),
            change(SERVED, "a file that lost its rows", "rows_served = 0", "table_name = 'fct_case_flow_year'"),
        ],
        "as_many_rows_served_as_built": [
            change_one(SERVED, "a row more", "rows_served = rows_served + 1"),
            change_one(SERVED, "a row fewer", "rows_served = rows_served - 1"),
        ],
        "served_holds_all_that_was_built": [change_one(SERVED, "a row changed", "rows_only_built = 1")],
        "served_holds_nothing_else": [change_one(SERVED, "a row changed", "rows_only_served = 1")],
        "no_text_is_a_formula": [change_one(SERVED, "a formula", "formulas = 1")],
    }
}

# --- at the limit itself ---------------------------------------------------------------------------------------------

BY_DAY = "'2024-01-01'::date + cast(line % 300 as integer)"
IN_2024 = "year = 2024"
OF_INDICATOR = "indicator_id in (select indicator_id from reference.indicator where kind = 'decided')"


def of_offence(what: str, bad: str, good: str, pct: float) -> Breaker:
    """Of the offences of one year, all of the same weight."""
    return just_beyond(
        OFFENCE, what, f"{bad}, brottsantal = 1", f"{good}, brottsantal = 1", pct, f"{IN_2024} and {OF_INDICATOR}"
    )


def reopened(table: str) -> Sequence[Breaker]:
    return [just_beyond(table, "reopened", "beslut = 'ATERUPPTAGEN'", "beslut = 'NEDLAGD'", 5)]


def on_one_day(table: str, column: str) -> Sequence[Breaker]:
    return [just_beyond(table, "on one day", f"{column} = '2024-12-31'", f"{column} = {BY_DAY}", 5)]


def from_to(table: str, what: str, yes: str, no: str, least: float, most: float) -> Sequence[Breaker]:
    return [just_beyond(table, what, yes, no, most), just_beyond(table, f"not {what}", no, yes, 100 - least)]


def at(table: str, what: str, column: str, where: str, least: str, most: str, one: str = "1") -> Sequence[Breaker]:
    """The bounds pass, and values just beyond them fail."""
    return [
        change(
            table,
            f"{what} {sign} {one}",
            f"{column} = {limit} {sign} {one}",
            where,
            f"update {table} set {column} = {limit} where {where}",
        )
        for limit, sign in ((least, "-"), (most, "+"))
        if limit
    ]


def places_of_offences(table: str) -> Breakers:
    """Return the limits shared by both files of offences."""
    return {
        "share_without_municipality": [
            just_beyond(table, "without a place", "kommunkod = null", "kommunkod = '0180'", 10)
        ],
        "share_without_region": [
            just_beyond(table, "without", "handlaggande_region = null", "handlaggande_region = 'Rn01'", 15)
        ],
    }


OF_ONE_COHORT = "year = 2024 and by_year = 2024 and indicator_id = 'valdtakt' and variant = 'beslutad' and geography_level = 'riket'"


def again_in_2022(many: int, *, other_case: bool = False) -> str:
    """Report new offences in 2022, and the same ones in 2021 unless they are of another case there."""
    return f"""
        create or replace temp table again as
        select offence.* replace (uuid() as diarienummer, 2022 as year)
        from (from {REPORTED_OFFENCE} limit 1) as offence, range({many});
        insert into {REPORTED_OFFENCE} from again;
        insert into {REPORTED_OFFENCE}
        select * replace ({"uuid()" if other_case else "diarienummer"} as diarienummer, 2021 as year) from again
    """


LIMITS: dict[str, Breakers] = {
    "raw_police_reports": {
        **places_of_offences(REPORTS),
        "no_day_has_most_reports": on_one_day(REPORTS, "anmalningsdatum"),
    },
    "raw_police_offences": {
        **places_of_offences(OFFENCES),
        "reports_come_before_the_year_ends": [
            just_beyond(OFFENCES, "late", "anmalningsdatum = '2025-01-01'", "anmalningsdatum = '2024-12-31'", 0.1)
        ],
        "reports_are_not_from_another_age": [
            just_beyond(OFFENCES, "old", "anmalningsdatum = '1983-12-31'", "anmalningsdatum = '1984-01-01'", 0.1)
        ],
        "share_reported_the_same_year": from_to(
            OFFENCES, "the same year", "anmalningsdatum = '2024-03-01'", "anmalningsdatum = '2023-03-01'", 70, 95
        ),
        "no_day_has_most_reports": on_one_day(OFFENCES, "anmalningsdatum"),
        "share_without_report_date": [
            just_beyond(OFFENCES, "without", "anmalningsdatum = null", "anmalningsdatum = '2024-01-01'", 1)
        ],
        "share_of_impossible_municipalities": [
            just_beyond(OFFENCES, "of a county that is no more", "kommunkod = '1180'", "kommunkod = '0180'", 1)
        ],
        "share_without_provision": [just_beyond(OFFENCES, "without", "lagrum = null", "lagrum = 'BrB 6:1'", 40)],
        "share_without_victim": [
            just_beyond(OFFENCES, "without", "malsagande_kon = null", "malsagande_kon = 'K', malsagande_alder = 20", 90)
        ],
        "codes_are_not_placeholders": [just_beyond(OFFENCES, "9999", "brottskod = '9999'", "brottskod = '0801'", 0.5)],
        "no_code_has_most_offences": [
            just_beyond(
                OFFENCES,
                "of one code",
                "brottskod = '0801'",
                "brottskod = '9' || lpad((line % 100)::varchar, 3, '0')",
                30,
            )
        ],
        # rows of 101 hold 5 % of the offences when they are 0.05 / (101 - 5) of the rows
        "offences_are_not_in_few_rows": [
            just_beyond(OFFENCES, "rows of 101 offences", "brottsantal = 101", "brottsantal = 1", 100 * 0.05 / 95.96)
        ],
    },
    "raw_police_decisions": {
        "no_day_has_most_decisions": on_one_day(POLICE, "beslutsdatum"),
        "share_investigated": from_to(POLICE, "investigated", "utredning = 'J'", "utredning = 'N'", 20, 90),
        "share_with_suspect": from_to(
            POLICE, "suspected", "skaligen_misstankt = 'J'", "skaligen_misstankt = 'N'", 5, 80
        ),
        "share_reopened": reopened(POLICE),
    },
    "raw_prosecution_decisions": {
        "no_day_has_most_decisions": on_one_day(PROSECUTION, "beslutsdatum"),
        "share_clearing": from_to(PROSECUTION, "cleared", "beslut = 'ATAL'", "beslut = 'NEDLAGD'", 20, 90),
        "share_without_suspect": [
            just_beyond(PROSECUTION, "nobody", "misstanke_id = null", "misstanke_id = uuid()", 40)
        ],
        "share_reopened": reopened(PROSECUTION),
    },
    "int_processed_offence": {
        "share_classified_by_provision": [
            of_offence("by provision", "classified_by = 'provision'", "classified_by = 'code'", 3)
        ],
        "share_found_in_an_earlier_extract": [
            of_offence("from an earlier extract", "extract_year = 2023", "extract_year = 2024", 1)
        ],
        "share_with_unknown_victim_group": [
            of_offence("of an unknown group", "victim_group = 'okand'", "victim_group = 'kvinna'", 20)
        ],
        "no_row_stands_for_very_many_offences": at(OFFENCE, "a row", "brottsantal", "rowid = 0", "", "100"),
        # 0416 ended on 31 December 2009
        "codes_are_of_their_time": [
            of_offence(
                "more than a year after the code ended",
                "classified_by = 'code', class_key = '0416', report_date = '2011-01-01'",
                "classified_by = 'code', class_key = '0416', report_date = '2010-12-31'",
                2,
            ),
            of_offence(
                "more than a year before the code came",
                "classified_by = 'code', class_key = '0416', report_date = '2001-06-30'",
                "classified_by = 'code', class_key = '0416', report_date = '2001-07-01'",
                2,
            ),
        ],
    },
    "int_delivery_balance": {
        "share_of_exact_duplicates": at(
            BALANCE, "duplicates", "duplicates", f"{IN_2024} and rows_read >= 1000", "", "floor(rows_read / 100)"
        ),
        "share_of_orphans": [
            Breaker(
                "one orphan more than may be",
                """insert into intermediate.int_quarantined_decision (year, source, file, line, reason)
                   values (2024, 'police', 'decisions', 0, 'orphan')""",
                f"""
                update {BALANCE} set rows_read = 5000 where {IN_2024};
                delete from intermediate.int_quarantined_decision where {IN_2024};
                insert into intermediate.int_quarantined_decision (year, source, file, line, reason)
                select 2024, 'police', 'decisions', 1000000 + range, 'orphan' from range(10)""",
            )
        ],
        "decisions_match_offences": [
            Breaker(
                what,
                f"update {BALANCE} set rows_loaded = rows_loaded {sign} 1 where {IN_2024} and source = 'police' and file = 'decisions'",
                f"""
                update {BALANCE} set rows_loaded = 2000 where {IN_2024} and file = 'offences';
                update {BALANCE} set rows_loaded = 0 where {IN_2024} and file = 'decisions';
                update {BALANCE} set rows_loaded = {decisions} where {IN_2024} and source = 'police' and file = 'decisions'""",
            )
            for what, decisions, sign in (("one decision too few", 1800, "-"), ("one too many", 6000, "+"))
        ],
        "rows_read_like_earlier_years": [
            change(
                BALANCE,
                what,
                f"rows_read = rows_read {sign} 1",
                IN_2024,
                f"update {BALANCE} set rows_read = case when {IN_2024} then {rows} else 2000 end",
            )
            for what, rows, sign in (("less than two thirds", 1334, "-"), ("more than one and a half times", 3000, "+"))
        ],
    },
    "int_figure_year": {
        "volume_is_half_to_twice_the_year_before": [
            change(
                FIGURES,
                what,
                f"processed = processed {sign} 1",
                ONE_FIGURE,
                f"""update {FIGURES}
                    set processed = case {IN_2024} when true then {volume} else 400 end where {RAPES}""",
            )
            for what, volume, sign in (("less than half", 200, "-"), ("more than twice", 800, "+"))
        ],
        "volume_like_earlier_years": [
            change(
                FIGURES,
                what,
                f"processed = processed {sign} 1",
                ONE_FIGURE,
                f"""update {FIGURES}
                    set processed = case {IN_2024} when true then {volume} else 400 end where {RAPES}""",
            )
            for what, volume, sign in (("less than two thirds", 267, "-"), ("more than one and a half times", 600, "+"))
        ],
        "rate_like_earlier_years": [
            change(
                FIGURES,
                f"more than 12 points {sign}",
                f"clearance_pct = clearance_pct {sign} 0.1",
                ONE_FIGURE,
                f"""update {FIGURES}
                    set processed = 300, clearance_pct = case {IN_2024} when true then 40 {sign} 12 else 40 end where {RAPES}""",
            )
            for sign in "-+"
        ],
        "share_investigated_like_earlier_years": [
            change(
                FIGURES,
                f"more than 10 points {sign}",
                f"investigated = investigated {sign} 1",
                ONE_FIGURE,
                f"""update {FIGURES}
                    set processed = 400, investigated = case {IN_2024} when true then 200 {sign} 40 else 200 end where {RAPES}""",
            )
            for sign in "-+"
        ],
        "large_indicators_reach_every_region_and_county": [
            change(
                FIGURES,
                "none in a region of a thousand offences",
                "processed = 1000",
                ONE_FIGURE,
                f"""update {FIGURES} set processed = 0 where indicator_id = 'valdtakt' and geography_level in ('polisregion', 'lan');
                    update {FIGURES} set processed = 999 where {RAPES}""",
            )
        ],
    },
    "fct_reported_year": {
        "some_reported_offences_are_not_decided_yet": [
            Breaker(
                "one more than may be",
                f"update {REPORTED} set decided = 951 where {OF_ONE_COHORT}",
                f"""update {REPORTED} set reported = 0, decided = 0 where by_year = year;
                    update {REPORTED} set reported = 1000, decided = 950 where {OF_ONE_COHORT}""",
            )
        ],
        "offences_are_reported_in_one_year": [
            Breaker(
                "one more than may be", again_in_2022(1), f"{again_in_2022(1)}; {again_in_2022(999, other_case=True)}"
            )
        ],
    },
    "fct_processing_time_year": {
        "usual_time_is_plausible": at(
            TIMES, "a median", "days_median", "geography_level = 'riket' and outcome = 'all'", "7", "730"
        ),
    },
    "fct_report_lag_year": {
        "share_reported_the_same_year": [
            Breaker(
                f"one more than may be of lag {lag}",
                f"update {LAGS} set processed = processed + 1 where rowid = (select min(rowid) from {LAGS} where {of} lag = '{lag}')",
                f"""update {LAGS} set processed = 0 where geography_level = 'riket' and variant = 'beslutad';
                    update {LAGS} set processed = {many} where rowid = (select min(rowid) from {LAGS} where {of} lag = '{lag}');
                    update {LAGS} set processed = {rest}
                    where rowid = (select min(rowid) from {LAGS} where {of} lag = '{other}')""",
            )
            for lag, other, many, rest in (("0", "3+", 950, 50), ("3+", "0", 700, 300))
            for of in [f"geography_level = 'riket' and variant = 'beslutad' and {IN_2024} and"]
        ],
    },
    "fct_case_flow_year": {
        "linkage_is_high": at(
            FLOW,
            "linkage",
            "linkage_pct",
            "geography_level = 'riket'",
            "95",
            "",
            "0.01",
        ),
    },
}

SUITES = (
    RAW
    | INTERMEDIATE
    | {"int_figure_year": FIGURE_BREAKERS, "fct_indicator_year": SHOWN_BREAKERS}
    | OTHER_FACTS
    | DIMENSIONS
    | PUBLISHED
)
BREAKERS = {
    (suite, name): [*breakers, *LIMITS.get(suite, {}).get(name, [])]
    for suite, of_suite in SUITES.items()
    for name, breakers in of_suite.items()
}

# Expectations that only warn; all others block.
ONLY_WARN = {
    (suite, name)
    for suite, names in {
        "dim_year": [
            "years_are_all_real_or_all_synthetic",
            "years_follow_each_other",
        ],
        "fct_case_flow_year": [
            "linkage_is_high",
        ],
        "fct_indicator_year": [
            "loss_is_small",
        ],
        "int_figure_year": [
            "volume_like_earlier_years",
            "rate_like_earlier_years",
            "share_investigated_like_earlier_years",
            "large_indicators_reach_every_region_and_county",
        ],
        "fct_processing_time_year": [
            "usual_time_is_plausible",
        ],
        "fct_reconciliation_year": [
            "figures_agree_with_official_ones",
        ],
        "fct_reported_year": [
            "decided_offences_are_among_the_reported",
            "some_reported_offences_are_not_decided_yet",
            "offences_are_reported_in_one_year",
        ],
        "fct_report_lag_year": [
            "share_reported_the_same_year",
        ],
        "int_delivery_balance": [
            "share_of_exact_duplicates",
            "share_of_orphans",
            "decisions_match_offences",
            "rows_read_like_earlier_years",
        ],
        "int_year_content": [
            "few_offences_lack_decisions",
            "codes_agree_with_victims",
            "cases_lie_in_one_region",
        ],
        "int_code_year": [
            "codes_come_and_go_by_law",
        ],
        "int_processed_offence": [
            "every_year_has_offences",
            "share_classified_by_provision",
            "share_found_in_an_earlier_extract",
            "share_with_unknown_victim_group",
            "no_row_stands_for_very_many_offences",
            "codes_are_of_their_time",
        ],
        "int_provision": [
            "share_of_provisions_not_understood",
        ],
        "unusable_field": ["few_values_are_unusable"],
        "raw_police_decisions": [
            "all_months_have_decisions",
            "no_day_has_most_decisions",
            "typical_decisions_are_there",
            "share_investigated",
            "share_with_suspect",
            "share_reopened",
        ],
        "raw_police_reports": [
            "all_months_have_reports",
            "no_day_has_most_reports",
            "share_without_municipality",
            "share_without_region",
        ],
        "raw_police_offences": [
            "reports_come_before_the_year_ends",
            "reports_are_not_from_another_age",
            "share_reported_the_same_year",
            "no_day_has_most_reports",
            "share_without_report_date",
            "share_without_municipality",
            "share_of_impossible_municipalities",
            "share_without_region",
            "share_without_provision",
            "share_without_victim",
            "codes_are_not_placeholders",
            "no_code_has_most_offences",
            "offences_are_not_in_few_rows",
        ],
        "raw_prosecution_decisions": [
            "all_months_have_decisions",
            "no_day_has_most_decisions",
            "typical_decisions_are_there",
            "share_clearing",
            "share_without_suspect",
            "share_reopened",
        ],
    }.items()
    for name in names
}

# What a hundredth of the country cannot pass, as the sample of `test_suites.py` is.
OF_THE_WHOLE_COUNTRY = {("fct_reconciliation_year", "figures_agree_with_official_ones")}

# Expectations that the sample of `test_suites.py` cannot evaluate: too small or without comparison values.
NOT_JUDGED = {
    ("fct_indicator_year", "loss_is_small"),
    ("fct_report_lag_year", "share_reported_the_same_year"),
    ("int_figure_year", "rate_like_earlier_years"),
    ("int_figure_year", "share_investigated_like_earlier_years"),
    ("int_figure_year", "large_indicators_reach_every_region_and_county"),
}
