"""Writes the yearly follow-up, as pages and PDF, into the folder of a publication."""

from __future__ import annotations

from pathlib import Path

from dagster_project.files import write_text
from dagster_project.report import translations
from dagster_project.report.drawing import draw
from dagster_project.report.figures import COUNTRY, Figures, Place, read_figures
from dagster_project.report.overview import build_sparklines
from dagster_project.report.page_tables import TOTAL, Choice
from dagster_project.report.pages import Pages
from dagster_project.report.pdf import write_pdf
from dagster_project.report.pictures import pictures
from dagster_project.report.wording import vocabulary

FOLDER = "report"
# The follow-up is written for Stockholm County, which no official table shows; where most of its newest figures are withheld, the
# report opens with the police region.
DEFAULT_PLACES: tuple[Place, ...] = (("lan", "01"), ("polisregion", "Rn03"))


def write_report(publication: Path) -> None:
    """Write the follow-up in both languages from the Parquet files of a publication."""
    figures = read_figures(publication)
    choice = Choice(_default_place(figures), figures.newest)
    drawn = {
        indicator["indicator_id"]: draw(pictures(figures, indicator["indicator_id"], choice))
        for indicator in figures.indicators
    }
    trends = {name: pictures_of["trend"] for name, pictures_of in drawn.items()}
    sparklines = draw(build_sparklines(figures, choice))
    folder = publication / FOLDER
    for language in translations.LANGUAGES:
        words = vocabulary(figures, language, choice)
        page = Pages(figures, language, words, choice)
        overview = page.overview(sparklines, trends, home="")
        write_text(folder / language / "index.html", overview)
        if language == translations.LANGUAGES[0]:
            write_text(folder / "index.html", page.overview(sparklines, trends, home=f"{language}/"))
        write_text(folder / language / "quality.html", page.quality())
        for indicator in figures.indicators:
            write_text(
                folder / language / f"{indicator['indicator_id']}.html",
                page.indicator(indicator, drawn[indicator["indicator_id"]]),
            )
        write_pdf(folder / language / "report.pdf", page, sparklines, drawn)


def _default_place(figures: Figures) -> Place:
    """Return the first default place of which most figures of the newest year are shown, or the country."""
    for place in DEFAULT_PLACES:
        cells = [by_place.get((*place, TOTAL), {}).get(figures.newest) for by_place in figures.cells.values()]
        shown = [cell for cell in cells if cell and not cell["suppression"]]
        if 2 * len(shown) > len(cells):
            return place
    return COUNTRY
