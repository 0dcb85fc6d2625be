"""Expectations on the extracts of each complete year, taken together."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween


def offences_without_decision(name: str, max_value: float, *, severity: str, notes: str) -> ExpectMeasureToBeBetween:
    """Expect at most a percentage of a year's offences to lack a decision of either authority that year."""
    return ExpectMeasureToBeBetween(
        query="""
            select
                cast(year as varchar) as unit,
                case when offences >= 100 then 100.0 * offences_without_decision / offences end as value,
                printf('%.2f', 100.0 * offences_without_decision / offences) || ' % (' || offences_without_decision || ' of '
                || offences || ')' as shown
            from intermediate.int_year_content
        """,
        max_value=max_value,
        unit="year",
        needs="at least 100 offences",
        severity=severity,
        notes=notes,
        meta={
            "name": name,
            "owner": "supplier",
            "limit": f"at most {max_value:g} % of a year's offences without a decision of that year by police or prosecutors",
        },
    )


suite = ExpectationSuite(
    name="int_year_content",
    # May be empty if every offence is quarantined; the quarantine limit reports that.
    meta={
        "layer": "intermediate",
        "asset": "int_year_content",
        "table": "intermediate.int_year_content",
        "may_be_empty": True,
        "follows": ["police_offences", "police_decisions", "prosecution_decisions", "int_delivery_balance"],
    },
    expectations=[
        # Quarantined decisions are missing from the figures too. Omitting 8 % of the police decisions changed 421 figures.
        offences_without_decision(
            "offences_have_decisions",
            10,
            severity="critical",
            notes="a year's police extract contains the offences decided on that year; missing decisions make figures too low",
        ),
        # The quarantine limit allows 0.5 % of a file's rows; twice that exceeds occasional errors.
        offences_without_decision(
            "few_offences_lack_decisions",
            1,
            severity="warning",
            notes="a year's police extract contains the offences decided on that year, so some decisions are missing",
        ),
        # A victim's age is sometimes corrected after the offence was coded; misaligned columns give about half.
        ExpectMeasureToBeBetween(
            query="""
                select
                    cast(year as varchar) as unit,
                    case when offences_with_coded_victim >= 100 then 100.0 * offences_with_another_victim / offences_with_coded_victim end
                        as value,
                    printf('%.2f', 100.0 * offences_with_another_victim / nullif(offences_with_coded_victim, 0)) || ' %' as shown
                from intermediate.int_year_content
            """,
            max_value=2,
            unit="year",
            needs="at least 100 offences whose code names a victim group, with sex or age",
            severity="warning",
            notes="a code for an adult woman on an offence against a boy indicates misaligned codes or victims",
            meta={
                "name": "codes_agree_with_victims",
                "owner": "supplier",
                "limit": "at most 2 % of the offences with a victim whose sex or age group contradicts the code",
            },
        ),
        # One region opens a case and a case is transferred as a whole; misaligned regions would split six cases in seven.
        ExpectMeasureToBeBetween(
            query="""
                select
                    cast(year as varchar) as unit,
                    case when cases_of_several_offences >= 100 then 100.0 * cases_of_several_regions / cases_of_several_offences end
                        as value,
                    printf('%.2f', 100.0 * cases_of_several_regions / nullif(cases_of_several_offences, 0)) || ' %' as shown
                from intermediate.int_year_content
            """,
            max_value=5,
            unit="year",
            needs="at least 100 cases with several offences and a region",
            severity="warning",
            notes="the offences of a case are handled together; many split cases indicate misaligned regions",
            meta={
                "name": "cases_lie_in_one_region",
                "owner": "supplier",
                "limit": "at most 5 % of the cases with several offences handled in more than one region",
            },
        ),
    ],
)
