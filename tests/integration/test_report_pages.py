"""The report's pages: whole, small, leading nowhere, and shutting nobody out; each page, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from report_reader import Reader, faults, pages, rows, words

from dagster_project.report.translations import catalogue, commitments
from dagster_project.settings import SEEDS

pytest_plugins = ["report_fixtures"]
INDICATORS = 11
PRINTED_PAGES = 20


def test_it_is_whole_small_and_leads_nowhere(publication: Path) -> None:
    written = {path.relative_to(publication / "report").as_posix() for path in pages(publication)}
    ids = [
        name for (name,) in rows(publication, "select distinct indicator_id from @dim_indicator where kind = 'decided'")
    ]
    assert len(ids) == INDICATORS
    assert written == {"index.html"} | {
        f"{language}/{page}.html"
        for language in ("sv", "en")
        for page in ("index", "quality", "official", "commitments", *ids)
    }
    for path in pages(publication):
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < (300_000 if path.stem == "index" else 500_000)
        assert not re.search(r"(?:src|href|action|url)\s*[=(]\s*[\"']?\s*(?:https?:)?//", text)
        assert 'class="synthetic"' not in text, "only made-up data are called so"
    for language in ("sv", "en"):
        printed = (publication / "report" / language / "report.pdf").read_bytes()
        assert printed.startswith(b"%PDF-")
        assert 1 < len(re.findall(rb"/Type\s*/Page\b", printed)) <= PRINTED_PAGES


def test_every_supporting_measure_belongs_to_a_commitment(publication: Path) -> None:
    kinds = dict(rows(publication, "select indicator_id, kind from @dim_indicator"))
    named = {id_ for one in commitments() for key in ("indicators", "suspicions") for id_ in one.get(key, ())}
    assert named <= kinds.keys()
    assert {id_ for id_, kind in kinds.items() if kind != "decided"} <= named


@pytest.mark.parametrize(
    ("language", "levels"),
    [("sv", ("med medelhög säkerhet", "med låg")), ("en", ("with medium confidence", "with low"))],
)
def test_it_is_said_how_sure_the_codes_of_each_measure_are(
    publication: Path, plain_reader: Reader, language: str, levels: tuple[str, str]
) -> None:
    text = words(plain_reader.open(publication / "report" / language / "commitments.html").locator(".codes"))
    for name, medium, low in rows(
        publication,
        f"select name_{language}, count(*) filter (confidence = 'medium'), count(*) filter (confidence = 'low') "
        f"from read_csv('{SEEDS}/measure_code.csv', all_varchar = true) inner join @dim_indicator using (indicator_id) "
        "where variant = 'egen' group by all",
    ):
        assert f"{name}: {medium} {levels[0]}{f', {low} {levels[1]}' if low else ''}" in text


def test_both_catalogues_say_the_same_things() -> None:
    def keys(content: Any, prefix: str = "") -> set[str]:
        if isinstance(content, dict):
            return {found for key, value in content.items() for found in keys(value, f"{prefix}.{key}")}
        if isinstance(content, list):
            return {found for number, value in enumerate(content) for found in keys(value, f"{prefix}.{number}")}
        return {f"{prefix} {sorted(re.findall(r'{[^}]*}', str(content)))}"}

    assert keys(dict(catalogue("sv"))) == keys(dict(catalogue("en")))


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("width", [390, 1200])
def test_nobody_is_shut_out(publication: Path, reader: Reader, language: str, width: int) -> None:
    """Each page complains of nothing, asks for nothing, has nothing that axe-core finds and fits on a phone and a small one."""
    looked_at = [path for path in pages(publication) if path.parent.name in (language, "report")]
    assert len(looked_at) == INDICATORS + 5
    for path in looked_at:
        reader.page.set_viewport_size({"width": width, "height": 900})
        page = reader.open(path)
        assert page.locator("h1").count() == 1
        assert faults(page) == [], path.name
        for narrow in (width, 320):
            page.set_viewport_size({"width": narrow, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= narrow, path.name
    assert reader.complaints == []


def test_a_phone_shows_the_finding_and_its_picture_first(publication: Path, reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 390, "height": 844})
    for language in ("sv", "en"):
        page = reader.open(publication / "report" / language / "index.html")
        drawn = page.locator("#picture-headline svg.narrow").bounding_box() or {}
        # Three more lines say that data are synthetic.
        assert drawn["y"] + drawn["height"] <= 844 - 68
        assert (page.locator("#finding").bounding_box() or {})["y"] < drawn["y"]


def test_a_wide_table_scrolls_in_its_box_and_keeps_its_first_column(publication: Path, reader: Reader) -> None:
    reader.page.set_viewport_size({"width": 390, "height": 844})
    page = reader.open(publication / "report" / "sv" / "valdtakt.html")
    box = page.locator(".table:has(#table-trend)")
    assert box.evaluate("box => { box.scrollLeft = 9999; return box.scrollLeft; }") > 300
    for first in page.locator("#table-trend :is(thead, tbody) tr > :first-child").all():
        assert (first.bounding_box() or {})["x"] == pytest.approx((box.bounding_box() or {})["x"], abs=1)
    quality = reader.open(publication / "report" / "sv" / "quality.html")
    stacked = quality.locator(".stacked table")
    assert stacked.count() >= 2
    assert all(one.evaluate("table => table.scrollWidth <= innerWidth - 32") for one in stacked.all())
