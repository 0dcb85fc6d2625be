"""Writes the report as a PDF with Typst, from the same sentences, tables and drawings as the pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from dagster_project.report.commitments import followed_commitments
from dagster_project.report.pages import Pages

_SET_BY = Path(__file__).with_name("report.typ")
# The parts that fit on an A4 page; the other tables, pictures and columns are on the web pages only.
_WITHOUT_COLUMNS = ("low", "high", "significant", "lowest", "highest")


def write_pdf(path: Path, pages: Pages) -> None:
    """Write the tagged, accessible PDF of one language."""
    import typst  # imported here because it is slow to load

    published = pages.figures.publication["published_at"].replace(tzinfo=UTC)
    content = typst.compile(
        _SET_BY.read_bytes(),
        format="pdf",
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(_content(pages), ensure_ascii=False)},
        pdf_standards=["ua-1"],
        timestamp=int(published.timestamp()),
    )
    path.write_bytes(content)


def _content(pages: Pages) -> dict[str, Any]:
    catalogue, figures = pages.catalogue, pages.figures
    publication = figures.publication
    headline = pages.overview_content["headline"]
    withheld = [one["name"] for one in pages.overview_content["withheld"]]
    return {
        "language": pages.language,
        "words": {
            key: catalogue[key]
            for key in (
                "title", "strategy", "goal", "measured", "synthetic", "indicators", "spark_note", "careful", "quality",
                "commitments", "headline_picture",
            )
        },
        "place": pages.words["place"],
        "year": str(pages.choice.year),
        "synthetic": publication["is_synthetic"],
        "about": pages.about_publication(),
        "headline": {
            **headline,
            "picture": _picture([headline["chart"][-1]], headline["title"]) if headline["chart"] else None,
        },
        "trust": pages.trust,
        "summary": pages.overview_content["summary"],
        "cautions": catalogue["cautions"],
        "cards": [
            {
                **card,
                "title": f"{card['number']}. {card['name']}",
                "verdict": catalogue["verdicts"][card["verdict"]] if card["verdict"] else "",
                "picture": _picture([card["chart"]], f"{card['name']}: {card['level']}"),
            }
            for card in pages.overview_content["cards"]
            if card["state"] != "withheld"
        ],
        "withheld": pages.say(catalogue["summaries"]["withheld"], list=", ".join(withheld)) if withheld else "",
        "indicators": [_indicator(pages, indicator) for indicator in figures.indicators],
        "quality": _quality(pages),
        "commitments": [
            {
                "kind": catalogue["commitments_page"]["kinds"][one["kind"]],
                "what": one["what"],
                "details": [
                    [catalogue["commitments_page"][key], one[key]] for key in ("not_shown", "elsewhere")
                ],
            }
            for one in followed_commitments(figures, pages.language)
        ],
    }  # fmt: skip


def _indicator(pages: Pages, indicator: Mapping[str, Any]) -> dict[str, Any]:
    about, catalogue = pages.about(dict(indicator)), pages.catalogue
    tables, charts = about["tables"], about["charts"]
    return {
        "title": f"{indicator['indicator_number']}. {about['text']['name']}",
        "wording": about["text"]["wording"],
        "sentences": [*about["says"], *about["formulas"]],
        "trend": _picture([charts["trend"][-1]], tables["trend"]["caption"]),
        "years": _table(tables["trend"]),
        "reasons": _reasons(pages, about),
        "ranking": {**_picture(charts["ranking"], tables["ranking"]["caption"]), "missing": about["missing"]}
        if charts["ranking"][0]
        else None,
        "tables": [_table(tables[name]) for name in ("groups", "outcomes") if tables[name]["rows"]],
        "of_region": about["of_region"],
        "definition": [
            *([catalogue[key], about["text"][key]] for key in ("numerator", "denominator", "includes", "excludes")),
            [catalogue["legal"], indicator["legal_reference"]],
            [catalogue["revisions"], about["revisions"]["text"]],
        ],
        "cite": about["cite"],
    }


def _reasons(pages: Pages, about: Mapping[str, Any]) -> list[str]:
    catalogue = pages.catalogue
    reasons = [
        f"{break_row['letter']}  "
        + pages.say(catalogue["break_within" if break_row["mixed_year"] else "break_start"], date=break_row["date"])
        + f" {break_row['cause']} ({break_row['provision']})"
        for break_row in about["breaks"]
    ]
    return reasons or [catalogue["breaks_none"]]


def _quality(pages: Pages) -> list[dict[str, Any]]:
    catalogue, about, figures = pages.catalogue["quality_page"], pages.about_quality(), pages.figures
    official, compared = pages.catalogue["official_page"], pages.about_official

    def part(
        title: str,
        sentences: Sequence[str],
        head: Mapping[str, str] | None = None,
        rows: Sequence[Sequence[str]] = (),
        words: Sequence[int] = (0,),
    ) -> Any:
        table = {"head": list(head.values()), "rows": rows, "words": words, "caption": ""} if head and rows else None
        return {"title": title, "sentences": sentences, "table": table, "terms": []}

    return [
        part(catalogue["checks"], [about["checked"]],
             catalogue["check_columns"], [[str(cell) for cell in row] for row in about["by_layer"]]),
        part(official["title"], [compared["finding"], official["text"]], official["columns"],
             [[str(row["year"]), place[f"name_{pages.language}"],
               *(pages.number(row[name]) for name in ("equal", "within", "differs", "not_comparable")), differing]
              for row, place, differing in compared["reconciled"]], (0, 1, 6)),
        part(catalogue["suppression"], [catalogue["suppression_text"]],
             {key: catalogue["suppression_columns"][key] for key in ("level", "figures", "withheld")},
             [[pages.catalogue["level_names"][row["geography_level"]],
               *(pages.number(row[name]) for name in ("figures", "withheld"))]
              for row in figures.withheld]),
        {**part(catalogue["definitions"], []), "terms": catalogue["terms"]},
    ]  # fmt: skip


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    shown = [number for number, column in enumerate(table["columns"]) if column not in _WITHOUT_COLUMNS]
    return {
        "caption": table["caption"],
        "head": [table["head"][number] for number in shown],
        "rows": [[row[number] for number in shown] for row in table["text"]],
        "words": [place for place, number in enumerate(shown) if table["kinds"][number] == "words" or number == 0],
    }


def _picture(drawings: Sequence[str], alt: str) -> dict[str, str]:
    # A standalone SVG needs a namespace and a font that Typst bundles.
    standalone = '<svg xmlns="http://www.w3.org/2000/svg" font-family="Libertinus Serif" '
    return {"svg": drawings[0].replace("<svg ", standalone, 1), "alt": alt}
