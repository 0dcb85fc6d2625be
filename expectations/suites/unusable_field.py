"""Expectations on unusable values in optional columns, which are loaded as null."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectNoRows


def unusable_values(name: str, limit_pct: float, *, severity: str, notes: str) -> ExpectNoRows:
    """Expect the unusable values of each column to be at most a percentage of the file's rows."""
    return ExpectNoRows(
        query=f"""
            select unnest(range(rows_unusable)) from raw.unusable_field
            where is_complete_year and 100 * rows_unusable > {limit_pct:g} * rows_read
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
        severity=severity,
        notes=notes,
        meta={
            "name": name,
            "owner": "supplier",
            "limit": f"at most {limit_pct:g} % of a file's rows in any column",
        },
    )


suite = ExpectationSuite(
    name="unusable_field",
    meta={"layer": "intermediate", "asset": "unusable_field", "table": "raw.unusable_field"},
    expectations=[
        unusable_values(
            "few_values_are_unusable",
            0.5,
            severity="warning",
            notes="unusable values count as unknown, which moves offences between groups, places and report lags",
        ),
        unusable_values(
            "unusable_values_within_limit",
            5,
            severity="critical",
            notes="figures by a column with many unusable values would be wrong",
        ),
    ],
)
