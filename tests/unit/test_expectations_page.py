"""The audit's page: says what happened in words, needs nothing but itself, and shows no data."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from expectations.page import render_page
from expectations.results import CheckResult

MARKER = "2200-K1276-14"
HEADING = {"Publication": "2026-03-02 06:10", "Years": "2015–2025"}


def result(name: str = "parts_add_up", **changes: Any) -> CheckResult:
    given: dict[str, Any] = {
        "suite": "fct_indicator_year",
        "layer": "marts",
        "asset": "fct_indicator_year",
        "severity": "block",
        "owner": "us",
        "reason": "processed is investigated plus dismissed",
        "result": "passed",
        "observed": "0 rows",
        "limit": "none at all",
    }
    return CheckResult(name=name, **(given | changes))


def render(folder: Path, *results: CheckResult) -> str:
    return render_page(results, heading=HEADING, destination=folder / "checks.html").read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Collects elements with their attributes, and the text that is shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def words(html: str) -> str:
    return " ".join(Reader(html[html.index("<body>") :]).text.split())


@pytest.mark.parametrize(
    ("results", "verdict", "counts"),
    [
        ([result()], "Published Every check that could be judged passed.", (1, 1, 0, 0, 0)),
        (
            [result(), result("a", result="failed", severity="warn")],
            "Published, with warnings No check blocks publication; see the warnings.",
            (2, 1, 1, 0, 0),
        ),
        (
            [
                result(),
                result("a", result="failed", severity="warn"),
                result("b", result="failed"),
                result("c", result="not judged"),
            ],
            "Blocked Nothing was published: correct the blocking checks first.",
            (4, 1, 1, 1, 1),
        ),
        ([], "Blocked No check was run, so nothing may be published.", (0, 0, 0, 0, 0)),
    ],
)
def test_the_verdict_stands_at_the_top_in_words(
    tmp_path: Path, results: list[CheckResult], verdict: str, counts: tuple[int, ...]
) -> None:
    shown = words(render(tmp_path, *results))
    total, passed, warned, blocked, not_judged = counts
    numbers = f"checks in all {total} passed {passed} warned {warned} blocked {blocked} not judged {not_judged}"
    assert f"Publication 2026-03-02 06:10 Years 2015–2025 {verdict} {numbers}" in shown


def test_a_failed_check_is_explained_worst_first(tmp_path: Path) -> None:
    warned = result(
        "regions_known", layer="raw", asset="police", result="failed", severity="warn", owner="supplier", rows=1204
    )
    blocked = result(result="failed", observed="12 rows", rows=12)
    unjudged = result("breaks_marked", result="failed", observed="not determined", error="Binder Error: no such column")
    shown = words(render(tmp_path, warned, blocked, unjudged))
    failed = shown[shown.index("What did not pass") : shown.index("Raw: the deliveries")]
    assert (
        "Parts add up ✕ Blocks fct_indicator_year · marts Observed 12 rows Limit none at all Offending rows 12 "
        "Why it matters Processed is investigated plus dismissed Who fixes it We do: the fault is in our code"
    ) in failed
    assert "Could not be evaluated Binder Error: no such column Observed not determined" in failed
    assert "Offending rows not counted" in failed
    assert "Offending rows 1,204" in failed
    assert "Who fixes it The supplier of the delivery" in failed
    assert failed.index("Parts add up") < failed.index("Regions known")


def test_what_was_not_judged_is_neither_passed_nor_failed(tmp_path: Path) -> None:
    shown = words(render(tmp_path, result(result="not judged", observed="not enough data: needs two years")))
    assert "What did not pass" not in shown
    assert "– Not judged not enough data: needs two years none at all not counted" in shown


def test_every_check_stands_under_its_layer_and_asset(tmp_path: Path) -> None:
    html = render(
        tmp_path,
        result("c", layer="published", asset="publication"),
        result("b", layer="raw", asset="prosecutor"),
        result("a", layer="raw", asset="police"),
        result("d", layer="raw", asset="police", result="failed"),
    )
    places = [
        html.index(part)
        for part in ("<h2>Raw", "<caption>police", "<caption>prosecutor", "<h2>Published", "<caption>publ")
    ]
    assert places == sorted(places)
    assert [len(re.findall("<tr", table)) - 1 for table in html.split("<table")[1:]] == [2, 1, 1]


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    html = render(tmp_path, result(), result("a", result="failed"))
    page = Reader(html)
    assert not {"script", "link", "img", "iframe", "object", "embed", "audio", "video"} & {
        tag for tag, _ in page.elements
    }
    assert not [attributes for _, attributes in page.elements if {"src", "href", "style"} & attributes.keys()]
    assert not re.search(r"https?:|//|@import|url\(", html)


def test_the_page_can_be_used_by_all(tmp_path: Path) -> None:
    html = render(tmp_path, result(), result("a", result="failed"), result("b", result="not judged"))
    page = Reader(html)
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("meta")[1]["name"] == "viewport"
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attributes.get("scope") in ("col", "row") for attributes in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert "<title>Blocked – quality checks – 2026-03-02 06:10</title>" in html
    # a word, not colour alone
    assert all(
        re.search(r">[✓!✕–] (Passed|Warns|Blocks|Waived|Not judged)<", mark)
        for mark in re.findall(r'<span class="mark.*?</span>', html)
    )


def test_text_stands_out_from_its_ground(tmp_path: Path) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", render(tmp_path, result())))
    pairs = [(ink, ground) for ink in ("ink", "muted", "pass", "warn", "block") for ground in ("paper", "ground")]
    pairs += [(kind, f"{kind}-ground") for kind in ("pass", "warn", "block")]
    for ink, ground in pairs:
        light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_cannot_become_markup(tmp_path: Path) -> None:
    bad = "<script>alert('x')</script>&\"'"
    fields: dict[str, Any] = dict.fromkeys(("name", "asset", "reason", "observed", "limit", "error"), bad)
    page = render_page([result(**fields, result="failed")], heading={bad: bad}, destination=tmp_path / "checks.html")
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "alert(&#39;x&#39;)" in html


def test_a_page_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = render(tmp_path, result())
    destination = tmp_path / "checks.html"

    def fail(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="no space left"):
            render(tmp_path, result(result="failed"))
    assert destination.read_text(encoding="utf-8") == first
    assert [one.name for one in tmp_path.iterdir()] == ["checks.html"]
    assert destination.stat().st_mode & 0o444 == 0o444


def test_the_folder_is_made(tmp_path: Path) -> None:
    destination = tmp_path / "new" / "folder" / "checks.html"
    assert render_page([result()], heading={}, destination=destination) == destination
    assert "<title>Published – quality checks</title>" in destination.read_text(encoding="utf-8")
