# The few things there are to do here: `make` alone lists them.
# PYTHON=... names another Python. ARGS=... goes on to the command: make run ARGS="--desks 4 --seconds 60"

.PHONY: help setup run test again lint bench docs pictures lock clean
.SILENT:
export PYTHON

BIN := .venv/bin
SETUP := run
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --extra trial --group build $(ARGS)

help: ## this list
	awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## prepare .venv, where something has changed
	deploy/setup.sh $(SETUP)

run: setup ## a whole floor on this machine, until Ctrl-C
	exec $(BIN)/callfloor up --past $(ARGS)

test again lint bench pictures: SETUP := test
test: lint ## all that must hold: style, types and the tests
	exec $(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

again: lint ## the tests that failed last time, each by itself
	exec $(BIN)/python -m pytest --last-failed --last-failed-no-failures none $(ARGS)

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup ## measure against the limits: a table, and bench.json
	exec $(BIN)/python -m benchmarks $(ARGS)

docs: setup ## write docs/contract.md, docs/wiring/ and docs/proven.md anew from what they describe
	$(BIN)/python docs/generate.py
	$(BIN)/python -m docs.draw

pictures: setup ## take the pictures of README and docs from the running product; ARGS=page takes one
	$(BIN)/python docs/take_pictures.py $(ARGS)

lock: setup ## pin the packages of pyproject.toml anew; ARGS=--upgrade takes the newest
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) --output-file requirements.txt
	$(LOCK) --group dev --constraints requirements.txt --output-file requirements-dev.txt

clean: ## remove .venv and everything else that was made here
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist bench.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
