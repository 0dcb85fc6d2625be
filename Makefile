# The ways in: run, test, soak, dev, check, docs, bench. Everything is installed from the lock into .venv first.
# Beside the code, or, where nobody may write there, in the user's own folder.
FOLDER := $(shell test -w . && echo . || echo "$${XDG_DATA_HOME:-$$HOME/.local/share}/uppklarat")
VENV := $(FOLDER)/.venv
BIN := $(VENV)/bin
ifneq ($(FOLDER),.)
export UPPKLARAT_LANDING ?= $(FOLDER)/data/landing
export UPPKLARAT_HOME ?= $(FOLDER)/data/warehouse
export UPPKLARAT_PUBLISHED ?= $(FOLDER)/data/published
export HYPOTHESIS_STORAGE_DIRECTORY = $(FOLDER)/.hypothesis
export PYTHONDONTWRITEBYTECODE = 1
endif
# The newest that fits; `make PYTHON=/path/to/python3` takes another one.
FITS = import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c "$(FITS)" 2>/dev/null && echo $$name && break; done)
# Of the system: behind a proxy that inspects TLS only these know it, and older versions of pip bring their own.
CERTIFICATES := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem))
PIP = $(BIN)/python -m pip --disable-pip-version-check
# What the scripts of tests/bench share with the tests.
BENCH := PYTHONPATH=tests:tests/support:tests/integration $(BIN)/python
LANDING = $(or $(UPPKLARAT_LANDING),data/landing)
export DO_NOT_TRACK = 1

.PHONY: run setup python test soak readers national attack mutants check format dev docs bench lock

run: setup
	@if [ -z "$$(ls -A $(LANDING) 2>/dev/null)" ]; then $(BIN)/uppklarat sample; fi
	@$(BIN)/uppklarat load

# The second names in .env, for Dagster's own commands run by hand here, where the warehouse keeps its instance.
setup: $(VENV)/.installed
	@$(BIN)/python -m dagster_project.transformation.dbt_project
	@$(if $(filter .,$(FOLDER)),$(BIN)/python -m dagster_project.defs.instance)

# pip, since it knows the mirror, the proxy and the certificates that people have configured for pip.
$(VENV)/.installed: requirements.lock pyproject.toml
	@test -x $(BIN)/pip || { $(MAKE) --no-print-directory python && $(PYTHON) -m venv $(VENV); }
	@echo "installing the locked dependencies into $(VENV), which takes some minutes"
	@$(PIP) config list | grep "cert=" >/dev/null || export PIP_CERT=$(CERTIFICATES); \
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# Says what is missing before anything else fails.
python:
	@$(or $(PYTHON),python3) -c "$(FITS)" 2>/dev/null || { \
		echo "Uppklarat needs Python 3.11, 3.12 or 3.13, and found $$($(or $(PYTHON),python3) --version 2>&1);" \
		"name another one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
		echo "Uppklarat needs Python's venv, which $(PYTHON) lacks: apt install python3-venv" >&2; exit 1; }

# In the order of the files: by the number of their tests the longest would come last, and one core would wait.
test: setup
	@$(BIN)/python -m pytest -p no:cacheprovider -n 2 --dist loadscope --no-loadscope-reorder

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
	@UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --output-file requirements.lock --quiet
