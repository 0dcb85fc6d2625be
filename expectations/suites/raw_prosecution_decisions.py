"""What must be true of one year's decisions as prosecutors delivered them, once typed."""

from great_expectations import ExpectationSuite

from expectations import rules
from expectations.kinds import ExpectNoRowsWhere, ExpectShareOfRowsToBeBetween

suite = ExpectationSuite(
    name="raw_prosecution_decisions",
    # All rows of a file can be quarantined; the gate says so.
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
            notes="a decision is joined with its offence by the pseudonym of the case number, which itself is kept nowhere",
            meta={"name": "case_numbers_are_pseudonyms", "owner": "us", "limit": "0 rows"},
        ),
        rules.offence_numbers_are_positive(),
        ExpectNoRowsWhere(
            condition="misstanke_id is not null and try_cast(misstanke_id as uuid) is null",
            severity="critical",
            notes="an empty name would be taken for a suspect, and the supplier's own is kept nowhere",
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
            notes="an offence is cleared only against a person",
            meta={"name": "clearing_decisions_have_a_suspect", "owner": "us", "limit": "0 rows"},
        ),
        rules.all_months_have_decisions(),
        rules.no_day_has_most("no_day_has_most_decisions", "prosecution_decisions", "beslutsdatum"),
        rules.typical_decisions_are_there(
            ["ATAL", "STRAFFORELAGGANDE", "ATALSUNDERLATELSE", "NEDLAGD", "EJ_ATAL"],
            notes="prosecutors take decisions of these kinds every year",
        ),
        ExpectShareOfRowsToBeBetween(
            condition="beslut in ('ATAL', 'STRAFFORELAGGANDE', 'ATALSUNDERLATELSE')",
            min_value=20,
            max_value=90,
            severity="warning",
            notes="prosecutors clear a good part of what reaches them, and not everything",
            meta={"name": "share_clearing", "owner": "supplier", "limit": "20–90 % of the rows"},
        ),
        ExpectShareOfRowsToBeBetween(
            condition="misstanke_id is null",
            max_value=40,
            severity="warning",
            notes="most cases reach a prosecutor because there is a suspect",
            meta={"name": "share_without_suspect", "owner": "supplier", "limit": "at most 40 % of the rows"},
        ),
        rules.share_reopened(),
    ],
)
