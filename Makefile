# Vestige: two commands, `make demo` and `make test`; each does all of its own set-up.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin

help:
	@echo "make demo     the service, a demo EHR and sample patients on loopback"
	@echo "make test     every test, after setting everything up"
	@echo "make install  the virtual environment in .venv, from hashed requirements"
	@echo "make check    ruff, mypy --strict, import-linter, bandit and the rule checks"
	@echo "make bench    timings, as ratios within one run"
	@echo "make fuzz     the two rule engines against a naive interpreter"
	@echo "make clean    removes .venv and everything built"

# The interpreter is the first one that really runs: a shim may exist and fail.
$(VENV)/python-tag:
	@./scripts/install.sh python

$(VENV)/runtime-ready: $(VENV)/python-tag requirements/runtime.in requirements/py311-runtime.txt requirements/py312-runtime.txt pyproject.toml
	@./scripts/install.sh runtime

$(VENV)/dev-ready: $(VENV)/runtime-ready requirements/py311-dev.txt requirements/py312-dev.txt
	@./scripts/install.sh dev

install: $(VENV)/runtime-ready

dev: $(VENV)/dev-ready

demo: install
	@$(BIN)/vestige demo

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -r cds_hooks plugin rules fhir_profiles
	$(BIN)/vestige rules check

test: dev
	@./scripts/install.sh sekmet
	@./scripts/install.sh healthchain
	$(MAKE) check
	$(BIN)/pytest -n 2 --dist worksteal

bench: dev
	@./scripts/install.sh healthchain
	$(BIN)/python -m tests.bench

fuzz: dev
	$(BIN)/python -m tests.rules.fuzz

clean:
	rm -rf $(VENV) .venv-sekmet .venv-healthchain tests/servers/hapi/target tests/fhir_profiles/node_modules tests/fhir_profiles/.venv-pyrofile build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help install dev demo check test bench fuzz clean
