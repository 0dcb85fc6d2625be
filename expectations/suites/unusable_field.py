"""How much of the optional columns could not be read: such values become missing, and the rows are loaded."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectNoRows

suite = ExpectationSuite(
    name="unusable_field",
    meta={"layer": "intermediate", "asset": "unusable_field", "table": "raw.unusable_field"},
    expectations=[
        ExpectNoRows(
            query="""
                select unnest(range(rows_unusable)) from raw.unusable_field
                where is_complete_year and 100 * rows_unusable > 0.5 * rows_read
            """,
            shown="""
                select
                    coalesce(
                        max_by(
                            source || '/' || year || '/' || file || ' ' || column_name || ': '
                            || printf('%.2f', 100.0 * rows_unusable / rows_read) || ' % ('
                            || rows_unusable || ' of ' || rows_read || ' rows)',
                            rows_unusable / rows_read
                        ),
                        'no file'
                    )
                from raw.unusable_field
                where is_complete_year
            """,
            severity="warning",
            notes="an unusable value is counted as unknown, which moves offences between groups, places and report lags",
            meta={
                "name": "few_values_are_unusable",
                "owner": "supplier",
                "limit": "at most 0.5 % of a file's rows in any column",
            },
        ),
        ExpectNoRows(
            query="""
                select unnest(range(rows_unusable)) from raw.unusable_field
                where is_complete_year and 100 * rows_unusable > 5 * rows_read
            """,
            shown="""
                select
                    coalesce(
                        max_by(
                            source || '/' || year || '/' || file || ' ' || column_name || ': '
                            || printf('%.2f', 100.0 * rows_unusable / rows_read) || ' % ('
                            || rows_unusable || ' of ' || rows_read || ' rows)',
                            rows_unusable / rows_read
                        ),
                        'no file'
                    )
                from raw.unusable_field
                where is_complete_year
            """,
            severity="critical",
            notes="so many values of a column are unusable that the figures by it would be wrong",
            meta={
                "name": "unusable_values_within_limit",
                "owner": "supplier",
                "limit": "at most 5 % of a file's rows in any column",
            },
        ),
    ],
)
