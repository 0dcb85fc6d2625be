"""Renders the pages of the report in one language and prepares the content for templates and PDF."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dagster_project.report import translations
from dagster_project.report.data import indicator_data, overview_data
from dagster_project.report.drawing import fill_in_words
from dagster_project.report.figures import Figures, Row
from dagster_project.report.overview import Card, cards, summary
from dagster_project.report.page_tables import (
    COUNT,
    DETAILED,
    TENTHS,
    TOTAL,
    WORDS,
    YES_NO,
    Choice,
    detailed,
    series,
    spread_level,
    tables,
)
from dagster_project.report.pictures import lettered_breaks
from dagster_project.report.sentences import messages
from dagster_project.report.wording import cell, changes, csv_address
from dagster_project.rounding import tenths_of_percent

REVISIONS_SHOWN = 50
_HERE = Path(__file__).parent


class Pages:
    """The pages of a language for a choice."""

    def __init__(self, figures: Figures, language: str, words: Mapping[str, str], choice: Choice) -> None:
        self.figures, self.language, self.words, self.choice = figures, language, words, choice
        self.catalogue = translations.catalogue(language)
        self.environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals.update(
            t=self.catalogue,
            say=self.say,
            number=self.number,
            tenths_of_percent=tenths_of_percent,
            cell=self.cell,
            chart=self.chart,
            csv_address=lambda table: csv_address(table, words, language),
            figures=figures,
            language=language,
            choice=choice,
            place=words["place"],
            wide=detailed(figures, choice),
            detailed=DETAILED,
            about_publication=self.about_publication(),
            day=self.day,
            words=words,
            css=Markup(_asset("report.css")),  # noqa: S704 (our own file)
            script=Markup(_asset("report.js")),  # noqa: S704 (our own file)
            script_hash=_script_hash(),
            parts_zip=zip,
            kinds={"count": COUNT, "tenths": TENTHS, "words": WORDS, "yes_no": YES_NO},
        )

    def overview(self, drawn: Mapping[str, str], trends: Mapping[str, str], home: str) -> str:
        """Render the overview page; `home` is the relative path to the other pages of the language."""
        headline = self.headline()
        return self.environment.get_template("overview.html.j2").render(
            home=home,
            other=f"{'' if home else '../'}{self._other}/index.html",
            pages=home,
            title=self.catalogue["title"],
            cards=self.cards(),
            summary=self.summary(),
            trust=self.say(self.catalogue["trust"], count=len(self.figures.checks), **_counts(self.figures.checks)),
            headline=headline and {**headline, "picture": trends[headline["indicator_id"]]},
            drawn=drawn,
            embedded=_embedded(overview_data(self.figures, self.language, self.choice, self.words)),
        )

    def cards(self) -> list[Card]:
        """Return a card for each indicator."""
        return cards(self.figures, self.choice, self.language)

    def headline(self) -> dict[str, Any] | None:
        """Return the indicator with the most processed offences in the chosen place and year, with its sentences."""
        rows = [
            series(self.figures, one["indicator_id"], self.choice)[self.choice.year] for one in self.figures.indicators
        ]
        shown = [row for row in rows if row["processed"]]
        if not shown:
            return None
        row = max(shown, key=lambda row: row["processed"])
        keys = messages(row)
        name = next(one for one in self.figures.indicators if one["indicator_id"] == row["indicator_id"])
        return {
            "indicator_id": row["indicator_id"],
            "title": self.say(
                self.catalogue["headline"],
                name=name[f"name_{self.language}"],
                place=self.words["place"],
                year=self.choice.year,
            ),
            # How much, better than before, better than others.
            "sentences": self.sentences(row, [*keys[:2], *(key for key in keys[2:] if "country" in key)]),
        }

    def summary(self) -> list[str]:
        """Return sentences about all indicators together."""
        return summary(self.figures, self.choice, self.language)

    def indicator(self, indicator: Row, drawn: Mapping[str, str]) -> str:
        """Render the page of an indicator."""
        name = indicator["indicator_id"]
        return self.environment.get_template("indicator.html.j2").render(
            home="",
            other=f"../{self._other}/{name}.html",
            title=f"{indicator['number']}. {indicator[f'name_{self.language}']}",
            drawn=drawn,
            embedded=_embedded(indicator_data(self.figures, name, self.language, self.choice, self.words)),
            **self.about(indicator),
        )

    def about(self, indicator: Row) -> dict[str, Any]:
        """Return the content about an indicator that page and PDF share."""
        name = indicator["indicator_id"]
        row = series(self.figures, name, self.choice).get(self.choice.year)
        return {
            "one": indicator,
            "text": {
                key: indicator[f"{key}_{self.language}"]
                for key in ("wording", "numerator", "denominator", "includes", "excludes", "name")
            },
            "sentences": self.sentences(row) if row else [self.catalogue["not_published"]],
            "formulas": self.formulas(row),
            "tables": tables(self.figures, name, self.choice),
            "captions": {
                key: translations.fill(
                    note,
                    {"spread": self.catalogue["spread"][spread_level(self.choice.level)], "year": self.choice.year},
                    self.language,
                )
                for key, note in self.catalogue["chart_notes"].items()
            },
            "breaks": [
                {
                    **break_row,
                    "letter": letter.letter,
                    "cause": break_row[f"cause_{self.language}"],
                    "date": self.day(break_row["in_force"]),
                }
                for break_row, letter in zip(
                    self.figures.breaks[name], lettered_breaks(self.figures, name), strict=True
                )
            ],
            "groups": [group for group in self.figures.groups_of(name) if group not in (TOTAL, "okand")],
            "revisions": self.revisions(name),
            "cite": self.cite(indicator[f"name_{self.language}"], self.words["place"], str(self.choice.year)),
            "cite_choice": self._cite_choice(indicator[f"name_{self.language}"]),
        }

    def quality(self) -> str:
        """Render the page about data quality."""
        return self.environment.get_template("quality.html.j2").render(
            home="",
            other=f"../{self._other}/quality.html",
            title=self.catalogue["quality"],
            **self.about_quality(),
        )

    def about_quality(self) -> dict[str, Any]:
        """Return the content about data quality that page and PDF share."""
        checks, layers = self.figures.checks, self.catalogue["quality_page"]["layers"]
        revisions = self.figures.revisions
        return {
            "counts": {"count": len(checks), **_counts(checks)},
            "by_layer": [
                (title, *_counts([check for check in checks if check["layer"] == layer]).values())
                for layer, title in layers.items()
            ],
            "failed": [check for check in checks if check["result"] in ("failed", "waived")],
            "coverage": self._coverage(),
            "breaks": self._breaks(),
            "reconciled": [
                (row, self.figures.places[row["geography_level"], row["geography_code"]], self._names(row["differing"]))
                for row in self.figures.reconciled
            ],
            "revised": None if revisions is None else sum(len(rows) for rows in revisions.values()),
        }

    def _names(self, ids: Collection[str] | None) -> str:
        """Return the names of some indicators, in the order of their numbers."""
        named = [row for row in self.figures.indicators if row["indicator_id"] in (ids or ())]
        return ", ".join(row[f"name_{self.language}"] for row in named) or self.catalogue["not_applicable"]

    def _coverage(self) -> list[tuple[str, Row]]:
        """Return a result of each coverage check with its title: the first that did not pass, otherwise the newest."""
        coverage = []
        for name, title in self.catalogue["quality_page"]["coverage_checks"].items():
            results = [check for check in self.figures.checks if check["name"] == name]
            if results:
                coverage.append((title, next((check for check in results if check["result"] != "passed"), results[-1])))
        return coverage

    def _breaks(self) -> list[tuple[Row, str]]:
        """Return each series break once, with the names of its indicators."""
        breaks: dict[tuple[Any, ...], tuple[Row, list[str]]] = {}
        for indicator in self.figures.indicators:
            for row in self.figures.breaks[indicator["indicator_id"]]:
                key = (row["in_force"], row["provision"], row[f"cause_{self.language}"], row["is_confirmed"])
                breaks.setdefault(key, (row, []))[1].append(indicator[f"name_{self.language}"])
        return [
            (row, self.catalogue["quality_page"]["all_indicators"] if len(names) == len(self.figures.indicators) > 1
             else ", ".join(names))
            for row, names in sorted(breaks.values(), key=lambda entry: entry[0]["in_force"])
        ]  # fmt: skip

    @property
    def _other(self) -> str:
        return next(language for language in translations.LANGUAGES if language != self.language)

    def say(self, template: str, **values: Any) -> str:
        """Fill values into a message."""
        return translations.fill(template, values, self.language)

    def sentences(self, row: Row, keys: Sequence[str] = ()) -> list[str]:
        """Return the sentences about a figure, all in the order of the rules or those of some keys."""
        changed = changes(self.figures, row["indicator_id"], self.language).get(row["year"], "")
        values = {**row, "previous": row["year"] - 1, "first": self.first(row), "changed": changed}
        return [
            translations.fill(self.catalogue["messages"][key], values, self.language) for key in keys or messages(row)
        ]

    def first(self, row: Row) -> int:
        """Return the first comparable year that is published."""
        return int(row["first_year"] or row["first_comparable_year"] or self.figures.years[0])

    def formulas(self, row: Row | None) -> list[str]:
        """Return the formulas, with their numbers, of the measures that the chosen place has."""
        shown = dict(row or {})
        is_detailed = self.choice == detailed(self.figures, self.choice)
        return [
            translations.fill(
                self.catalogue[key if shown.get(share) is not None else f"{none}_none"], shown, self.language
            )
            for key, none, share in (
                ("formula_text", "formula", "pct"),
                *([("formula_prosecution", "formula_prosecution", "prosecution")] if is_detailed else []),
            )
        ]

    def revisions(self, name: str) -> dict[str, Any]:
        """Return the figures of an indicator that differ from the previous publication."""
        revisions = None if self.figures.revisions is None else self.figures.revisions[name]
        if not self.figures.earlier:
            return {"text": self.catalogue["revisions_first"], "rows": []}
        if revisions is None:
            return {"text": self.catalogue["revisions_unknown"], "rows": []}
        if not revisions:
            return {"text": self.catalogue["revisions_none"], "rows": []}
        shown = revisions[:REVISIONS_SHOWN]
        return {
            "text": self.say(self.catalogue["revisions_some"], count=len(revisions), shown=len(shown)),
            "rows": [
                {
                    **row,
                    "place": self.words.get(
                        f"place.{row['geography_level']}/{row['geography_code']}", row["geography_code"]
                    ),
                    "group": self.words[f"group.{row['victim_group']}"],
                    "reading": self.words[f"variant.{row['variant']}"],
                    "measure": self.words.get(f"measures.{row['measure']}", row["measure"]),
                    "kind": self.words.get(f"revision_kinds.{row['kind']}", row["kind"]),
                    "old": self.value(row["old_value"]),
                    "new": self.value(row["new_value"]),
                }
                for row in shown
            ],
        }

    def value(self, value: float | None) -> str:
        """Format a value of unknown unit: whole numbers as they are, others with one decimal."""
        if value is None:
            return str(self.catalogue["withheld_short"])
        return self.number("n", int(value)) if value == int(value) else self.number("t", _half_up(value * 10))

    def cite(self, subject: str, place: str, year: str) -> str:
        """Return the citation of a page."""
        publication = self.figures.publication
        return self.say(
            self.catalogue["cite_text"],
            what=subject,
            place=place,
            year=year,
            id=publication["publication_id"],
            date=self.day(publication["published_at"]),
            synthetic=self.catalogue["cite_synthetic"] if publication["is_synthetic"] else "",
        ).strip()

    def _cite_choice(self, subject: str) -> Markup:
        """Return the citation with elements in which the script updates place, year and group."""
        citation = str(escape(self.cite(subject, "§place§", "§year§")))
        place = f"<span data-place>{escape(self.words['place'])}</span>"
        year = f"<span data-year>{self.choice.year}</span><span data-group></span>"
        return Markup(citation.replace("§place§", place).replace("§year§", year))  # noqa: S704 (escaped above)

    def about_publication(self) -> str:
        """Return a text with id, date and years of the publication."""
        publication = self.figures.publication
        return self.say(
            self.catalogue["about"],
            id=publication["publication_id"],
            date=self.day(publication["published_at"]),
            first=self.figures.years[0],
            last=self.figures.years[-1],
        )

    def number(self, kind: str, value: int) -> str:
        """Format a count or tenths."""
        return translations.count(value, self.language) if kind == COUNT else translations.tenths(value, self.language)

    def day(self, moment: Any) -> str:
        """Format a date in words."""
        return translations.day(moment, self.language)

    def cell(self, kind: str, value: Any) -> str:
        """Format a cell of a table."""
        return cell(kind, value, self.words, self.language)

    def chart(self, svg: str, label: str, described_by: str = "") -> Markup:
        """Return a drawing in this language with an accessible label."""
        by = f' aria-describedby="{escape(described_by)}"' if described_by else ""
        named = f'<svg class="chart" role="img" aria-label="{escape(label)}"{by} '
        return Markup(named + fill_in_words(svg, self.words, self.number)[len("<svg ") :])  # noqa: S704 (escaped there)


def _half_up(value: float) -> int:
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)


def _embedded(data: Mapping[str, Any]) -> Markup:
    """Encode data for the script so that it cannot close its element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


@cache
def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _script_hash() -> str:
    return b64encode(hashlib.sha256(_asset("report.js").encode()).digest()).decode()


def _counts(checks: Sequence[Row]) -> dict[str, int]:
    """Count checks by result; failed checks count as warnings, because a blocking failure prevents the publication."""
    return {
        name: sum(check["result"] == result for check in checks)
        for name, result in {
            "passed": "passed",
            "warned": "failed",
            "waived": "waived",
            "not_judged": "not judged",
        }.items()
    }
