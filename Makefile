# The ways in: run, test, soak, dev, check, docs, bench. Everything is installed from the lock into .venv first.
PYTHON ?= python3.11
BIN := .venv/bin
# What the scripts of tests/bench share with the tests.
BENCH := PYTHONPATH=tests:tests/support:tests/integration $(BIN)/python
UV := VIRTUAL_ENV=.venv $(BIN)/uv
UV_VERSION := $(shell sed -n 's/^ *"uv==\([0-9.]*\)",/\1/p' pyproject.toml)
LANDING := $(or $(UPPKLARAT_LANDING),data/landing)
# Compiled once here: some machines forbid it later, and every start would pay.
export UV_COMPILE_BYTECODE = 1
# Behind a proxy that inspects TLS only the certificates of the system know it; uv brings its own.
export UV_SYSTEM_CERTS = 1
export DO_NOT_TRACK = 1

.PHONY: run setup test soak readers national attack mutants check format dev docs bench lock

run: setup
	@if [ -z "$$(ls -A $(LANDING) 2>/dev/null)" ]; then $(BIN)/uppklarat sample; fi
	@$(BIN)/uppklarat load

setup: .venv/.installed .env
	@$(BIN)/python -m dagster_project.transformation.dbt_project

# For Dagster's own commands, run by hand here: where the warehouse of the default places keeps its instance.
.env: | .venv/.installed
	@$(BIN)/python -m dagster_project.defs.instance

.venv/.installed: requirements.lock pyproject.toml
	@echo "installing the locked dependencies into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@$(UV) pip sync --quiet --require-hashes requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# In the order of the files: by the number of their tests the longest would come last, and one core would wait.
test: setup
	@$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

soak: setup
	@$(BENCH) tests/bench/soak.py

readers: setup
	@$(BENCH) tests/bench/readers.py

national: setup
	@$(BIN)/python -m pytest -m national

attack: setup
	@$(BENCH) tests/bench/attack_sample.py

mutants: setup
	@$(BENCH) tests/bench/mutants.py
	@$(BENCH) tests/bench/mutants_python.py

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/sqlfluff lint --disable-progress-bar dbt/models dbt/tests

format: setup
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/sqlfluff fix --disable-progress-bar dbt/models

dev: setup
	@$(BIN)/python -m dagster_project.defs.web_page

docs: setup
	@$(BIN)/python -m dagster_project.transformation.docs_page

bench: setup
	@$(BENCH) tests/bench/benchmark.py --write

lock:
	@$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock --quiet
