"""Waivers: a threshold is let pass for once, everybody sees it, and when it expires it blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from test_publishing import assert_stands, made, publish, published, redeliver
from warehouse import build

from dagster_project import paths
from dagster_project.cli.status import warehouse_status
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.release import PublishingBlockedError, nothing_to_publish
from dagster_project.publications import publications
from dagster_project.quality.audit import read_audit
from dagster_project.quality.waivers import (
    GATE,
    Waiver,
    WaiversError,
    apply_waivers,
    describe_waivers,
    read_waivers,
)
from dagster_project.settings import Settings
from dagster_project.state import read_state
from expectations.results import CheckResult

__all__ = ["made", "published"]

TODAY = date.today()
TOMORROW, YESTERDAY = TODAY + timedelta(days=1), TODAY - timedelta(days=1)
FAILED = CheckResult(
    name="required_fields_are_filled",
    suite="raw_police_offences",
    layer="raw",
    asset="police_offences",
    severity="block",
    owner="us",
    reason="needed",
    result="failed",
    observed="3 rows",
    limit="0 rows",
    rows=3,
    year=2024,
)


def waiver(**changes: Any) -> dict[str, Any]:
    """A waiver of a check; `...` takes a key away."""
    output = {
        "check": "police_offences.required_fields_are_filled",
        "rows": 3,
        "reason": "delivered again in May",
        "decided_by": "head of statistics",
        "decided": YESTERDAY,
        "expires": TOMORROW,
        **changes,
    }
    return {name: value for name, value in output.items() if value is not ...}


def gate(delivery: str = "police/2024", limit_pct: float = 20, **changes: Any) -> dict[str, Any]:
    return waiver(**{"check": GATE, "rows": ..., "delivery": delivery, "limit_pct": limit_pct, **changes})


def declare(path: Path, *waivers: Any) -> Path:
    path.write_text(yaml.safe_dump(list(waivers), allow_unicode=True), encoding="utf-8")
    return path


def waived_or_not(
    path: Path, result: CheckResult, *waivers: Any, today: date = TODAY
) -> tuple[CheckResult, list[CheckResult]]:
    first, *others = apply_waivers([result], read_waivers(declare(path / "waivers.yml", *waivers)), today)
    return first, others


def test_a_covered_failure_no_longer_blocks_and_says_who_let_it(tmp_path: Path) -> None:
    result, (shown,) = waived_or_not(tmp_path, FAILED, waiver())
    assert (result.severity, result.result) == ("block", "waived")
    for text in ("needed", "delivered again in May", "head of statistics", str(YESTERDAY), str(TOMORROW)):
        assert text in result.reason
    assert (shown.result, shown.severity, shown.asset) == ("passed", "block", "police_offences")


VOLUME = replace(
    FAILED,
    name="volume_is_half_to_twice_the_year_before",
    suite="int_figure_year",
    layer="intermediate",
    asset="int_figure_year",
    rows=1,
    year=None,
    beyond=(("koppleri 2024", 2.5),),
)


def test_a_data_test_of_dbt_with_a_limit_is_waived_for_a_number_of_rows(tmp_path: Path) -> None:
    asset, name = "int_year_content", "every_year_is_counted_once"
    failed = replace(FAILED, suite=asset, layer="intermediate", asset=asset, name=name, year=None)
    known = declare(tmp_path / "waivers.yml", waiver(check=f"{asset}.{name}"))
    (allowed, shown) = apply_waivers([failed], read_waivers(known), TODAY)
    assert (allowed.result, shown.layer) == ("waived", "intermediate")
    (left, _) = apply_waivers([replace(failed, rows=4)], read_waivers(known), TODAY)
    assert left.blocks


def of_volume(unit: str = "koppleri 2024", **changes: Any) -> dict[str, Any]:
    check = "int_figure_year.volume_is_half_to_twice_the_year_before"
    return waiver(**{"check": check, "rows": ..., "unit": unit, "at_most": 2.5, **changes})


def test_a_measured_value_is_waived_by_unit_and_up_to_a_bound(tmp_path: Path) -> None:
    result, (shown,) = waived_or_not(tmp_path, VOLUME, of_volume())
    assert result.result == "waived"
    assert "(koppleri 2024) may have a value of 2.5 at the most until" in result.reason
    assert shown.name == "waiver_of_volume_is_half_to_twice_the_year_before_koppleri_2024"
    fallen = replace(VOLUME, beyond=(("koppleri 2024", 0.2),))
    assert waived_or_not(tmp_path, fallen, of_volume(at_most=..., at_least=0.2))[0].result == "waived"


def test_every_unit_beyond_the_limit_needs_its_waiver(tmp_path: Path) -> None:
    both = replace(VOLUME, rows=2, beyond=(*VOLUME.beyond, ("valdtakt 2024", 3.0)))
    assert waived_or_not(tmp_path, both, of_volume())[0] == both
    result, _ = waived_or_not(tmp_path, both, of_volume(), of_volume("valdtakt 2024", at_most=3))
    assert result.result == "waived"
    assert result.reason.count("head of statistics") == 2


def test_a_year_names_a_unit_too(tmp_path: Path) -> None:
    lacking = replace(VOLUME, name="offences_have_decisions", asset="int_year_content", beyond=(("2024", 12.0),))
    declared = of_volume(2024, check="int_year_content.offences_have_decisions", at_most=12)  # type: ignore[arg-type]
    assert waived_or_not(tmp_path, lacking, declared)[0].result == "waived"


NOT_COVERED = {
    "a value above the bound": (replace(VOLUME, beyond=(("koppleri 2024", 2.6),)), of_volume()),
    "a value below the bound": (
        replace(VOLUME, beyond=(("koppleri 2024", 0.1),)),
        of_volume(at_most=..., at_least=0.2),
    ),
    "a value on the other side": (
        replace(VOLUME, beyond=(("koppleri 2024", 3.0),)),
        of_volume(at_most=..., at_least=0.2),
    ),
    "another unit": (VOLUME, of_volume("koppleri 2023")),
    "more rows than waived": (replace(FAILED, rows=4), waiver()),
    "another check": (replace(FAILED, name="every_line_is_read_once"), waiver()),
    "another asset": (replace(FAILED, asset="police_decisions"), waiver()),
    "another year": (FAILED, waiver(year=2023)),
    "a check that could not be judged": (replace(FAILED, error="no such column"), waiver()),
    "a test of our own of the same name": (replace(FAILED, suite="dbt"), waiver()),
    "an expired waiver": (FAILED, waiver(decided=YESTERDAY - timedelta(days=9), expires=YESTERDAY)),
}


@pytest.mark.parametrize("what", NOT_COVERED)
def test_what_is_not_covered_still_blocks(tmp_path: Path, what: str) -> None:
    result, declared = NOT_COVERED[what]
    assert waived_or_not(tmp_path, result, declared)[0] == result


@pytest.mark.parametrize(
    "untouched",
    [
        replace(FAILED, result="passed"),
        replace(FAILED, severity="warn"),
        replace(FAILED, result="not judged"),
    ],
)
def test_what_does_not_block_is_left_as_it_is(tmp_path: Path, untouched: CheckResult) -> None:
    assert waived_or_not(tmp_path, untouched, waiver(year=2024))[0] == untouched


def test_a_waiver_holds_to_the_end_of_its_day_and_then_blocks(tmp_path: Path) -> None:
    result, (shown,) = waived_or_not(tmp_path, FAILED, waiver(), today=TOMORROW)
    assert (result.result, shown.result) == ("waived", "passed")
    result, (shown,) = waived_or_not(
        tmp_path, replace(FAILED, result="passed"), waiver(), today=TOMORROW + timedelta(days=1)
    )
    assert (shown.result, shown.severity) == ("failed", "block")
    assert "expired" in shown.observed


def test_the_gate_has_a_limit_for_each_delivery(tmp_path: Path) -> None:
    path = declare(tmp_path / "waivers.yml", gate(), gate("prosecution/2023", 5))
    waivers = read_waivers(path)
    for delivery, share, result in [
        ("police/2024", 20.0, "waived"),
        ("police/2024", 20.1, "failed"),
        ("police/2023", 1.0, "failed"),
        ("prosecution/2024", 1.0, "failed"),
        ("prosecution/2023", 5.0, "waived"),
    ]:
        beyond = replace(
            FAILED,
            asset="int_delivery_balance",
            name="quarantine_within_limit",
            beyond=((f"{delivery}/decisions", share),),
        )
        assert apply_waivers([beyond], waivers, TODAY)[0].result == result, (delivery, share)


def test_an_open_gate_is_published_with_its_reason_and_closes_when_it_expires(
    published: Settings, made: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeliver(published, dirt=0.05)
    build(published)
    with pytest.raises(PublishingBlockedError, match="quarantine_within_limit"):
        publish(published)
    assert_stands(published, made)
    declare(published.home / paths.WAIVERS, gate(), gate("prosecution/2024"))
    publication = publish(published)
    assert publication
    with duckdb.connect(str(published.published / paths.CURRENT / DATABASE), read_only=True) as connection:
        rows = connection.execute(
            "select name, result, reason from marts.quality_check where name like 'waiver_of%' or reason like '%own limit%'"
        ).fetchall()
    assert {name for name, *_ in rows} == {
        "waiver_of_quarantine_within_limit_police", "waiver_of_quarantine_within_limit_prosecution"
    }  # fmt: skip
    assert all(result == "passed" and "head of statistics" in reason for _, result, reason in rows)
    assert len(publication.manifest["waivers"]) == len(warehouse_status(read_state(published))["waivers"]) == 2
    assert nothing_to_publish(read_state(published))

    # Two days later, and nothing else has changed.
    monkeypatch.setattr(Waiver, "has_expired", lambda waiver, today: today + timedelta(days=2) > waiver.expires)
    assert not nothing_to_publish(read_state(published))
    with pytest.raises(PublishingBlockedError, match="expired"):
        publish(published)
    assert (
        (published.published / paths.CURRENT).readlink().name
        == publication.publication_id
        == publications(published)[-1].publication_id
    )
    audit = read_audit(published)
    assert audit
    assert {one.name for one in audit.blocking} >= {
        "quarantine_within_limit",
        "waiver_of_quarantine_within_limit_police",
    }
    assert all("EXPIRED" in text for text in describe_waivers(published))


WRONG: dict[str, Any] = {
    "no list": {"check": GATE},
    "an entry that is a text": ["everything"],
    **{f"without {name}": [waiver(**{name: ...})] for name in waiver()},
    "an unknown key": [waiver(forever=True)],
    "an unknown check": [waiver(check="police_offences.no_such_check")],
    "a check that only warns": [waiver(check="int_processed_offence.no_row_stands_for_very_many_offences")],
    "reading back what is published": [waiver(check="current.as_many_rows_served_as_built")],
    "a test of our own": [waiver(check="fct_indicator_year.unique_combination")],
    "an empty reason": [waiver(reason=" ")],
    "nobody decided": [waiver(decided_by="")],
    "an expiry that is no day": [waiver(expires="soon")],
    "an expiry before the decision": [waiver(decided=TODAY, expires=YESTERDAY)],
    "a number of rows that is none": [waiver(rows="all")],
    "fewer than no rows": [waiver(rows=-1)],
    "no rows, which lets nothing or anything pass": [waiver(rows=0)],
    "rows of a check that measures": [of_volume(rows=1)],
    "rows alone of a check that measures": [of_volume(rows=1, unit=..., at_most=...)],  # type: ignore[arg-type]
    "a check that reports no rows": [waiver(check="dim_indicator.every_variant_is_there", rows=1)],
    "a bound of a check that reports rows": [waiver(at_most=3)],
    "no unit": [of_volume(unit=...)],  # type: ignore[arg-type]
    "an empty unit": [of_volume(" ")],
    "no bound": [of_volume(at_most=...)],
    "both bounds": [of_volume(at_least=0.1)],
    "a bound within the limit": [of_volume(at_most=2)],
    "a lower bound within the limit": [of_volume(at_most=..., at_least=0.5)],
    "no end of a value": [of_volume(at_most=float("inf"))],
    "a value that is a text": [of_volume(at_most="3")],
    "a lower bound where there is no lower limit": [
        of_volume("2024", check="int_year_content.offences_have_decisions", at_most=..., at_least=1)
    ],
    "the same unit twice": [of_volume(), of_volume(at_most=3)],
    "a truth for a number": [waiver(rows=True)],
    "a year that is a text": [waiver(year="2024")],
    "decided in the future": [waiver(decided=TOMORROW, expires=TOMORROW)],
    "for longer than a year": [waiver(expires=TODAY + timedelta(days=366))],
    "no end of rows": [waiver(rows=float("inf"))],
    "half a row": [waiver(rows=2.5)],
    "a case number in the reason": [waiver(reason="see 2200-K1276-14")],
    "a personal number as the role": [waiver(decided_by="121212-1212")],
    "the same twice": [waiver(), waiver(rows=5)],
    "the gate without a delivery": [gate(delivery=...)],  # type: ignore[arg-type]
    "the gate of an unknown source": [gate("courts/2024")],
    "the gate without a year": [gate("police")],
    "the gate by rows": [gate(rows=3)],
    "the gate beyond the whole": [gate(limit_pct=101)],
    "the gate below nothing": [gate(limit_pct=-1)],
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_wholly_understood_stops_the_load(tmp_path: Path, what: str) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text(yaml.safe_dump(WRONG[what]), encoding="utf-8")
    with pytest.raises(WaiversError, match=r"waivers\.yml"):
        read_waivers(path)


@pytest.mark.parametrize(
    "text", ["- {expires: 2020-01-01, expires: 2099-01-01}", "- {191212121212: 1}", "- expires: ["]
)
def test_what_is_no_yaml_stops_the_load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WaiversError, match=r"waivers\.yml, line [12]: it is no readable YAML"):
        read_waivers(path)
