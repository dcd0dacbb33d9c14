# make run     sets up on first use, then shows Quillon's main job on real code with the embedded model
# make test    sets up on first use, then passes every test
# make check   lint, types, import contracts, size
# make model   trains the embedded model from nothing (see training/README.md)
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
	@sed -n '1,7s/^# \{0,1\}//p' Makefile

# A stamp each for what `run` needs, what the tests need on top, and what training needs (1.3 GB).
$(VENV)/.run: requirements.lock requirements-build.lock pyproject.toml
	@.ci/setup "$(PYTHON)" "$(VENV)" requirements.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@.ci/setup "$(PYTHON)" "$(VENV)" requirements-dev.lock
	@touch $@

$(VENV)/.training: $(VENV)/.dev requirements-training.lock
	@.ci/torch "$(VENV)"
	@.ci/setup "$(PYTHON)" "$(VENV)" requirements-training.lock
	@touch $@

run: $(VENV)/.run
	@$(BIN)/quillon demo

test: $(VENV)/.training
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

# The types of training/ need its libraries, in a run of their own: the others import none of them.
check: $(VENV)/.training
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd training && MYPYPATH=../lsp_server:../tools:. ../$(BIN)/python -m mypy --config-file ../pyproject.toml -p quillon_training
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

conformance: $(VENV)/.dev
	@test -d "$(CASES)" || { echo "Name a folder of cases: make conformance CASES=FOLDER" >&2; exit 2; }
	$(BIN)/python benchmarks/conformance.py $(CASES)

lock: $(VENV)/.dev
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements.lock --group dev -o requirements-dev.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements-dev.lock --group build -o requirements-build.lock
	echo torch >$(VENV)/excluded
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
	  --python-version 3.11 -c requirements-dev.lock --extra training --group torch \
	  --excludes $(VENV)/excluded -o requirements-training.lock pyproject.toml

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

include training/model.mk
