"""Renders the pages of the report in one language and prepares the content for templates and PDF."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dagster_project.report import content, translations
from dagster_project.report.choice import TOTAL, Choice, break_letters
from dagster_project.report.commitments import followed_commitments
from dagster_project.report.data import commitments_data, indicator_data, overview_data
from dagster_project.report.figures import Figures, Row
from dagster_project.report.wording import provision, vocabulary
from dagster_project.rounding import tenths_of_percent

REVISIONS_SHOWN = 50
_HERE = Path(__file__).parent


class Pages:
    """The pages of a language for a choice."""

    def __init__(self, figures: Figures, language: str, choice: Choice) -> None:
        self.figures, self.language, self.choice = figures, language, choice
        self.words = words = vocabulary(figures, language, choice)
        self.catalogue = translations.catalogue(language)
        # The data that pages embed for the script, and its content for the choice.
        self.data = {
            one["indicator_id"]: indicator_data(figures, one["indicator_id"], language, choice, words)
            for one in figures.indicators
        }
        self.contents = {name: content.content(data) for name, data in self.data.items()}
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
            tenths=self.tenths,
            tenths_of_percent=tenths_of_percent,
            provision=provision,
            drawn=_drawn,
            figures=figures,
            language=language,
            choice=choice,
            place=words["place"],
            about_publication=self.about_publication(),
            day=self.day,
            words=words,
            css=Markup(_asset("report.css")),  # noqa: S704 (our own file)
            script=Markup(_SCRIPT),  # noqa: S704 (our own file)
            links_script=Markup(_LINKS),  # noqa: S704 (our own file)
            script_hashes=[b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in (_LINKS, _SCRIPT)],
            headings=_headings,
            parts_zip=zip,
        )

    def overview(self, home: str) -> str:
        """Render the overview page; `home` is the relative path to the other pages of the language."""
        data = {**self._overview_data, "home": home}
        return self.environment.get_template("overview.html.j2").render(
            home=home,
            page="alla",
            other=f"{'' if home else '../'}{self._other}/index.html",
            title=self.catalogue["title"],
            trust=self.trust,
            agreement=self.about_official["finding"],
            embedded=_embedded(data),
            **(content.content(data) if home else self.overview_content),
        )

    @property
    def trust(self) -> str:
        """A sentence on how many checks the figures passed."""
        counts = _counts(self.figures.checks)
        key = "trust" if counts["warned"] else "trust_none"
        return self.say(self.catalogue[key], count=len(self.figures.checks), **counts)

    @cached_property
    def overview_content(self) -> dict[str, Any]:
        """The content of the overview in the folder of the language, which the PDF shares."""
        return content.content({**self._overview_data, "home": ""})

    @cached_property
    def _overview_data(self) -> dict[str, Any]:
        return overview_data(self.figures, self.language, self.choice)

    def indicator(self, indicator: Row) -> str:
        """Render the page of an indicator."""
        name = indicator["indicator_id"]
        return self.environment.get_template("indicator.html.j2").render(
            home="",
            page=name,
            other=f"../{self._other}/{name}.html",
            title=f"{indicator['indicator_number']}. {indicator[f'name_{self.language}']}",
            embedded=_embedded(self.data[name]),
            **self.about(indicator),
        )

    def about(self, indicator: Row) -> dict[str, Any]:
        """Return the content about an indicator that page and PDF share."""
        name = indicator["indicator_id"]
        return {
            "one": indicator,
            "text": {
                key: indicator[f"{key}_{self.language}"]
                for key in ("wording", "numerator", "denominator", "includes", "excludes", "name")
            },
            "breaks": [
                {
                    **break_row,
                    "letter": letter,
                    "cause": break_row[f"cause_{self.language}"],
                    "provision": provision(break_row, self.language),
                    "date": self.day(break_row["in_force"]),
                }
                for break_row, letter in zip(self.figures.breaks[name], break_letters(self.figures, name), strict=True)
            ],
            "groups": [group for group in self.figures.groups_of(name) if group not in (TOTAL, "okand")],
            "revisions": self.revisions(name),
            "cite": self.cite(indicator[f"name_{self.language}"], self.words["place"], str(self.choice.year)),
            "cite_choice": self._cite_choice(indicator[f"name_{self.language}"]),
            **self.contents[name],
        }

    def quality(self) -> str:
        """Render the page about data quality."""
        return self.environment.get_template("quality.html.j2").render(
            home="",
            page="alla",
            other=f"../{self._other}/quality.html",
            title=self.catalogue["quality"],
            agreement=self.about_official["finding"],
            **self.about_quality(),
        )

    def commitments(self) -> str:
        """Render the page about the goal's commitments beyond the indicators."""
        commitments = followed_commitments(self.figures, self.language)
        data = commitments_data(self.figures, self.language, self.choice, commitments)
        shown = content.content(data)
        return self.environment.get_template("commitments.html.j2").render(
            home="",
            page="alla",
            place=self.words[f"place.{shown['shown_place']}"],
            other=f"../{self._other}/commitments.html",
            title=self.catalogue["commitments"],
            commitments=commitments,
            cohorts=[year for year, _ in data["cohorts"]],
            embedded=_embedded(data),
            **shown,
        )

    def about_quality(self) -> dict[str, Any]:
        """Return the content about data quality that page and PDF share."""
        checks, layers = self.figures.checks, self.catalogue["quality_page"]["layers"]
        revisions = self.figures.revisions
        return {
            "checked": self._checked(),
            "by_layer": [
                (title, *_counts([check for check in checks if check["layer"] == layer]).values())
                for layer, title in layers.items()
            ],
            "failed": [check for check in checks if check["result"] in ("failed", "waived")],
            "coverage": self._coverage(),
            "breaks": self._breaks(),
            "revised": None if revisions is None else sum(len(rows) for rows in revisions.values()),
        }

    def _checked(self) -> str:
        """Return a sentence with the number of checks and of each result."""
        texts, counts = self.catalogue["quality_page"], _counts(self.figures.checks)
        others = [self.say(text, count=counts[name]) for name, text in texts["checks_others"].items() if counts[name]]
        return self.say(
            texts["checks_text" if others else "checks_passed"],
            count=len(self.figures.checks),
            passed=counts["passed"],
            others=self.joined(others),
        )

    def joined(self, words: Sequence[str]) -> str:
        """Return words as a list in a sentence."""
        *first, last = words or [""]
        return f" {self.catalogue['and']} ".join([*([", ".join(first)] if first else []), last])

    def official(self) -> str:
        """Render the page about agreement with the official statistics."""
        return self.environment.get_template("official.html.j2").render(
            home="",
            page="alla",
            other=f"../{self._other}/official.html",
            title=self.catalogue["official_page"]["title"],
            **self.about_official,
        )

    @cached_property
    def about_official(self) -> dict[str, Any]:
        """The content about agreement with the official statistics that page and PDF share."""
        texts, reconciled = self.catalogue["official_page"], self.figures.reconciled
        sums = {status: sum(row[status] for row in reconciled) for status in ("equal", "within", "differs")}
        compared: dict[tuple[int, str], list[Row]] = {}
        decided, measures = (
            [row for row in self.figures.compared if (row["kind"] == "decided") == is_decided]
            for is_decided in (True, False)
        )
        for row in decided:
            compared.setdefault((row["year"], row["geography_code"]), []).append(row)
        total = sum(sums.values())
        finding = "finding_none" if not total else "finding_all" if sums["equal"] == total else "finding"
        return {
            "finding": self.say(texts[finding], compared=total, **sums),
            "reconciled": [(*self._with_place(row), self._names(row["differing"] or ())) for row in reconciled],
            "compared": compared,
            "measures": [self._with_place(row) for row in measures],
            "not_compared": [
                (
                    row,
                    self._listed(self.figures.places, row["places"]),
                    self._listed(self.figures.groups, row["victim_groups"]),
                )
                for row in self.figures.not_compared
            ],
            "official_files": [self._with_place(row) for row in self.figures.official_files],
        }

    def _with_place(self, row: Row) -> tuple[Row, Row]:
        """Return a row and the row of its place."""
        return row, self.figures.places[row["geography_level"], row["geography_code"]]

    def _listed(self, rows: Mapping[Any, Row], keys: Collection[Any]) -> str:
        """Return the names of some places or victim groups, in their order."""
        return ", ".join(row[f"name_{self.language}"] for key, row in rows.items() if key in keys)

    def _names(self, ids: Collection[str]) -> str:
        """Return the names of some indicators, in the order of their numbers."""
        if len(ids) == len(self.figures.indicators) > 1:
            return str(self.catalogue["quality_page"]["all_indicators"])
        named = [row[f"name_{self.language}"] for row in self.figures.indicators if row["indicator_id"] in ids]
        return ", ".join(named) or str(self.catalogue["not_applicable"])

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
                breaks.setdefault(key, (row, []))[1].append(indicator["indicator_id"])
        return [(row, self._names(ids)) for row, ids in sorted(breaks.values(), key=lambda entry: entry[0]["in_force"])]

    @property
    def _other(self) -> str:
        return next(language for language in translations.LANGUAGES if language != self.language)

    def say(self, template: str, **values: Any) -> str:
        """Fill values into a message."""
        return translations.fill(template, values, self.language)

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
        return self.number(int(value)) if value == int(value) else self.tenths(_half_up(value * 10))

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

    def number(self, value: int | None) -> str:
        """Format a count."""
        return translations.count(value, self.language)

    def tenths(self, value: int | None) -> str:
        """Format tenths."""
        return self.catalogue["not_applicable"] if value is None else translations.tenths(value, self.language)

    def day(self, moment: Any) -> str:
        """Format a date in words."""
        return translations.day(moment, self.language)


def _drawn(drawings: str | Sequence[str]) -> Markup:
    """Return what content.js drew."""
    return Markup("".join(drawings))  # noqa: S704 (content.js escapes words)


def _half_up(value: float) -> int:
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)


def _embedded(data: Mapping[str, Any]) -> Markup:
    """Encode data for the script so that it cannot close its element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _headings(sections: str) -> list[tuple[str, Markup]]:
    """Return the ids and contents of a page's second-level headings."""
    return [(id_, Markup(heading)) for id_, heading in re.findall(r'<h2 id="([^"]+)">(.*?)</h2>', sections)]  # noqa: S704 (rendered)


_LINKS = _asset("links.js")
_SCRIPT = content.SOURCE + _asset("report.js")


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
