"""Expectations on the files to be published, read back from disk: one row per table and format."""

from great_expectations import ExpectationSuite
from great_expectations import expectations as gxe

from expectations.kinds import ExpectNoRows, ExpectNoRowsWhere
from expectations.suites import fct_case_flow_year, fct_processing_time_year, fct_report_lag_year, fct_reported_year

_EMPTIABLE = (
    fct_case_flow_year.suite,
    fct_processing_time_year.suite,
    fct_report_lag_year.suite,
    fct_reported_year.suite,
)
MAY_BE_EMPTY = ", ".join(f"'{mart.meta['asset']}'" for mart in _EMPTIABLE if mart.meta["may_be_empty"])

suite = ExpectationSuite(
    name="published_files",
    meta={"layer": "published", "asset": "current", "table": "read_back"},
    expectations=[
        gxe.ExpectColumnDistinctValuesToContainSet(
            column="table_name",
            value_set=[
                "dim_geography",
                "dim_indicator",
                "dim_victim_group",
                "dim_year",
                "fct_case_flow_year",
                "fct_indicator_year",
                "fct_processing_time_year",
                "fct_prosecution_year",
                "fct_reconciliation_year",
                "fct_report_lag_year",
                "fct_reported_year",
                "indicator_report",
                "series_break",
            ],
            severity="critical",
            notes="reports built on a missing table fail",
            meta={"name": "all_tables_are_there", "owner": "us", "limit": "none of the thirteen tables is missing"},
        ),
        ExpectNoRows(
            query="""
                select table_name from read_back
                group by table_name
                having list_sort(list(format)) <> ['csv', 'duckdb', 'parquet']
            """,
            severity="critical",
            notes="every format must contain the same figures",
            meta={
                "name": "every_table_is_there_in_every_format",
                "owner": "us",
                "limit": "one csv, one duckdb and one parquet for every table",
            },
        ),
        ExpectNoRowsWhere(
            condition=f"(rows_served > 0 or (rows_built = 0 and table_name in ({MAY_BE_EMPTY}))) is not true",
            severity="critical",
            notes="readers would mistake an empty table for zero counts",
            meta={
                "name": "no_table_is_empty",
                "owner": "us",
                "limit": "at least one row in every file, except in tables that may be empty without processed or reported offences",
            },
        ),
        ExpectNoRowsWhere(
            condition="rows_served is distinct from rows_built",
            severity="critical",
            notes="the published files must match the audited tables",
            meta={
                "name": "as_many_rows_served_as_built",
                "owner": "us",
                "limit": "rows served = rows built in every file",
            },
        ),
        ExpectNoRowsWhere(
            condition="rows_only_built is distinct from 0",
            severity="critical",
            notes="the published files must match the audited tables",
            meta={
                "name": "served_holds_all_that_was_built",
                "owner": "us",
                "limit": "0 rows in the built table but not in the file",
            },
        ),
        ExpectNoRowsWhere(
            condition="rows_only_served is distinct from 0",
            severity="critical",
            notes="unaudited rows must not be published",
            meta={
                "name": "served_holds_nothing_else",
                "owner": "us",
                "limit": "0 rows in the file but not in the built table",
            },
        ),
        ExpectNoRowsWhere(
            condition="formulas is distinct from 0",
            severity="critical",
            notes="a spreadsheet would execute the text as a formula (CSV injection)",
            meta={
                "name": "no_text_is_a_formula",
                "owner": "us",
                "limit": "0 rows with a text that begins like a formula",
            },
        ),
    ],
)
