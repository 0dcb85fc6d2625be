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

from dagster_project import report
from dagster_project.audit import read_audit
from dagster_project.publish.draft import DATABASE
from dagster_project.publish.publications import publications
from dagster_project.publish.release import PublishingBlockedError, nothing_to_publish
from dagster_project.settings import Settings
from dagster_project.waivers import GATE, Waiver, WaiversError, apply_waivers, gate_waiver, read_waivers, told_waivers
from expectations.engine import CheckResult

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
    passed=False,
    observed="3 rows",
    limit="0 rows",
    rows=3,
    year=2024,
)


def waiver(**changes: Any) -> dict[str, Any]:
    """A waiver of a check; `...` takes a key away."""
    said = {
        "check": "police_offences.required_fields_are_filled",
        "rows": 3,
        "reason": "delivered anew in May",
        "decided_by": "head of statistics",
        "decided": YESTERDAY,
        "expires": TOMORROW,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not ...}


def gate(delivery: str = "police/2024", limit_pct: float = 20, **changes: Any) -> dict[str, Any]:
    return waiver(**{"check": GATE, "rows": ..., "delivery": delivery, "limit_pct": limit_pct, **changes})


def declare(path: Path, *waivers: Any) -> Path:
    path.write_text(yaml.safe_dump(list(waivers), allow_unicode=True), encoding="utf-8")
    return path


def judged(
    path: Path, result: CheckResult, *waivers: Any, today: date = TODAY
) -> tuple[CheckResult, list[CheckResult]]:
    first, *others = apply_waivers([result], read_waivers(declare(path / "waivers.yml", *waivers)), today)
    return first, others


def test_a_covered_failure_no_longer_blocks_and_says_who_let_it(tmp_path: Path) -> None:
    result, (shown,) = judged(tmp_path, FAILED, waiver())
    assert (result.severity, result.passed) == ("waived", False)
    for text in ("needed", "delivered anew in May", "head of statistics", str(YESTERDAY), str(TOMORROW)):
        assert text in result.reason
    assert (shown.passed, shown.severity, shown.asset) == (True, "block", "police_offences")


NOT_COVERED = {
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
    assert judged(tmp_path, result, declared)[0] == result


@pytest.mark.parametrize("untouched", [replace(FAILED, passed=True), replace(FAILED, severity="warn")])
def test_what_does_not_block_is_left_as_it_is(tmp_path: Path, untouched: CheckResult) -> None:
    assert judged(tmp_path, untouched, waiver(year=2024))[0] == untouched


def test_a_waiver_holds_to_the_end_of_its_day_and_then_blocks(tmp_path: Path) -> None:
    result, (shown,) = judged(tmp_path, FAILED, waiver(), today=TOMORROW)
    assert (result.severity, shown.passed) == ("waived", True)
    result, (shown,) = judged(tmp_path, replace(FAILED, passed=True), waiver(), today=TOMORROW + timedelta(days=1))
    assert (shown.passed, shown.severity) == (False, "block")
    assert "expired" in shown.observed


def test_the_gate_has_a_limit_for_each_delivery(tmp_path: Path) -> None:
    path = declare(tmp_path / "waivers.yml", gate(), gate("prosecution/2023", 5))
    waivers = read_waivers(path)
    limits = {
        what: found.limit if (found := gate_waiver(waivers, *what, TODAY)) else None
        for what in [("police", 2024), ("police", 2023), ("prosecution", 2024), ("prosecution", 2023)]
    }
    assert list(limits.values()) == [20, None, None, 5]
    assert gate_waiver(waivers, "police", 2024, TOMORROW + timedelta(days=1)) is None


def test_an_open_gate_is_published_with_its_reason_and_closes_when_it_expires(
    published: Settings, made: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    redeliver(published, dirt=0.05)
    build(published)
    with pytest.raises(PublishingBlockedError, match="quarantine_within_limit"):
        publish(published)
    assert_stands(published, made)
    declare(published.waivers, gate(), gate("prosecution/2024"))
    build(published)
    publication = publish(published)
    assert publication
    with duckdb.connect(str(published.current / DATABASE), read_only=True) as connection:
        rows = connection.execute(
            "select name, passed, reason from marts.quality_check where name like 'waiver_of%' or reason like '%own limit%'"
        ).fetchall()
    assert {name for name, *_ in rows} == {
        "waiver_of_quarantine_within_limit_police", "waiver_of_quarantine_within_limit_prosecution"
    }  # fmt: skip
    assert all(passed and "head of statistics" in reason for _, passed, reason in rows)
    assert len(publication.said["waivers"]) == len(report.status(published)["waivers"]) == 2
    assert nothing_to_publish(published)

    # Two days later, and nothing else has changed.
    monkeypatch.setattr(Waiver, "has_expired", lambda waiver, today: today + timedelta(days=2) > waiver.expires)
    assert not nothing_to_publish(published)
    build(published)
    with pytest.raises(PublishingBlockedError, match="expired"):
        publish(published)
    assert published.current.readlink().name == publication.publication_id == publications(published)[-1].publication_id
    audit = read_audit(published)
    assert audit
    assert {one.name for one in audit.blocking} >= {
        "quarantine_within_limit",
        "waiver_of_quarantine_within_limit_police",
    }
    assert all("EXPIRED" in text for text in told_waivers(published))


WRONG: dict[str, Any] = {
    "no list": {"check": GATE},
    "an entry that is a text": ["everything"],
    **{f"without {name}": [waiver(**{name: ...})] for name in waiver()},
    "an unknown key": [waiver(forever=True)],
    "an unknown check": [waiver(check="police_offences.no_such_check")],
    "a check that only warns": [waiver(check="prosecution_decisions.share_reopened")],
    "reading back what is published": [waiver(check="current.as_many_rows_served_as_built")],
    "a test of our own": [waiver(check="fct_indicator_year.unique_combination")],
    "an empty reason": [waiver(reason=" ")],
    "nobody decided": [waiver(decided_by="")],
    "an expiry that is no day": [waiver(expires="soon")],
    "an expiry before the decision": [waiver(decided=TODAY, expires=YESTERDAY)],
    "a number of rows that is none": [waiver(rows="all")],
    "fewer than no rows": [waiver(rows=-1)],
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


def test_what_is_no_yaml_stops_the_load(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yml"
    path.write_text("- {expires: 2020-01-01, expires: 2099-01-01}", encoding="utf-8")
    with pytest.raises(WaiversError, match="YAML"):
        read_waivers(path)
