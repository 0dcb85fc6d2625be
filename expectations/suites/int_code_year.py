"""Expectations on the codes in the extracts of the complete years."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween

suite = ExpectationSuite(
    name="int_code_year",
    # May be empty if every row is quarantined; the quarantine limit reports that.
    meta={
        "layer": "intermediate",
        "asset": "int_code_year",
        "table": "intermediate.int_code_year",
        "may_be_empty": True,
        "follows": ["police_offences", "police_decisions", "prosecution_decisions", "int_delivery_balance"],
    },
    expectations=[
        # One renamed code series reduced indicator 1 from 233 offences to 1.
        # A code with 50 rows a year is absent by chance less than once in 10^21 years, if rows are independent.
        ExpectMeasureToBeBetween(
            query="""
                with known as (
                    select year, field, code, sum(delivered) as delivered, sum(delivered_before) as delivered_before
                    from (
                        select year, field, code, rows_delivered as delivered, 0 as delivered_before from intermediate.int_code_year
                        union all
                        select year + 1 as year, field, code, 0 as delivered, rows_delivered as delivered_before
                        from intermediate.int_code_year
                    )
                    where year in (select year from intermediate.int_code_year)
                    group by all
                )
                select
                    known.field || ' ' || known.code
                    || case when delivered_before = 0 then ' new in ' when delivered = 0 then ' gone in ' else ' in ' end || known.year
                        as unit,
                    case
                        when known.year - 1 not in (select year from intermediate.int_code_year) then null
                        when delivered_before = 0 then delivered
                        when delivered = 0 then delivered_before
                        else 0
                    end as value
                from known
                left join reference.offence_code as catalogue on known.field = 'brottskod' and known.code = catalogue.brottskod
                where
                    -- A code appears when its law enters into force; an expired code is still used for pending cases.
                    not (delivered_before = 0 and coalesce(year(catalogue.valid_from) between known.year - 1 and known.year, false))
                    and not (delivered = 0 and coalesce(year(catalogue.valid_to) <= known.year, false))
            """,
            max_value=49,
            unit="comparison",
            needs="the year before",
            severity="warning",
            notes="renamed or missing codes shift whole indicators",
            meta={
                "name": "codes_come_and_go_by_law",
                "owner": "supplier",
                "limit": "no code with 50 rows or more appears or disappears from one year to the next, except by its catalogue dates",
            },
        ),
    ],
)
