"""The report as a PDF, set by Typst from the same sentences, tables and drawings as the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from dagster_project.report.drawing import in_language
from dagster_project.report.page_tables import WORDS, Table
from dagster_project.report.pages import Pages

_SET_BY = Path(__file__).with_name("report.typ")
# What a page of A4 has room for; the rest is on the web pages.
_WITH_TABLE = ("trend", "groups", "outcomes")
_WITHOUT_COLUMNS = ("lowest", "highest")


def write_pdf(path: Path, pages: Pages, small: Mapping[str, str], drawn: Mapping[str, Mapping[str, str]]) -> None:
    """Write the PDF of one language; tagged, so that it can be read aloud.

    `small` are the drawings of the first screen and `drawn` those of each indicator, their words not yet filled in.
    """
    import typst  # only who sets a PDF shall wait for it

    published = pages.figures.publication["published_at"].replace(tzinfo=UTC)
    content = typst.compile(
        _SET_BY.read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(_content(pages, small, drawn), ensure_ascii=False)},
        pdf_standards=["ua-1"],
        timestamp=int(published.timestamp()),
    )
    path.write_bytes(content)


def _content(pages: Pages, small: Mapping[str, str], drawn: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    catalogue, figures = pages.catalogue, pages.figures
    publication = figures.publication
    return {
        "language": pages.language,
        "words": {
            key: catalogue[key]
            for key in (
                "title", "goal", "synthetic", "indicators", "spark_note", "careful", "definition", "quality",
            )
        },
        "place": pages.words["place"],
        "year": str(pages.choice.year),
        "synthetic": publication["is_synthetic"],
        "about": pages.about_publication(),
        "summary": pages.summary(),
        "cautions": catalogue["cautions"],
        "cards": [
            {
                "title": f"{card.indicator['number']}. {card.name}",
                "level": card.level,
                "counts": card.counts,
                "verdict": catalogue["verdicts"][card.verdict] if card.verdict else "",
                "facts": card.facts,
                "picture": _picture(pages, small[card.indicator["indicator_id"]], f"{card.name}: {card.level}"),
            }
            for card in pages.cards()
        ],
        "indicators": [_indicator(pages, one, drawn[one["indicator_id"]]) for one in figures.indicators],
        "quality": _quality(pages),
    }  # fmt: skip


def _indicator(pages: Pages, one: Mapping[str, Any], drawn: Mapping[str, str]) -> dict[str, Any]:
    about, catalogue = pages.about(dict(one)), pages.catalogue
    parts = []
    for name, table in about["tables"].items():
        panels = [f"group-{group}" for group in about["groups"]] if name == "groups" else [name]
        if name == "groups" and not panels:
            continue
        pictures = [
            _picture(
                pages,
                drawn[panel],
                f"{catalogue['charts'][name]}, {pages.words['place']}",
                pages.words[panel.replace("group-", "group.")] if name == "groups" else "",
            )
            for panel in panels
            if panel in drawn and table.rows
        ]
        parts.append(
            {
                "title": catalogue["charts"][name],
                "note": about["captions"][name],
                "pictures": pictures,
                "missing": "" if table.rows else catalogue["not_published"],
                "table": _table(pages, table) if table.rows and (name in _WITH_TABLE or not pictures) else None,
                "reasons": _reasons(pages, about) if name == "trend" else [],
            }
        )
    return {
        "title": f"{one['number']}. {about['text']['name']}",
        "wording": about["text"]["wording"],
        "sentences": about["sentences"],
        "formulas": about["formulas"],
        "parts": parts,
        "definition": [
            *([catalogue[key], about["text"][key]] for key in ("numerator", "denominator", "includes", "excludes")),
            [catalogue["legal"], one["legal_reference"]],
            [catalogue["revisions"], about["revisions"]["said"]],
        ],
        "cite": about["cite"],
    }


def _reasons(pages: Pages, about: Mapping[str, Any]) -> list[str]:
    catalogue = pages.catalogue
    reasons = [
        f"{one['letter']}  "
        + pages.say(catalogue["break_within" if one["mixed_year"] else "break_start"], date=one["date"])
        + f" {one['cause']} ({one['provision']})"
        for one in about["breaks"]
    ]
    return reasons or [catalogue["breaks_none"]]


def _quality(pages: Pages) -> list[dict[str, Any]]:
    catalogue, about, figures = pages.catalogue["quality_page"], pages.about_quality(), pages.figures

    def part(name: str, told: Sequence[str], head: Sequence[str] = (), rows: Sequence[Sequence[str]] = ()) -> Any:
        table = {"head": list(head), "rows": [list(row) for row in rows], "words": [0]} if rows else None
        return {"title": catalogue[name], "told": list(told), "table": table, "terms": []}

    return [
        part("checks", [pages.say(catalogue["checks_text"], **about["counts"])],
             list(catalogue["check_columns"].values()), [[str(cell) for cell in row] for row in about["by_layer"]]),
        part("linkage", [catalogue["linkage_text"]], list(catalogue["linkage_columns"].values()),
             [[str(one["year"]), pages.cell("t", one["linkage"])] for one in figures.linkage]),
        part("suppression", [catalogue["suppression_text"]], list(catalogue["suppression_columns"].values())[:4],
             [[pages.catalogue["level_names"][one["geography_level"]],
               *(pages.number("n", one[name]) for name in ("figures", "small", "protecting"))]
              for one in figures.withheld]),
        {**part("definitions", []), "terms": catalogue["terms"]},
    ]  # fmt: skip


def _table(pages: Pages, table: Table) -> dict[str, Any]:
    kept = [number for number, column in enumerate(table.columns) if column not in _WITHOUT_COLUMNS]
    return {
        "head": [pages.catalogue["columns"][table.columns[number]] for number in kept],
        "rows": [[pages.cell(table.kinds[number], row[number]) for number in kept] for row in table.rows],
        "words": [place for place, number in enumerate(kept) if table.kinds[number] == WORDS or number == 0],
    }


def _picture(pages: Pages, svg: str, alt: str, title: str = "") -> dict[str, str]:
    # A drawing of its own needs its name space, and a typeface that goes with the PDF.
    whole = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" font-family="Libertinus Serif" ', 1)
    return {"svg": in_language(whole, pages.words, pages.number), "alt": alt, "title": title}
