"""Declared suites, read from YAML so strictly that a slip of the pen cannot become a check that never runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from dagster_project.contract import input_contract
from dagster_project.strict_yaml import StrictLoader

Layer = Literal["raw", "intermediate", "marts", "published"]
Severity = Literal["block", "warn"]
Owner = Literal["us", "supplier"]

SUITES = Path(__file__).parent / "suites"
UNEXPECTED_ROWS = "unexpected_rows"
_IN_SQL = ("where", "having", "query", "measure")
_OF_MEASURE = ("at_least", "at_most", "unit")

# Core expectations of Great Expectations that the tests have seen pass and fail on our dialect. Those for regular
# expressions and LIKE do not exist on it: `unexpected_rows` with `regexp_full_match` takes their place.
CORE_TYPES = frozenset(
    {
        "expect_column_distinct_values_to_be_in_set",
        "expect_column_distinct_values_to_contain_set",
        "expect_column_distinct_values_to_equal_set",
        "expect_column_max_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_median_to_be_between",
        "expect_column_min_to_be_between",
        "expect_column_most_common_value_to_be_in_set",
        "expect_column_pair_values_a_to_be_greater_than_b",
        "expect_column_pair_values_to_be_equal",
        "expect_column_pair_values_to_be_in_set",
        "expect_column_proportion_of_non_null_values_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_column_quantile_values_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_to_exist",
        "expect_column_type_to_be",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_be_between",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_in_type_list",
        "expect_column_values_to_be_null",
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_not_be_in_set",
        "expect_column_values_to_not_be_null",
        "expect_compound_columns_to_be_unique",
        "expect_multicolumn_sum_to_equal",
        "expect_multicolumn_values_to_be_equal",
        "expect_select_column_values_to_be_unique_within_record",
        "expect_table_column_count_to_be_between",
        "expect_table_column_count_to_equal",
        "expect_table_columns_to_match_ordered_list",
        "expect_table_columns_to_match_set",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
    }
)

# These belong to the engine: they decide what a result contains, or which rows an expectation gets to see. A
# condition that matches no row passes silently, so it must be written as `unexpected_rows`.
_NOT_FOR_AUTHORS = frozenset(
    {
        "batch_id",
        "catch_exceptions",
        "condition_parser",
        "id",
        "include_config",
        "meta",
        "notes",
        "rendered_content",
        "result_format",
        "row_condition",
        "severity",
    }
)
_ONLY_CHOOSES_ROWS = re.compile(
    r"select [\w, *]+ from \{table\}\s+where\b(?!.*\b(?:select|group|having|qualify|union|except|intersect)\b).*",
    re.DOTALL,
)
# Their results count offending rows; those of the others are one value of the whole column or table.
_OF_ROWS = (
    "expect_column_pair_values_",
    "expect_column_value_",
    "expect_column_values_",
    "expect_compound_",
    "expect_multicolumn_",
    "expect_select_",
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TABLE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*){0,2}")


@dataclass(frozen=True)
class Declared:
    """One expectation as declared; `name` is that of the asset check it becomes.

    What is unexpected is said in SQL by one of four: `where`, the rows for which it is true (not those for which it is unknown);
    `having`, the whole table if it is true of aggregates of all rows (where it is unknown, the expectation cannot be judged); and
    `query`, the rows that it selects. The first two become aggregates of the one query in which Great Expectations asks for its
    own; a query is a scan of its own, for rows that are grouped or joined. `observed` is one value over all rows, an aggregate or
    a query; all that is observed of a table is asked for together.

    The fourth, `measure`, is a query that selects `unit` and `value` (and `shown`, where the value is to be shown otherwise) for
    each year, file or code that is compared: a value beyond `at_least` or `at_most` (a number, or the
    name of one in the input contract) is unexpected, and a null was not judged.
    What is observed, and the bound that a waiver may widen, follow from it. A unit is public: it is shown and published.

    `judged_when` is a condition, as SQL on aggregates or as a query, without which nothing is judged. `needs` says in words what
    must be there for a table or a unit to be judged.
    """

    name: str
    type: str
    severity: Severity
    owner: Owner
    reason: str
    limit: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    query: str | None = None
    where: str | None = None
    having: str | None = None
    measure: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    unit: str | None = None
    judged_when: str | None = None
    needs: str | None = None
    observed: str | None = None
    may_be_all_null: bool = False
    judges_an_empty_table: bool = False

    @property
    def reports_rows(self) -> bool:
        """Whether a result's number of rows tells how much is wrong, so that it can bound a waiver."""
        if self.type == UNEXPECTED_ROWS:
            return self.where is not None or self.query is not None
        return self.type.startswith(_OF_ROWS) and "_type" not in self.type

    def is_beyond(self, value: float) -> bool:
        """Whether a measured value is outside the limits."""
        return (self.at_least is not None and value < self.at_least) or (
            self.at_most is not None and value > self.at_most
        )


@dataclass(frozen=True)
class Suite:
    """The expectations on one relation, in the order in which they are declared.

    Of a table that `may_be_empty` nothing is judged when it is, except by expectations that judge an empty table. `follows` names
    the assets that this one is derived from: when a check of theirs blocks, a failure here may be its consequence.
    """

    suite: str
    layer: Layer
    asset: str
    table: str | None
    expectations: tuple[Declared, ...]
    may_be_empty: bool = False
    follows: tuple[str, ...] = ()


def load_suites(folder: Path = SUITES) -> list[Suite]:
    """Read all suites of a folder, sorted by file name.

    Raises:
        ValueError: There is no suite, a file is not a valid one, or two of them collide.
    """
    paths = sorted(folder.glob("*.yml"))
    if not paths:
        raise ValueError(f"{folder}: there is no suite, and without one everything passes")
    suites = [load_suite(path) for path in paths]
    seen: dict[tuple[str, ...], Path] = {}
    for path, suite in zip(paths, suites, strict=True):
        keys = [("suite", suite.suite), *(("check of asset", suite.asset, one.name) for one in suite.expectations)]
        for key in keys:
            if key in seen:
                raise ValueError(f"{path.name}: {' '.join(key)} is declared in {seen[key].name} already")
            seen[key] = path
    assets = {suite.asset for suite in suites}
    for path, suite in zip(paths, suites, strict=True):
        if unknown := sorted(set(suite.follows) - assets):
            raise ValueError(f"{path.name}: follows {', '.join(unknown)}, of which there is no suite")
    return suites


def load_suite(path: Path) -> Suite:
    """Read one suite.

    Raises:
        ValueError: Says which file, which expectation and what is wrong with it.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name}: not readable as YAML: {error}") from error
    part = _Part(path.name, content, {"suite", "layer", "asset", "table", "may_be_empty", "follows", "expectations"})
    suite = Suite(
        suite=part.name("suite"),
        layer=cast(Layer, part.choice("layer", get_args(Layer))),
        asset=part.text("asset"),
        table=part.optional_text("table"),
        expectations=tuple(_expectation(path.name, one, number) for number, one in part.list("expectations")),
        may_be_empty=part.flag("may_be_empty"),
        follows=part.names("follows"),
    )
    if suite.table is not None and not is_table_name(suite.table):
        raise ValueError(f"{path.name}: table {suite.table!r} is not a name of up to three parts")
    if suite.table is None and suite.layer != "raw":
        raise ValueError(f"{path.name}: table is missing (only raw suites leave it to the caller)")
    for number, one in enumerate(suite.expectations):
        for earlier in suite.expectations[:number]:
            if earlier.name == one.name:
                raise ValueError(f"{path.name}: {one.name}: the name is used twice")
            if _demand(earlier) == _demand(one):
                raise ValueError(f"{path.name}: {one.name}: demands the same as {earlier.name}")
    return suite


def is_table_name(name: str) -> bool:
    """Whether `name` is a plain relation name of one to three parts."""
    return _TABLE.fullmatch(name) is not None


def _expectation(file: str, content: object, number: int) -> Declared:
    named = content.get("name") if isinstance(content, dict) else None
    keys = {
        "name", "type", "kwargs", *_IN_SQL, *_OF_MEASURE, "judged_when", "needs", "severity", "owner", "reason", "limit",
        "observed", "may_be_all_null", "judges_an_empty_table",
    }  # fmt: skip
    part = _Part(f"{file}: {named or f'expectation {number}'}", content, keys)
    kind = part.choice("type", [UNEXPECTED_ROWS, *sorted(CORE_TYPES)])
    kwargs, may_be_all_null = part.mapping("kwargs"), part.flag("may_be_all_null")
    in_sql = {key: said for key in _IN_SQL if (said := part.optional_text(key)) is not None}
    if kind == UNEXPECTED_ROWS:
        if len(in_sql) != 1 or kwargs or may_be_all_null:
            raise part.wrong(
                f"{UNEXPECTED_ROWS} takes one of {', '.join(_IN_SQL)}, and neither kwargs nor may_be_all_null"
            )
        query = in_sql.get("query")
        for key in ("query", "measure"):
            if key in in_sql and "{table}" not in in_sql[key]:
                raise part.wrong(f"the {key} does not read {{table}}")
        if query is not None and _ONLY_CHOOSES_ROWS.fullmatch(query):
            raise part.wrong("the query only chooses rows; with `where` they cost no scan of their own")
    elif in_sql:
        raise part.wrong(f"{', '.join(in_sql)} belongs to {UNEXPECTED_ROWS} only")
    bounds = {key: part.optional_number(key) for key in ("at_least", "at_most")}
    unit, needs, judged_when = (part.optional_text(key) for key in ("unit", "needs", "judged_when"))
    if "measure" in in_sql:
        if unit is None or set(bounds.values()) == {None}:
            raise part.wrong("measure needs at_least or at_most, and unit")
        if judged_when or part.optional_text("observed"):
            raise part.wrong("with measure, judged_when and observed follow from the values")
    elif unit is not None or set(bounds.values()) != {None}:
        raise part.wrong(f"{', '.join(_OF_MEASURE)} belong to measure only")
    elif (judged_when is None) != (needs is None):
        raise part.wrong("judged_when and needs belong together: the condition in SQL and in words")
    if forbidden := sorted(_NOT_FOR_AUTHORS & kwargs.keys()):
        raise part.wrong(f"kwargs may not set {', '.join(forbidden)}")
    if vacuous := _vacuous(kind, kwargs):
        raise part.wrong(f"{vacuous}: it would pass whatever the data")
    return Declared(
        name=part.name("name"),
        type=kind,
        severity=cast(Severity, part.choice("severity", get_args(Severity))),
        owner=cast(Owner, part.choice("owner", get_args(Owner))),
        reason=part.text("reason"),
        limit=part.text("limit"),
        kwargs=kwargs,
        where=in_sql.get("where"),
        having=in_sql.get("having"),
        query=in_sql.get("query"),
        measure=in_sql.get("measure"),
        at_least=bounds["at_least"],
        at_most=bounds["at_most"],
        unit=unit,
        judged_when=judged_when,
        needs=needs,
        observed=part.optional_text("observed"),
        may_be_all_null=may_be_all_null,
        judges_an_empty_table=part.flag("judges_an_empty_table"),
    )


def _demand(one: Declared) -> tuple[object, ...]:
    return one.type, one.kwargs, *(getattr(one, key) for key in (*_IN_SQL, *_OF_MEASURE))


def _vacuous(kind: str, kwargs: Mapping[str, Any]) -> str | None:
    """What makes Great Expectations call anything a success."""
    bounds = (kwargs.get("min_value"), kwargs.get("max_value"))
    if kind.endswith("_to_be_between") and "quantile_ranges" not in kwargs and bounds == (None, None):
        return "neither min_value nor max_value is given"
    if kind.endswith("_set") and not any(kwargs.get(key) for key in ("value_set", "value_pairs_set", "column_set")):
        return "the set is empty"
    if kwargs.get("mostly", 1) == 0:
        return "mostly is 0"
    return None


class _Part:
    """A mapping of a suite file whose values are taken out one by one, each with its demands."""

    def __init__(self, where: str, content: object, keys: set[str]) -> None:
        self._where = where
        if not isinstance(content, dict):
            raise self.wrong("must be a mapping")
        if unknown := sorted(str(key) for key in content if key not in keys):
            raise self.wrong(f"unknown key {', '.join(unknown)}")
        self._content: dict[str, Any] = content

    def wrong(self, what: str) -> ValueError:
        return ValueError(f"{self._where}: {what}")

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self._content else None

    def text(self, key: str) -> str:
        value = self._content.get(key)
        if value is None:
            raise self.wrong(f"{key} is missing")
        # a number would lose its zeros on the way to the reader: 0.10 → 0.1
        if not isinstance(value, str):
            raise self.wrong(f"{key} must be text (put it in quotes)")
        if not value.strip():
            raise self.wrong(f"{key} is empty")
        return value.strip()

    def name(self, key: str) -> str:
        value = self.text(key)
        if not _NAME.fullmatch(value):
            raise self.wrong(f"{key} {value!r} is not in snake_case")
        return value

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        value, known = self.text(key), list(allowed)
        if value not in known:
            hint = "; use unexpected_rows" if value.startswith("expect_") else ""
            raise self.wrong(f"{key} {value!r} is not one of {', '.join(known)}{hint}")
        return value

    def flag(self, key: str) -> bool:
        value = self._content.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} must be true or false")
        return value

    def optional_number(self, key: str) -> float | None:
        value = self._content.get(key)
        if isinstance(value, str):
            # A limit that the input contract declares is named here, and not repeated.
            value = getattr(input_contract(), value, value)
        if value is not None and type(value) not in (int, float):
            raise self.wrong(f"{key} must be a number")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        value = self._content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and _NAME.fullmatch(one) for one in value):
            raise self.wrong(f"{key} must be a list of names")
        return tuple(value)

    def mapping(self, key: str) -> dict[str, Any]:
        value = self._content.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value):
            raise self.wrong(f"{key} must be a mapping of names to values")
        return value

    def list(self, key: str) -> list[tuple[int, object]]:
        value = self._content.get(key)
        if not isinstance(value, list) or not value:
            raise self.wrong(f"{key} is missing or empty; an empty suite passes everything")
        return list(enumerate(value, start=1))
