# The one list of tasks. Each does its own set-up; `make run` and `make test` need git, make and Python 3.11 only.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test lint check gate bench fix lock setup

bin := .venv/bin
WORKERS ?= 2
TESTS ?=

help:  ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1|/p' Makefile | column -t -s '|' 2>/dev/null || sed -n 's/^\([a-z]*\):.*## /  make \1  /p' Makefile

run: setup  ## Bursar with its demo business, on http://localhost:8501
	@exec $(bin)/bursar up

test: setup  ## the whole suite, browser stories included (TESTS=tests/unit for a part)
	@CHROMIUM="$$(ops/setup browser)" && export CHROMIUM && exec $(bin)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: setup  ## style, format and types
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/mypy

check: lint  ## lint, and the rules of the house: layers, tidiness, documentation
	@$(bin)/pytest -q tests/house

bench: setup  ## the benchmarks, each against its floor
	@$(bin)/pytest -s --timeout 1800 tests/performance

gate: export GATE = 1
gate: check test bench  ## what a release must pass

fix: setup  ## let ruff mend what it can, and make docs/metrics.md anew
	@$(bin)/python -c 'from warehouse import metrics; print(metrics.page(), end="")' >docs/metrics.md
	@$(bin)/ruff format
	@$(bin)/ruff check --fix

lock: setup  ## requirements.lock anew from pyproject.toml
	@ops/setup lock

setup:
	@ops/setup
