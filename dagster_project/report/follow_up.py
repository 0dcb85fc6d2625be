"""Writes the yearly follow-up, as pages and PDF, into the folder of a publication."""

from __future__ import annotations

from pathlib import Path

from dagster_project.files import write_text
from dagster_project.report import translations
from dagster_project.report.drawing import draw
from dagster_project.report.figures import COUNTRY, Place, read_figures
from dagster_project.report.overview import build_sparklines
from dagster_project.report.page_tables import Choice
from dagster_project.report.pages import Pages
from dagster_project.report.pdf import write_pdf
from dagster_project.report.pictures import pictures
from dagster_project.report.wording import vocabulary

FOLDER = "report"
# Stockholm county: the follow-up is written for it, and no official table shows it.
DEFAULT_PLACE: Place = ("lan", "01")


def write_report(publication: Path) -> None:
    """Write the follow-up in both languages from the Parquet files of a publication."""
    figures = read_figures(publication)
    place = DEFAULT_PLACE if DEFAULT_PLACE in figures.places else COUNTRY
    choice = Choice(place, figures.newest)
    drawn = {
        indicator["indicator_id"]: draw(pictures(figures, indicator["indicator_id"], choice))
        for indicator in figures.indicators
    }
    sparklines = draw(build_sparklines(figures, choice))
    folder = publication / FOLDER
    for language in translations.LANGUAGES:
        words = vocabulary(figures, language, choice)
        page = Pages(figures, language, words, choice)
        overview = page.overview(sparklines, home="")
        write_text(folder / language / "index.html", overview)
        if language == translations.LANGUAGES[0]:
            write_text(folder / "index.html", page.overview(sparklines, home=f"{language}/"))
        write_text(folder / language / "quality.html", page.quality())
        for indicator in figures.indicators:
            write_text(
                folder / language / f"{indicator['indicator_id']}.html",
                page.indicator(indicator, drawn[indicator["indicator_id"]]),
            )
        write_pdf(folder / language / "report.pdf", page, sparklines, drawn)
