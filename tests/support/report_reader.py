"""A browser that reads the report, and queries of a publication's tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
import duckdb
from playwright.sync_api import Browser, Locator, Page


class Reader:
    """A browser that records its errors and network requests."""

    def __init__(self, browser: Browser, script: bool = True) -> None:
        self.complaints: list[str] = []
        self._context = browser.new_context(java_script_enabled=script, viewport={"width": 1200, "height": 900})
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith("file:"):
            self.complaints.append(request.url)

    def open(self, path: Path, choice: str = "") -> Page:
        # Forces a reload for the same page with another choice.
        self.page.goto("about:blank")
        self.page.goto(path.as_uri() + choice)
        # Each table is closed until a reader opens it.
        closed = self.page.locator("details:not([open]) > summary:visible")
        for _ in range(closed.count()):
            closed.first.click()
        return self.page


def pages(publication: Path) -> list[Path]:
    return sorted((publication / "report").rglob("*.html"))


# What axe-core does not judge by itself: single characters, and cells that are scrolled out of their box, which have the colours
# of those in it. Text in drawings is judged by `_DRAWN`.
_UNJUDGED = ("shortTextContent", "elmPartiallyObscured")
_DRAWN = """
    () => [...document.querySelectorAll('svg text')].filter((text) => {
        const light = getComputedStyle(text).fill.match(/[0-9]+/g).map(Number).map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        // Against the grey of the ranges, the darkest that text may stand on.
        const behind = 0.723, ratio = (behind + 0.05) / (0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] + 0.05);
        return ratio < 4.5;
    }).map((text) => text.outerHTML)
"""


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """Return what violates WCAG 2.2 AA and best practice by axe-core, and text whose contrast it cannot tell, with the elements."""
    # Evaluated by the debugger, because the page's policy forbids other scripts.
    page.evaluate(_axe())
    result = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], "
        "resultTypes: ['violations', 'incomplete']})"
    )
    found = [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in result["violations"]]
    for one in result["incomplete"]:
        if one["id"] == "color-contrast":
            unclear = [
                node["html"][:200]
                for node in one["nodes"]
                if not node["html"].startswith("<text") and node["any"][0]["data"]["messageKey"] not in _UNJUDGED
            ]
            found += [("contrast that axe-core cannot tell", unclear[:3])] if unclear else []
    drawn: list[str] = page.evaluate(_DRAWN)
    return found + ([("contrast in a drawing", drawn[:3])] if drawn else [])


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def words(locator: Locator) -> str:
    """Return the text of an element with ordinary spaces."""
    return locator.inner_text().replace("\u00a0", " ")


def table(page: Page, name: str) -> list[list[str]]:
    """Return the rows of a table as text."""
    cells: list[list[str]] = page.locator(f"#table-{name} tbody").evaluate(
        "body => [...body.rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return cells


def rows(publication: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Query the publication's tables, written as `@table`."""
    resolved = re.sub(r"@(\w+)", lambda name: f"read_parquet('{publication}/parquet/{name[1]}.parquet')", query)
    with duckdb.connect() as connection:
        return connection.execute(resolved, values).fetchall()


def formatted(number: float | int | None, decimals: int, language: str = "sv") -> str:
    """Format a number independently of the report, rounded half up by DuckDB's decimals."""
    if number is None:
        return "–"
    with duckdb.connect() as connection:
        (text,) = connection.execute(f"select round(?::decimal(18, 9), {decimals})::varchar", [number]).fetchone() or (
            "",
        )
    text = re.sub(r"(?<=\d)(?=(\d{3})+(\.|$))", "\u202f" if language == "sv" else ",", text.replace("-", "−"))
    return text.replace(".", ",") if language == "sv" else text
