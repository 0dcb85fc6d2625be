"""The report that people read: its numbers are the marts', its sentences follow the rules, and everybody can read and use it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dagster_project.publish.report.pages import write_report
from dagster_project.publish.report.texts import catalogue
from dagster_project.settings import Settings

CHROMIUM = shutil.which("chromium")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
INDICATORS = 11


@pytest.fixture(scope="module")
def publication(published_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a publication, and the report that goes with them."""
    folder = tmp_path_factory.mktemp("reported")
    shutil.copytree(published_world.current / "parquet", folder / "parquet")
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: apt-get install chromium")
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


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


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Reader:
    return Reader(browser)


@pytest.fixture(scope="module")
def plain_reader(browser: Browser) -> Reader:
    return Reader(browser, script=False)


def pages(publication: Path) -> list[Path]:
    return sorted((publication / "report").rglob("*.html"))


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


FIGURES = """
    select year, processed, cleared, clearance_pct, clearance_pct_low, clearance_pct_high, clearance_change_pp
    from @fct_indicator_year
    where indicator_id = ? and variant = 'beslutad' and geography_level = ? and geography_code = ? and victim_group = ?
    order by year
"""


def expected_trend(publication: Path, *key: str, language: str = "sv") -> list[list[str]]:
    return [
        [
            str(year),
            told(processed, 0, language),
            told(cleared, 0, language),
            *(told(one, 1, language) for one in shares),
        ]
        for year, processed, cleared, *shares in rows(publication, FIGURES, *key)
    ]


def test_it_is_whole_small_and_leads_nowhere(publication: Path) -> None:
    written = {path.relative_to(publication / "report").as_posix() for path in pages(publication)}
    ids = [name for (name,) in rows(publication, "select distinct indicator_id from @dim_indicator")]
    assert len(ids) == INDICATORS
    assert written == {"index.html"} | {
        f"{language}/{page}.html" for language in ("sv", "en") for page in ("index", "quality", *ids)
    }
    for path in pages(publication):
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < (300_000 if path.stem == "index" else 500_000)
        assert not re.search(r"(?:src|href|action|url)\s*[=(]\s*[\"']?\s*(?:https?:)?//", text)
        assert 'role="note"' not in text, "only made-up data are called so"
    for language in ("sv", "en"):
        assert (publication / "report" / language / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_no_page_complains_or_asks_for_anything(publication: Path, reader: Reader) -> None:
    for path in pages(publication):
        page = reader.open(path)
        assert page.locator("h1").count() == 1
    assert reader.complaints == []


def test_both_catalogues_say_the_same_things() -> None:
    def keys(content: Any, prefix: str = "") -> set[str]:
        if isinstance(content, dict):
            return {found for key, value in content.items() for found in keys(value, f"{prefix}.{key}")}
        if isinstance(content, list):
            return {found for number, value in enumerate(content) for found in keys(value, f"{prefix}.{number}")}
        return {f"{prefix} {sorted(re.findall(r'{[^}]*}', str(content)))}"}

    assert keys(dict(catalogue("sv"))) == keys(dict(catalogue("en")))


@pytest.mark.parametrize("language", ["sv", "en"])
def test_without_script_the_numbers_are_those_of_the_marts(
    publication: Path, plain_reader: Reader, language: str
) -> None:
    for (indicator,) in rows(publication, "select distinct indicator_id from @dim_indicator"):
        page = plain_reader.open(publication / "report" / language / f"{indicator}.html")
        trend = [row[:7] for row in table(page, "trend")]
        assert trend == expected_trend(publication, indicator, "lan", "01", "total", language=language)
        assert not page.locator("#chooser").is_visible()


def test_the_script_shows_first_what_was_there_without_it(
    publication: Path, reader: Reader, plain_reader: Reader
) -> None:
    """Two programs make the same page: what the one wrote, the other redraws."""
    seen = []
    for one in (reader, plain_reader):
        page = one.open(publication / "report" / "en" / "misshandel_nara_relation.html")
        names = page.locator("table[data-name]").evaluate_all("found => found.map(one => one.dataset.name)")
        assert {"trend", "ranking", "flow", "time"} <= set(names)
        text = "[...document.querySelectorAll('#says p, #formulas p, .chart text')].map(one => one.textContent).sort()"
        drawn = (
            page.evaluate(text)
            if one is reader
            else page.locator("#says p, #formulas p, .chart text").all_text_contents()
        )
        seen.append(({name: table(page, name) for name in names}, sorted(drawn)))
        page = one.open(publication / "report" / "sv" / "index.html")
        seen[-1] += (sorted(page.locator("#summary p, .card p, .card li, .card text").all_text_contents()),)
    assert seen[0] == seen[1]


CHOICES = (
    ("misshandel_nara_relation", "riket", "SE", 2023, "kvinna"),
    ("valdtakt", "polisregion", "Rn05", 2024, "flicka"),
    ("valdtakt", "lan", "14", 2023, "total"),
    ("misshandel_nara_relation", "kommun", "0180", 2024, "total"),
)


@pytest.mark.parametrize(("indicator", "level", "code", "year", "group"), CHOICES)
def test_a_link_shows_what_it_names(
    publication: Path, reader: Reader, indicator: str, level: str, code: str, year: int, group: str
) -> None:
    page = reader.open(
        publication / "report" / "sv" / f"{indicator}.html", f"#{indicator}/{level}/{code}/{year}/{group}"
    )
    assert [row[:7] for row in table(page, "trend")] == expected_trend(publication, indicator, level, code, group)
    ((name,),) = rows(
        publication, "select name from @dim_geography where (geography_level, geography_code) = (?, ?)", level, code
    )
    assert f"{name} {year}" in page.locator("#h-says").inner_text()
    figures = {row[0]: row for row in rows(publication, FIGURES, indicator, level, code, group)}
    share = figures[year][3]
    says = page.locator("#says").inner_text()
    nothing = "inget ledde" if share == 0 else "skyddad" if figures[year][1] is None else "finns ingen andel"
    assert (f"{told(share, 1)} procent" if share else nothing) in says
    flow = rows(
        publication,
        "select offences from @fct_case_flow_year where (indicator_id, variant, geography_level, geography_code, year) "
        "= (?, 'beslutad', ?, ?, ?) and offences is not null order by stage_order",
        indicator, level, code, year,
    )  # fmt: skip
    assert [row[1] for row in table(page, "flow")] == [told(offences, 0) for (offences,) in flow]
    assert reader.complaints == []


def test_choosing_by_mouse_and_keyboard(publication: Path, reader: Reader) -> None:
    page = reader.open(publication / "report" / "sv" / "valdtakt.html")
    page.locator("#choose-place").select_option("lan/12")
    assert page.url.endswith("#valdtakt/lan/12/2024")
    page.locator("#choose-year").focus()
    page.keyboard.press("ArrowDown")
    assert page.url.endswith("#valdtakt/lan/12/2023")
    assert [row[:7] for row in table(page, "trend")] == expected_trend(publication, "valdtakt", "lan", "12", "total")
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("/en/valdtakt.html#valdtakt/lan/12/2023")
    page.get_by_role("link", name="Overview").click()
    page.locator("#choose-place").select_option("riket/SE")
    page.locator('[data-indicator="valdtakt"] a').click()
    assert page.url.endswith("/en/valdtakt.html#valdtakt/riket/SE/2024")
    header = page.locator("#table-ranking thead button").nth(2)
    header.press("Enter")
    processed = [row[2].replace(",", "") for row in table(page, "ranking")]
    shown = [int(number) for number in processed if number != "–"]
    assert shown == sorted(shown)
    assert "–" not in processed[: len(shown)]
    reader.open(publication / "report" / "index.html", "#valdtakt/lan/14/2023")
    page.wait_for_url("**/sv/valdtakt.html#valdtakt/lan/14/2023")
    assert reader.complaints == []


@pytest.mark.parametrize(
    ("width", "looked_at"),
    [(390, ("sv/index", "en/misshandel_nara_relation")), (1200, ("en/index", "sv/valdtakt", "en/quality"))],
)
def test_nobody_is_shut_out(publication: Path, reader: Reader, width: int, looked_at: Sequence[str]) -> None:
    import axe_playwright_python

    axe = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    reader.page.set_viewport_size({"width": width, "height": 900})
    for name in looked_at:
        page = reader.open(publication / "report" / f"{name}.html")
        # Through the debugger: the page itself lets no other script in.
        page.evaluate(axe)
        found = page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        assert [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- figures as nobody wants them --------------------------------------------------------------------------------------


def doctored(publication: Path, folder: Path, statements: Sequence[str], indicators: Sequence[str]) -> Path:
    """A report of the publication's figures after some statements, with few indicators, since each costs time."""
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect() as connection:
        tables = [path.stem for path in sorted((publication / "parquet").glob("*.parquet"))]
        for name in tables:
            connection.execute(f"create table {name} as from read_parquet('{publication}/parquet/{name}.parquet')")
            columns = [row[0] for row in connection.execute(f"describe {name}").fetchall()]
            if "indicator_id" in columns:
                connection.execute(f"delete from {name} where indicator_id not in {(*indicators, '')}")
        for statement in statements:
            connection.execute(statement)
        for name in tables:
            connection.execute(f"copy {name} to '{folder}/parquet/{name}.parquet'")
    write_report(folder)
    return folder


COUNTS = (
    "processed", "investigated", "dismissed", "with_suspect", "cleared", "cleared_indictment", "cleared_penalty_order",
    "cleared_waiver", "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed",
)  # fmt: skip
SHARES = (
    "clearance_pct", "clearance_pct_low", "clearance_pct_high", "prosecution_pct", "clearance_pct_country",
    "clearance_pct_median_region", "clearance_pct_median_county", "clearance_change_pp", "clearance_change_significant",
)  # fmt: skip
NO_SHARES = f"update fct_indicator_year set {', '.join(f'{name} = null' for name in SHARES)}"


def all_of(publication: Path, one: Reader, place: str = "") -> str:
    """What two pages say, in words."""
    said = []
    for name in ("index", "valdtakt"):
        said.append(one.open(publication / "report" / "sv" / f"{name}.html", place).locator("body").inner_text())
    return "\n".join(said)


def test_nothing_but_zeros(publication: Path, tmp_path: Path, reader: Reader) -> None:
    """Without a denominator there is no share, which is not 0 per cent."""
    made = doctored(
        publication,
        tmp_path / "zeros",
        [
            f"update fct_indicator_year set suppression = null, small_number = true, {', '.join(f'{name} = 0' for name in COUNTS)}",
            NO_SHARES,
            "delete from fct_case_flow_year",
            "delete from fct_processing_time_year",
        ],
        ["valdtakt"],
    )
    said = all_of(made, reader)
    assert "Inga brott handlades 2024" in said
    assert "Inga handlagda brott, så andelen finns inte: Våldtäkt." in said
    assert "0,0 procent" not in said
    assert "NaN" not in said
    assert reader.complaints == []


def test_everything_withheld(publication: Path, tmp_path: Path, reader: Reader) -> None:
    made = doctored(
        publication,
        tmp_path / "withheld",
        [
            f"update fct_indicator_year set suppression = 'primary', small_number = null, {', '.join(f'{name} = null' for name in COUNTS)}",
            NO_SHARES,
            "update fct_case_flow_year set suppression = 'primary', offences = null, share_of_stage_before_pct = null",
            "update fct_processing_time_year set suppression = 'primary', offences = null, days_median = null",
            "update publication set is_synthetic = true",
        ],
        ["valdtakt"],
    )
    said = all_of(made, reader)
    assert "Uppgiften för 2024 är skyddad" in said
    assert "Skyddad uppgift: Våldtäkt." in said
    assert said.count(catalogue("sv")["synthetic"]) == 2
    assert not re.search(r"\d procent \(95", said)
    page = reader.open(made / "report" / "sv" / "valdtakt.html")
    assert {tuple(row[1:7]) for row in table(page, "trend")} == {("–",) * 6}
    assert page.locator("#picture-trend text", has_text="skyddad uppgift").count() == 2
    assert reader.complaints == []


def test_one_year_all_cleared_and_names_with_markup(publication: Path, tmp_path: Path, reader: Reader) -> None:
    evil = "<img src=x onerror=alert(1)></script>&\"'{pct:t}#*_$"
    made = doctored(
        publication,
        tmp_path / "one",
        [
            *(f"delete from {name} where year <> 2024" for name in ("dim_year", "fct_indicator_year", "series_break")),
            "update fct_indicator_year set suppression = null, small_number = false, processed = 1234, investigated = 1234, "
            "dismissed = 0, with_suspect = 1234, cleared = 1234, cleared_indictment = 1234, cleared_penalty_order = 0, "
            "cleared_waiver = 0, limited_investigated = 0, other_investigated = 0, limited_dismissed = 0, other_dismissed = 0, "
            "clearance_pct = 100, clearance_pct_low = 99.7, clearance_pct_high = 100, prosecution_pct = 100, "
            "clearance_pct_country = 100, clearance_pct_median_region = 100, clearance_change_pp = null, "
            "clearance_change_significant = null, series_break = false, mixed_year = false",
            f"update dim_geography set name = '{evil.replace(chr(39), chr(39) * 2)}' where geography_code = '01'",
            f"update dim_indicator set name_sv = '{evil.replace(chr(39), chr(39) * 2)}'",
            "alter table dim_geography drop name_en",
        ],
        ["valdtakt"],
    )
    said = all_of(made, reader)
    assert evil in said
    assert "1\u202f234" in said
    assert "alla ledde till personuppklaring: 100 procent" in said
    assert "2024 är det första redovisade året" in said
    assert reader.complaints == []
    page = reader.open(made / "report" / "en" / "valdtakt.html")
    assert page.locator("img").count() == 0
    assert evil in page.locator("#h-says").inner_text()


def test_a_change_says_no_more_than_the_figures(publication: Path, tmp_path: Path, reader: Reader) -> None:
    """More than chance only where the mart says so; a difference that rounding distorts is explained."""
    where = "where variant = 'beslutad' and geography_code = '01' and victim_group = 'total'"

    def figures_of(year: int, cleared: int, more: str = "") -> str:
        counted = {"processed": 3000, "investigated": cleared, "cleared": cleared, "cleared_indictment": cleared}
        counts = counted | {"dismissed": 3000 - cleared, "other_dismissed": 3000 - cleared}
        return (
            f"update fct_indicator_year set {', '.join(f'{name} = {counts.get(name, 0)}' for name in COUNTS)}, "
            f"suppression = null, small_number = false, clearance_pct = 100.0 * {cleared} / 3000, prosecution_pct = 100, "
            f"clearance_pct_low = 9, clearance_pct_high = 12, clearance_pct_country = 30{more} {where} and year = {year}"
        )

    said = {}
    for name, significant in (("chance", "false"), ("more", "true")):
        made = doctored(
            publication,
            tmp_path / name,
            [
                "update dim_indicator set first_comparable_year = 2023",
                "update fct_indicator_year set series_break = false, mixed_year = false",
                figures_of(2023, 301),
                figures_of(
                    2024, 314, f", clearance_change_pp = 1300.0 / 3000, clearance_change_significant = {significant}"
                ),
            ],
            ["valdtakt"],
        )
        page = reader.open(made / "report" / "sv" / "valdtakt.html")
        said[name] = page.locator("#says").inner_text()
        page = reader.open(made / "report" / "sv" / "index.html")
        said[name] += page.locator("#summary").inner_text()
    assert "steg med 0,4 procentenheter sedan 2023. Det kan bero på slumpen." in said["chance"]
    assert "mer än slumpen brukar ge" not in said["chance"]
    assert "steg med 0,4 procentenheter sedan 2023, mer än slumpen brukar ge" in said["more"]
    assert "På grund av avrundning" in said["more"]
    assert "en prövning av tjugo" in said["more"]
    assert "utanför områdets konfidensintervall" in said["more"]
    assert reader.complaints == []


def test_what_was_revised_is_told(publication: Path, tmp_path: Path, reader: Reader) -> None:
    told_of = {
        "publication_id": "'30000101T000000Z'", "indicator_id": "'valdtakt'", "variant": "'beslutad'", "year": "2023",
        "geography_level": "'lan'", "geography_code": "'01'", "victim_group": "'kvinna'", "measure": "'clearance_pct'",
        "kind": "'changed'", "old_value": "12.25", "new_value": "1234", "causes": "'police/2023 <b>'",
    }  # fmt: skip
    made = doctored(
        publication,
        tmp_path / "revised",
        [
            "insert into publication select * replace ('30000101T000000Z' as publication_id) from publication",
            f"insert into revision ({', '.join(told_of)}) values ({', '.join(told_of.values())})",
        ],
        ["valdtakt"],
    )
    said = (
        reader.open(made / "report" / "sv" / "valdtakt.html")
        .locator("section[aria-labelledby=h-revisions]")
        .inner_text()
    )
    assert "1 värden har ändrats" in said
    for text in ("Stockholms län", "Kvinnor", "12,3", "1\u202f234", "police/2023 <b>"):
        assert text in said
    assert reader.complaints == []
