"""Somebody with a browser who reads the report, and what is to be read in a publication's tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
import duckdb
from playwright.sync_api import Browser, Locator, Page


class Reader:
    """Somebody with a browser; what it complains of and what it asks the network for is kept."""

    def __init__(self, browser: Browser, script: bool = True) -> None:
        self.complaints: list[str] = []
        self._context = browser.new_context(java_script_enabled=script, viewport={"width": 1200, "height": 900})
        self.page: Page = self._context.new_page()
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith("file:"):
            self.complaints.append(request.url)

    def open(self, path: Path, choice: str = "") -> Page:
        # The same page with another choice is not loaded again.
        self.page.goto("about:blank")
        self.page.goto(path.as_uri() + choice)
        return self.page


def pages(publication: Path) -> list[Path]:
    return sorted((publication / "report").rglob("*.html"))


def faults(page: Page, contrast: bool = True) -> list[tuple[str, list[str]]]:
    """What axe-core finds against WCAG 2.2 AA and good practice, with the elements that it is about."""
    # Through the debugger: the page itself lets no other script in.
    page.evaluate(_axe())
    found = page.evaluate(
        "contrast => axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], "
        "rules: {'color-contrast': {enabled: contrast}}, resultTypes: ['violations']})",
        contrast,
    )
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found["violations"]]


@cache
def _axe() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def words(of: Locator) -> str:
    """What is to be read somewhere, with spaces that no line breaks at as any others."""
    return of.inner_text().replace("\u00a0", " ")


def table(page: Page, name: str) -> list[list[str]]:
    """The rows of a table as they are read."""
    found: list[list[str]] = page.locator(f"#table-{name} tbody").evaluate(
        "body => [...body.rows].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return found


def rows(publication: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of the publication's tables; a table is named as `@table`."""
    there = re.sub(r"@(\w+)", lambda name: f"read_parquet('{publication}/parquet/{name[1]}.parquet')", query)
    with duckdb.connect() as connection:
        return connection.execute(there, values).fetchall()


def told(number: float | int | None, decimals: int, language: str = "sv") -> str:
    """A number as it is to be read, rounded half up by DuckDB's decimals and not by the report."""
    if number is None:
        return "–"
    with duckdb.connect() as connection:
        (text,) = connection.execute(f"select round(?::decimal(18, 9), {decimals})::varchar", [number]).fetchone() or (
            "",
        )
    text = re.sub(r"(?<=\d)(?=(\d{3})+(\.|$))", "\u202f" if language == "sv" else ",", text.replace("-", "−"))
    return text.replace(".", ",") if language == "sv" else text
