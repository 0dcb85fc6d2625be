"""Adds the faults of real extracts: extra rows that a load must quarantine or drop; valid rows stay unchanged."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from dagster_project.contract import FileContract

# One faulty row of each kind per ONE_IN rows, at least AT_LEAST, and in total at most the share AT_MOST
ONE_IN, AT_LEAST, AT_MOST = 10_000, 2, 0.003
CHUNK = 1 << 20
INVALID = {
    "aklagarnummer": "AM-12345678-24",
    "diarienummer": "2200-1276-14",
    "brottsnummer": "0",
    "brottskod": "935",
    "brottsantal": "ett",
    "beslutsdatum": "20240131",
    "beslut": "FRIAD",
    "utredning": "X",
    "skaligen_misstankt": "1",
    "misstanke_id": "0" * 65,
}
CONTRADICTION = {
    "police": {"beslut": "DIREKTAVSKRIVEN", "utredning": "J"},
    "prosecution": {"beslut": "ATAL", "misstanke_id": ""},
}

Fields = dict[str, str]
Maker = Callable[[Fields, int], list[list[str]]]


def copy_with_faults(
    clean: Path, target: Path, file: FileContract, year: int, rows: int, reported: Sequence[tuple[str, int, date]]
) -> tuple[int, str]:
    """Copy a clean CSV with faulty rows inserted; return the number of rows and the SHA-256 of the result.

    `reported` lists offences of the year with their report dates, for decisions dated before the report.
    """
    waiting = deque(_amounts(_makers(file, year, reported), rows))
    step = min(CHUNK, clean.stat().st_size // (len(waiting) + 1) + 1)
    digest, written, last = hashlib.sha256(), rows, b""
    with clean.open("rb") as source, target.open("wb") as sink:
        header = source.readline()
        names = header.decode().strip().split(";")
        block = header
        while block:
            sink.write(block)
            digest.update(block)
            block = source.read(step)
            if block:
                block += source.readline()
                last = block.rstrip(b"\n").rsplit(b"\n", 1)[-1]
            # at the end of the file, all remaining rows follow
            for _ in range(min(len(waiting), 1 if block else len(waiting))):
                maker, turn = waiting.popleft()
                made = maker(dict(zip(names, last.decode().split(";"), strict=True)), turn)
                block += "".join(f"{';'.join(fields)}\n" for fields in made).encode()
                written += len(made)
    return written, digest.hexdigest()


def _amounts(makers: Sequence[Maker], rows: int) -> Iterator[tuple[Maker, int]]:
    """Every maker, repeated as often as the size of the file allows, with the number of its turn."""
    # + 1, since `conflict` makes two rows
    most = int(AT_MOST * rows / (len(makers) + 1))
    for turn in range(min(most, max(AT_LEAST, rows // ONE_IN))):
        yield from ((maker, turn) for maker in makers)


def _makers(file: FileContract, year: int, reported: Sequence[tuple[str, int, date]]) -> list[Maker]:
    """A maker of faulty rows for each quarantine reason of the file, and one for duplicates."""
    dated = [column.name for column in file.columns if column.within_year]
    required = [column.name for column in file.columns if column.required]
    checked = [column.name for column in file.columns if column.name in INVALID]
    number = f"99{sum(map(ord, file.table)) % 100:02d}-K{{}}-{year % 100:02d}"

    def fresh(row: Fields, turn: int, **changed: str) -> list[str]:
        key = {"diarienummer": number.format(turn + 1), "brottsnummer": "1"} if file.key else {}
        return list({**row, **key, **changed}.values())

    def malformed(row: Fields, turn: int) -> list[list[str]]:
        fields = fresh(row, turn)
        return [[*fields, "?"] if turn % 2 else fields[:-1]]

    def missing(row: Fields, turn: int) -> list[list[str]]:
        return [fresh(row, 1000 + turn, **{required[turn % len(required)]: ""})]

    def invalid(row: Fields, turn: int) -> list[list[str]]:
        name = checked[turn % len(checked)]
        return [fresh(row, 2000 + turn, **{name: INVALID[name]})]

    def duplicate(row: Fields, _: int) -> list[list[str]]:
        return [list(row.values())]

    def conflict(row: Fields, turn: int) -> list[list[str]]:
        return [fresh(row, 4000 + turn, brottsantal=amount) for amount in ("1", "2")]

    def outside_year(row: Fields, turn: int) -> list[list[str]]:
        day = f"{year + 1}-01-15" if turn % 2 else f"{year - 1}-11-30"
        return [fresh(row, 3000 + turn, **dict.fromkeys(dated, day))]

    def contradiction(row: Fields, turn: int) -> list[list[str]]:
        return [fresh(row, turn, **CONTRADICTION[file.source])]

    def orphan(row: Fields, turn: int) -> list[list[str]]:
        return [fresh(row, turn, diarienummer=number.format(5000 + turn), brottsnummer="1")]

    def decided_before_report(row: Fields, turn: int) -> list[list[str]]:
        case, offence, day = reported[turn % len(reported)]
        before = day - timedelta(days=3 + turn % 7)
        key = {"diarienummer": case, "brottsnummer": str(offence), "beslutsdatum": before.isoformat()}
        return [fresh(row, turn, **key, beslut="NEDLAGD")]

    makers: list[Maker] = [malformed, missing, invalid, duplicate]
    if file.key:
        return [*makers, conflict, *([outside_year] if dated else [])]
    return [*makers, outside_year, contradiction, orphan, *([decided_before_report] if reported else [])]
