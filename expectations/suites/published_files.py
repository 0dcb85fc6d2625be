"""What must be true of the files about to be published, read back as a reader would: one row per table and format."""

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
            notes="readers' reports fail on a table that is missing",
            meta={"name": "all_tables_are_there", "owner": "us", "limit": "none of the thirteen tables is missing"},
        ),
        ExpectNoRows(
            query="""
                select table_name from read_back
                group by table_name
                having list_sort(list(format)) <> ['csv', 'duckdb', 'parquet']
            """,
            severity="critical",
            notes="readers choose the format, not the figures",
            meta={
                "name": "every_table_is_there_in_every_format",
                "owner": "us",
                "limit": "csv, duckdb and parquet once each, for every table",
            },
        ),
        ExpectNoRowsWhere(
            condition=f"(rows_served > 0 or (rows_built = 0 and table_name in ({MAY_BE_EMPTY}))) is not true",
            severity="critical",
            notes="an empty table would be taken for figures of nothing",
            meta={
                "name": "no_table_is_empty",
                "owner": "us",
                "limit": "at least one row in every file, unless the table has none without processed or reported offences",
            },
        ),
        ExpectNoRowsWhere(
            condition="rows_served is distinct from rows_built",
            severity="critical",
            notes="what was audited is what is served",
            meta={
                "name": "as_many_rows_served_as_built",
                "owner": "us",
                "limit": "rows served = rows built in every file",
            },
        ),
        ExpectNoRowsWhere(
            condition="rows_only_built is distinct from 0",
            severity="critical",
            notes="what was audited is what is served",
            meta={
                "name": "served_holds_all_that_was_built",
                "owner": "us",
                "limit": "0 rows that are only in what was built",
            },
        ),
        ExpectNoRowsWhere(
            condition="rows_only_served is distinct from 0",
            severity="critical",
            notes="what was not audited must not be served",
            meta={
                "name": "served_holds_nothing_else",
                "owner": "us",
                "limit": "0 rows that are only in what is served",
            },
        ),
        ExpectNoRowsWhere(
            condition="formulas is distinct from 0",
            severity="critical",
            notes="a spreadsheet that opens the CSV would run what such a text says",
            meta={
                "name": "no_text_is_a_formula",
                "owner": "us",
                "limit": "0 rows with a text that begins as a formula does",
            },
        ),
    ],
)
