"""Every published format, read back by a reader of its own kind, holds the figures of fct_indicator_year, in both languages."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars
import pytest
import yaml
from conftest import copied, settings_in
from frictionless import Package
from jsonstat_validator import validate_jsonstat
from pyaxis import pyaxis
from pyjstat import pyjstat
from rdflib import DCTERMS, FOAF, RDF, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from test_publishing import publish
from warehouse import environment

from dagster_project import paths
from dagster_project.cli.load import load
from dagster_project.publication.draft import READ_BACK, begin_draft, read_back, write_draft
from dagster_project.publication.formats.catalogue import CatalogueError, read_catalogue
from dagster_project.publication.formats.cubes import read_cubes
from dagster_project.publication.formats.write import FormatError, write_formats
from dagster_project.publication.release import PublishingBlockedError, make_draft, nothing_to_publish
from dagster_project.publications import changed_files, publications
from dagster_project.settings import REPOSITORY, Settings
from dagster_project.state import read_state
from dagster_project.transformation.fingerprints import record_build_ended

EVERY_FORMAT = True

KEY = ("indicator_id", "variant", "year", "geography_level", "geography_code", "victim_group")
# What only the country and the police regions have.
DETAILS = {"investigated", "dismissed", "with_suspect", "cleared_indictment", "cleared_penalty_order", "cleared_waiver",
           "limited_investigated", "other_investigated", "limited_dismissed", "other_dismissed", "prosecution_pct"}  # fmt: skip
LANGUAGES = ("sv", "en")
DCAT, ADMS = Namespace("http://www.w3.org/ns/dcat#"), Namespace("http://www.w3.org/ns/adms#")
XSD = Namespace("http://www.w3.org/2001/XMLSchema#")
SPDX, VCARD = Namespace("http://spdx.org/rdf/terms#"), Namespace("http://www.w3.org/2006/vcard/ns#")
Figures = dict[tuple[Any, ...], dict[str, Any]]


@pytest.fixture(scope="module")
def made(published_world: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A publication of two years in which small numbers are withheld, with every format."""
    settings = copied(published_world, settings_in(tmp_path_factory.mktemp("formats"), suppress_below=5))
    shutil.rmtree(settings.published)
    publish(settings)
    return settings


@pytest.fixture(scope="module")
def folder(made: Settings) -> Path:
    return (made.published / paths.CURRENT).resolve()


@pytest.fixture(scope="module")
def figures(folder: Path) -> Figures:
    rows = polars.read_parquet(folder / "parquet" / "fct_indicator_year.parquet").rows(named=True)
    assert {row["suppression"] for row in rows} == {None, "secondary"}
    assert any(row["clearance_change_pp"] is not None and row["clearance_change_pp"] < 0 for row in rows)
    return {tuple(row[name] for name in KEY): {k: v for k, v in row.items() if k not in KEY} for row in rows}


def dimension(folder: Path, table: str, key: str, text: str, where: str = "true") -> dict[Any, Any]:
    path = folder / "parquet" / f"{table}.parquet"
    return dict(duckdb.sql(f"select {key}, {text} from '{path}' where {where}").fetchall())


def of_cube(name: str) -> tuple[str, tuple[str, ...]]:
    """Indicator and levels that a cube's file name names."""
    indicator, _, levels = name.partition(".")
    return indicator, tuple(levels.split("_"))


def level_of(code: str, levels: tuple[str, ...]) -> str:
    return levels[0] if len(levels) == 1 else "riket" if code == "SE" else "polisregion"


def assert_same(found: Figures, figures: Figures, *, yes_and_no: bool) -> None:
    """The same figures, to the last bit; `yes_and_no`: whether the format knows them, else they are 1 and 0.

    What a level does not have is left out, so that nobody takes it for withheld.
    """
    assert found.keys() == figures.keys()
    for key, row in figures.items():
        left_out = DETAILS if key[KEY.index("geography_level")] in ("lan", "kommun") else set()
        assert {row[measure] for measure in left_out} <= {None}, key
        assert found[key].keys() == row.keys() - left_out, key
        for measure, other in found[key].items():
            value = row[measure]
            assert other == value, (key, measure)
            assert (other is None) == (value is None), (key, measure)
            if yes_and_no:
                assert isinstance(other, bool) == isinstance(value, bool), (key, measure)


# --- the figures -----------------------------------------------------------------------------------------------------


def test_the_workbook_holds_the_figures_as_numbers(folder: Path, figures: Figures) -> None:
    book = openpyxl.load_workbook(folder / "uppklarat.xlsx", read_only=True)
    found: Figures = {}
    for sheet in book.worksheets[:3]:
        rows = sheet.iter_rows(values_only=True)
        swedish, english, names = next(rows), next(rows), next(rows)
        assert dict(zip(names, swedish, strict=True))["processed"] == "Handlagda brott"
        assert dict(zip(names, english, strict=True))["processed"] == "Processed offences"
        for cells in rows:
            row = dict(zip(names, cells, strict=True))
            found[tuple(row[name] for name in KEY)] = {
                name: row[name] for name in names if name in next(iter(figures.values()))
            }
            if row["indicator_id"] == "valdtakt":
                assert (row["indicator_name_sv"], row["indicator_name_en"]) == ("Våldtäkt", "Rape")
    assert_same(found, figures, yes_and_no=True)


def test_the_workbook_is_filtered_frozen_and_explained(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "uppklarat.xlsx", read_only=True)
    assert {"Indikatorer Indicators", "Tidsseriebrott Breaks", "Kontroller Checks"} <= set(book.sheetnames)
    texts = [list(row) for row in book["Läs först Read first"].iter_rows(values_only=True)]
    assert [
        "Räkna aldrig medelvärden av procenttal. Summera antalen och dividera sedan.",
        "Never average rates. Sum the counts, then divide.",
    ] in texts
    assert any(folder.name in str(text) for text, _ in texts)
    about = book.properties
    assert (about.title, about.description) == (texts[0][0], folder.name)
    assert about.created == about.modified == datetime.strptime(folder.name, "%Y%m%dT%H%M%SZ")
    with zipfile.ZipFile(folder / "uppklarat.xlsx") as archive:
        for number, title in enumerate(book.sheetnames[:-1], start=1):
            if title.startswith("Läs först"):
                continue
            sheet = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
            assert re.search('<pane [^>]*topLeftCell="[AE]4"[^>]*state="frozen"', sheet), number
            assert '<autoFilter ref="A3:' in sheet, number


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_stat_holds_the_figures(folder: Path, figures: Figures, language: str) -> None:
    listed = json.loads((folder / "json-stat" / f"{language}.json").read_text(encoding="utf-8"))
    found: Figures = {}
    names = dimension(folder, "dim_victim_group", "victim_group", f"name_{language}")
    for item in listed["link"]["item"]:
        text = (folder / "json-stat" / item["href"]).read_text(encoding="utf-8")
        read = json.loads(text)
        assert validate_jsonstat(read)
        indicator, levels = of_cube(item["href"].removesuffix(f".{language}.json"))
        assert read["role"] == {"time": ["year"], "geo": ["geography_code"], "metric": ["measure"]}
        groups = read["dimension"]["victim_group"]["category"]["label"]
        assert groups == {code: names[code] for code in groups}
        table = pyjstat.Dataset.read(text).write("dataframe", naming="id")
        status = {int(position): why for position, why in read.get("status", {}).items()}
        read_columns = [table[name].tolist() for name in (*read["id"], "value")]
        for position, (variant, code, group, year, measure, value) in enumerate(zip(*read_columns, strict=True)):
            key = (indicator, variant, int(year), level_of(code, levels), code, group)
            of_key = found.setdefault(key, {"suppression": None})
            of_key[measure] = None if value is None or value != value else value
            if measure == "processed":
                of_key["suppression"] = status.get(position)
            assert position not in status or read["value"][position] is None
    assert_same(found, figures, yes_and_no=False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_px_holds_the_figures(folder: Path, figures: Figures, language: str) -> None:
    found: Figures = {}
    names = dimension(folder, "dim_indicator", "indicator_id", f"name_{language}")
    for path in sorted((folder / "px").glob("*.px")):
        indicator, levels = of_cube(path.stem)
        rows, metadata = read_px(path, language)
        assert metadata["TITLE"][0].startswith(names[indicator])
        for (variant, code, group, year, measure), value in rows:
            key = (indicator, variant, int(year), level_of(code, levels), code, group)
            of_key = found.setdefault(key, {"suppression": None})
            of_key[measure] = None if value.startswith('"') else float(value)
            if measure == "processed":
                of_key["suppression"] = {'"..."': "secondary"}.get(value)
    assert_same(found, figures, yes_and_no=False)


def read_px(path: Path, language: str) -> tuple[list[tuple[tuple[str, ...], str]], Mapping[str, Any]]:
    """Codes and value of every cell, as an independent reader finds them; values as they are written."""
    read = pyaxis.parse(str(path), encoding="utf-8", lang=language, null_values="^never$", sd_values="^never$")
    metadata, table = read["METADATA"], read["DATA"]
    for name in table.columns[:-1]:
        codes = dict(zip(metadata[f"VALUES({name})"], metadata[f"CODES({name})"], strict=True))
        assert len(codes) == len(metadata[f"VALUES({name})"])
        table[name] = table[name].map(codes)
    assert not table.isna().any().any()
    *codes, values = (table[name].tolist() for name in table.columns)
    return list(zip(zip(*codes, strict=True), values, strict=True)), metadata


def test_px_says_what_pxweb_asks_for(folder: Path) -> None:
    text = (folder / "px" / "valdtakt.lan.px").read_text(encoding="utf-8")
    head = text[: text.index("\nDATA=\n")]
    output = [line.partition("=")[0] for line in head.split("\n")]
    for keyword in ("CHARSET", "AXIS-VERSION", "CODEPAGE", "LANGUAGES", "MATRIX", "SUBJECT-CODE", "SUBJECT-AREA", "TITLE",
                    "CONTENTS", "UNITS", "DECIMALS", "STUB", "HEADING", "CONTVARIABLE", "TIMEVAL(\"År\")", "SOURCE",
                    "DATASYMBOL1", "DATASYMBOL2", "DATASYMBOL3", "NOTE", "NOTE[en]", "CONTVARIABLE[en]"):  # fmt: skip
        assert keyword in output, keyword
    assert max(map(len, head.split("\n"))) <= 256
    assert 'VALUENOTE("År","2023")' in head or "VALUENOTE" not in head
    assert 'VARIABLECODE("Geografi")="geography_code";\nVARIABLECODE[en]("Geography")="geography_code";' in head
    assert 'TIMEVAL("År")=TLIST(A1),"2023","2024";' in head


# --- data package ----------------------------------------------------------------------------------------------------


def test_the_data_package_describes_every_table(folder: Path, tmp_path: Path) -> None:
    package = Package(str(folder / "datapackage.json"))
    report = package.validate()
    assert report.valid, report.flatten(["name", "type", "message"])
    tables = {path.stem for path in (folder / "csv").glob("*.csv")}
    assert {one.name for one in package.resources if one.type == "table"} == tables
    (facts,) = (one for one in package.resources if one.name == "fct_indicator_year")
    assert set(facts.schema.primary_key) == set(KEY)
    assert len(facts.schema.foreign_keys) == 4
    rows = facts.read_rows()
    parquet = polars.read_parquet(folder / "parquet" / "fct_indicator_year.parquet").rows(named=True)
    as_read = [
        {name: float(cell) if hasattr(cell, "as_tuple") else cell for name, cell in row.to_dict().items()}
        for row in rows
    ]
    assert as_read == parquet


def test_the_data_package_notices_another_file(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "csv", tmp_path / "csv")
    shutil.copytree(folder / "parquet", tmp_path / "parquet")
    shutil.copy(folder / "datapackage.json", tmp_path)
    path = tmp_path / "csv" / "dim_victim_group.csv"
    path.chmod(0o644)
    path.write_text(path.read_text(encoding="utf-8").replace("kvinna", "qvinna"), encoding="utf-8")
    found = {kind for (kind,) in Package(str(tmp_path / "datapackage.json")).validate().flatten(["type"])}
    assert {"hash-count", "foreign-key", "constraint-error"} <= found


# --- the record ------------------------------------------------------------------------------------------------------

AT = "https://statistik.example.org/mal5/"


def record(folder: Path, at: str = AT) -> Graph:
    here = f"{at}{folder.name}/"
    turtle = Graph().parse(folder / "dcat.ttl", format="turtle", publicID=f"{here}dcat.ttl")
    json_ld = Graph().parse(folder / "dcat.jsonld", format="json-ld", publicID=f"{here}dcat.jsonld")
    assert isomorphic(turtle, json_ld)
    return turtle


MANDATORY = {
    DCAT.Catalog: [DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCTERMS.license, DCAT.dataset],
    DCAT.DatasetSeries: [DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.contactPoint, DCTERMS.temporal,
                         DCTERMS.spatial, DCTERMS.accrualPeriodicity, DCAT.theme, DCAT.keyword],
    DCAT.Dataset: [DCTERMS.title, DCTERMS.description, DCTERMS.publisher, DCAT.contactPoint, DCTERMS.accessRights, DCAT.theme,
                   DCAT.keyword, DCTERMS.spatial, DCTERMS.temporal, DCTERMS.language, DCTERMS.issued, DCAT.version,
                   ADMS.versionNotes, DCAT.inSeries, DCAT.distribution, DCTERMS.accrualPeriodicity],
    DCAT.Distribution: [DCTERMS.title, DCTERMS.license, DCAT.accessURL, DCAT.downloadURL, DCTERMS["format"], DCAT.byteSize],
    FOAF.Agent: [FOAF.name],
    VCARD.Organization: [VCARD.fn, VCARD.hasEmail],
    DCTERMS.PeriodOfTime: [DCAT.startDate, DCAT.endDate],
    SPDX.Checksum: [SPDX.algorithm, SPDX.checksumValue],
}  # fmt: skip


def assert_complete(graph: Graph) -> None:
    """Everything that the profile requires of a class is there, texts in both languages."""
    for kind, properties in MANDATORY.items():
        things = list(graph.subjects(RDF.type, kind))
        assert things, kind
        for thing in things:
            assert isinstance(thing, URIRef)
            for name in properties:
                values = list(graph.objects(thing, name))
                assert values, (thing, name)
                if name in (DCTERMS.title, DCTERMS.description, DCAT.keyword, ADMS.versionNotes):
                    assert {value.language for value in values} == set(LANGUAGES), (thing, name)
    assert URIRef("http://publications.europa.eu/resource/authority/data-theme/JUST") in set(
        graph.objects(None, DCAT.theme)
    )


def test_the_record_leads_to_every_file_with_its_hash_and_size(folder: Path) -> None:
    graph = record(folder)
    assert_complete(graph)
    (dataset,) = graph.subjects(RDF.type, DCAT.Dataset)
    linked = set()
    for distribution in graph.objects(dataset, DCAT.distribution):
        files = [file_at(address, folder) for address in graph.objects(distribution, DCAT.downloadURL)]
        linked |= set(files)
        assert graph.value(distribution, DCAT.byteSize) == Literal(
            sum(path.stat().st_size for path in files), datatype=XSD.nonNegativeInteger
        )
        assert file_at(graph.value(distribution, DCAT.accessURL), folder).exists()
        for path, address in zip(files, graph.objects(distribution, DCAT.downloadURL), strict=True):
            checksum = graph.value(distribution if len(files) == 1 else address, SPDX.checksum)
            assert str(graph.value(checksum, SPDX.checksumValue)) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert {file_at(address, folder) for address in graph.objects(dataset, FOAF.page)} == {folder / "dictionary.md"}
    about = {"manifest.json", "datapackage.json", "dcat.ttl", "dcat.jsonld", "sv.json", "en.json", "dictionary.md"}
    assert linked == {path for path in folder.rglob("*") if path.is_file() and path.name not in about}


def file_at(address: Any, folder: Path) -> Path:
    return folder / str(address).removeprefix(f"{AT}{folder.name}/")


OWN = {
    "publisher": {"sv": "Länsstyrelsen i Exempel", "en": "County board of Exempel"},
    "publisher_uri": "https://example.org/id/agency",
    "contact": {"sv": "Statistikfunktionen", "en": "Statistics unit"},
    "contact_email": "statistik@example.org",
    "licence": "http://creativecommons.org/licenses/by/4.0/",
    "licence_name": "CC-BY-4.0",
    "base_url": "https://data.example.org/mal5/",
}


def test_another_publisher_is_another_publication(made: Settings, settings: Settings) -> None:
    published = copied(made, settings_in(settings.home.parent, suppress_below=5))
    assert nothing_to_publish(read_state(published))
    (published.home / paths.CATALOGUE).write_text(yaml.safe_dump(OWN, allow_unicode=True), encoding="utf-8")
    assert not nothing_to_publish(read_state(published))


def test_who_publishes_is_said_and_the_series_holds_all_publications(other: Path, folder: Path) -> None:
    graph = record(other, "https://elsewhere.example.org/")
    assert_complete(graph)
    (series,) = graph.subjects(RDF.type, DCAT.DatasetSeries)
    datasets = [URIRef(f"{OWN['base_url']}{one}/#dataset") for one in (folder.name, other.name)]
    assert set(graph.subjects(DCAT.inSeries, series)) == set(datasets)
    assert graph.value(datasets[1], DCAT.prev) == datasets[0]
    assert graph.value(datasets[1], DCTERMS.publisher) == URIRef(str(OWN["publisher_uri"]))
    assert {str(one) for one in graph.objects(None, DCTERMS.license)} == {
        OWN["licence"],
        "http://creativecommons.org/publicdomain/zero/1.0/",
    }
    assert graph.value(graph.value(datasets[1], DCAT.contactPoint), VCARD.hasEmail) == URIRef(
        "mailto:statistik@example.org"
    )
    assert validate_jsonstat(json.loads((other / "json-stat" / "sv.json").read_text(encoding="utf-8")))
    assert not [one for one in graph.all_nodes() if isinstance(one, URIRef) and "elsewhere" in one]
    assert "Statistics unit, statistik@example.org" in (other / "px" / "valdtakt.lan.px").read_text(encoding="utf-8")


SLIPS = {
    "an unknown name": {"publicher": {"sv": "a", "en": "b"}},
    "one language": {"publisher": {"sv": "a"}},
    "a list for a text": {"title": {"sv": ["a"], "en": ["b"]}},
    "a text for a list": {"keywords": {"sv": "a", "en": "b"}},
    "an empty text": {"contact": {"sv": " ", "en": "b"}},
    "no address": {"licence": "CC0"},
    "nothing where something must be": {"licence": None},
    "no slash": {"base_url": "https://data.example.org/mal5"},
    "no mail": {"contact_email": "statistik"},
    "a person": {"contact": {"sv": "19900101-0017", "en": "b"}},
    "a list": ["publisher"],
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_the_catalogue_is_refused_before_anything_is_loaded(settings: Settings, slip: str) -> None:
    settings.home.mkdir(parents=True)
    settings.landing.mkdir()
    (settings.home / paths.CATALOGUE).write_text(yaml.safe_dump(SLIPS[slip], allow_unicode=True), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"catalogue\.yml"):
        load(settings)


def test_the_example_of_the_docs_is_understood(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"```yaml\n(.*?)```", (REPOSITORY / "docs" / "formats.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "catalogue.yml").write_text(example, encoding="utf-8")
    assert read_catalogue(tmp_path / "catalogue.yml") != read_catalogue(Path("none"))


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.yml"
    path.write_text("base_url: https://a.example.org/\nbase_url: https://b.example.org/\n", encoding="utf-8")
    with pytest.raises(CatalogueError):
        read_catalogue(path)


# --- texts -----------------------------------------------------------------------------------------------------------

EVIL = {
    "0114": 'Så kallade "Väsby"; (norr), ÅÄÖ=1',
    "0115": "=cmd|' /C calc'!A0",
    "0117": "två\nrader",
    "0120": "Samma",
    "0123": "Samma",
    "0125": "<b>&amp;</b> [en] DATASYMBOL1=",
}


@pytest.fixture(scope="module")
def other(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A later publication of the same figures, by somebody else, with other names of municipalities, and declared synthetic."""
    output = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    draft = tmp_path_factory.mktemp("other") / "20991231T235959Z"
    for part in ("csv", "parquet"):
        shutil.copytree(folder / part, draft / part)
    path = draft / "parquet" / "dim_geography.parquet"
    table = polars.read_parquet(path)
    renamed = polars.when(polars.col("geography_level") == "kommun").then(
        polars.col("geography_code").replace_strict(EVIL, default=polars.col("name_sv"))
    )
    path.chmod(0o644)
    table.with_columns(
        *(renamed.otherwise(polars.col(name)).alias(name) for name in ("name_sv", "name_en"))
    ).write_parquet(path)
    own = draft.parent / "catalogue.yml"
    own.write_text(yaml.safe_dump(OWN, allow_unicode=True), encoding="utf-8")
    write_formats(draft, {**output, "publication_id": draft.name, "synthetic": True}, [output], read_catalogue(own))
    return draft


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_may_be_anything(other: Path, folder: Path, language: str) -> None:
    rows, metadata = read_px(other / "px" / "valdtakt.kommun.px", language)
    assert [value for _, value in rows] == [
        value for _, value in read_px(folder / "px" / "valdtakt.kommun.px", language)[0]
    ]
    geography = "Geografi" if language == "sv" else "Geography"
    shown = dict(zip(metadata[f"CODES({geography})"], metadata[f"VALUES({geography})"], strict=True))
    assert shown["0114"] == "Så kallade 'Väsby'; (norr), ÅÄÖ=1"
    assert (shown["0115"], shown["0117"]) == (EVIL["0115"], "två rader")
    assert (shown["0120"], shown["0123"], shown["0125"]) == ("Samma (0120)", "Samma (0123)", EVIL["0125"])
    read = json.loads((other / "json-stat" / f"valdtakt.kommun.{language}.json").read_text(encoding="utf-8"))
    labels = read["dimension"]["geography_code"]["category"]["label"]
    assert {code: labels[code] for code in EVIL} == EVIL


def test_no_name_becomes_a_formula_in_the_workbook(other: Path) -> None:
    sheet = openpyxl.load_workbook(other / "uppklarat.xlsx", read_only=True).worksheets[5]
    assert sheet.title == "Geografi Geography"
    cells = {row[1].value: row[2] for row in sheet.iter_rows(min_row=4) if row[0].value == "kommun"}
    for code, name in EVIL.items():
        assert (cells[code].data_type, cells[code].value) == ("s", name)


def test_synthetic_data_are_called_so_in_every_format(other: Path) -> None:
    for name in ("px/valdtakt.lan.px", "json-stat/valdtakt.lan.en.json", "datapackage.json", "dcat.ttl", "dcat.jsonld"):
        assert "SYNTHETIC DATA" in (other / name).read_text(encoding="utf-8"), name
    notes = openpyxl.load_workbook(other / "uppklarat.xlsx", read_only=True)["Läs först Read first"]
    assert any("SYNTHETIC DATA" in str(cell) for row in notes.iter_rows(values_only=True) for cell in row)


FORMULAS = {
    "=1+1": 1, "+A1": 1, "-cmd": 1, "@SUM(1)": 1, "\t=1": 1, "\r=1": 1, "a;=1": 1, "a\n=1": 1,
    "-1.5": 0, "a=1": 0, "a - b; c": 0, "Upplands-Bro": 0, "": 0,
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_compute_is_noticed(settings: Settings, text: str) -> None:
    warehouse = settings.home / paths.WAREHOUSE
    draft = settings.published / paths.DRAFT
    settings.home.mkdir(parents=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.shown (number double, words varchar)")
        connection.execute("insert into marts.shown values (-0.5, ?), (-1.5, 'words')", [text])
    begin_draft(draft)
    write_draft(draft, ["shown"], warehouse)
    with read_back(draft, ["shown"], warehouse) as connection:
        found = dict(connection.execute(f"select format, formulas from {READ_BACK}").fetchall())
    assert found == {"csv": FORMULAS[text], "duckdb": 0, "parquet": 0}


def test_a_formula_is_not_published(made: Settings, settings: Settings) -> None:
    published = copied(made, settings_in(settings.home.parent, suppress_below=5))
    with duckdb.connect(str(published.home / paths.WAREHOUSE)) as connection:
        connection.execute("update marts.dim_geography set name_sv = '=1+1' where geography_code = '0114'")
        # As if a build had made it: what anything else changes is noticed before.
        record_build_ended(connection, read_state(published))
    with pytest.raises(PublishingBlockedError, match="no_text_is_a_formula"):
        make_draft(published)


# --- the whole -------------------------------------------------------------------------------------------------------


def test_the_manifest_knows_every_file(made: Settings, folder: Path) -> None:
    (publication,) = publications(made)
    on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(publication.manifest["files"]) == on_disk - {"manifest.json"}
    assert changed_files(publication) == []


def test_the_same_draft_gives_the_same_bytes_in_another_process(made: Settings, folder: Path, tmp_path: Path) -> None:
    draft, rewritten = tmp_path / "draft", ["px", "json-stat", "uppklarat.xlsx", "dcat.ttl", "superset.zip"]
    shutil.copytree(folder, draft, ignore=lambda *_: [*rewritten, "manifest.json"])
    again = (
        "import json, sys; from pathlib import Path; from dagster_project.publication.formats.write import write_formats; "
        "from dagster_project.publication.formats.catalogue import read_catalogue; draft, description = map(Path, sys.argv[1:]); "
        "write_formats(draft, json.loads(description.read_text()), [], read_catalogue(Path('none')))"
    )
    command = [sys.executable, "-c", again, str(draft), str(folder / "manifest.json")]
    subprocess.run(command, check=True, env=environment(made) | {"PYTHONHASHSEED": "7"})
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            assert (draft / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


def test_no_place_on_this_machine_is_told(made: Settings, folder: Path) -> None:
    place = str(made.home.parent).encode()
    for path in folder.rglob("*"):
        if path.is_file():
            assert place not in path.read_bytes(), path.name


def test_figures_with_holes_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "parquet", tmp_path / "parquet")
    path = tmp_path / "parquet" / "fct_indicator_year.parquet"
    path.chmod(0o644)
    polars.read_parquet(path)[:-1].write_parquet(path)
    with pytest.raises(ValueError, match="holes"):
        list(read_cubes(tmp_path))


def test_a_file_that_was_damaged_on_its_way_is_noticed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "parquet", tmp_path / "parquet")
    from dagster_project.publication.formats import px

    write = px.write_text

    def damage(path: Path, text: str) -> None:
        write(path, text.replace('"..."', '"."', 1))

    monkeypatch.setattr(px, "write_text", damage)
    output = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    with pytest.raises(FormatError, match=r"\.px"):
        write_formats(tmp_path, output, [], read_catalogue(Path("none")))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Readers of others warn of their own dependencies."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_the_dashboard_for_superset_fits_its_table(folder: Path) -> None:
    with zipfile.ZipFile(folder / "superset.zip") as packed:
        files = {Path(name).stem: yaml.safe_load(packed.read(name)) for name in packed.namelist()}
        charts = {Path(name).stem for name in packed.namelist() if "/charts/" in name}
    dataset = files["indicator_report"]
    metrics = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    filters = files["uppklarat"]["metadata"]["native_filter_configuration"]
    filtered = [target["column"]["name"] for one in filters for target in one["targets"]]
    with duckdb.connect(str(folder / "uppklarat.duckdb"), read_only=True) as connection:
        table = f"{dataset['schema']}.{dataset['table_name']}"
        columns = [name for name, *_ in connection.execute(f"describe {table}").fetchall()]
        assert [column["column_name"] for column in dataset["columns"]] == columns
        assert set(filtered) <= set(columns)
        assert charts
        for name in charts:
            params = files[name]["params"]
            assert {*params.get("groupby", []), *([params["x_axis"]] if "x_axis" in params else [])} <= set(columns)
            assert set(params["metrics"]) <= set(metrics)
            (only,) = params["adhoc_filters"]
            assert connection.execute(
                f"select count(*) from {table} where adds_up_in = ?", [only["comparator"]]
            ).fetchone() > (0,)
        rows = connection.execute(
            f"""
            select {metrics["clearance_rate"]}, any_value(clearance_pct) from {table} where processed > 0
            group by indicator_id, variant, year, geography_level, geography_code, victim_group
            """
        ).fetchall()
    assert rows
    assert all(rate == pytest.approx(published) for rate, published in rows)
