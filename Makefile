# Thin names for scripts/dev.py, which does the work and runs the same on Windows.
# ARGS="..." passes arguments on: make run ARGS="--exit-after 5", make test ARGS="-k ledger".

PYTHON ?= python3
DEV = $(PYTHON) scripts/dev.py

.DEFAULT_GOAL := help
.PHONY: help venv run test check soak simulate mutants fuzz coverage bench bench-backtest bench-desktop bench-durability bench-execution screenshots build test-package test-desktop release lock

help:
	@$(DEV) --help

venv run test check soak mutants coverage bench bench-backtest bench-desktop bench-durability bench-execution screenshots build test-package test-desktop release lock:
	@$(DEV) $@ $(ARGS)

# make simulate SEEDS=400 HOURS=24 [FIRST_SEED=1] [GRIDS=10], or make simulate SEED=7 HOURS=24 for one, told in full.
# WEATHER=steady (storm, tempest) decides how much goes wrong instead of the seed.
# With SHRINK=1 a seed that fails is made small; KEEP_GRIDS and ONLY come from what that prints.
simulate:
	@$(DEV) $@ $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(FIRST_SEED),--first-seed $(FIRST_SEED)) \
		$(if $(HOURS),--hours $(HOURS)) $(if $(GRIDS),--grids $(GRIDS)) $(if $(WEATHER),--weather $(WEATHER)) $(if $(SHRINK),--shrink) \
		$(if $(KEEP_GRIDS),--keep-grids $(KEEP_GRIDS)) $(if $(ONLY),--only "$(ONLY)") $(ARGS)

# make fuzz INPUTS=200000 [SEED=1]
fuzz:
	@$(DEV) $@ $(if $(INPUTS),--inputs $(INPUTS)) $(if $(SEED),--seed $(SEED)) $(ARGS)
