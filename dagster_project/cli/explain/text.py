"""Formats an explanation as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.rounding import half_up
from dagster_project.versions import code_version

OFFENCES_SHOWN = 50


def format_explanation(explanation: Mapping[str, Any]) -> str:
    """Format an explanation with the first `OFFENCES_SHOWN` offences."""
    return "\n".join(
        line
        for part in (
            _figure(explanation),
            _definition(explanation["definition"]),
            _lineage(explanation),
            _private(explanation["private"]),
        )
        for line in (*part, "")
    ).rstrip()


def _figure(explanation: Mapping[str, Any]) -> list[str]:
    asked, figure, publication, definition = (
        explanation[part] for part in ("question", "figure", "publication", "definition")
    )
    lines = [
        f"{definition['indicator_number']} {definition['name_sv']} ({asked['indicator_id']}) · "
        f"{definition['variant_name_sv']} ({asked['variant']})",
        f"{asked['year']} · {figure['geography_sv']} ({asked['geography_level']}/{asked['geography_code']}) · "
        f"{figure['victim_group_sv']} ({asked['victim_group']})",
        f"publication {publication['publication_id']} of {publication['published_at']}"
        + (", SYNTHETIC sample data: no real offence is behind it" if publication["synthetic"] else ""),
        "",
    ]
    if figure["suppression"]:
        reason = {
            "primary": "one of its counts is small",
            "secondary": "another withheld figure could be derived from it",
        }
        lines.append(f"WITHHELD in the publication ({figure['suppression']}: {reason[figure['suppression']]})")
    lines += [
        f"{formula['measure']} = {formula['formula']}\n    {formula['with_numbers']}"
        for formula in explanation["formulas"]
    ]
    lines += [
        f"  {name:<30}{_format(value):>14}"
        for name, value in (figure["counts"] | figure["rates"]).items()
        if name not in figure["not_published"]
    ]
    if figure["not_published"]:
        lines.append(f"  not published below the police region: {', '.join(figure['not_published'])}")
    lines += [f"  {name:<30}{_format(value):>14}" for name, value in figure["marks"].items()]
    lines += [f"break: {row['in_force']} {row['cause_sv']} ({row['reference']})" for row in figure["breaks"]]
    return lines


def _definition(definition: Mapping[str, Any]) -> list[str]:
    # Publications before there were supporting measures have no kinds.
    kind = definition.get("kind", "decided")
    return [
        f"{'decided wording' if kind == 'decided' else f'wording ({kind})'}: {definition['wording_sv']}",
        f"numerator: {definition['numerator_sv']}",
        f"denominator: {definition['denominator_sv']}",
        f"includes: {definition['includes_sv']}",
        f"excludes: {definition['excludes_sv']}",
        f"provisions: {definition['legal_reference']}; first comparable year: {_format(definition['first_comparable_year'])}",
    ]


def _lineage(explanation: Mapping[str, Any]) -> list[str]:
    publication = explanation["publication"]
    other_code = publication["code_version"] != code_version()
    return [
        "deliveries",
        *(
            f"  {delivery['source']}/{delivery['year']} {delivery['delivery_id']} {delivery['because']}"
            for delivery in explanation["deliveries"]
        ),
        "",
        "models"
        + (f" of the present code; the figure was made by {publication['code_version']}" if other_code else ""),
        *(
            f"  {node['name']} ← {', '.join(node['reads'])}"
            + (f"   rules: {', '.join(node['rules'])}" if node["rules"] else "")
            for node in explanation["models"]
            if node["reads"]
        ),
    ]


def _private(private: Mapping[str, Any]) -> list[str]:
    if not private["available"]:
        return [f"the offences behind it cannot be shown: {private['why']}"]
    offences: Sequence[Mapping[str, Any]] = private["offences"]
    lines = [f"--- {private['note']} ---"]
    if not private["adds_up"]:
        lines += [
            "THE OFFENCES DO NOT ADD UP TO THE FIGURE: the working database is built from other deliveries, or one of the two is wrong",
            *(
                f"  {name}: counted {private['counts_of_offences'].get(name)}, in the working database {value}"
                for name, value in private["counts"].items()
            ),
        ]
    if withheld := private["withheld"]:
        lines.append(f"withheld: {withheld['because']}")
        lines.append("counts: " + ", ".join(f"{name} {value}" for name, value in private["counts"].items()))
    lines.append(f"{len(offences)} offences, {sum(offence['brottsantal'] for offence in offences)} by brottsantal")
    for offence in offences[:OFFENCES_SHOWN]:
        lines += _offence(offence)
    if len(offences) > OFFENCES_SHOWN:
        lines.append(f"… and {len(offences) - OFFENCES_SHOWN} more: --json has all")
    return lines


def _offence(offence: Mapping[str, Any]) -> list[str]:
    times = f" × {offence['brottsantal']}" if offence["brottsantal"] != 1 else ""
    looked_up = ", looked up in an earlier extract" if offence["looked_up"] else ""
    return [
        f"case {offence['case']} offence {offence['offence']}{times}: {offence['outcome']} {offence['decided']}"
        f" → {', '.join(offence['counts_in'])}",
        f"    {offence['file']} line {offence['line']}{looked_up}; reported {offence['reported'] or 'on an unknown day'}",
        f"    {offence['classified']}; {offence['counted_because']}",
        f"    {offence['victim_group']}: {offence['victim_group_from']}; place: {offence['place_from']}",
        *(_decision(decision) for decision in offence["decisions"]),
    ]


def _decision(decision: Mapping[str, Any]) -> str:
    quarantined = f", quarantined: {decision['quarantined']}" if decision["quarantined"] else ""
    return (
        f"    {'→' if decision['decides'] else ' '} {decision['date']} {decision['decision']} "
        f"({decision['authority']}, {decision['outcome']}) {decision['file']} line {decision['line']}{quarantined}"
    )


def _format(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return half_up(value, 6) if isinstance(value, float) else str(value)
