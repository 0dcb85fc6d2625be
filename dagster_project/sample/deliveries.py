"""Writes synthetic deliveries to the landing folder; files get their final names when complete, the manifest last."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from dagster_project import paths
from dagster_project.contract import FileContract, input_contract
from dagster_project.sample.assumptions import REPORTS_SINCE
from dagster_project.sample.extract_rows import MOST_SCALE, Rows
from dagster_project.sample.faults import copy_with_faults
from dagster_project.sample.reference import read_reference
from dagster_project.settings import SEEDS

GENERATOR = "uppklarat sample"
UNFINISHED = ".unfinished"


def write_sample(
    landing: Path,
    years: Sequence[int],
    scale: float,
    seed: int,
    progress: Callable[[str], None],
    others: float = 1.0,
    seeds: Path = SEEDS,
    *,
    reports: bool = True,
) -> list[Path]:
    """Write deliveries of both sources for the years and return their folders.

    At scale 1 the indicators' offences match the country's; of all other offences, only the share `others` is generated. The same
    year, scale, share and seed give the same bytes, independent of the other years. The newest years also have the optional file,
    unless `reports` is false. Existing synthetic deliveries are replaced; if any other delivery exists, nothing is written.
    """
    if not 0 < scale <= MOST_SCALE:
        raise ValueError(f"scale must be above 0 and at most {MOST_SCALE:g}, not {scale:g}")
    if not 0 <= others <= 1:
        raise ValueError(f"the share of other offences must be from 0 to 1, not {others:g}")
    synthetic = {"scale": scale, "others": others, "seed": seed, "generator": GENERATOR}
    sources = input_contract().sources
    sorted_years = sorted(set(years))
    folders = [landing / source / str(year) for year in sorted_years for source in sources]
    for folder in folders:
        _require_synthetic(folder)
    with (
        tempfile.TemporaryDirectory(prefix="uppklarat-sample-") as spill,
        Rows(read_reference(seeds), scale, others, seed, Path(spill)) as rows,
    ):
        for year in sorted_years:
            with_reports = reports and year >= REPORTS_SINCE
            rows.generate(year, reports=with_reports)
            for source, declared in sources.items():
                files = [file for file in declared if with_reports or not file.optional]
                counts = _write_delivery(landing / source / str(year), files, year, rows, synthetic)
                progress(f"{year} {source}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return folders


def _require_synthetic(folder: Path) -> None:
    """Raise if the folder contains anything that this module did not write."""
    if not folder.exists() or all(path.name.endswith(UNFINISHED) for path in folder.iterdir()):
        return
    try:
        synthetic = "synthetic" in json.loads((folder / paths.MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        synthetic = False
    if not synthetic:
        raise FileExistsError(
            f"{folder} contains a delivery that is not synthetic; move it away or choose another landing folder"
        )


def _write_delivery(
    folder: Path, files: Sequence[FileContract], year: int, rows: Rows, synthetic: Mapping[str, object]
) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(f"*{UNFINISHED}"):
        leftover.unlink()
    reported = rows.reported_from(date(year, 1, 21), limit=1000)
    counts, described = {}, []
    for file in files:
        clean, target = folder / f".{file.name}.clean{UNFINISHED}", folder / f".{file.name}.csv{UNFINISHED}"
        count, digest = copy_with_faults(clean, target, file, year, rows.write(file, clean), reported)
        clean.unlink()
        counts[file.name] = count
        described.append({"name": f"{file.name}.csv", "rows": count, "sha256": digest})
    manifest = {
        "contract": input_contract().version,
        "source": files[0].source,
        "year": year,
        "created": f"{year + 1}-02-03T08:00:00+01:00",
        "encoding": "utf-8",
        "files": described,
        "synthetic": synthetic,
    }
    unfinished = folder / f".{paths.MANIFEST}{UNFINISHED}"
    unfinished.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    for file in files:
        (folder / f".{file.name}.csv{UNFINISHED}").replace(folder / f"{file.name}.csv")
    unfinished.replace(folder / paths.MANIFEST)
    return counts
