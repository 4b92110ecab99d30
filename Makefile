# Thin names for scripts/dev.py, which does the work and runs the same on Windows.
# ARGS="..." passes arguments on: make run ARGS="--exit-after 5", make test ARGS="-k ledger".

PYTHON ?= python3
DEV = $(PYTHON) scripts/dev.py

.DEFAULT_GOAL := help
.PHONY: help venv run test check soak bench bench-backtest screenshots lock

help:
	@$(DEV) --help

venv run test check soak bench bench-backtest screenshots lock:
	@$(DEV) $@ $(ARGS)
