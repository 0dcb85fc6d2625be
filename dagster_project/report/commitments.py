"""The goal's commitments beyond its eleven indicators, and the figures that follow them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from dagster_project.report import translations
from dagster_project.report.figures import Figures, Row
from dagster_project.report.wording import changes
from dagster_project.seeds import seed_rows


def followed_commitments(figures: Figures, language: str) -> list[dict[str, Any]]:
    """Return the commitments, tips and conditions with the indicators, measures and suspicions that follow each."""
    decided = {one["indicator_id"]: one for one in figures.indicators}
    measures = {one["indicator_id"]: one for one in figures.measures}

    def published(one: Mapping[str, Any], key: str, rows: Mapping[str, Row]) -> list[str]:
        return [id_ for id_ in one.get(key, ()) if id_ in rows]

    return [
        {
            **{key: one[key][language] for key in ("what", "not_shown", "elsewhere")},
            "kind": one["kind"],
            "decided": [decided[id_] for id_ in published(one, "indicators", decided)],
            "measures": published(one, "indicators", measures),
            "codes": [_codes(measures[id_], language) for id_ in published(one, "indicators", measures)],
            "suspicions": published(one, "suspicions", decided),
            "definitions": [
                {
                    **{key: measures[id_][f"{key}_{language}"] for key in ("name", "includes", "excludes")},
                    "breaks": changes(figures, id_, language),
                }
                for id_ in published(one, "indicators", measures)
            ],
        }
        for one in translations.commitments()
    ]


def _codes(measure: Row, language: str) -> str:
    """Return the number of offence codes that a measure counts, by certainty."""
    levels = translations.catalogue(language)["commitments_page"]["confidence"]
    codes = Counter(
        row["confidence"] for row in seed_rows("measure_code") if row["indicator_id"] == measure["indicator_id"]
    )
    # The most certain first, as in the texts.
    counts = (
        translations.fill(levels[level], {"count": codes[level]}, language)
        for level in sorted(codes, key=[*levels].index)
    )
    return f"{measure[f'name_{language}']}: {', '.join(counts)}"
