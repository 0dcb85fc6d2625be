"""An explanation as text, for people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster_project.rounding import half_up
from dagster_project.versions import code_version

OFFENCES_SHOWN = 50


def as_text(said: Mapping[str, Any]) -> str:
    """The whole explanation, of the offences the first `OFFENCES_SHOWN`."""
    return "\n".join(
        line
        for part in (_figure(said), _definition(said["definition"]), _way(said), _private(said["private"]))
        for line in (*part, "")
    ).rstrip()


def _figure(said: Mapping[str, Any]) -> list[str]:
    asked, figure, publication, definition = (said[one] for one in ("question", "figure", "publication", "definition"))
    lines = [
        f"{definition['number']} {definition['name_sv']} ({asked['indicator_id']}) · {definition['variant_name_sv']} ({asked['variant']})",
        f"{asked['year']} · {figure['geography_sv']} ({asked['geography_level']}/{asked['geography_code']}) · "
        f"{figure['victim_group_sv']} ({asked['victim_group']})",
        f"publication {publication['publication_id']} of {publication['published_at']}"
        + (", SYNTHETIC sample data: no real offence is behind it" if publication["synthetic"] else ""),
        "",
    ]
    if figure["suppression"]:
        reason = {
            "primary": "a count of it is small",
            "secondary": "with it, something withheld could be worked out",
        }
        lines.append(f"WITHHELD in the publication ({figure['suppression']}: {reason[figure['suppression']]})")
    lines += [f"{one['measure']} = {one['formula']}\n    {one['with_numbers']}" for one in said["formulas"]]
    lines += [f"  {name:<30}{_shown(value):>14}" for name, value in (figure["counts"] | figure["rates"]).items()]
    lines += [f"  {name:<30}{_shown(value):>14}" for name, value in figure["marks"].items()]
    lines += [f"break: {one['in_force']} {one['cause_sv']} ({one['reference']})" for one in figure["breaks"]]
    return lines


def _definition(definition: Mapping[str, Any]) -> list[str]:
    return [
        f"decided wording: {definition['wording_sv']}",
        f"numerator: {definition['numerator_sv']}",
        f"denominator: {definition['denominator_sv']}",
        f"includes: {definition['includes_sv']}",
        f"excludes: {definition['excludes_sv']}",
        f"provisions: {definition['legal_reference']}; first comparable year: {_shown(definition['first_comparable_year'])}",
    ]


def _way(said: Mapping[str, Any]) -> list[str]:
    publication = said["publication"]
    other_code = publication["code_version"] != code_version()
    return [
        "deliveries",
        *(f"  {one['source']}/{one['year']} {one['delivery_id']} {one['because']}" for one in said["deliveries"]),
        "",
        "models"
        + (f" of the present code; the figure was made by {publication['code_version']}" if other_code else ""),
        *(
            f"  {one['name']} ← {', '.join(one['reads'])}"
            + (f"   rules: {', '.join(one['rules'])}" if one["rules"] else "")
            for one in said["models"]
            if one["reads"]
        ),
    ]


def _private(private: Mapping[str, Any]) -> list[str]:
    if not private["available"]:
        return [f"the offences behind it cannot be shown: {private['why']}"]
    offences: Sequence[Mapping[str, Any]] = private["offences"]
    lines = [f"--- {private['note']} ---"]
    if not private["adds_up"]:
        lines += [
            "THE OFFENCES DO NOT ADD UP TO THE FIGURE: the working database is of other deliveries, or one of the two is wrong",
            *(
                f"  {name}: counted {private['counts_of_offences'].get(name)}, in the working database {value}"
                for name, value in private["counts"].items()
            ),
        ]
    if withheld := private["withheld"]:
        hides = f"; shown, it would give away {withheld['hides']}" if withheld["hides"] else ""
        lines.append(f"withheld ({withheld['suppression']}): {withheld['because']}{hides}")
        lines.append("counts: " + ", ".join(f"{name} {value}" for name, value in private["counts"].items()))
    lines.append(f"{len(offences)} offences, {sum(one['brottsantal'] for one in offences)} by brottsantal")
    for offence in offences[:OFFENCES_SHOWN]:
        lines += _offence(offence)
    if len(offences) > OFFENCES_SHOWN:
        lines.append(f"… and {len(offences) - OFFENCES_SHOWN} more: --json has all")
    return lines


def _offence(one: Mapping[str, Any]) -> list[str]:
    times = f" × {one['brottsantal']}" if one["brottsantal"] != 1 else ""
    looked_up = ", looked up in an earlier extract" if one["looked_up"] else ""
    return [
        f"case {one['case']} offence {one['offence']}{times}: {one['outcome']} {one['decided']}"
        f" → {', '.join(one['counts_in'])}",
        f"    {one['file']} line {one['line']}{looked_up}; reported {one['reported'] or 'on an unknown day'}",
        f"    {one['classified']}; {one['counted_because']}",
        f"    {one['victim_group']}: {one['victim_group_from']}; place: {one['place_from']}",
        *(_decision(decision) for decision in one["decisions"]),
    ]


def _decision(one: Mapping[str, Any]) -> str:
    quarantined = f", quarantined: {one['quarantined']}" if one["quarantined"] else ""
    return (
        f"    {'→' if one['decides'] else ' '} {one['date']} {one['decision']} ({one['authority']}, {one['outcome']}) "
        f"{one['file']} line {one['line']}{quarantined}"
    )


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return half_up(value, 6) if isinstance(value, float) else str(value)
