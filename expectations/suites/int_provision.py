"""Expectations on the parsing of legal provisions."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectNoRows, ExpectNoRowsWhere

suite = ExpectationSuite(
    name="int_provision",
    meta={"layer": "intermediate", "asset": "int_provision", "table": "intermediate.int_provision"},
    expectations=[
        ExpectNoRowsWhere(
            condition="not regexp_full_match(provision, 'BrB [0-9]+:[0-9]+( [a-z])?')",
            severity="critical",
            notes="offences are matched to provisions by their normalised form",
            meta={
                "name": "provisions_are_in_their_normal_form",
                "owner": "us",
                "limit": "0 spellings parsed to any other form",
            },
        ),
        ExpectNoRows(
            query="""
                select year from intermediate.int_provision where is_penal_code group by year
                having 100.0 * sum(case when provision is null then offences else 0 end) / sum(offences) > 1
            """,
            shown="""
                select
                    coalesce(
                        sum(offences) filter (where provision is null) || ' rows in '
                        || count(distinct lagrum) filter (where provision is null) || ' spellings, '
                        || round(100.0 * sum(offences) filter (where provision is null) / sum(offences), 4) || ' % in all',
                        '0 rows'
                    )
                from intermediate.int_provision
                where is_penal_code
            """,
            severity="warning",
            notes="an offence with a code outside the catalogue is lost if its Penal Code provision cannot be parsed",
            meta={
                "name": "share_of_provisions_not_understood",
                "owner": "supplier",
                "limit": "at most 1 % of a year's rows whose provision looks like the Penal Code",
            },
        ),
    ],
)
