# make run     sets up on first use, then shows Quillon's main job on real code with the embedded model
# make test    sets up on first use, then passes every test
# make check   lint, types, import contracts, size
# make bench   measurements, printed as ratios (see benchmarks/)
# make lock    renews the locked dependencies from pyproject.toml

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test check fix docs bench lock vsix conformance clean

VENV ?= .venv
BIN := $(VENV)/bin
# The interpreter to use; the newest that works where it is not set.
PYTHON ?=
JOBS ?= 2

help:
	@sed -n '1,6s/^# \{0,1\}//p' Makefile

# One stamp for what `run` needs and one for what the tests need on top.
$(VENV)/.run: requirements.lock pyproject.toml
	@.ci/setup "$(PYTHON)" "$(VENV)" requirements.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@.ci/setup "$(PYTHON)" "$(VENV)" requirements-dev.lock
	@touch $@

run: $(VENV)/.run
	@$(BIN)/quillon demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --ignore=tests/training

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_architecture.py

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	cd tests && ../$(BIN)/python -m quillon_testing.readme

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py

vsix:
	cd vscode-extension && npm ci --no-audit --no-fund && npm run package

CASES ?= ../shared/cases
conformance: $(VENV)/.dev
	$(BIN)/python benchmarks/conformance.py $(CASES)

lock: $(VENV)/.dev
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements.lock --group dev -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
