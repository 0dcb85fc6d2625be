"""The documentation says what the code does: generated parts are renewed, links and paths lead somewhere, examples run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from dagster_project import paths
from dagster_project.contract import input_page
from dagster_project.ingestion.corrections import read_corrections
from dagster_project.publication import marts_page
from dagster_project.quality.waivers import read_waivers
from dagster_project.settings import REPOSITORY
from dagster_project.transformation.dbt_project import mart_declarations

DOCS = REPOSITORY / "docs"
PAGES = [*(REPOSITORY / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")), *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)]+)\)")
PATH = re.compile(r"`((?:dagster_project|dbt|expectations|tests)/[\w./-]*\w/?)`")
NAME = re.compile(r"`((?:stg|int|dim|fct)_\w+|\w+\.sql)`")


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("module", [input_page, marts_page], ids=lambda module: module.__name__)
def test_generated_parts_are_those_of_the_declarations(module: ModuleType) -> None:
    output = input_page.generated_part(module.PAGE)
    assert output == module.generated(), f"renew it: .venv/bin/python -m {module.__name__} --write"


@pytest.mark.parametrize("arguments", [["page"], ["page", "--write"]])
def test_a_page_is_printed_or_renewed(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{input_page.BEGIN}\nold\n{input_page.END}\nafter\n")
    monkeypatch.setattr("sys.argv", arguments)
    input_page.print_or_write(page, "new")
    written = "--write" in arguments
    assert page.read_text() == f"before\n{input_page.BEGIN}\n{'new' if written else 'old'}\n{input_page.END}\nafter\n"
    assert capsys.readouterr().out == ("" if written else "new\n")


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\nafter\n")
    with pytest.raises(ValueError, match="needs a line"):
        input_page.generated_part(page)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" not in link and (not target.exists() or (anchor and anchor not in anchors(target))):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_and_models_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    models = {path.stem for kind in ("sql", "py") for path in (REPOSITORY / "dbt" / "models").rglob(f"*.{kind}")}
    missing = [path for path in PATH.findall(text) if not (REPOSITORY / path).exists()]
    missing += [name for name in NAME.findall(text) if name.removesuffix(".sql") not in models]
    assert [name for name in missing if not name.endswith("_")] == []


def test_every_place_on_disk_is_told() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    places = [place for place in vars(paths).values() if isinstance(place, Path)]
    assert len(places) > 10
    assert [place.name for place in places if place.parent == Path() and place.name not in text] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_pages_are_easy_to_read_as_text(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ") and ": " in lines[0]
    assert [number for number, line in enumerate(lines, 1) if len(line) > 130] == []


@pytest.mark.parametrize(("kind", "many", "read"), [("waivers", 3, read_waivers), ("corrections", 2, read_corrections)])
def test_examples_of_declarations_are_understood(
    tmp_path: Path, kind: str, many: int, read: Callable[[Path], list[Any]]
) -> None:
    (example,) = re.findall(rf"```yaml {kind}\n(.*?)```", input_page.PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "example.yml").write_text(example, encoding="utf-8")
    assert len(read(tmp_path / "example.yml")) == many


def test_examples_run_on_the_published_tables() -> None:
    tables = {
        table: [(column, kind) for column, (kind, _) in declared.columns.items()]
        for table, declared in mart_declarations().items()
    }
    examples = re.findall(r"```sql\n(.*?)```", marts_page.PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) > 5
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        for table, columns in tables.items():
            declared = ", ".join(f'"{column}" {kind}' for column, kind in columns)
            connection.execute(f"create table marts.{table} ({declared})")
        for example in examples:
            connection.execute(example)
