"""Metadata for data portals: DCAT-AP-SE 3 (https://docs.dataportal.se/dcat/en/), as Turtle and JSON-LD.

The catalogue has one dataset series with a dataset per kept publication. A format of several files is one distribution with
several download URLs, as the profile requires. Without a configured base URL, links are relative.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rdflib import DCTERMS, FOAF, RDF, XSD, Graph, Literal, Namespace, URIRef

from dagster_project.files import write_json, write_text
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.formats.catalogue import Catalogue
from dagster_project.publication.formats.datapackage import PACKAGE
from dagster_project.publication.formats.excel import WORKBOOK
from dagster_project.publication.formats.superset import DASHBOARD
from dagster_project.publication.formats.texts import LANGUAGES, Text, notes
from dagster_project.publication.marts_page import DICTIONARY, REPORT

TURTLE, JSON_LD = "dcat.ttl", "dcat.jsonld"
# rdflib's namespace is DCAT 2, which has no series.
_DCAT = Namespace("http://www.w3.org/ns/dcat#")
_ADMS = Namespace("http://www.w3.org/ns/adms#")
_SPDX = Namespace("http://spdx.org/rdf/terms#")
_VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_AUTHORITY = "http://publications.europa.eu/resource/authority"
_LANGUAGE = {"sv": URIRef(f"{_AUTHORITY}/language/SWE"), "en": URIRef(f"{_AUTHORITY}/language/ENG")}
_THEMES = [URIRef(f"{_AUTHORITY}/data-theme/JUST")]
_SWEDEN = [URIRef(f"{_AUTHORITY}/country/SWE"), URIRef("http://sws.geonames.org/2661886/")]
_YEARLY = URIRef(f"{_AUTHORITY}/frequency/ANNUAL")
_PUBLIC = URIRef(f"{_AUTHORITY}/access-right/PUBLIC")
# The licence of the metadata, which the profile prescribes.
_METADATA_LICENCE = URIRef("http://creativecommons.org/publicdomain/zero/1.0/")


@dataclass(frozen=True)
class _Format:
    """A distribution: `begins` and `ends` select its files; `entry` is the file that lists the others."""

    name: str
    title: Text
    begins: str
    ends: str
    media_type: str
    entry: str | None = None
    conforms_to: str | None = None
    languages: tuple[str, ...] = LANGUAGES


_FORMATS = (
    _Format("duckdb", {"sv": "DuckDB-databas", "en": "DuckDB database"}, DATABASE, "", "application/vnd.duckdb"),
    _Format(
        "excel",
        {"sv": "Excel-arbetsbok", "en": "Excel workbook"},
        WORKBOOK,
        "",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    _Format(
        "csv",
        {"sv": "CSV, en fil per tabell", "en": "CSV, one file per table"},
        "csv/",
        ".csv",
        "text/csv",
        PACKAGE,
        "https://datapackage.org/profiles/2.0/datapackage.json",
    ),
    _Format(
        "parquet",
        {"sv": "Parquet, en fil per tabell", "en": "Parquet, one file per table"},
        "parquet/",
        ".parquet",
        "application/vnd.apache.parquet",
        PACKAGE,
        "https://datapackage.org/profiles/2.0/datapackage.json",
    ),
    _Format("px", {"sv": "PX (PC-Axis)", "en": "PX (PC-Axis)"}, "px/", ".px", "text/x-pcaxis"),
    _Format(
        "superset",
        {"sv": "Instrumentpanel för Apache Superset", "en": "Dashboard for Apache Superset"},
        DASHBOARD,
        "",
        "application/zip",
    ),
    *(
        _Format(
            f"json-stat-{language}",
            {"sv": f"JSON-stat, texter på {name['sv']}", "en": f"JSON-stat, texts in {name['en']}"},
            "json-stat/",
            f".{language}.json",
            "application/json",
            f"json-stat/{language}.json",
            "https://json-stat.org/full/",
            (language,),
        )
        for language, name in {
            "sv": {"sv": "svenska", "en": "Swedish"},
            "en": {"sv": "engelska", "en": "English"},
        }.items()
    ),
)


def write_dcat(
    draft: Path, manifest: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], catalogue: Catalogue
) -> None:
    """Write the metadata of a draft as Turtle and JSON-LD.

    `manifest` lists all `files` except these two; `earlier` are the manifests of earlier publications.
    """
    graph = _build_graph(manifest, earlier, catalogue)
    write_text(draft / TURTLE, graph.serialize(format="turtle"))
    nodes = json.loads(graph.serialize(format="json-ld", auto_compact=True))
    write_json(draft / JSON_LD, _sorted(nodes))


def _build_graph(manifest: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> Graph:
    base = catalogue.base_url or "../"
    graph = Graph(bind_namespaces="none")
    for prefix, namespace in {
        "adms": _ADMS,
        "dcat": _DCAT,
        "dcterms": DCTERMS,
        "foaf": FOAF,
        "spdx": _SPDX,
        "vcard": _VCARD,
        "xsd": XSD,
    }.items():
        graph.bind(prefix, namespace)
    root, series = URIRef(f"{base}#catalogue"), URIRef(f"{base}#series")
    publisher, contact = _add_agents(graph, base, catalogue)
    versions = [*earlier, manifest]
    datasets = [URIRef(f"{base}{version['publication_id']}/#dataset") for version in versions]
    shared = _shared_properties(catalogue, publisher, contact)
    _add(
        graph,
        root,
        {
            RDF.type: [_DCAT.Catalog],
            DCTERMS.title: _texts(catalogue.title),
            DCTERMS.description: _texts(catalogue.description),
            DCTERMS.publisher: [publisher],
            DCTERMS.license: [_METADATA_LICENCE],
            DCTERMS.language: shared[DCTERMS.language],
            DCTERMS.issued: [_moment(versions[0])],
            DCTERMS.modified: [_moment(manifest)],
            _DCAT.themeTaxonomy: [URIRef(f"{_AUTHORITY}/data-theme")],
            _DCAT.dataset: [series, *datasets],
        },
    )
    _add(
        graph,
        series,
        {
            **shared,
            RDF.type: [_DCAT.DatasetSeries],
            DCTERMS.description: _description(catalogue, manifest),
            DCTERMS.temporal: [
                _period(graph, URIRef(f"{base}#period"), [year for version in versions for year in version["years"]])
            ],
            DCTERMS.issued: [_moment(versions[0])],
            DCTERMS.modified: [_moment(manifest)],
            _DCAT.first: datasets[:1],
            _DCAT.last: datasets[-1:],
        },
    )
    for version, dataset, before in zip(versions, datasets, [None, *datasets[:-1]], strict=True):
        in_series = {_DCAT.inSeries: [series], **({_DCAT.prev: [before]} if before else {})}
        _add_dataset(graph, dataset, version, {**shared, **in_series}, catalogue, version is manifest)
    return graph


def _shared_properties(
    catalogue: Catalogue, publisher: URIRef, contact: URIRef
) -> dict[URIRef, Sequence[URIRef | Literal]]:
    """Metadata shared by the series and each publication in it."""
    return {
        DCTERMS.title: _texts(catalogue.title),
        DCTERMS.publisher: [publisher],
        _DCAT.contactPoint: [contact],
        _DCAT.keyword: [
            Literal(word, lang=language) for language in LANGUAGES for word in catalogue.keywords[language]
        ],
        _DCAT.theme: _THEMES,
        DCTERMS.language: [_LANGUAGE[language] for language in LANGUAGES],
        DCTERMS.spatial: _SWEDEN,
        DCTERMS.accrualPeriodicity: [_YEARLY],
        **({_DCAT.landingPage: [URIRef(catalogue.landing_page)]} if catalogue.landing_page else {}),
    }


def _add_agents(graph: Graph, base: str, catalogue: Catalogue) -> tuple[URIRef, URIRef]:
    """Add the publisher and the contact."""
    publisher = URIRef(catalogue.publisher_uri or f"{base}#publisher")
    contact = URIRef(f"{base}#contact")
    _add(graph, publisher, {RDF.type: [FOAF.Agent], FOAF.name: _texts(catalogue.publisher)})
    _add(
        graph,
        contact,
        {
            RDF.type: [_VCARD.Organization],
            _VCARD.fn: _texts(catalogue.contact),
            _VCARD.hasEmail: [URIRef(f"mailto:{catalogue.contact_email}")],
        },
    )
    return publisher, contact


def _add_dataset(
    graph: Graph,
    dataset: URIRef,
    version: Mapping[str, Any],
    shared: Mapping[URIRef, Sequence[URIRef | Literal]],
    catalogue: Catalogue,
    each_file: bool,
) -> None:
    """Add a publication as a dataset with its distributions."""
    folder = URIRef(str(dataset).removesuffix("#dataset"))
    distributions = [_distribution(graph, folder, form, version["files"], catalogue, each_file) for form in _FORMATS]
    _add(
        graph,
        dataset,
        {
            **shared,
            RDF.type: [_DCAT.Dataset],
            DCTERMS.description: _description(catalogue, version),
            DCTERMS.identifier: [Literal(version["publication_id"])],
            DCTERMS.accessRights: [_PUBLIC],
            DCTERMS.temporal: [_period(graph, URIRef(f"{folder}#period"), version["years"])],
            _DCAT.temporalResolution: [Literal("P1Y", datatype=XSD.duration)],
            DCTERMS.issued: [_moment(version)],
            DCTERMS.modified: [_moment(version)],
            _DCAT.version: [Literal(version["publication_id"])],
            _ADMS.versionNotes: _texts(_version_notes(version)),
            FOAF.page: [URIRef(f"{folder}{page}") for page in (DICTIONARY, REPORT) if page in version["files"]],
            _DCAT.distribution: [distribution for distribution in distributions if distribution],
        },
    )


def _distribution(
    graph: Graph, folder: URIRef, form: _Format, files: Mapping[str, Any], catalogue: Catalogue, each_file: bool
) -> URIRef | None:
    """Add a format of a publication, if it has files; `each_file` adds hash and size of each file."""
    names = [name for name in files if name.startswith(form.begins) and name.endswith(form.ends)]
    if not names:
        return None
    distribution = URIRef(f"{folder}#{form.name}")
    entry = form.entry if form.entry in files else names[0] if len(names) == 1 else ""
    _add(
        graph,
        distribution,
        {
            RDF.type: [_DCAT.Distribution],
            DCTERMS.title: _texts(form.title),
            DCTERMS.description: _texts(form.title),
            DCTERMS["format"]: [Literal(form.media_type)],
            DCTERMS.license: [URIRef(catalogue.licence)],
            DCTERMS.language: [_LANGUAGE[language] for language in form.languages],
            _DCAT.accessURL: [URIRef(f"{folder}{entry}")],
            _DCAT.downloadURL: [URIRef(f"{folder}{name}") for name in names],
            _DCAT.byteSize: [_size(sum(files[name]["bytes"] for name in names))],
            **({DCTERMS.conformsTo: [URIRef(form.conforms_to)]} if form.conforms_to else {}),
        },
    )
    if len(names) == 1:
        _add_checksum(graph, distribution, URIRef(f"{distribution}-checksum"), files[names[0]])
    elif each_file:
        for name in names:
            file = URIRef(f"{folder}{name}")
            _add(graph, file, {RDF.type: [_SPDX.File], _DCAT.byteSize: [_size(files[name]["bytes"])]})
            _add_checksum(graph, file, URIRef(f"{file}#checksum"), files[name])
    return distribution


def _add_checksum(graph: Graph, subject: URIRef, checksum: URIRef, file: Mapping[str, Any]) -> None:
    _add(graph, subject, {_SPDX.checksum: [checksum]})
    _add(
        graph,
        checksum,
        {
            RDF.type: [_SPDX.Checksum],
            _SPDX.algorithm: [_SPDX.checksumAlgorithm_sha256],
            _SPDX.checksumValue: [Literal(file["sha256"], datatype=XSD.hexBinary)],
        },
    )


def _period(graph: Graph, period: URIRef, years: Sequence[int]) -> URIRef:
    _add(
        graph,
        period,
        {
            RDF.type: [DCTERMS.PeriodOfTime],
            _DCAT.startDate: [Literal(f"{min(years)}-01-01", datatype=XSD.date)],
            _DCAT.endDate: [Literal(f"{max(years)}-12-31", datatype=XSD.date)],
        },
    )
    return period


def _description(catalogue: Catalogue, manifest: Mapping[str, Any]) -> list[Literal]:
    synthetic = notes()["synthetic"] if manifest["synthetic"] else dict.fromkeys(LANGUAGES, "")
    return _texts(
        {language: f"{synthetic[language]} {catalogue.description[language]}".strip() for language in LANGUAGES}
    )


def _version_notes(manifest: Mapping[str, Any]) -> Text:
    years = ", ".join(map(str, manifest["years"]))
    return {"sv": f"Åren {years}.", "en": f"Years {years}."}


def _texts(text: Text) -> list[Literal]:
    return [Literal(text[language], lang=language) for language in LANGUAGES]


def _moment(manifest: Mapping[str, Any]) -> Literal:
    return Literal(manifest["published_at"], datatype=XSD.dateTime)


def _size(number: int) -> Literal:
    return Literal(number, datatype=XSD.nonNegativeInteger)


def _add(graph: Graph, subject: URIRef, properties: Mapping[URIRef, Sequence[URIRef | Literal]]) -> None:
    for predicate, values in properties.items():
        for value in values:
            graph.add((subject, predicate, value))


def _sorted(node: Any) -> Any:
    """Sort JSON-LD, whose order differs by process; the order of lists has no meaning."""
    if isinstance(node, dict):
        return {name: _sorted(node[name]) for name in sorted(node)}
    if isinstance(node, list):
        return sorted(map(_sorted, node), key=lambda item: json.dumps(item, sort_keys=True))
    return node
