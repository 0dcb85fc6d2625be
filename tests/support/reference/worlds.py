"""Generated deliveries for tests: a large dirty world from a seed, and small worlds that Hypothesis can shrink."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from random import Random

from hypothesis import strategies as st

from .dirt import Year, dirty_records, respelt, shapes_of, unusable_here_and_there
from .extracts import CLEARING, CONTRACT, Key, Row, calendar_date
from .facts import REGIONS, facts
from .provisions import Provision
from .rendering import NO_BREAK_SPACE, Delivered, Record, Style, deliver, neat_file, odd_file

POLICE_KINDS = ("DIREKTAVSKRIVEN", "NEDLAGD", "FU_BEGRANSAD", "OVRIGT", "OVERLAMNAD", "ATERUPPTAGEN")
PROSECUTION_KINDS = (*CLEARING, "FU_BEGRANSAD", "NEDLAGD", "EJ_ATAL", "OVRIGT", "ATERUPPTAGEN")
SHARE_RETURNING = 0.15  # of a year's decided offences, those that an earlier year's extract holds already
SHARE_REPEATED = 0.01  # exact duplicates
SHARE_UNDATED = 0.03  # without a known report date
SHARE_UNUSABLE = 0.004  # of an extract's offences, by column
SHARE_RESPELT = 0.05


# --- the dirty world -------------------------------------------------------------------------------------------------


def dirty_world(
    landing: Path,
    seed: int,
    offences_per_year: int = 3000,
    years: Sequence[int] = (2022, 2023, 2024),
    dirt: float = 0.0045,
    with_reports: bool = False,
) -> None:
    """Write deliveries with every legal oddity and every fault that the contract knows.

    `dirt` is the largest share of a file's rows that the faults may take; below 0.005 the gate stays open. With the
    default size every file has every fault that it can have. Besides, some rows are spelt otherwise, and some offences
    lack a report date or hold what cannot be read in an optional column. `with_reports` adds the optional file, without faults.
    """
    rng, odd = Random(seed), Random(f"oddities {seed}")
    population = Population(rng, years, offences_per_year)
    for position, year in enumerate(years):
        style = styles_of_year(position + seed)["police", "offences"]
        spoilt = [(row, unusable_here_and_there(odd, row, SHARE_UNUSABLE)) for row in population.offences[year]]
        population.offences[year] = [other if style.can_write(other) else row for row, other in spoilt]
    shapes = {}
    for position, year in enumerate(years):
        about = population.about(year)
        rows = {
            ("police", "offences"): population.offences[year],
            ("police", "decisions"): population.police[year],
            ("prosecution", "decisions"): population.prosecution[year],
        }
        styles = styles_of_year(position + seed)
        delivered: dict[str, list[Delivered]] = {"police": [], "prosecution": []}
        for (source, name), clean in rows.items():  # offences first: some orphans need to know what is wrong with them
            style = styles[source, name]
            shape_set = (source, name, style.container == "parquet")
            if shape_set not in shapes:
                shapes[shape_set] = shapes_of(rng, source, name, style)
            bad = dirty_records(rng, shapes[shape_set], clean, about, style, budget=int(dirt * len(clean)))
            records = [Record(row) for row in clean] + bad
            whole = [record for record in records if not record.damage]
            records += rng.choices(whole, k=int(SHARE_REPEATED * len(whole)))
            records += [record for record in bad if not record.damage][:1]  # a bad row can be repeated too
            rng.shuffle(records)
            records = [
                replace(record, row=respelt(odd, record.row)) if odd.random() < SHARE_RESPELT else record
                for record in records
            ]
            records.append(Record(clean[0]))  # so that a blank line is never the last
            delivered[source].append(odd_file(rng, source, name, records, style))
        if with_reports:
            style = Style(encoding=styles["police", "decisions"].encoding)
            reported = [Record(row) for row in population.reported(year) if style.can_write(row)]
            delivered["police"].append(odd_file(odd, "police", "reports", reported, style))
        for source, files in delivered.items():
            deliver(landing, source, year, files, encoding=styles[source, "decisions"].encoding)


def styles_of_year(position: int) -> dict[tuple[str, str], Style]:
    """Return file styles; three consecutive years cover every container, encoding, line ending and end of file."""
    return [
        {
            ("police", "offences"): Style(byte_order_mark=True, newline="\r\n"),
            ("police", "decisions"): Style("csv.gz", ending="blank_lines"),
            ("prosecution", "decisions"): Style("parquet"),
        },
        {
            ("police", "offences"): Style(encoding="cp1252", ending="nothing"),
            ("police", "decisions"): Style(encoding="cp1252", newline="\r\n", ending="blank_lines"),
            ("prosecution", "decisions"): Style(byte_order_mark=True, ending="nothing"),
        },
        {
            ("police", "offences"): Style("csv.gz", newline="\r\n", byte_order_mark=True, ending="blank_lines"),
            ("police", "decisions"): Style("parquet", typed_columns=True),
            ("prosecution", "decisions"): Style(encoding="cp1252", newline="\r\n"),
        },
    ][position % 3]


class Population:
    """Offences and decisions of several years, legal in every row."""

    def __init__(self, rng: Random, years: Sequence[int], offences_per_year: int) -> None:
        self.rng = rng
        self.serials = count(1)
        self.years = years
        self.offences: dict[int, list[Row]] = {}
        self.police: dict[int, list[Row]] = {}
        self.prosecution: dict[int, list[Row]] = {}
        self.known: dict[Key, Row] = {}
        for year in years:
            self._live_through(year, offences_per_year)

    def reported(self, year: int) -> list[Row]:
        """Return the offences that were reported in a year, as the extracts have them, and half as many of no extract."""
        listed = [
            {column: row[column] for column in CONTRACT["police", "reports"]}
            for row in self.known.values()
            if calendar_date(row["anmalningsdatum"]) and row["anmalningsdatum"][:4] == str(year)
        ]
        return listed + [{**row, "diarienummer": f"7100-K{number}-22"} for number, row in enumerate(listed[::2], 1)]

    def about(self, year: int) -> Year:
        """Return the information about this year for shapes."""
        until_now: dict[Key, Row] = {}
        for earlier in self.years:
            if earlier <= year:
                until_now.update((_key(row), row) for row in self.offences[earlier])
        later = [
            {"diarienummer": row["diarienummer"], "brottsnummer": row["brottsnummer"]}
            for after in self.years
            for row in self.offences[after]
            if after > year and _key(row) not in until_now
        ]
        before = {_key(row) for earlier in self.years if earlier < year for row in self.offences[earlier]}
        return Year(
            year,
            new_key=lambda: self._new_key(year),
            reported={key: _date_or_none(row["anmalningsdatum"]) for key, row in until_now.items()},
            later_keys=later,
            seen_before=[row for row in self.offences[year] if _key(row) in before],
        )

    def _live_through(self, year: int, number: int) -> None:
        rng = self.rng
        returning = rng.sample(sorted(self.known), min(int(number * SHARE_RETURNING), len(self.known)))
        extract: dict[Key, Row] = {}
        decided: dict[Key, Row] = {}
        for key in returning:
            decided[key] = self.known[key]
            if rng.random() < 0.75:  # the others are looked up in an earlier year's extract
                extract[key] = decided[key] = self._seen_again(self.known[key])
        while len(decided) < number:
            row = self._new_offence(year)
            extract[_key(row)] = decided[_key(row)] = row
        undecided = set(rng.sample(sorted(decided), number // 50))  # in the extract without any decision

        self.offences[year] = list(extract.values())
        self.police[year], self.prosecution[year] = [], []
        for key, row in decided.items():
            if key not in undecided:
                self._decide(row, year)
        self.known.update(extract)

    # offences

    def _new_key(self, year: int) -> Row:
        case = f"{self.rng.choice(['0100', '2200', '5000'])}-K{next(self.serials)}-{year % 100:02d}"
        return {"diarienummer": case, "brottsnummer": str(self.rng.choice([1, 1, 1, 2, 12]))}

    def _new_offence(self, year: int) -> Row:
        rng = self.rng
        reported = date(year, 1, 1) + timedelta(rng.randrange(365))
        if rng.random() < 0.25:
            reported -= timedelta(rng.randrange(366, 2500))  # decided long after the report
        key = self._new_key(year)
        if rng.random() < 0.1 and self.known:  # several offences in one case
            key["diarienummer"] = rng.choice(list(self.known))[0]
            key["brottsnummer"] = str(100 + next(self.serials))
        if rng.random() < 0.02:
            key["brottsnummer"] = "0" + key["brottsnummer"]
        return {**key, "anmalningsdatum": self._perhaps_unknown(reported), **self._attributes(reported)}

    def _seen_again(self, row: Row) -> Row:
        """Return the offence in a later extract: unchanged, or with other attributes and perhaps a corrected report date."""
        if self.rng.random() < 0.5:
            return row
        first_told = date.fromisoformat(row["anmalningsdatum"] or "2020-06-01")
        reported = first_told + timedelta(self.rng.choice([0, 0, -400, 30]))
        changed = self._attributes(reported)
        some = {"brottsdatum", *self.rng.sample(sorted(changed), self.rng.randint(1, len(changed)))}
        new_values = {column: changed[column] for column in sorted(some)}
        return {**row, **new_values, "anmalningsdatum": self._perhaps_unknown(reported)}

    def _perhaps_unknown(self, reported: date) -> str:
        return "" if self.rng.random() < SHARE_UNDATED else reported.isoformat()

    def _attributes(self, reported: date) -> Row:
        rng = self.rng
        municipality = rng.choice([*facts().county_of, *["0180", "1280", "1480", "0980"] * 40])
        region = facts().region_of[facts().county_of[municipality]]
        sex, age = rng.choice("KM"), str(rng.choice([0, 14, 15, 17, 18, 19, 40, 120, rng.randrange(121)]))
        code, provision = self._code_and_provision()
        return {
            "brottskod": code,
            "lagrum": provision,
            "brottsantal": rng.choice(["1"] * 20 + ["2", "3", "17", "007"]),
            "brottsdatum": rng.choice(
                ["", reported.isoformat(), (reported - timedelta(rng.randrange(900))).isoformat()]
            ),
            "kommunkod": rng.choice([municipality] * 12 + ["", "9999", "0000", municipality[:2] + "99"]),
            "handlaggande_region": rng.choice([region, region, "", rng.choice(REGIONS)]),
            "malsagande_kon": rng.choice([sex, sex, sex, ""]),
            "malsagande_alder": rng.choice([age, age, age, "", "0" + age]),
        }

    def _code_and_provision(self) -> tuple[str, str]:
        rng = self.rng
        kind = rng.random()
        if kind < 0.5:  # every indicator equally often, however few codes it has
            indicator = rng.choice(sorted(facts().decided))
            code = rng.choice([code for code, c in facts().codes.items() if c.indicator_id == indicator])
        elif kind < 0.65:  # most codes that only a measure counts have no group; the small worlds hold them
            code = rng.choice([code for code, c in facts().codes.items() if c.indicator_id or c.victim_group])
        else:
            code = rng.choice([c for c in ("0000", "0001", "0101", "9998", "9999", "1234") if c not in facts().codes])
        if rng.random() < 0.5:
            return code, spelled(rng, rng.choice(list(facts().provisions)))
        return code, rng.choice(NOT_ONE_PROVISION)

    # decisions

    def _decide(self, offence: Row, year: int) -> None:
        rng = self.rng
        first = max(date.fromisoformat(offence["anmalningsdatum"] or "0001-01-01"), date(year, 1, 1))
        if first.year > year:
            return
        span = (date(year, 12, 31) - first).days
        # Few dates, so that decisions share days; including the first and the last possible day.
        days = rng.choices([0, span, rng.randint(0, span), rng.randint(0, span), rng.randint(0, span)], k=3)
        prosecutor = f"AM-{rng.randrange(1, 9_999_999)}-{year % 100:02d}"
        for _event in range(rng.choice([1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 6])):
            day = (first + timedelta(rng.choice(days))).isoformat()
            key = {"diarienummer": offence["diarienummer"], "brottsnummer": offence["brottsnummer"]}
            if rng.random() < 0.03:
                key["brottsnummer"] = "0" + key["brottsnummer"]
            if rng.random() < 0.5:
                self.police[year].append(self._police_decision(key, day))
            else:
                self.prosecution[year] += self._prosecutor_decisions(key, day, prosecutor)

    def _police_decision(self, key: Row, day: str) -> Row:
        kind = self.rng.choice(POLICE_KINDS)
        return {
            **key,
            "beslutsdatum": day,
            "beslut": kind,
            "utredning": "N" if kind == "DIREKTAVSKRIVEN" else self.rng.choice("JNN"),
            "skaligen_misstankt": self.rng.choice("JNN"),
        }

    def _prosecutor_decisions(self, key: Row, day: str, case: str) -> list[Row]:
        rng = self.rng
        kind = rng.choice(PROSECUTION_KINDS)
        suspects = [f"m{rng.randrange(10**9)}" for _suspect in range(rng.choice([1, 1, 1, 2, 3]))]
        if rng.random() < 0.03:
            suspects = ["Ö" * 64]  # as long as it may be
        if kind not in CLEARING and rng.random() < 0.4:
            suspects = [""]
        return [
            {"aklagarnummer": case, **key, "misstanke_id": suspect, "beslutsdatum": day, "beslut": kind}
            for suspect in suspects
        ]


NOT_ONE_PROVISION = (
    "",
    "",
    "6:1",
    "6 kap. 1 §",
    "BrB",
    "BrB 6 kap.",
    "BrB 6:1, 6:4",
    "BrB 6 kap. 1 § och 4 §",
    "BrB 6:1, 6:4 och 23:1",
    "BrB 6:1 och 23:3",
    "BrB 23:1",
    "BrB 6 kap. 1 §; BrB 6 kap. 4 §",
    "BrB 6:1 BrB 6:4",
    "BrB 6 kap. 1 b §",
    "BrB 6 kap. 10 §",
    "BrB 6:100",
    "BrB 16:1",
    "BrB 4 kap. 4 c §",
    "BrB 4:4",
    'BrB 6 kap. "1" §',
    "lag (1982:316)",
    "Narkotikastrafflagen 6 kap. 1 §",
    "RB 6:1",
    "6 kap. 1 § RB",
)


def spelled(rng: Random, provision: Provision) -> str:
    """One provision of the penal code in one of the many spellings that occur."""
    chapter, section, letter = provision
    gap = rng.choice([" ", " ", "", "  ", NO_BREAK_SPACE])
    law = rng.choice(["BrB", "BrB", "brb", "BRB", "Brottsbalken", "brottsbalken (1962:700)"])
    kap = rng.choice(["kap.", "kap.", "kap", "KAP."])
    named = f"{section}{gap}{letter}" if letter else str(section)
    part = rng.choice(["", "", "", " 1 st", ", 1 st", " första stycket", " 2 st. 1 p."])
    attempt = rng.choice(["", "", "", " och 23 kap. 1 §", ", 23:4"])
    stop = rng.choice(["", "", "", "."])
    text = rng.choice(
        [
            f"{law} {chapter}{gap}{kap}{gap}{named}{gap}§{part}{attempt}{stop}",
            f"{law}{gap}{chapter}:{named}{attempt}{stop}",
            f"{chapter}{gap}{kap}{gap}{named}{gap}§{attempt} {law}{stop}",
        ]
    )
    return rng.choice([text, text, text, text.upper(), text.lower()])


def _date_or_none(text: str) -> date | None:
    return date.fromisoformat(text) if calendar_date(text) else None


def _key(row: Row) -> Key:
    return row["diarienummer"], int(row["brottsnummer"])


# --- small worlds ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """A few rows; a source and year with a list is delivered, even if the list is empty."""

    offences: dict[int, list[Row]]  # police; the same years as `police`
    police: dict[int, list[Row]]
    prosecution: dict[int, list[Row]]
    reports: dict[int, list[Row]] = field(default_factory=dict)  # of the years that have the optional file


def offence_row(number: int = 1, **values: str) -> Row:
    """A row of police/offences: by default grov fridskränkning against a woman in Stockholm."""
    return {
        "diarienummer": "0100-K1-20",
        "brottsnummer": str(number),
        "brottskod": "0424",
        "lagrum": "",
        "brottsantal": "1",
        "anmalningsdatum": "2020-06-01",
        "brottsdatum": "",
        "kommunkod": "0180",
        "handlaggande_region": "",
        "malsagande_kon": "",
        "malsagande_alder": "",
        **values,
    }


def report_row(number: int = 1, **values: str) -> Row:
    """A row of police/reports: by default the offence of `offence_row`, reported in 2022."""
    offence = offence_row(number, **{"anmalningsdatum": "2022-02-01", **values})
    return {column: value for column, value in offence.items() if column in CONTRACT["police", "reports"]}


def police_row(number: int = 1, **values: str) -> Row:
    """A row of police/decisions: by default closed after an investigation without a suspect."""
    return {
        "diarienummer": "0100-K1-20",
        "brottsnummer": str(number),
        "beslutsdatum": "2022-03-01",
        "beslut": "NEDLAGD",
        "utredning": "J",
        "skaligen_misstankt": "N",
        **values,
    }


def prosecution_row(number: int = 1, **values: str) -> Row:
    """A row of prosecution/decisions: by default an indictment."""
    return {
        "aklagarnummer": "AM-1-22",
        "diarienummer": "0100-K1-20",
        "brottsnummer": str(number),
        "misstanke_id": "m1",
        "beslutsdatum": "2022-03-01",
        "beslut": "ATAL",
        **values,
    }


# Known offence and decisions that no indicator counts, because the contract rejects empty files.
FILLER_OFFENCE = offence_row(diarienummer="9999-K1-20", brottskod="0000")
FILLER_REPORT = report_row(diarienummer="9999-K1-20", brottskod="0000")
FILLER_POLICE = police_row(diarienummer="9999-K1-20")
FILLER_PROSECUTION = prosecution_row(diarienummer="9999-K1-20")


def write_world(landing: Path, world: World) -> None:
    """Write a small world as plain deliveries; every file also gets a filler row that no indicator counts."""
    for year, offences in world.offences.items():
        decisions = world.police[year]
        files = [
            neat_file("police", "offences", [FILLER_OFFENCE, *offences]),
            neat_file("police", "decisions", [{**FILLER_POLICE, "beslutsdatum": f"{year}-12-31"}, *decisions]),
        ]
        if year in world.reports:
            filler = {**FILLER_REPORT, "anmalningsdatum": f"{year}-12-31"}
            files.append(neat_file("police", "reports", [filler, *world.reports[year]]))
        deliver(landing, "police", year, files)
    for year, decisions in world.prosecution.items():
        filler = {**FILLER_PROSECUTION, "beslutsdatum": f"{year}-12-31"}
        deliver(landing, "prosecution", year, [neat_file("prosecution", "decisions", [filler, *decisions])])


@st.composite
def small_worlds(draw: st.DrawFn, faults: bool = False, all_complete: bool = False) -> World:
    """One to three years with few offences, few dates and all kinds of decisions, so that they keep colliding.

    Without `faults` no row deserves quarantine. With them there may be orphans, decisions before the report,
    contradictions and conflicting offences. Codes and case numbers are spelt in several ways, and optional fields of
    offences may be unusable or without a report date. With `all_complete` no year waits for one of its deliveries.
    """
    years = list(range(2021, 2021 + draw(st.integers(1, 3))))
    waiting = st.sampled_from(["", "", "", "", "police", "prosecution"])
    missing = {year: "" if all_complete else draw(waiting) for year in years}
    world = World(
        offences={year: [] for year in years if missing[year] != "police"},
        police={year: [] for year in years if missing[year] != "police"},
        prosecution={year: [] for year in years if missing[year] != "prosecution"},
    )
    numbers = range(1, draw(st.integers(1, 3)) + 1)
    for year, rows in world.offences.items():
        for number in numbers:
            if draw(st.integers(0, 3)):  # 0, to which Hypothesis shrinks, leaves it out of this extract
                rows.append(draw(_offences(number, year)))
                if faults and not draw(st.integers(0, 9)):
                    rows.append({**rows[-1], "brottsantal": "9"})

    for year in years:
        reported = _report_dates(world, year)
        decidable = list(numbers) if faults else sorted(reported)
        if not decidable:
            continue
        if year in world.police:
            world.police[year].extend(draw(st.lists(_police_decisions(year, decidable), max_size=4)))
        if year in world.prosecution:
            world.prosecution[year].extend(draw(st.lists(_prosecutor_decisions(year, decidable), max_size=4)))
        if not faults:
            for row in [*world.police.get(year, []), *world.prosecution.get(year, [])]:
                _mend(row, reported)
    for year in world.offences:
        if draw(st.booleans()):
            reported_then = draw(st.lists(st.sampled_from(numbers), unique=True))
            world.reports[year] = [draw(_reports(number, year)) for number in reported_then]
    return world


def _report_dates(world: World, year: int) -> dict[int, str]:
    """Report dates as seen from the year, so that the nearest extract wins."""
    reported: dict[int, str] = {}
    for extract_year in sorted(world.offences):
        if extract_year <= year:
            dates = ((int(row["brottsnummer"]), row["anmalningsdatum"]) for row in world.offences[extract_year])
            reported.update((number, text if calendar_date(text) else "") for number, text in dates)
    return reported


def _mend(row: Row, reported: dict[int, str]) -> None:
    """Make a decision legal."""
    row["beslutsdatum"] = max(row["beslutsdatum"], reported[int(row["brottsnummer"])])
    if row["beslut"] == "DIREKTAVSKRIVEN":
        row["utredning"] = "N"
    if row["beslut"].upper() in CLEARING and not row["misstanke_id"]:
        row["misstanke_id"] = "m1"


def _few_dates(year: int) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{year}-03-01", f"{year}-03-02", f"{year}-12-31"])


def _offences(number: int, year: int) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda values: offence_row(number, **values),
        st.fixed_dictionaries(
            {},
            optional={
                "brottskod": st.sampled_from(_codes_of_every_sort()),
                "lagrum": st.sampled_from(
                    ["BrB 6 kap. 1 §", "BrB 6:1 a", "6 kap. 10a § BrB", "BrB 6:1, 6:4", "6 kap. 12 § och 23 kap. 1 §"]
                ),
                "brottsantal": st.sampled_from(["2", "3"]),
                "anmalningsdatum": st.one_of(
                    _few_dates(year), _few_dates(year), st.sampled_from(["", f"{year}-02-30"])
                ),
                "brottsdatum": st.sampled_from([f"{year}-03-01", f"{year}-12-31", "i fjol"]),
                "kommunkod": st.sampled_from(["", "1480", "9999", "180"]),
                "handlaggande_region": st.sampled_from(["Rn05", "RN06", "Rn08"]),
                "malsagande_kon": st.sampled_from(["K", "m", "F"]),
                "malsagande_alder": st.sampled_from(["17", "18", "121"]),
            },
        ),
    )


def _reports(number: int, year: int) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda **values: report_row(number, **values),
        brottskod=st.sampled_from(_codes_of_every_sort()),
        lagrum=st.sampled_from(["", "BrB 6 kap. 1 §", "6 kap. 10a § BrB", "BrB 6:1, 6:4"]),
        brottsantal=st.sampled_from(["1", "2"]),
        anmalningsdatum=_few_dates(year),
        kommunkod=st.sampled_from(["0180", "", "1480", "180"]),
        handlaggande_region=st.sampled_from(["", "Rn05", "RN06", "Rn08"]),
    )


def _codes_of_every_sort() -> list[str]:
    """Return a code of every kind that the rules distinguish, and one that the catalogue lacks."""
    classes = {(classification, facts().measures.get(code)): code for code, classification in facts().codes.items()}
    return ["0000", *classes.values()]


def _police_decisions(year: int, numbers: list[int]) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda number, **values: police_row(number, **values),
        st.sampled_from(numbers),
        diarienummer=st.sampled_from(["0100-K1-20", "0100-k001-20"]),
        beslutsdatum=_few_dates(year),
        beslut=st.sampled_from(POLICE_KINDS),
        utredning=st.sampled_from("NJ"),
        skaligen_misstankt=st.sampled_from("NJ"),
    )


def _prosecutor_decisions(year: int, numbers: list[int]) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda number, **values: prosecution_row(number, **values),
        st.sampled_from(numbers),
        beslutsdatum=_few_dates(year),
        diarienummer=st.sampled_from(["0100-K1-20", "0100-K01-20"]),
        beslut=st.sampled_from([*PROSECUTION_KINDS, "atal", "Aterupptagen"]),
        misstanke_id=st.sampled_from(["", "m1", "m2"]),
    )
