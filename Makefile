# The ways in: run, test, dev, check, bench. Everything is installed from the lock into .venv first.
PYTHON ?= python3.11
BIN := .venv/bin
UV_VERSION := $(shell sed -n 's/^ *"uv==\([0-9.]*\)",/\1/p' pyproject.toml)
export UV_COMPILE_BYTECODE = 1
export DO_NOT_TRACK = 1

.PHONY: run test dev check format bench lock setup clean

setup: .venv/.installed dbt/target/manifest.json

.venv/.installed: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@
