"""Expectations on one year's reported offences, after typing. Ingestion should already have quarantined rows that block here."""

from great_expectations import ExpectationSuite

from expectations import rules
from expectations.kinds import ExpectNoRowsWhere

suite = ExpectationSuite(
    name="raw_police_reports",
    # May be empty if every row is quarantined; the quarantine limit reports that.
    meta={"layer": "raw", "asset": "police_reports", "table": "police_reports", "may_be_empty": True},
    expectations=[
        *rules.offences_are_readable("police_reports"),
        ExpectNoRowsWhere(
            condition="year(anmalningsdatum) <> year",
            severity="critical",
            notes="an offence belongs to the cohort of its report year",
            meta={"name": "reports_are_of_the_year", "owner": "us", "limit": "0 rows reported outside {year}"},
        ),
        rules.all_months_have_reports(),
        rules.no_day_has_most("no_day_has_most_reports", "police_reports", "anmalningsdatum"),
        rules.share_without_municipality(),
        rules.share_without_region(),
    ],
)
