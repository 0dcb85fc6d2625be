"""Writes the yearly follow-up, as pages and PDF, into the folder of a publication."""

from __future__ import annotations

from pathlib import Path

from dagster_project.files import write_text
from dagster_project.report import translations
from dagster_project.report.choice import TOTAL, Choice
from dagster_project.report.figures import COUNTRY, Figures, Place, read_figures
from dagster_project.report.pages import Pages
from dagster_project.report.pdf import write_pdf

FOLDER = "report"
# The follow-up is written for Stockholm County, which no official table shows; where most of its newest figures are withheld, the
# report opens with the police region.
DEFAULT_PLACES: tuple[Place, ...] = (("lan", "01"), ("polisregion", "Rn03"))


def write_report(publication: Path) -> None:
    """Write the follow-up in both languages from the Parquet files of a publication."""
    figures = read_figures(publication)
    choice = Choice(_default_place(figures), figures.newest)
    folder = publication / FOLDER
    for language in translations.LANGUAGES:
        page = Pages(figures, language, choice)
        write_text(folder / language / "index.html", page.overview(home=""))
        if language == translations.LANGUAGES[0]:
            write_text(folder / "index.html", page.overview(home=f"{language}/"))
        write_text(folder / language / "quality.html", page.quality())
        write_text(folder / language / "commitments.html", page.commitments())
        write_text(folder / language / "official.html", page.official())
        for indicator in figures.indicators:
            write_text(folder / language / f"{indicator['indicator_id']}.html", page.indicator(indicator))
        write_pdf(folder / language / "report.pdf", page)


def _default_place(figures: Figures) -> Place:
    """Return the first default place with most figures of the newest year shown, or the country."""
    for place in DEFAULT_PLACES:
        series = [figures.cells[one["indicator_id"]].get((*place, TOTAL), {}) for one in figures.indicators]
        cells = [by_year.get(figures.newest) for by_year in series]
        shown = [cell for cell in cells if cell and not cell["suppression"]]
        if 2 * len(shown) > len(cells):
            return place
    return COUNTRY
