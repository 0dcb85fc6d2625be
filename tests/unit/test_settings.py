"""Settings: what is given comes first, then the environment, then the defaults; no secret and no wrong value is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from dagster_project.settings import Settings

HIDDEN = "hidden-and-long-enough-for-a-key"


def test_what_is_given_comes_first_then_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": "private", "PUBLISHED": "/there", "SCHEDULE": "0 7 1 3 *", "LANDING": ""}.items():
        monkeypatch.setenv(f"UPPKLARAT_{name}", value)
    found = Settings(published=Path("/here"))
    assert found.published == Path("/here")
    assert found.home == tmp_path / "private"
    assert found.schedule == "0 7 1 3 *"
    assert found.landing == tmp_path / "data" / "landing", "an empty variable is none"
    assert Settings(home=found.home).suppress_below == 5


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPPKLARAT_KEY", HIDDEN)
    monkeypatch.setenv("UPPKLARAT_POSTGRES_DSN", f"password={HIDDEN}")
    found = Settings.from_environment()
    assert found.key == SecretStr(HIDDEN)
    assert HIDDEN not in f"{found!r} {found} {found.model_dump()} {found.model_dump_json()}"


def test_every_variable_that_cannot_be_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = ("UPPKLARAT_MEMORY", "UPPKLARAT_SUPPRESS_BELOW", "UPPKLARAT_POSTGRES_KEEP")
    for variable in variables:
        monkeypatch.setenv(variable, HIDDEN)
    with pytest.raises(ValueError, match=r"must be|should be") as caught:
        Settings.from_environment()
    assert [variable for variable in variables if variable not in str(caught.value)] == []
    assert HIDDEN not in f"{caught.value!r} {caught.value}"
    assert caught.value.__suppress_context__
