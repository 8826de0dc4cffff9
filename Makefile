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
	@echo "make soak     the service at 70 % of its capacity: MINUTES=2, 60 for the stated hour"
	@echo "make fuzz     the two rule engines against a naive interpreter"
	@echo "make fuzz-input  damaged calls, records, files and rule packs, for MINUTES=8"
	@echo "make audit    known weaknesses of every locked package (asks the network)"
	@echo "make sbom     a bill of materials: build/vestige.cdx.json (CycloneDX)"
	@echo "make licences docs/licences.md, from the lock files"
	@echo "make container-steps  the steps of deploy/Containerfile in a scratch folder, without an image engine"
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
	@./scripts/install.sh deploy
	@./scripts/install.sh audit
	$(MAKE) check
	$(BIN)/pytest -n 2 --dist worksteal

bench: dev
	@./scripts/install.sh healthchain
	$(BIN)/python -m tests.bench

MINUTES = 2
soak: dev
	$(BIN)/python -m tests.bench.soak --minutes $(MINUTES)

fuzz: dev
	$(BIN)/python -m tests.rules.fuzz

fuzz-input: MINUTES = 8
fuzz-input: dev
	nice -n 15 $(BIN)/python -m tests.security.fuzz --minutes $(MINUTES)

audit: dev
	@./scripts/install.sh audit
	@./scripts/audit.sh

sbom: dev
	@./scripts/install.sh audit
	@mkdir -p build
	@$(BIN)/python -m scripts.licences --json > build/licences.json
	@.venv-audit/bin/python scripts/sbom.py build/licences.json build/vestige.cdx.json $$(for name in runtime postgres otel; do echo requirements/$$(cat $(VENV)/python-tag)-$$name.txt; done)

licences: dev
	$(BIN)/python -m scripts.licences

container-steps: dev
	$(BIN)/python -m tests.deploy.container

clean:
	rm -rf $(VENV) .venv-sekmet .venv-healthchain .venv-deploy .venv-audit tests/servers/hapi/target tests/fhir_profiles/node_modules tests/fhir_profiles/.venv-pyrofile build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help install dev demo check test bench soak fuzz fuzz-input audit sbom licences container-steps clean
