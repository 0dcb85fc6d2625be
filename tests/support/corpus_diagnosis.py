"""Deliveries with systematic faults, as in `corpus.py`: each is rejected with its cause and remedy, or not diagnosed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pyarrow as pa
from corpus import (
    DECISIONS,
    NEW_ROW,
    PARQUET,
    PERSONAL,
    POLICE,
    Case,
    Content,
    Fault,
    Rejected,
    Taken,
    folder_of,
    one_file,
    other_format,
)
from deliveries import (
    COLUMNS,
    YEAR,
    csv_file,
    csv_text,
    files_of,
    manifest,
    parquet_columns,
    parquet_of,
    put,
)
from reference.worlds import offence_row, police_row, prosecution_row

from dagster_project.settings import Settings

ROWS = 40
OFFENCES, POLICE_DECISIONS, DECISIONS_FILE = (
    ("police", "offences"),
    ("police", "decisions"),
    ("prosecution", "decisions"),
)
DATES = "Deliver dates as YYYY-MM-DD, without a time$"
CODES = "Deliver codes as text with all their digits$"
NUMBERS = "Deliver whole numbers in digits only"
LINES = "Separate the fields of all lines by ';'"


def _rows(file: tuple[str, str], column: str, *values: str) -> list[dict[str, str]]:
    """Return rows that hold the values in turn."""
    return [NEW_ROW[file](number + 1, **{column: values[number % len(values)]}) for number in range(ROWS)]


def explained(problem: str, remedy: str, shape: str, count: int = ROWS, of: int = ROWS) -> Fault:
    return Fault(f"^{count} of its {of} values( that can show it)? {problem}; most look like {shape}$", remedy)


# File, column, values in turn and the expected fault.
WRONG_COLUMNS: list[tuple[str, tuple[str, str], str, tuple[str, ...], Fault]] = [
    ("a time behind the date", OFFENCES, "anmalningsdatum", ("2020-06-01 00:00:00",),
     explained("have a time of day after the date", DATES, "9999-99-99 99:99:99")),
    ("a time of ISO 8601 behind the date", OFFENCES, "brottsdatum", ("2020-05-01T00:00:00Z", "2020-05-02T00:00:00Z"),
     explained("have a time of day after the date", DATES, "9999-99-99A99:99:99A")),
    ("a time behind the date of a decision", DECISIONS_FILE, "beslutsdatum", ("2022-03-01 00:00",),
     explained("have a time of day after the date", DATES, "9999-99-99 99:99")),
    ("dates as Americans write them", POLICE_DECISIONS, "beslutsdatum", ("1/5/2022", "1/6/2022"),
     explained("are dates in another notation", DATES, "9/9/9999")),
    ("dates without dashes", OFFENCES, "anmalningsdatum", ("20200601",),
     explained("are dates in another notation", DATES, "99999999")),
    ("dates with full stops", OFFENCES, "brottsdatum", ("01.05.2020",),
     explained("are dates in another notation", DATES, "99.99.9999")),
    ("serial dates of Excel", POLICE_DECISIONS, "beslutsdatum", ("44621", "44622"),
     explained("are serial numbers of a spreadsheet instead of dates", DATES, "99999")),
    ("serial dates of Excel in an optional column", OFFENCES, "brottsdatum", ("43982", "43983.5"),
     explained("are serial numbers of a spreadsheet instead of dates", DATES, "99999")),
    ("seconds since 1970", OFFENCES, "anmalningsdatum", ("1591000000",),
     explained("are seconds or milliseconds since 1970 instead of dates", DATES, "9999999999")),
    ("words for dates", OFFENCES, "anmalningsdatum", ("3 feb 2020", "14 mars 2020"),
     explained("are of another kind than date", "as the contract describes", "99 aaaa 9999")),
    ("dates of another year", POLICE_DECISIONS, "beslutsdatum", ("2021-03-01", "2021-04-01"),
     explained("lie outside the delivery's year", "into the folder of its year", "9999-99-99")),
    ("offence codes without their zeros", OFFENCES, "brottskod", ("412", "365"),
     explained("have lost their leading zeros", CODES, "999")),
    ("municipalities without their zeros", OFFENCES, "kommunkod", ("180", "381"),
     explained("have lost their leading zeros", CODES, "999")),
    ("few municipalities without their zeros", OFFENCES, "kommunkod", ("180", "1480", "114", "1280"),
     explained("have lost their leading zeros", CODES, "999", ROWS // 2, ROWS // 2)),
    ("case numbers without their zeros", POLICE_DECISIONS, "diarienummer", ("100-K1-20", "100-K2-20"),
     explained("have lost their leading zeros", CODES, "999-A9-99")),
    ("offence codes with decimals", OFFENCES, "brottskod", ("412.0", "3501.0"),
     explained("are codes that were exported as numbers with decimals", CODES, r"9999?\.9")),
    ("numbers with decimals", OFFENCES, "brottsantal", ("1.0",),
     explained("are numbers with decimals or thousands separators", NUMBERS, r"9\.9")),
    ("numbers with a decimal comma", DECISIONS_FILE, "brottsnummer", tuple(f"{number},0" for number in range(1, 41)),
     explained("are numbers with decimals or thousands separators", NUMBERS, r"99?,9")),
    ("numbers with spaces between thousands", OFFENCES, "brottsantal", ("1 000", "2\u00a0000"),
     explained("are numbers with decimals or thousands separators", NUMBERS, "9.999")),
    ("ages with decimals", OFFENCES, "malsagande_alder", ("34.0",),
     explained("are numbers with decimals or thousands separators", NUMBERS, r"99\.9")),
    ("years of birth instead of ages", OFFENCES, "malsagande_alder", ("1984", "2001"),
     explained("are years instead of the number in the contract", "Deliver the number", "9999")),
    ("another code list of decisions", POLICE_DECISIONS, "beslut", ("01", "02", "03"),
     explained("are of another code list", "^Deliver the codes DIREKTAVSKRIVEN, NEDLAGD, .*, ATERUPPTAGEN$", "99")),
    ("another code list of regions", OFFENCES, "handlaggande_region", ("Nord", "Syd"),
     explained("are of another code list", "^Deliver the codes Rn01, ", "Aaaa?")),
    ("another code list of sexes", OFFENCES, "malsagande_kon", ("1", "2"),
     explained("are of another code list", "^Deliver the codes K, M$", "9")),
    ("yes and no in English", POLICE_DECISIONS, "utredning", ("true", "false"),
     explained("are of another code list", "^Deliver the codes J, N$", "aaaaa?")),
    ("offence codes of another kind", OFFENCES, "brottskod", ("BrB 3:5",),
     explained("are of another kind or code list", r"Deliver values of the form \[0-9\]\{4\}$", "AaA 9:9")),
    ("case numbers of another kind", DECISIONS_FILE, "aklagarnummer", ("AM 1-22", "AM 2-22"),
     explained("are of another kind or code list", "of the form AM-", "AA 9-99")),
    ("words for a missing age", OFFENCES, "malsagande_alder", ("NULL",),
     explained("are words or signs for a missing value", "Leave missing values empty", "AAAA")),
    ("Excel's apostrophe", OFFENCES, "brottskod", ("'0412",),
     explained("begin with a spreadsheet's prefix for text", "without the prefix", "'9999")),
    ("most values wrong, some right", OFFENCES, "brottsantal", ("1.0", "1.0", "1"),
     explained("are numbers with decimals or thousands separators", NUMBERS, r"9\.9", 27)),
]  # fmt: skip


def column_cases() -> Iterator[Case]:
    for description, file, column, values, fault in WRONG_COLUMNS:
        rows = _rows(file, column, *values)
        if column == "diarienummer" or (file == OFFENCES and column != "diarienummer"):
            rows = [{**row, "brottsnummer": str(number)} for number, row in enumerate(rows, 1)]
        content = csv_text(rows, COLUMNS[file], newline="\r\n" if "time" in description else "\n").encode()
        yield one_file(f"wrong as a whole: {description}", content, fault, f", column {column}", file)
    rows = _rows(OFFENCES, "anmalningsdatum", "2020-06-01 00:00")
    content = parquet_of(parquet_columns(*OFFENCES, rows))
    fault = explained("have a time of day after the date", DATES, "9999-99-99 99:99")
    yield one_file(
        "wrong as a whole: a time in Parquet text", content, fault, ", column anmalningsdatum", OFFENCES, ".parquet"
    )
    yield from _cases_of_a_part()


def _cases_of_a_part() -> Iterator[Case]:
    """Yield cases that are not diagnosed: at most half of the values, or too few values."""
    half = _rows(OFFENCES, "brottsantal", "1.0", "1")
    quarantined = dict.fromkeys(range(2, ROWS + 2, 2), "invalid_value")
    yield one_file(
        "half the numbers with decimals", csv_file(*OFFENCES, half), Taken("offences", 20, quarantined), file=OFFENCES
    )
    half = _rows(OFFENCES, "anmalningsdatum", "2020-06-01 00:00", "2020-06-01")
    taken = Taken("offences", ROWS, unusable={"anmalningsdatum": ROWS // 2})
    yield one_file("half the report dates with a time", csv_file(*OFFENCES, half), taken, file=OFFENCES)
    codes = [offence_row(number, brottskod="412" if number <= 22 else "0412") for number in range(1, 61)]
    quarantined = dict.fromkeys(range(2, 24), "invalid_value")
    yield one_file(
        "some codes without their zeros", csv_file(*OFFENCES, codes), Taken("offences", 38, quarantined), file=OFFENCES
    )
    for filled, expected in [
        (19, Taken("offences", ROWS, unusable={"malsagande_alder": 19})),
        (20, Rejected("offences.csv, column malsagande_alder",
                      explained("are years instead of the number in the contract", "Deliver the number", "9999", 20, 20))),
    ]:  # fmt: skip
        rows = [
            offence_row(number, malsagande_alder="1984" if number <= filled else "") for number in range(1, ROWS + 1)
        ]
        yield one_file(f"years of birth in {filled} of the rows", csv_file(*OFFENCES, rows), expected, file=OFFENCES)
    mixed = _rows(POLICE_DECISIONS, "beslut", "nedlagd", "Nedlagd")
    yield one_file(
        "codes in small letters", csv_file(*POLICE_DECISIONS, mixed), Taken("decisions", ROWS), file=POLICE_DECISIONS
    )
    regions = _rows(OFFENCES, "handlaggande_region", "RN03", "RN04")
    yield one_file("regions in capitals", csv_file(*OFFENCES, regions), Taken("offences", ROWS), file=OFFENCES)
    number = "640823\u20133234"
    rows = [*_rows(OFFENCES, "brottsantal", "1.0"), offence_row(99, lagrum=f"se {number}")]
    yield one_file("a personal number in a file that is wrong as a whole", csv_file(*OFFENCES, rows), PERSONAL,
                   f", line {ROWS + 2}, lagrum", OFFENCES, secrets=(number,))  # fmt: skip


# --- lines and headers ---------------------------------------------------------------------------------------------


def _lines(change: Callable[[str], str]) -> bytes:
    """Return a file of decisions with every line except the header changed."""
    header, *lines = csv_text(
        [prosecution_row(number) for number in range(1, ROWS + 1)], COLUMNS[DECISIONS_FILE]
    ).splitlines()
    return "\n".join([header, *map(change, lines), ""]).encode()


def line_cases() -> Iterator[Case]:
    for description, change, problem in [
        ("a separator too many at the end", lambda line: line + ";", "end with an extra ';'"),
        ("commas below a header with semicolons", lambda line: line.replace(";", ","), "have commas between their fields"),
        ("tabs below a header with semicolons", lambda line: line.replace(";", "\t"), "have tabs between their fields"),
    ]:  # fmt: skip
        fault = Fault(f"^{ROWS} of its {ROWS} lines {problem}$", LINES)
        yield one_file(f"wrong as a whole: {description}", _lines(change), fault)
    short = Taken("decisions", 0, dict.fromkeys(range(2, ROWS + 2), "malformed_row"))
    yield one_file("a field too few in every line", _lines(lambda line: line.rsplit(";", 1)[0]), short)
    title = "Beslut\nUttag 2023-01-15\n\n"
    for description, content, line, problem in [
        ("three title lines", title + DECISIONS.decode(), 4, ""),
        ("title lines, and commas", title + DECISIONS.decode().replace(";", ","), 4, " and commas between the fields"),
    ]:
        fault = Fault(f"^the header is on line {line}, below lines that do not belong to the table{problem}$",
                      "^Remove the lines above the header")  # fmt: skip
        yield one_file(f"{description} above the header", content.encode(), fault, ", line 1")
    for file, wrong, right, hint in [
        (OFFENCES, "Brottskood", "brottskod", "; brottskood is probably meant for brottskod$"),
        (OFFENCES, "anmälningsdatum", "anmalningsdatum", "; anmälningsdatum is probably meant for anmalningsdatum$"),
        (OFFENCES, "målsägande_kön", "malsagande_kon", "; målsägande_kön is probably meant for malsagande_kon$"),
        (
            OFFENCES,
            "ma\u030alsa\u0308gande_a\u030alder",
            "malsagande_alder",
            "; målsägande_ålder is probably meant for malsagande_alder$",
        ),
        (DECISIONS_FILE, "misstanke-id", "misstanke_id", "; misstanke-id is probably meant for misstanke_id$"),
        (
            DECISIONS_FILE,
            "beslut\u0455datum",
            "beslutsdatum",
            r"; 'beslut\\u0455datum' is probably meant for beslutsdatum$",
        ),
        (OFFENCES, "brottskod 1", "brottskod", r"of the contract\)$"),
        (OFFENCES, "kod", "brottskod", r"of the contract\)$"),
    ]:
        header = [wrong if column == right else column for column in COLUMNS[file]]
        content = (";".join(header) + "\n" + csv_file(*file).decode().split("\n", 1)[1]).encode()
        fault = Fault(f"^missing column {right} .*{hint}", "with the same spelling")
        yield one_file(f"{right} spelt {wrong.encode('ascii', 'replace').decode()}", content, fault, ", line 1", file)
    without_end = Taken("decisions", 2, warning="the last line has no line end; the file may be truncated")
    yield one_file("a last line without line end, no manifest", DECISIONS.rstrip(b"\n") + b"  ", without_end)


# --- encodings -----------------------------------------------------------------------------------------------------


def _provisions(*provisions: str) -> bytes:
    rows = [offence_row(number, lagrum=text) for number, text in enumerate(provisions, 1)]
    return csv_text(rows, COLUMNS[OFFENCES]).encode()


SECTION = "BrB 6 kap. 10 a §"
SEEMS = "text in the wrong encoding; it seems to be"
DAMAGED = {
    "UTF-8 read as cp1252": ("BrB 6 kap. 10 a Â§", f"^{SEEMS} UTF-8 that was read as cp1252"),
    "UTF-8 letters read as cp1252": ("Lag om krÃ¤nkning", f"^{SEEMS} UTF-8 that was read as cp1252"),
    "UTF-8 letters read as ISO 8859-1": ("LAG OM KR\u00c3\u0084NKNING", f"^{SEEMS} UTF-8 that was read as cp1252"),
    "replacement characters": ("BrB 6 kap. 10 a \ufffd", f"^{SEEMS} text in which another program replaced"),
    "Mac Roman": ("BrB 6 kap. 10 a ¤", f"^{SEEMS} Mac Roman"),
    "cp850": ("BrB 6 kap. 10 a õ", f"^{SEEMS} DOS text"),
    "ASCII only": ("BrB 6 kap. 10 a ?", f"^{SEEMS} text in which another program kept ASCII only"),
}


def encoding_cases() -> Iterator[Case]:
    for description, (damaged, problem) in DAMAGED.items():
        fault = Fault(rf"{problem}.*\(1 of 2 values", "Export the text again in UTF-8")
        content = _provisions(SECTION, "", damaged)
        yield one_file(f"a provision damaged: {description}", content, fault, ", line 4, column lagrum", OFFENCES)
    for intact, expected in [
        (198, Fault(r"\(1 of 199 values", "Export")),
        (199, Taken("offences", 201)),
    ]:
        place = ", line 2, column lagrum" if isinstance(expected, Fault) else ""
        content = _provisions(DAMAGED["UTF-8 read as cp1252"][0], "BrB 6:1", *[SECTION] * intact)
        yield one_file(f"one provision damaged, {intact} whole", content, expected, place, OFFENCES)
    genuine = Taken("offences", 4)
    content = _provisions(SECTION, "Åtal? §", "PÂ, Ã", "BrB 3:5 ?")
    yield one_file("letters that only look damaged", content, genuine, file=OFFENCES)
    first = content.index("§".encode())
    utf_8 = Fault("^not cp1252; it seems to be utf-8$", "name its encoding in the manifest")
    yield one_file(
        "UTF-8 under a manifest that says cp1252",
        content,
        utf_8,
        f", line 2, byte {first}",
        OFFENCES,
        encoding="cp1252",
    )
    plain = DECISIONS + b"AM-1-22;0100-K1-20;7;m;2022-03-01;ATAL\n"
    files: dict[str, Content] = {
        "decisions.csv": plain,
        "manifest.json": manifest("prosecution", {"decisions.csv": plain}, {"decisions.csv": 3}, encoding="cp1252"),
    }
    yield Case(
        "ASCII under a manifest that says cp1252", "prosecution", folder_of("prosecution", files), Taken("decisions", 3)
    )
    mixed_encodings = _provisions(*[SECTION] * 3) + "0100-K9-20;9;0412;BrB §;1;2020-06-01;;;;;\n".encode("cp1252")
    fault = Fault(rf"^{SEEMS} UTF-8 that was read as cp1252.*\(3 of 4 values", "Export")
    yield one_file(
        "UTF-8 and cp1252 in one file that says cp1252",
        mixed_encodings,
        fault,
        ", line 2, column lagrum",
        OFFENCES,
        encoding="cp1252",
    )
    dos = (DECISIONS.decode() + "AM-1-22;0100-K1-20;7;må;2022-03-01;ATAL\n").encode("cp850")
    fault = Fault(r"^not utf-8; it seems to be cp850 \(DOS\)$", "Deliver it as UTF-8")
    yield one_file("text of DOS", dos, fault, f", line 4, byte {dos.index(0x86)}")
    yield from _aliases()


def _aliases() -> Iterator[Case]:
    for alias, encoding in {
        "UTF8": "utf-8", "utf-8-sig": "utf-8", "UTF_8": "utf-8", "windows-1252": "cp1252", "CP-1252": "cp1252",
        "Latin-1": "cp1252", "ISO-8859-1": "cp1252",
    }.items():  # fmt: skip
        content = csv_file(*OFFENCES).decode().encode(encoding) + b"\n"
        files = {
            **files_of("police", decisions=csv_file(*POLICE_DECISIONS, encoding=encoding)),
            "offences.csv": content,
        }
        document = manifest("police", files, {"offences.csv": 3, "decisions.csv": 2}, encoding=alias)
        write = folder_of("police", {**files, "manifest.json": document})
        yield Case(f"an encoding called {alias}", "police", write, Taken("offences", 3))


# --- other formats, and names --------------------------------------------------------------------------------------

WORKBOOK = b"PK\x03\x04\x14\x00\x06\x00" + bytes(40)
OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40)


def format_cases() -> Iterator[Case]:
    for description, content, name in [
        ("a workbook", WORKBOOK, r"a workbook \(xlsx or ods\) or another zip archive"),
        ("an old workbook", OLD_WORKBOOK, r"a workbook \(xls\)"),
        ("a table of HTML", b"\n<html><table>", "HTML or XML"),
        ("JSON", b'[{"beslut": "ATAL"}]', "JSON"),
        ("a PDF", b"%PDF-1.7\n", "a PDF document"),
    ]:
        yield one_file(f"{description} named .csv", content, other_format(name, remedy="Export its table as CSV"))
    yield one_file("Parquet named .csv", PARQUET, other_format("Parquet", remedy="Name it .parquet"))
    for suffix, expected in {".csv.gz": "gzip", ".parquet": "Parquet"}.items():
        fault = other_format(r"a workbook \(xlsx or ods\) or another zip archive", expected, "Export its table as CSV")
        yield one_file(f"a workbook named {suffix}", WORKBOOK, fault, suffix=suffix)
    for file_name, hint in {
        "Decisions.CSV": ", but Decisions.CSV is there$",
        "decision.csv": ", but decision.csv is there$",
        "decisions.xlsx": ", but decisions.xlsx is there$",
        f"decisions_{YEAR}.csv": rf", but decisions_{YEAR}\.csv is there$",
        "decisions_64.csv": " missing$",
        "suspects.csv": " missing$",
    }.items():
        fault = Fault(
            f"^the file is{' missing' if hint.startswith(',') else ''}{hint}", r"^Deliver it as decisions\.csv or"
        )
        write = folder_of("prosecution", {file_name: DECISIONS + b"\n"})
        yield Case(f"{file_name} instead of decisions.csv", "prosecution", write, Rejected("decisions", fault))
    for file_name in ("Manifest.json", "manifest.json.txt", "manifest"):
        files: dict[str, Content] = {**POLICE, file_name: json.dumps({}).encode()}
        fault = Fault("^it is not named manifest.json$", "Name it manifest.json")
        yield Case(f"a manifest named {file_name}", "police", folder_of("police", files), Rejected(file_name, fault))
    large_numbers = {**parquet_columns(*OFFENCES), "kommunkod": pa.array([180, 180, 180])}
    lossy = Fault("^stored as BIGINT, which is not text$", "^Store it as text, so that")
    yield one_file(
        "Parquet with municipalities as numbers",
        parquet_of(large_numbers),
        lossy,
        ", column kommunkod",
        OFFENCES,
        ".parquet",
    )


# --- personal identity numbers -------------------------------------------------------------------------------------


def number_cases() -> Iterator[Case]:
    for description, number in {
        "an en dash": "640823\u20133234",
        "a minus sign": "640823\u22123234",
        "a non-breaking hyphen": "19640823\u20113234",
        "a blank": "640823 3234",
        "a no-break space": "640823\u00a03234",
        "a letter in its serial": "19640823-T123",
    }.items():
        for file, column in {OFFENCES: "lagrum", DECISIONS_FILE: "misstanke_id"}.items():
            clean = csv_file(*file, [NEW_ROW[file](1), NEW_ROW[file](9, **{column: f"se {number}, Umeå"})])
            yield one_file(
                f"a number with {description} in {column}",
                clean,
                PERSONAL,
                f", line 3, {column}",
                file,
                secrets=(number,),
            )
    number = "640823\u20133234"
    content = csv_file(*OFFENCES, [offence_row(1), offence_row(2, kommunkod=number)])
    yield one_file("a number in a municipality", content, PERSONAL, ", line 3, kommunkod", OFFENCES, secrets=(number,))
    rows = [
        prosecution_row(1, misstanke_id="19640823-3234-4abc-8def-196408233234"),
        prosecution_row(2, misstanke_id="2ff1a6bc-640823"),
    ]
    yield one_file("suspects by random identifiers", csv_file(*DECISIONS_FILE, rows), Taken("decisions", 2))


# --- the registry --------------------------------------------------------------------------------------------------

_GROUPS = (column_cases, line_cases, encoding_cases, format_cases, number_cases)
DIAGNOSED = {case.name: case for group in _GROUPS for case in group()}


def one_column_wrong(settings: Settings) -> None:
    """Write shared/cases/one_column_wrong: all report dates of a year have a time, and both sources delivered it."""
    offences = [offence_row(number, anmalningsdatum="2022-02-01 00:00:00") for number in range(1, 251)]
    decided = [police_row(number) for number in range(1, 201)]
    police = {"offences.csv": csv_file(*OFFENCES, offences), "decisions.csv": csv_file(*POLICE_DECISIONS, decided)}
    document = manifest("police", police, {"offences.csv": 250, "decisions.csv": 200})
    put(settings, "police", {**police, "manifest.json": document})
    prosecuted = [prosecution_row(number) for number in range(201, 251)]
    put(settings, "prosecution", {"decisions.csv": csv_file(*DECISIONS_FILE, prosecuted)})
