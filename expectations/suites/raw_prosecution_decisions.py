"""Expectations on one year's prosecution decisions, after typing."""

from great_expectations import ExpectationSuite

from expectations import rules
from expectations.kinds import ExpectNoRowsWhere, ExpectShareOfRowsToBeBetween

suite = ExpectationSuite(
    name="raw_prosecution_decisions",
    # May be empty if every row is quarantined; the quarantine limit reports that.
    meta={"layer": "raw", "asset": "prosecution_decisions", "table": "prosecution_decisions", "may_be_empty": True},
    expectations=[
        rules.every_line_is_read_once("prosecution_decisions"),
        rules.required_fields_are_filled("prosecution_decisions"),
        ExpectNoRowsWhere(
            condition="""
                try_cast(diarienummer as uuid) is null
                or try_cast(aklagarnummer as uuid) is null
            """,
            severity="critical",
            notes="decisions are joined to offences by pseudonymised case number; the original number must not be stored",
            meta={"name": "case_numbers_are_pseudonyms", "owner": "us", "limit": "0 rows"},
        ),
        rules.offence_numbers_are_positive(),
        ExpectNoRowsWhere(
            condition="misstanke_id is not null and try_cast(misstanke_id as uuid) is null",
            severity="critical",
            notes="an empty id would count as a suspect, and the supplier's original id must not be stored",
            meta={"name": "suspects_are_pseudonyms", "owner": "us", "limit": "0 rows"},
        ),
        rules.decisions_are_of_the_year(),
        rules.decisions_are_known(
            [
                "ATAL",
                "STRAFFORELAGGANDE",
                "ATALSUNDERLATELSE",
                "FU_BEGRANSAD",
                "NEDLAGD",
                "EJ_ATAL",
                "OVRIGT",
                "ATERUPPTAGEN",
            ]
        ),
        ExpectNoRowsWhere(
            condition="beslut in ('ATAL', 'STRAFFORELAGGANDE', 'ATALSUNDERLATELSE') and misstanke_id is null",
            severity="critical",
            notes="only a decision against a person clears an offence",
            meta={"name": "clearing_decisions_have_a_suspect", "owner": "us", "limit": "0 rows"},
        ),
        rules.all_months_have_decisions(),
        rules.no_day_has_most("no_day_has_most_decisions", "prosecution_decisions", "beslutsdatum"),
        rules.typical_decisions_are_there(
            ["ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE", "NEDLAGD", "EJ_ATAL"],
            notes="prosecutors make decisions of these kinds every year",
        ),
        ExpectShareOfRowsToBeBetween(
            condition="beslut in ('ATAL', 'STRAFFORELAGGANDE', 'ATALSUNDERLATELSE')",
            min_value=20,
            max_value=90,
            severity="warning",
            notes="prosecutors clear a substantial share of the offences they decide on, but not all",
            meta={"name": "share_clearing", "owner": "supplier", "limit": "20–90 % of the rows"},
        ),
        ExpectShareOfRowsToBeBetween(
            condition="misstanke_id is null",
            max_value=40,
            severity="warning",
            notes="most cases are referred to a prosecutor because there is a suspect",
            meta={"name": "share_without_suspect", "owner": "supplier", "limit": "at most 40 % of the rows"},
        ),
        rules.share_reopened(),
    ],
)
