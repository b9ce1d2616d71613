# The only door: `make demo` shows the main job, `make test` is the one check.
PYTHON ?= python3
BIN    := .venv/bin
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-long bench-exporter bench-webhook bench-audit bench-api bench-analyzer tools tools-new rules dashboards pictures mounted lint types imports lock clean

help: ## list what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

demo: .venv/.run tools ## break a demo project and watch it heal; ARGS="--fault hang" for another fault
	@$(BIN)/orchestrator demo $(ARGS)

test: .venv/.dev tools lint types imports ## lint, types, imports and all quick tests, those of the rules among them (minutes)
	@$(BIN)/pytest -n 3 --dist worksteal -m 'not long' --cov --cov-report=term $(ARGS)

test-long: .venv/.dev tools tools-new ## every case on both pairs of binaries (long)
	@TOOLS=download $(BIN)/pytest -n 2 $(ARGS)
	@TOOLS=new $(BIN)/pytest -n 2 -m e2e $(ARGS)
	@TOOLS=new $(BIN)/pytest -n 2 tests/rules $(ARGS)

bench-exporter: .venv/.dev tools ## measure the exporter beside blackbox exporter (12 minutes); ARGS="--projects 50" for less
	@$(BIN)/python -m tests.bench.exporter $(ARGS)

bench-webhook: .venv/.dev ## measure the webhook beside plain Flask (3 minutes); ARGS="--seconds 3" for less
	@$(BIN)/python -m tests.bench.webhook $(ARGS)

bench-audit: .venv/.dev ## measure how fast a forged audit is found (a minute); ARGS="--rows 1000000" for more
	@$(BIN)/python -m tests.bench.audit $(ARGS)

bench-api: .venv/.dev ## measure the API with a million events in the database (1 minute); ARGS="--requests 20" for less
	@$(BIN)/python -m tests.bench.api $(ARGS)

bench-analyzer: .venv/.dev tools ## measure the analyzer without its model (2 minutes); ARGS="--analyses 20" for less
	@$(BIN)/python -m tests.bench.analyzer $(ARGS)

tools: .venv/.run ## find Prometheus and Alertmanager, or fetch Debian 12's into .tools/
	@$(BIN)/python -m orchestrator.demo.binaries

tools-new: .venv/.run ## fetch Debian unstable's Prometheus and Alertmanager into .tools/
	@TOOLS=new $(BIN)/python -m orchestrator.demo.binaries

rules: .venv/.dev tools ## check and test the alert rules and the routing
	@$(BIN)/pytest -n 2 -m 'not long' tests/rules $(ARGS)

dashboards: .venv/.run ## write the dashboards anew; ARGS="--webhook https://..." for where its pages are
	@$(BIN)/python -m dashboards $(ARGS)

pictures: .venv/.dev ## take pictures of the dashboards, with npm and Chromium; ARGS="--prometheus http://..." for whose data
	@$(BIN)/python -m tests.pictures.take $(ARGS)

mounted: .venv/.run ## write what the containers mount anew from rules/; ARGS=--check to see whether it drifted
	@$(BIN)/python -m deploy.mounted $(ARGS)

lint: .venv/.dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

types: .venv/.dev
	@$(BIN)/mypy

imports: .venv/.dev
	@$(BIN)/lint-imports --no-logo >.venv/imports.log || { cat .venv/imports.log; exit 1; }

lock: ## resolve both lock files anew
	@$(PYTHON) -m venv .tools/lock
	@.tools/lock/bin/pip install --quiet 'uv==0.13.8'
	@.tools/lock/bin/uv $(COMPILE) --group build -o requirements.lock
	@.tools/lock/bin/uv $(COMPILE) --group dev -c requirements.lock -o dev.lock

COMPILE := pip compile --quiet --universal --generate-hashes --no-emit-index-url \
           --python-version 3.11 --exclude-newer '1 week' \
           --exclude-newer-package 'anthropic=2026-11-20' pyproject.toml

clean: ## remove what the other targets made
	rm -rf .venv .tools .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .bench .coverage

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "orchestrator needs Python 3.11 or newer; name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv (once, a minute) ..."
	@$(PYTHON) -m venv .venv || { echo "python3 cannot make virtual environments here: apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/.run: .venv/.made requirements.lock pyproject.toml
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

.venv/.dev: .venv/.run dev.lock
	@echo "adding the tools of the checks to .venv (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r dev.lock
	@touch $@
