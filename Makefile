# Trạm. `make up` runs it, `make test` runs all its tests; each does its own set-up. `make help` lists the rest.
# Needs: Linux, make, Python 3.11 or newer. VENV and TRAM_X_PYTHON choose another environment or interpreter.
SHELL := /bin/bash
VENV ?= .venv
TRAM_X_PYTHON ?= python3
BIN := $(VENV)/bin
# Two processes, a file's tests together in one: each process has a database server of its own.
PYTEST ?= -n 2 --dist loadfile
ENV_RUN := $(VENV)/.run-$(shell cat requirements/run.txt pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
ENV_DEV := $(VENV)/.dev-$(shell cat requirements/dev.txt requirements/timescaledb.txt 2>/dev/null | cksum | cut -d' ' -f1)
ENV_BENCH := $(VENV)/.bench-$(shell cksum < requirements/bench.txt | cut -d' ' -f1)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help up web test check lint fmt bench timescaledb soak chaos env env-dev lock clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

up: env web-or-not ## the whole system on this machine; Ctrl-C stops it
	@exec $(BIN)/tram up

web: env ## build the web pages (once per change of web/)
	@$(BIN)/python deploy/build_web.py

test: env-dev test-parts web-or-not ## every test, on real servers and a real browser
	@$(BIN)/python -m pytest $(PYTEST)

check: lint test ## what CI runs: style, types, layering, compose file, tests

lint: env-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.check_compose docker-compose.yml

fmt: env-dev ## put the code in its one form
	@$(BIN)/ruff check --fix-only . ; $(BIN)/ruff format .

timescaledb: env ## build the TimescaleDB extension for the embedded PostgreSQL
	@$(PIP) install --require-hashes -r requirements/timescaledb.txt
	@$(BIN)/tram timescaledb

bench: env-dev test-parts $(ENV_BENCH) ## the benchmarks, as ratios to their peers
	@$(BIN)/python -m bench

soak: env-dev test-parts ## hours of load
	@$(BIN)/python -m pytest -m soak $(PYTEST)

chaos: env-dev test-parts ## minutes of killing and starving real processes
	@$(BIN)/python -m pytest -m chaos $(PYTEST)

lock: env ## renew the hashed requirement files
	@deploy/lock $(BIN)

clean: ## remove the environment and the embedded data
	@rm -rf $(VENV) .tram

env: $(ENV_RUN)
env-dev: $(ENV_DEV)

# Without node or a registry the rest still runs: one line says why the pages are missing.
.PHONY: web-or-not
web-or-not: env
	@$(BIN)/python deploy/build_web.py --go-on

.PHONY: test-parts
test-parts:
	@deploy/test-parts $(BIN)

$(VENV)/bin/python:
	@deploy/make-venv $(TRAM_X_PYTHON) $(VENV)

$(ENV_RUN): $(VENV)/bin/python
	@echo "make: installing what Trạm needs (once; about a minute)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.run-* && touch $@

$(ENV_DEV): $(ENV_RUN)
	@echo "make: installing what the tests need (once)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --require-hashes -r requirements/timescaledb.txt
	@rm -f $(VENV)/.dev-* && touch $@

$(ENV_BENCH): $(ENV_DEV)
	@$(PIP) install --require-hashes -r requirements/bench.txt
	@rm -f $(VENV)/.bench-* && touch $@
