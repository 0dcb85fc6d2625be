"""Writes the yearly follow-up, pages and PDF, into a publication that is in the making."""

from __future__ import annotations

from pathlib import Path

from dagster_project.files import write_text
from dagster_project.report import translations
from dagster_project.report.drawing import draw
from dagster_project.report.figures import COUNTRY, Place, read_figures
from dagster_project.report.overview import sparks
from dagster_project.report.page_tables import Choice
from dagster_project.report.pages import Pages
from dagster_project.report.pdf import write_pdf
from dagster_project.report.pictures import pictures
from dagster_project.report.wording import vocabulary

FOLDER = "report"
# What no official table shows, and what this follow-up is of.
DEFAULT_PLACE: Place = ("lan", "01")


def write_report(publication: Path) -> None:
    """Write the follow-up, in both languages and as PDF, into a publication's folder, from its Parquet files alone."""
    figures = read_figures(publication)
    place = DEFAULT_PLACE if DEFAULT_PLACE in figures.places else COUNTRY
    choice = Choice(place, figures.newest)
    drawn = {one["indicator_id"]: draw(pictures(figures, one["indicator_id"], choice)) for one in figures.indicators}
    small = draw(sparks(figures, choice))
    folder = publication / FOLDER
    for language in translations.LANGUAGES:
        words = vocabulary(figures, language, choice)
        page = Pages(figures, language, words, choice)
        overview = page.overview(small, home="")
        write_text(folder / language / "index.html", overview)
        if language == translations.LANGUAGES[0]:
            write_text(folder / "index.html", page.overview(small, home=f"{language}/"))
        write_text(folder / language / "quality.html", page.quality())
        for one in figures.indicators:
            write_text(
                folder / language / f"{one['indicator_id']}.html", page.indicator(one, drawn[one["indicator_id"]])
            )
        write_pdf(folder / language / "report.pdf", page, small, drawn)
