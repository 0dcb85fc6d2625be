"""What must be true of a complete year's extracts together, counted once over all of their rows."""

from great_expectations import ExpectationSuite

from expectations.kinds import ExpectMeasureToBeBetween


def offences_without_decision(name: str, max_value: float, *, severity: str, notes: str) -> ExpectMeasureToBeBetween:
    """The per cent of a year's offences on which neither authority decided that year."""
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
    # All offences of a year can be quarantined; the gate says so.
    meta={
        "layer": "intermediate",
        "asset": "int_year_content",
        "table": "intermediate.int_year_content",
        "may_be_empty": True,
        "follows": ["police_offences", "police_decisions", "prosecution_decisions", "int_delivery_balance"],
    },
    expectations=[
        # A quarantined decision is missing in the figures too. 8 % of the police decisions left out moved 421 figures.
        offences_without_decision(
            "offences_have_decisions",
            10,
            severity="critical",
            notes="a year's police extract holds the offences decided on that year; without their decisions, figures are too low",
        ),
        # The gate lets 0.5 % of a file's rows be quarantined; twice that is more than slips.
        offences_without_decision(
            "few_offences_lack_decisions",
            1,
            severity="warning",
            notes="a year's police extract holds the offences decided on that year, so some decisions are missing",
        ),
        # A victim's age is corrected after the offence got its code now and then; columns that belong to other rows give about half.
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
            notes="a code for an adult woman on an offence against a boy means that codes or victims belong to other rows",
            meta={
                "name": "codes_agree_with_victims",
                "owner": "supplier",
                "limit": "at most 2 % of the offences with a victim of another sex, or adult instead of a child, than the code says",
            },
        ),
        # A case is opened by one region and moves as a whole; regions that belong to other rows would split six cases in seven.
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
            needs="at least 100 cases of several offences with a region",
            severity="warning",
            notes="the offences of a case are handled together; many cases in several regions have regions of other rows",
            meta={
                "name": "cases_lie_in_one_region",
                "owner": "supplier",
                "limit": "at most 5 % of the cases of several offences handled in more than one region",
            },
        ),
    ],
)
