# Two commands are enough: `make run` and `make test`. Both make .venv first; nothing happens twice.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin

.PHONY: run setup setup-dev test check bench format requirements

run: setup
	@$(BIN)/qifu up --demo

setup:
	@$(PYTHON) .ci/bootstrap.py

setup-dev:
	@$(PYTHON) .ci/bootstrap.py --dev

test: check
	@$(BIN)/python -m pytest

check: setup-dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/qifu catalogue check

bench: setup-dev
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench_match
	@$(BIN)/python -m tests.bench_matching
	@$(BIN)/python -m tests.bench_retrieval --sizes 1000 50000
	@$(BIN)/python -m tests.bench_catalogue
	@$(BIN)/python -m tests.bench_desk --messages 20000 --appeals 2000 --rounds 10
	@$(BIN)/python -m tests.bench_consoles --messages 20000 --appeals 2000 --html

format: setup-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Pins stay free of any index address; run this after changing dependencies in pyproject.toml.
COMPILE := $(BIN)/python -m uv pip compile pyproject.toml --quiet --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links
requirements: setup
	@$(COMPILE) --output-file requirements.txt
	@$(COMPILE) --extra dev --output-file requirements-dev.txt
