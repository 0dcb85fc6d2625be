"""Validates one delivery as a load would, without a warehouse or its key, so that the supplier can run it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from pydantic import SecretStr

from dagster_project.cli.quarantine import quarantine_lines, unusable_lines
from dagster_project.contract import input_contract
from dagster_project.ingestion.ingest import NOT_VERIFIED, ingest
from dagster_project.ingestion.landing import DeliveryFolder
from dagster_project.ingestion.rejection import RejectedDeliveryError
from dagster_project.quality.audit import audit_delivery_alone
from dagster_project.settings import Settings
from dagster_project.state import DeliveryRecord, read_state
from expectations.observed import in_brief
from expectations.results import CheckResult

NOT_COMPARED = "not compared with other deliveries: a load also checks consistency with them, and may block publishing"


@dataclass(frozen=True)
class CheckedDelivery:
    """The outcome that a load of a delivery would have, as lines of text without row values."""

    would_be_published: bool
    lines: tuple[str, ...]


def check_delivery(path: Path, settings: Settings) -> CheckedDelivery:
    """Validate the folder `<source>/<year>` by the contract and the checks of a typed extract; nothing is stored.

    Checks that compare deliveries need the warehouse and are skipped. Raises ValueError if the path has another form or is not a
    folder.
    """
    folder = path.absolute()
    source, year = folder.parent.name, folder.name
    if source not in input_contract().sources or not (year.isascii() and year.isdigit()):
        known = " or ".join(f"{name}/2025" for name in input_contract().sources)
        raise ValueError(f"{path}: name the folder of a source and year, as in {known}")
    if not folder.is_dir():
        raise ValueError(f"{path} {'is not a folder' if folder.exists() else 'does not exist'}")
    with TemporaryDirectory() as scratch:
        alone = settings.model_copy(
            update={
                "landing": folder.parents[1],
                "home": Path(scratch) / "warehouse",
                "key": SecretStr(os.urandom(32).hex()),
            }
        )
        try:
            # Without a warehouse no delivery is withdrawn, so the result is a record.
            record = cast(DeliveryRecord, ingest(DeliveryFolder(alone.landing, source, int(year)), alone))
        except RejectedDeliveryError as error:
            return CheckedDelivery(False, (f"a load would reject it: {error}",))
        results = audit_delivery_alone(alone, record)
        state = read_state(alone)
        unusable = unusable_lines(state, None, None)
        quarantined = quarantine_lines(state, None, None) or ["no row is quarantined"]
    blocked = [result for result in results if result.blocks]
    verdict = "a load would take it, and its checks would block publishing" if blocked else "a load would take it"
    warnings = (
        f"{warning}; a scheduled load waits for the manifest" if warning.endswith(NOT_VERIFIED) else warning
        for warning in record.warnings
    )
    return CheckedDelivery(
        not blocked,
        (verdict, NOT_COMPARED, *_balance(record), *warnings, *_failed(results), "", *quarantined, *unusable),
    )


def _balance(record: DeliveryRecord) -> Iterator[str]:
    for name, file in record.files.items():
        quarantined = sum(file.quarantined.values())
        yield (
            f"{name}: {file.rows_read:,} rows read = {file.rows_loaded:,} loaded + {quarantined:,} quarantined "
            f"+ {file.duplicates:,} exact duplicates"
        )
        for column, rows in file.unusable.items():
            if rows:
                yield f"{name}: {rows:,} loaded {'row' if rows == 1 else 'rows'} without a usable {column}"


def _failed(results: list[CheckResult]) -> Iterator[str]:
    for result in results:
        if result.blocks or result.warns:
            yield f"{'blocks publishing' if result.blocks else 'warning'}: {in_brief(result.text, result.observed)}"
