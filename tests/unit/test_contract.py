"""The contract as typed data is what `input.yml` declares, no more and no less."""

from __future__ import annotations

import yaml

from dagster_project.contract import CONTRACT_FILE, Column, FileContract, RowCheck, input_contract
from dagster_project.settings import DBT_PROJECT


def declared() -> dict[str, FileContract]:
    """Read again: a contract that was read before would say nothing of how it is read."""
    input_contract.cache_clear()
    return {file.table: file for file in input_contract().files}


def test_files_and_columns_are_those_declared() -> None:
    contract = yaml.safe_load(CONTRACT_FILE.read_text(encoding="utf-8"))
    for source, files in contract["sources"].items():
        for name, one in files.items():
            file = declared()[f"{source}_{name}"]
            assert (file.source, file.name, file.grain) == (source, name, one["grain"])
            assert file.key == tuple(one.get("key", ()))
            assert file.optional is one.get("optional", False)
            assert [column.name for column in file.columns] == list(one["columns"])
            assert file.checks == tuple(
                RowCheck(check["reason"], check["when"], tuple(check["columns"])) for check in one.get("checks", ())
            )
            for column in file.columns:
                rules = one["columns"][column.name]
                for rule in (
                    "type",
                    "meaning",
                    "pattern",
                    "min",
                    "max",
                    "max_length",
                    "serial_after",
                    "unusable",
                    "not_after",
                ):
                    assert getattr(column, rule) == rules.get(rule)
                for flag in ("required", "within_year"):
                    assert getattr(column, flag) is rules.get(flag, False)
                assert column.values == tuple(rules.get("values", ()))


def test_a_column_by_hand() -> None:
    column = next(one for one in declared()["police_offences"].columns if one.name == "malsagande_kon")
    assert column == Column("malsagande_kon", "text", "the victim's sex", values=("K", "M"), unusable="missing")


def test_only_files_of_offences_have_a_key() -> None:
    assert {name: file.key for name, file in declared().items()} == {
        "police_offences": ("diarienummer", "brottsnummer"),
        "police_decisions": (),
        "police_reports": ("diarienummer", "brottsnummer"),
        "prosecution_decisions": (),
    }


def test_the_gate_is_half_a_per_cent() -> None:
    """What the runbook and the issue promise; the checks take the number from here."""
    declared()
    assert input_contract().quarantine_limit_pct == 0.5


def test_dbt_declares_the_raw_tables_as_the_contract_does() -> None:
    """dbt makes empty sources from its own declaration, so that it runs before anything was loaded."""
    declared_by_dbt = yaml.safe_load((DBT_PROJECT / "models" / "_sources.yml").read_text(encoding="utf-8"))
    tables = {table["name"]: table for table in declared_by_dbt["sources"][0]["tables"]}
    types = {"text": "varchar", "integer": "integer", "date": "date"}
    for name, file in declared().items():
        columns = {column["name"]: column["data_type"] for column in tables[name]["columns"]}
        assert columns == {"year": "integer", "line": "bigint"} | {
            column.name: "uuid" if column.identifying else types[column.type] for column in file.columns
        }
