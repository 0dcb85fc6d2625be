"""Expectations on the comparison of our figures with Brå's official ones."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween, ExpectNoRowsWhere

COMPARED = "status in ('equal', 'within 5', 'differs')"
BEYOND_POINTS = """(
    greatest(abs(clearance_pct_difference), abs(prosecution_pct_difference)) > 0.5
    -- the difference is null if only one side has a rate
    or (processed = 0) <> (official_processed = 0)
    or (investigated = 0) <> (official_investigated = 0)
)"""

suite = ExpectationSuite(
    name="fct_reconciliation_year",
    meta={
        "layer": "marts",
        "asset": "fct_reconciliation_year",
        "table": "marts.fct_reconciliation_year",
        "follows": ["fct_indicator_year"],
    },
    expectations=[
        ExpectNoRowsWhere(
            condition="""
                case
                    when official_processed is null
                        then status <> case when official_match is null then 'no official row' else 'not loaded' end
                    when official_match in ('narrow', 'unclear') then status <> 'not comparable'
                    when largest_difference = 0 then status <> 'equal'
                    when largest_difference between 1 and 5 then status <> 'within 5'
                    else status <> 'differs' or largest_difference is null
                end is not false
            """,
            severity="critical",
            notes="readers rely on the status rather than on the numbers",
            meta={
                "name": "status_says_how_the_figures_agree",
                "owner": "us",
                "limit": "status follows from match, official figure and largest difference in every row",
            },
        ),
        ExpectNoRowsWhere(
            condition="""
                official_processed <> official_investigated + official_dismissed
                or official_cleared <> official_cleared_indictment + official_cleared_penalty_order + official_cleared_waiver
                or official_cleared > official_investigated
                or official_limited_investigated > official_investigated - official_cleared
                or official_limited_dismissed > official_dismissed
            """,
            severity="critical",
            notes="Brå defines these counts as sums of each other, so a mismatch is a parsing error",
            meta={
                "name": "official_counts_add_up",
                "owner": "us",
                "limit": "each total is the sum of its parts, and no part exceeds it",
            },
        ),
        ExpectNoRowsWhere(
            condition="(official_file is null) <> (official_processed is null) or (official_file is null) <> (official_sha256 is null)",
            severity="critical",
            notes="a comparison with an unknown version cannot be reproduced",
            meta={
                "name": "official_figures_have_a_version",
                "owner": "us",
                "limit": "file and checksum for every official figure",
            },
        ),
        ExpectMeasureToBeBetween(
            query=f"""
                select
                    concat_ws(' ', year, geography_code, indicator_id, variant, victim_group) as unit,
                    case when {BEYOND_POINTS} then largest_difference else 0 end as value,
                    concat(
                        'processed ', processed, ', cleared ', cleared,
                        '; officially ', official_processed, ' and ', official_cleared
                    ) as shown
                from marts.fct_reconciliation_year
                where {COMPARED}
            """,
            shown=f"""concat(
                'of ', count(*) filter (where {COMPARED}), ' figures, ',
                count(*) filter (where {COMPARED} and largest_difference > 5), ' differ by more than 5 offences and ',
                count(*) filter (where {COMPARED} and {BEYOND_POINTS}), ' by more than 0.5 points'
            )""",
            max_value=5,
            unit="figure",
            needs="an official figure",
            severity="warning",
            notes="the same offences should give Brå's figures, unless revised; partial samples of the country will differ",
            meta={
                "name": "figures_agree_with_official_ones",
                "owner": "us",
                "limit": "no figure differs by more than 5 offences and 0.5 points",
            },
        ),
    ],
)
