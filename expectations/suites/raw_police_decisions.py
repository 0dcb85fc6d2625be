"""Expectations on one year's police decisions, after typing. Ingestion should already have quarantined rows that block here."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations import rules
from expectations.kinds import ExpectNoRowsWhere, ExpectShareOfRowsToBeBetween

suite = ExpectationSuite(
    name="raw_police_decisions",
    # May be empty if every row is quarantined; the quarantine limit reports that.
    meta={"layer": "raw", "asset": "police_decisions", "table": "police_decisions", "may_be_empty": True},
    expectations=[
        rules.every_line_is_read_once("police_decisions"),
        rules.required_fields_are_filled("police_decisions"),
        ExpectNoRowsWhere(
            condition="try_cast(diarienummer as uuid) is null",
            severity="critical",
            notes="decisions are joined to offences by pseudonymised case number; the original number must not be stored",
            meta={"name": "case_numbers_are_pseudonyms", "owner": "us", "limit": "0 rows"},
        ),
        rules.offence_numbers_are_positive(),
        rules.decisions_are_of_the_year(),
        rules.decisions_are_known(
            ["DIREKTAVSKRIVEN", "NEDLAGD", "FU_BEGRANSAD", "OVRIGT", "OVERLAMNAD", "ATERUPPTAGEN"]
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="utredning",
            value_set=["J", "N"],
            severity="critical",
            notes="this column determines whether an offence counts as investigated",
            meta={
                "name": "investigation_is_yes_or_no",
                "owner": "us",
                "limit": "0 rows with a value other than J or N",
            },
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="skaligen_misstankt",
            value_set=["J", "N"],
            severity="critical",
            notes="this column determines whether an offence counts as having a suspect",
            meta={"name": "suspect_is_yes_or_no", "owner": "us", "limit": "0 rows with a value other than J or N"},
        ),
        ExpectNoRowsWhere(
            condition="beslut = 'DIREKTAVSKRIVEN' and utredning = 'J'",
            severity="critical",
            notes="a decision to dismiss without investigation contradicts an investigation",
            meta={"name": "dismissed_at_once_is_not_investigated", "owner": "us", "limit": "0 rows"},
        ),
        rules.all_months_have_decisions(),
        rules.no_day_has_most("no_day_has_most_decisions", "police_decisions", "beslutsdatum"),
        rules.typical_decisions_are_there(
            ["DIREKTAVSKRIVEN", "NEDLAGD", "FU_BEGRANSAD", "OVERLAMNAD"],
            notes="police make decisions of these kinds every year",
        ),
        ExpectShareOfRowsToBeBetween(
            condition="utredning = 'J'",
            min_value=20,
            max_value=90,
            severity="warning",
            notes="police investigate about half of the offences they decide on",
            meta={"name": "share_investigated", "owner": "supplier", "limit": "20–90 % of the rows"},
        ),
        ExpectShareOfRowsToBeBetween(
            condition="skaligen_misstankt = 'J'",
            min_value=5,
            max_value=80,
            severity="warning",
            notes="some but not nearly all decisions have a registered suspect",
            meta={"name": "share_with_suspect", "owner": "supplier", "limit": "5–80 % of the rows"},
        ),
        rules.share_reopened(),
    ],
)
