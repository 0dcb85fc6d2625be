"""The report of figures that are rare or extreme: it stays right, and says so."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import duckdb
from report_reader import Reader, faults, table, words

from dagster_project.report.follow_up import write_report
from dagster_project.report.translations import catalogue

pytest_plugins = ["report_fixtures"]


def doctored(publication: Path, folder: Path, statements: Sequence[str], indicators: Sequence[str]) -> Path:
    """A report of the publication's figures after some statements, with few indicators, since each costs time."""
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect() as connection:
        tables = [path.stem for path in sorted((publication / "parquet").glob("*.parquet"))]
        for name in tables:
            connection.execute(f"create table {name} as from read_parquet('{publication}/parquet/{name}.parquet')")
            columns = [row[0] for row in connection.execute(f"describe {name}").fetchall()]
            if "indicator_id" in columns:
                connection.execute(f"delete from {name} where indicator_id not in {(*indicators, '')}")
        for statement in statements:
            connection.execute(statement)
        for name in tables:
            connection.execute(f"copy {name} to '{folder}/parquet/{name}.parquet'")
    write_report(folder)
    return folder


COUNTS = (
    "processed", "investigated", "dismissed", "with_suspect", "cleared", "cleared_indictment", "cleared_penalty_order",
    "cleared_waiver", "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed",
)  # fmt: skip
SHARES = (
    "clearance_pct", "clearance_pct_low", "clearance_pct_high", "prosecution_pct", "clearance_pct_country",
    "clearance_pct_median_region", "clearance_pct_median_county", "clearance_change_pp", "clearance_change_significant",
)  # fmt: skip
NO_SHARES = f"update fct_indicator_year set {', '.join(f'{name} = null' for name in SHARES)}"


def figures_of(code: str, year: int, processed: int, cleared: int, **more: object) -> str:
    """A statement that sets the figures of all victims of a place, with an interval from 9 to 12."""
    counted = {"processed": processed, "investigated": cleared, "cleared": cleared, "cleared_indictment": cleared}
    counts = dict.fromkeys(COUNTS, 0) | counted | dict.fromkeys(("dismissed", "other_dismissed"), processed - cleared)
    shares = {"suppression": "null", "small_number": "false", "clearance_pct": f"100.0 * {cleared} / {processed}",
              "prosecution_pct": 100, "clearance_pct_low": 9, "clearance_pct_high": 12}  # fmt: skip
    return (
        f"update fct_indicator_year set {', '.join(f'{name} = {value}' for name, value in (counts | shares | more).items())} "
        f"where variant = 'beslutad' and geography_code = '{code}' and victim_group = 'total' and year = {year}"
    )


def inflated(pdf: bytes) -> bytes:
    """Return a PDF's streams that can be unpacked, among them the texts that stand for pictures."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(stream))
    return b"".join(found)


def all_of(publication: Path, one: Reader, place: str = "") -> str:
    """What two pages say, in words."""
    output = []
    for name in ("index", "valdtakt"):
        output.append(words(one.open(publication / "report" / "sv" / f"{name}.html", place).locator("body")))
    return "\n".join(output)


def test_nothing_but_zeros(publication: Path, tmp_path: Path, reader: Reader) -> None:
    """Without a denominator there is no share, which is not 0 per cent."""
    made = doctored(
        publication,
        tmp_path / "zeros",
        [
            f"update fct_indicator_year set suppression = null, small_number = true, {', '.join(f'{name} = 0' for name in COUNTS)}",
            NO_SHARES,
            "delete from fct_case_flow_year",
            "delete from fct_processing_time_year",
            # As of a year that was purged before the measure existed.
            "delete from fct_indicator_year where indicator_id = 'misshandel_barn' and year = 2023",
        ],
        ["valdtakt", "misshandel_barn"],
    )
    output = all_of(made, reader)
    output += words(reader.open(made / "report" / "sv" / "commitments.html").locator("body"))
    assert "Misshandel mot barn\n\nInga handlagda brott" in output
    assert "Inga brott handlades 2024" in output
    assert "Inga handlagda brott, därför finns ingen andel: Våldtäkt." in output
    assert "0,0 procent" not in output
    assert "NaN" not in output
    assert reader.complaints == []


def test_a_cohort_that_cannot_be_followed_is_said_to_be_so(publication: Path, tmp_path: Path) -> None:
    """And the page on official figures is written although only victim groups are compared."""
    statements = [
        "delete from fct_reported_year where by_year = 2024",
        "delete from fct_reconciliation_year",
        "insert into fct_reconciliation_year by name select 'valdtakt' as indicator_id, 'beslutad' as variant, 2023 as year, "
        "'kvinna' as victim_group, 'riket' as geography_level, 'SE' as geography_code, 9 as official_processed, "
        "'equal' as status, 'embedded' as official_file",
    ]
    made = doctored(publication, tmp_path / "gap", statements, ["valdtakt"])
    for language, words_of in (
        ("sv", "Brott som anmäldes 2023 följs bara till slutet av 2023"),
        ("en", "Offences reported in 2023 are followed to the end of 2023 only"),
    ):
        page = (made / "report" / language / "commitments.html").read_text(encoding="utf-8")
        assert words_of in page
        assert 'id="table-reported' not in page


def test_everything_withheld(publication: Path, tmp_path: Path, reader: Reader) -> None:
    made = doctored(
        publication,
        tmp_path / "withheld",
        [
            f"update fct_indicator_year set suppression = 'primary', small_number = null, {', '.join(f'{name} = null' for name in COUNTS)}",
            NO_SHARES,
            "update fct_case_flow_year set offences = null, share_of_stage_before_pct = null",
            "update fct_processing_time_year set offences = null, days_median = null",
            "update publication set is_synthetic = true",
        ],
        ["valdtakt"],
    )
    output = all_of(made, reader)
    assert "Uppgiften för 2024 visas inte" in output
    assert "Visas inte av sekretesskäl: Våldtäkt." in output
    assert output.count(catalogue("sv")["synthetic"]) == 2
    assert not re.search(r"\d procent \(95", output)
    page = reader.open(made / "report" / "sv" / "valdtakt.html")
    assert {tuple(row[1:7]) for row in table(page, "trend")} == {("–",) * 6}
    assert page.locator("#picture-trend .wide text", has_text="×").count() == 2
    assert "uppgiften visas inte" in words(page.locator("#missing-flow"))
    assert faults(page) == []
    assert reader.complaints == []


def test_one_year_all_cleared_and_names_with_markup(publication: Path, tmp_path: Path, reader: Reader) -> None:
    evil = "<img src=x onerror=alert(1)></script>&\"'{pct:t}#*_$"
    quoted = f"'{evil.replace(chr(39), chr(39) * 2)}'"
    made = doctored(
        publication,
        tmp_path / "one",
        [
            *(f"delete from {name} where year <> 2024" for name in ("dim_year", "fct_indicator_year", "series_break")),
            "update fct_indicator_year set suppression = null, small_number = false, processed = 1234, investigated = 1234, "
            "dismissed = 0, with_suspect = 1234, cleared = 1234, cleared_indictment = 1234, cleared_penalty_order = 0, "
            "cleared_waiver = 0, limited_investigated = 0, other_investigated = 0, limited_dismissed = 0, other_dismissed = 0, "
            "clearance_pct = 100, clearance_pct_low = 99.7, clearance_pct_high = 100, prosecution_pct = 100, "
            "clearance_pct_country = 100, clearance_pct_median_region = 100, clearance_change_pp = null, "
            "clearance_change_significant = null, series_break = false, mixed_year = false",
            f"update dim_geography set name_sv = {quoted}, name_en = {quoted} where geography_code = '01'",
            f"update dim_indicator set name_sv = {quoted}",
        ],
        ["valdtakt"],
    )
    output = all_of(made, reader)
    assert evil in output
    assert "1\u202f234" in output
    assert "alla ledde till personuppklaring: 100 procent" in output
    assert "Det första redovisade året är 2024" in output
    assert reader.complaints == []
    page = reader.open(made / "report" / "en" / "valdtakt.html")
    assert page.locator("img").count() == 0
    assert evil in page.locator("#h-says").inner_text()


def test_a_year_that_is_missing_in_between(publication: Path, tmp_path: Path, reader: Reader) -> None:
    """The year before is none of those published; its share is no part of any sentence."""
    made = doctored(
        publication,
        tmp_path / "gap",
        [
            *(f"update {name} set year = 2022 where year = 2023" for name in ("dim_year", "fct_indicator_year")),
            "update fct_indicator_year set clearance_change_pp = null, clearance_change_significant = null",
        ],
        ["valdtakt"],
    )
    output = all_of(made, reader)
    assert "Uppgifter för 2023 redovisas inte, så det finns inget tidigare år att jämföra med." in output
    assert "NaN" not in output
    assert reader.complaints == []


def test_a_change_says_no_more_than_the_figures(publication: Path, tmp_path: Path, reader: Reader) -> None:
    """More than chance only where the mart says so; a difference that rounding distorts is explained."""
    output = {}
    for name, significant, few in (("chance", "false", "true"), ("more", "true", "false")):
        made = doctored(
            publication,
            tmp_path / name,
            [
                "update dim_indicator set first_comparable_year = 2023",
                "update fct_indicator_year set series_break = false, mixed_year = false, clearance_change_comparable = true, "
                "clearance_pct_country = 30",
                f"update fct_indicator_year set small_number = {few} where geography_level = 'riket'",
                figures_of("01", 2023, 3000, 301, clearance_pct_country=30),
                figures_of(
                    "01", 2024, 3000, 314, clearance_pct_country=30,
                    clearance_change_pp="1300.0 / 3000", clearance_change_significant=significant,
                ),
            ],
            ["valdtakt"],
        )  # fmt: skip
        page = reader.open(made / "report" / "sv" / "valdtakt.html")
        output[name] = words(page.locator("#says"))
        page = reader.open(made / "report" / "sv" / "index.html")
        output[name] += words(page.locator("#summary")) + words(page.locator(".cards"))
    assert "ökade med 0,4 procentenheter från 2023 till 2024. Ökningen kan bero på slumpen." in output["chance"]
    assert "är statistiskt säkerställd" not in output["chance"]
    assert "ökade med 0,4 procentenheter från 2023 till 2024. Ökningen är statistiskt säkerställd" in output["more"]
    for text in ("Även i hela landet är brotten färre än 30", "Hela landet 30,0 % (färre än 30 brott)"):
        assert text in output["chance"]
        assert text not in output["more"]
    assert "Förändringen är beräknad på oavrundade andelar" in output["more"]
    assert "en jämförelse av tjugo" in output["more"]
    assert "utanför områdets konfidensintervall" in output["more"]
    assert reader.complaints == []


def test_what_was_revised_is_told(publication: Path, tmp_path: Path, reader: Reader) -> None:
    told_of = {
        "publication_id": "'30000101T000000Z'", "indicator_id": "'valdtakt'", "variant": "'beslutad'", "year": "2023",
        "geography_level": "'lan'", "geography_code": "'01'", "victim_group": "'kvinna'", "measure": "'clearance_pct'",
        "kind": "'changed'", "old_value": "12.25", "new_value": "1234", "causes": "'police/2023 <b>'",
    }  # fmt: skip
    made = doctored(
        publication,
        tmp_path / "revised",
        [
            "insert into publication select * replace ('30000101T000000Z' as publication_id) from publication",
            f"insert into revision ({', '.join(told_of)}) values ({', '.join(told_of.values())})",
        ],
        ["valdtakt"],
    )
    output = (
        reader.open(made / "report" / "sv" / "valdtakt.html")
        .locator("section[aria-labelledby=h-revisions]")
        .inner_text()
    )
    assert "sedan förra publiceringen: 1." in output
    assert "Personuppklaringsprocent" in output
    for text in ("Stockholms län", "Kvinnor", "12,3", "1\u202f234", "police/2023 <b>"):
        assert text in output
    assert reader.complaints == []


def test_a_letter_of_the_first_screen_leads_to_its_break_and_keeps_the_choice(
    publication: Path, tmp_path: Path, reader: Reader, plain_reader: Reader
) -> None:
    made = doctored(
        publication,
        tmp_path / "letter",
        [
            "insert into series_break values ('valdtakt', 2023, 'law', '2023-07-01', true, 'Ny lag', 'New law', 'BrB', '', true, '')"
        ],
        ["valdtakt"],
    )
    for one, choice, choice_kept in (
        (reader, "/polisregion/Rn03/2023", "valdtakt/polisregion/Rn03/2023/total/"),
        (plain_reader, "", ""),
    ):
        page = one.open(made / "report" / "index.html", f"#alla{choice}" if choice else "")
        page.locator("#picture-headline svg.wide a").click()
        assert page.url.endswith(f"/sv/valdtakt.html#{choice_kept}break-a")
    assert reader.page.evaluate("document.activeElement.id") == "break-a"
    assert words(reader.page.locator("#h-says")).endswith("Polisregion Stockholm 2023")
    assert reader.complaints == []


def test_the_first_screen_answers_what_a_reader_asks_first(publication: Path, tmp_path: Path, reader: Reader) -> None:
    """The docs quote the sample: with its figures the sentences stand above the fold of a phone and of a laptop, and the picture."""
    documented = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    quoted = re.findall(
        "”([^”]+)”", " ".join(documented.split("## What the first screen answers")[1].split("\n## ")[0].split())
    )
    assert len(quoted) == 5
    made = doctored(
        publication,
        tmp_path / "sample",
        [
            *(f"update {name} set year = year + 1" for name in ("dim_year", "fct_indicator_year", "fct_case_flow_year")),
            *(f"delete from {name}" for name in ("series_break", "fct_reconciliation_year")),
            "update fct_indicator_year set series_break = false, mixed_year = false, clearance_change_comparable = true, "
            "clearance_pct_country = 12.3",
            figures_of("Rn03", 2024, 6600, 817),
            figures_of("Rn03", 2025, 6605, 744, clearance_change_pp=-1.11, clearance_change_significant="false"),
            "update publication set is_synthetic = true",
            "delete from quality_check where rowid > (select min(rowid) from quality_check)",
            "update quality_check set result = 'passed'",
            "insert into quality_check select quality_check.* from quality_check cross join range(903)",
        ],
        ["misshandel_nara_relation"],
    )  # fmt: skip
    for width, height in ((390, 844), (1440, 900)):
        reader.page.set_viewport_size({"width": width, "height": height})
        page = reader.open(made / "report" / "index.html", "#alla/polisregion/Rn03/2025")
        sentences = page.locator("main p")
        for quote in quoted:
            (box,) = (one.bounding_box() or {} for one in sentences.all() if quote in words(one).replace("\u202f", " "))
            assert box["y"] + box["height"] <= height, quote
        drawn = page.locator("#picture-headline").bounding_box() or {}
        assert drawn["y"] + drawn["height"] <= height
    headline = words(page.locator("#h-headline")).encode("utf-16-be").hex().upper()
    assert headline.encode() in inflated((made / "report" / "sv" / "report.pdf").read_bytes())
    assert reader.complaints == []
