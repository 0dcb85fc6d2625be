"""The labelled table, the metrics, the readers and the descriptions: what they promise holds of what is published."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import duckdb
import pytest
import yaml
from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from dbt_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator
from jinja2 import Environment
from test_docs import DOCS

from dagster_project import paths
from dagster_project.publication.draft import DATABASE
from dagster_project.publication.marts_page import DICTIONARY, TABLES
from dagster_project.seeds import decided_indicators
from dagster_project.settings import Settings
from dagster_project.transformation.dbt_project import described_tables, mart_tables, prepare_manifest
from dagster_project.transformation.docs_page import write_docs_page


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return dict(json.loads(prepare_manifest().read_text(encoding="utf-8")))


@pytest.fixture
def served(published_world: Settings) -> Any:
    with duckdb.connect(str(published_world.published / paths.CURRENT / DATABASE), read_only=True) as connection:
        yield connection


# --- the labelled table -----------------------------------------------------------------------------------------------


def test_the_report_has_each_figure_once_and_as_it_is(served: duckdb.DuckDBPyConnection) -> None:
    columns = [name for name, *_ in served.execute("describe marts.fct_indicator_year").fetchall()]
    figures = f"select {', '.join(columns)} from"
    assert served.execute(f"{figures} marts.indicator_report order by all").fetchall() == (
        served.execute(f"{figures} marts.fct_indicator_year order by all").fetchall()
    )


def test_every_row_has_its_labels(served: duckdb.DuckDBPyConnection) -> None:
    columns = [name for name, *_ in served.execute("describe marts.indicator_report").fetchall()]
    labels = [
        name for name in columns if re.search("_(sv|en)$", name) and name.split("_")[0] not in ("break", "caveat")
    ]
    may_lack = {name for name in labels if name.startswith(("region_", "county_"))}
    lacking = ", ".join(f"count(*) filter ({name} is null)" for name in labels if name not in may_lack)
    assert set(served.execute(f"select {lacking} from marts.indicator_report").fetchone() or ()) == {0}
    assert [name for name in labels if name.endswith("_sv") and f"{name[:-3]}_en" not in labels] == []
    rows_shown = served.execute(
        "select distinct geography_name_sv, geography_name_en, county_name_en, region_name_en, geography_level_en, victim_group_name_en, "
        "indicator_name_en, variant_name_en from marts.indicator_report "
        "where geography_code in ('SE', 'Rn06', '12', '1280') and indicator_number = 9 and is_total and is_decided order by all"
    ).fetchall()
    of_all = ("All", "Rape", "Decided definition")
    assert rows_shown == [
        ("Hela landet", "Sweden", None, None, "Country", *of_all),
        ("Malmö", "Malmö", "Skåne County", "Police Region South", "Municipality", *of_all),
        ("Polisregion Syd", "Police Region South", None, "Police Region South", "Police region", *of_all),
        ("Skåne län", "Skåne County", "Skåne County", "Police Region South", "County", *of_all),
    ]


def test_rows_that_add_up_count_no_offence_twice(published_world: Settings, served: duckdb.DuckDBPyConnection) -> None:
    """Against the offences themselves, as far as nothing is withheld."""
    with duckdb.connect(str(published_world.home / paths.WAREHOUSE), read_only=True) as built:
        rows = built.execute(
            """
            select
                if(kind = 'decided', '', indicator_id || '/') || variant, year,
                sum(brottsantal), sum(brottsantal) filter (region_code is not null)
            from intermediate.int_processed_offence
            inner join intermediate.int_class_variant using (classified_by, class_key, indicator_id)
            inner join reference.indicator using (indicator_id)
            group by all
            """
        ).fetchall()
    assert len(rows) > 10
    for variant, year, in_country, in_regions in rows:
        for level, expected in (("riket", in_country), ("polisregion", in_regions)):
            for side in ("total", "groups"):
                found = served.execute(
                    "select sum(processed), count(distinct adds_up_in_sv), count(distinct adds_up_in_en) "
                    "from marts.indicator_report where year = ? and adds_up_in = ?",
                    [year, f"{level}/{variant}/{side}"],
                ).fetchone()
                assert found == (expected, 1, 1), (variant, year, level, side)


def test_caveats_say_what_to_mind(served: duckdb.DuckDBPyConnection) -> None:
    rows = served.execute(
        "select suppression, small_number and processed > 0, series_break, mixed_year, caveat_sv, caveat_en, break_cause_sv, "
        "break_cause_en, is_withheld from marts.indicator_report"
    ).fetchall()
    assert any(row[0] for row in rows)
    for suppression, small, broken, mixed, swedish, english, cause_sv, cause_en, withheld in rows:
        marks = [suppression is not None, bool(small), broken, mixed]
        words = ["Withheld", "Few offences", "Series break", "within the year"]
        assert [word in (english or "") for word in words] == marks
        assert (swedish is None) == (english is None) == (not any(marks))
        assert (cause_sv is not None) == (cause_en is not None) == broken
        assert withheld == marks[0]


def test_every_column_is_described_in_the_database(served: duckdb.DuckDBPyConnection) -> None:
    uncommented = served.execute(
        "select column_name from duckdb_columns() where schema_name = 'marts' and comment is null"
    ).fetchall()
    assert uncommented == []


def test_the_example_computes_a_rate_from_sums(served: duckdb.DuckDBPyConnection) -> None:
    (example,) = re.findall(r"```sql\n(.*?)```", (DOCS / "semantic-layer.md").read_text(encoding="utf-8"), re.DOTALL)
    found = {number: rate for number, _, rate in served.execute(example).fetchall()}
    figures = served.execute(
        "select indicator_number, sum(cleared), sum(processed) from marts.fct_indicator_year "
        "inner join marts.dim_indicator using (indicator_id, variant) where variant = 'beslutad' and victim_group = 'total' "
        "and kind = 'decided' and geography_code in ('Rn01', 'Rn02') and year = 2024 group by indicator_number"
    ).fetchall()
    assert len(found) == len(decided_indicators())
    assert found == {
        number: 100.0 * cleared / processed if processed else None for number, cleared, processed in figures
    }


def recipes(page: str) -> list[str]:
    blocks = re.findall(r"```sql\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return [statement for block in blocks for statement in block.strip().rstrip(";").split(";\n")]


@pytest.mark.parametrize("statement", recipes("marts.md"))
def test_recipes_run(statement: str, served: duckdb.DuckDBPyConnection) -> None:
    # The served years have neither a revision nor a series break.
    may_be_empty = "from marts.revision" in statement or "from marts.series_break" in statement
    assert served.execute(statement).fetchall() or may_be_empty


def test_a_line_over_years_keeps_every_indicator(served: duckdb.DuckDBPyConnection) -> None:
    rows = served.execute(next(one for one in recipes("marts.md") if "comparable_since" in one)).fetchall()
    assert Counter(number for number, *_ in rows) == dict.fromkeys(range(1, 12), 2)


def test_an_area_of_municipalities_has_no_sum_in_which_one_is_missing(served: duckdb.DuckDBPyConnection) -> None:
    recipe = next(one for one in recipes("marts.md") if "as withheld" in one)
    rows = served.execute(recipe).fetchall()
    assert {withheld > 0 for _, _, withheld, *_ in rows} == {True, False}
    parts = "select sum(processed) from marts.fct_indicator_year where (indicator_id, year) = (?, ?) " \
        "and variant = 'beslutad' and geography_code in ('0180', '0182', '0186')"  # fmt: skip
    for indicator, year, withheld, cleared, processed, rate in rows:
        if withheld:
            assert (cleared, processed, rate) == (None, None, None)
        else:
            assert (processed,) == served.execute(parts, [indicator, year]).fetchone()
            assert rate == (100.0 * cleared / processed if processed else None)


# --- metrics ----------------------------------------------------------------------------------------------------------


def test_the_semantic_models_are_valid(manifest: dict[str, Any]) -> None:
    output = PydanticSemanticManifest.parse_file(prepare_manifest().with_name("semantic_manifest.json"))
    assert {one.name for one in output.metrics} == {one["name"] for one in manifest["metrics"].values()}
    results = SemanticManifestValidator[PydanticSemanticManifest]().validate_semantic_manifest(output)
    assert [issue.message for issue in (*results.errors, *results.future_errors, *results.warnings)] == []


class Metrics:
    """The metrics as declared, as SQL over the marts."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.metrics = {one["name"]: one for one in manifest["metrics"].values()}
        models = {one["name"]: one for one in manifest["semantic_models"].values()}
        self.dimensions = {
            f"{entity['name']}__{dimension['name']}": dimension["expr"] or dimension["name"]
            for model in models.values()
            for entity in model["entities"]
            if entity["type"] == "primary"
            for dimension in model["dimensions"]
        }
        self.measures = {
            measure["name"]: (model["node_relation"]["alias"], measure)
            for model in models.values()
            for measure in model["measures"]
        }

    def sums(self, name: str, by: str) -> str:
        """A simple metric grouped by columns."""
        metric = self.metrics[name]
        table, measure = self.measures[metric["type_params"]["measure"]["name"]]
        jinja = Environment().from_string(
            " and ".join(f"({one['where_sql_template']})" for one in metric["filter"]["where_filters"])
        )
        where = jinja.render(Dimension=lambda dimension: self.dimensions[dimension])
        return (
            f"select {by}, {measure['agg']}({measure['expr']}) as value from marts.{table} "
            f"inner join marts.dim_indicator using (indicator_id, variant) where {where} group by {by}"
        )

    def ratio(self, name: str, by: str) -> str:
        parts = self.metrics[name]["type_params"]
        above, below = (self.sums(parts[part]["name"], by) for part in ("numerator", "denominator"))
        value = "above.value * 1.0 / nullif(below.value, 0) as value"
        return f"select {by}, {value} from ({above}) as above join ({below}) as below using ({by})"


DECIDED = "indicator_id in (select indicator_id from marts.dim_indicator where kind = 'decided')"
RATIOS = {
    "riket": ["clearance_rate", "prosecution_rate"],
    "polisregion": ["region_clearance_rate", "region_prosecution_rate"],
}


@pytest.mark.parametrize(("level", "name"), [(level, name) for level, names in RATIOS.items() for name in names])
def test_ratios_are_the_published_rates(
    level: str, name: str, manifest: dict[str, Any], served: duckdb.DuckDBPyConnection
) -> None:
    metrics = Metrics(manifest)
    published_as = metrics.metrics[name]["config"]["meta"]["published_as"]
    key = "indicator_id, year, geography_code"
    computed = {
        (indicator, year, code): None if value is None else 100 * value
        for indicator, year, code, value in served.execute(metrics.ratio(name, key)).fetchall()
    }
    published = {
        tuple(row[:3]): row[3]
        for row in served.execute(
            f"select {key}, {published_as} from marts.fct_indicator_year "
            f"where geography_level = '{level}' and victim_group = 'total' and variant = 'beslutad' and {DECIDED}"
        ).fetchall()
    }
    assert computed == pytest.approx(published, abs=1e-9, nan_ok=True)
    assert sum(value is not None for value in published.values()) > 10
    by_group = served.execute(metrics.ratio(name, f"{key}, victim_group")).fetchall()
    of_groups = served.execute(
        f"select {key}, victim_group, {published_as} from marts.fct_indicator_year "
        f"where geography_level = '{level}' and victim_group <> 'total' and variant = 'beslutad' and {DECIDED}"
    ).fetchall()
    assert {tuple(row[:4]): row[4] and 100 * row[4] for row in by_group} == pytest.approx(
        {tuple(row[:4]): row[4] for row in of_groups}, abs=1e-9
    )


def test_counts_hold_each_offence_of_a_year_once(
    manifest: dict[str, Any], served: duckdb.DuckDBPyConnection, published_world: Settings
) -> None:
    metrics = Metrics(manifest)
    with duckdb.connect(str(published_world.home / paths.WAREHOUSE), read_only=True) as built:
        decided = (
            "exists (from intermediate.int_class_variant as v where v.variant = 'beslutad' "
            "and (v.class_key, v.indicator_id) = (o.class_key, o.indicator_id)) "
            "and indicator_id in (select indicator_id from reference.indicator where kind = 'decided')"
        )
        expected = {
            where: dict(
                built.execute(
                    f"select year, sum(brottsantal) from intermediate.int_processed_offence as o where {decided} and {where} group by year"
                ).fetchall()
            )
            for where in ("true", "is_cleared", "region_code is not null", "is_cleared and region_code is not null")
        }
    for name, where in zip(("processed", "cleared", "region_processed", "region_cleared"), expected, strict=True):
        assert dict(served.execute(metrics.sums(name, "year")).fetchall()) == expected[where], name
    simple = [one for one in metrics.metrics.values() if one["type"] == "simple"]
    assert len(simple) == 6
    assert all(one["filter"] for one in simple)
    assert {one["name"] for one in metrics.metrics.values() if one["type"] == "ratio"} == {
        name for names in RATIOS.values() for name in names
    }


# --- readers and descriptions -----------------------------------------------------------------------------------------


def test_readers_read_marts_and_every_mart_has_one(manifest: dict[str, Any]) -> None:
    marts = {*mart_tables(), *described_tables()}
    read = set()
    for exposure in manifest["exposures"].values():
        nodes = exposure["depends_on"]["nodes"]
        assert nodes
        assert all(node.split(".")[0] in ("model", "source") and node.split(".")[-1] in marts for node in nodes), (
            exposure["name"]
        )
        assert exposure["description"] and exposure["maturity"] and exposure["owner"]["name"]
        read |= {node.split(".")[-1] for node in nodes}
    assert read == marts
    assert len(manifest["exposures"]) == 9


def test_every_column_there_is_has_a_description(published_world: Settings, manifest: dict[str, Any]) -> None:
    with duckdb.connect(str(published_world.home / paths.WAREHOUSE), read_only=True) as connection:
        there_are = {
            (schema, table, column)
            for schema, table, column in connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns() "
                "where not internal and schema_name not in ('build', 'main')"
            ).fetchall()
        }
    nodes = [*manifest["nodes"].values(), *manifest["sources"].values()]
    # The publisher writes those into the draft only.
    documented = [
        node
        for node in nodes
        if node["resource_type"] in ("model", "seed", "source") and node.get("source_name") != "published"
    ]
    assert [node["name"] for node in documented if not node["description"].strip()] == []
    described = {
        (node["schema"], node["name"], name)
        for node in documented
        for name, column in node["columns"].items()
        if column["description"].strip()
    }
    # What is kept of a mart has just its columns, which are declared once.
    described |= {
        ("raw", f"kept_{table}", column)
        for schema, table, column in described
        if schema == "marts" and f"kept_{table}" in {source["name"] for source in manifest["sources"].values()}
    }
    assert {schema for schema, _, _ in there_are} == {"raw", "staging", "intermediate", "marts", "reference"}
    assert there_are - described == set()
    assert described - there_are == set()


def test_a_publication_explains_its_tables(published_world: Settings) -> None:
    text = (published_world.published / paths.CURRENT / DICTIONARY).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "](" not in text and "<!--" not in text
    for table in yaml.safe_load(TABLES.read_text(encoding="utf-8"))["models"]:
        assert f"### {table['name']}" in text
        assert [column["name"] for column in table["columns"] if f"`{column['name']}`" not in text] == []


def test_the_documentation_is_one_page_that_reaches_no_network(tmp_path: Any) -> None:
    page = write_docs_page(tmp_path / "docs.html").read_text(encoding="utf-8")
    head = page[: page.index("<script")]
    assert "Content-Security-Policy" in head and "default-src 'none'" in head
    assert "connect-src" not in head
    assert "indicator_report" in page and "yearly_follow_up" in page and "prosecution_rate" in page
