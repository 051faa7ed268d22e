# Two commands do everything on a fresh machine: make sweep, make test.
PYTHON ?= python3
BIN := .venv/bin
EXPERIMENTS := learning_rate initializers depth feature_crosses
SWEEPS := $(addprefix sweep-,$(EXPERIMENTS))

.DEFAULT_GOAL := help
.PHONY: help setup sweep compare compare-full findings published ui test bench lint clean $(SWEEPS)

help: ## show this list
	@awk -F ':.*## ' '/^[a-zA-Z$$()_-]+:.*## /{sub(/.*SWEEPS.*/, "sweep-NAME", $$1); printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## create .venv and install everything into it

.venv/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo "installing into .venv: a minute or two, once"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

sweep: setup ## run the four experiments, log every run to MLflow
	@$(BIN)/python -m experiments

$(SWEEPS): sweep-%: setup ## run one experiment: NAME is learning_rate, initializers, depth or feature_crosses
	@$(BIN)/python -m experiments.$*

compare: setup ## feature crosses against hidden layers, a small grid: a minute or two
	@$(BIN)/python -m studies.features_vs_layers

compare-full: setup ## the same on all data sets and sizes: up to twenty minutes
	@$(BIN)/python -m studies.features_vs_layers --full

findings: setup ## the figures and pictures of studies/FINDINGS.md, from the four experiments
	@$(BIN)/python -m studies.findings

published: setup ## re-run every published result that the trainer claims
	@$(BIN)/python -m studies.published_results

ui: setup ## serve the MLflow UI on 127.0.0.1
	@$(BIN)/sandbox ui

test: setup ## run the tests (SLOW=1: also the minutes of kills and outages that CI runs)
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope

bench: .venv-bench/.ready ## our trainer and pipeline against PyTorch, JAX and scikit-learn: about ten minutes
	@.venv-bench/bin/python -m studies.bench

.venv-bench/.ready: pyproject.toml
	@echo "installing PyTorch, JAX and scikit-learn into .venv-bench: some minutes, once"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check jax -e .
	@touch $@

lint: setup ## ruff and pyright
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

clean: ## remove caches and the environment; runs/ stays
	rm -rf .venv .venv-bench .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
