# Two commands do everything on a fresh machine: make sweep, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := python -m pytest -q -n 2 --dist loadscope
EXPERIMENTS := learning_rate initializers depth feature_crosses batch_size schedules neurons approximation
APART := $(if $(WORKERS),--workers $(WORKERS)) # WORKERS=8, or WORKERS=tcp://HOST:8786: make sweep WORKERS=8
SWEEPS := $(addprefix sweep-,$(EXPERIMENTS))

.DEFAULT_GOAL := help
.PHONY: help setup sweep compare compare-full answers published lessons docs ui test test-floors lock bench bench-cluster lint clean $(SWEEPS)

help: ## show this list
	@awk -F ':.*## ' '/^[a-zA-Z$$()_-]+:.*## /{sub(/.*SWEEPS.*/, "sweep-NAME", $$1); printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready ## create .venv and install everything into it

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	@echo "installing into $(VENV): a minute or two, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

sweep: setup ## run the four experiments, log every run to MLflow
	@$(BIN)/python -m experiments $(APART)

$(SWEEPS): sweep-%: setup ## run one experiment: NAME is learning_rate, initializers, depth, feature_crosses, batch_size, schedules, neurons or approximation
	@$(BIN)/python -m experiments.$* $(APART)

compare: setup ## feature crosses against hidden layers, a small grid: one or two minutes
	@$(BIN)/python -m studies.features_vs_layers $(APART)

compare-full: setup ## the same on all data sets and sizes: about half an hour
	@$(BIN)/python -m studies.features_vs_layers --full $(APART)

answers: setup ## draw every answer, figure and number of the experiments anew from MLflow, and look whether FINDINGS.md has them
	@$(BIN)/python -m studies.answers

published: setup ## re-run every published result that the trainer claims
	@$(BIN)/python -m studies.published_results

lessons: $(VENV)/.lessons ## open the six lessons in Jupyter Lab, the first one first
	@cd studies/lessons && ../../$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/1_one_neuron.ipynb $(ARGS)

$(VENV)/.lessons: $(VENV)/.ready
	@echo "installing Jupyter Lab into $(VENV): a minute, once"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[lessons]"
	@touch $@

docs: setup ## make pages of README, findings, commands, recipes and every public name, in build/docs
	@$(BIN)/python -m studies.docs

ui: setup ## serve the MLflow UI on 127.0.0.1
	@$(BIN)/sandbox ui

test: setup ## run the tests (SLOW=1: also the minutes of kills and outages that CI runs)
	@$(BIN)/$(PYTEST) $(ARGS)

test-floors: .venv-floors/.ready ## run the tests with the oldest versions that pyproject.toml allows
	@FLOORS=1 .venv-floors/bin/$(PYTEST) $(ARGS)

# Every lower bound becomes the one version that pip may take: a bound that nothing can be installed at is an error.
.venv-floors/.ready: pyproject.toml
	@echo "installing the oldest versions into .venv-floors: some minutes, once"
	@$(PYTHON) -m venv .venv-floors
	@sed -nE 's/^ *"([a-z0-9-]+)(\[[a-z]+\])?>=([0-9.]+).*/\1==\3/p' pyproject.toml >.venv-floors/floors.txt
	@.venv-floors/bin/python -m pip install --quiet --disable-pip-version-check -c .venv-floors/floors.txt -e ".[dev]"
	@touch $@

lock: test ## run the tests, and write the versions that they ran with into requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check freeze --exclude-editable >requirements.lock

bench: .venv-bench/.ready ## our trainer and pipeline against PyTorch, JAX and scikit-learn: about ten minutes
	@.venv-bench/bin/python -m studies.bench

.venv-bench/.ready: pyproject.toml
	@echo "installing PyTorch, JAX and scikit-learn into .venv-bench: some minutes, once"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check jax -e ".[cluster]"
	@touch $@

bench-cluster: .venv-cluster/.ready ## our sweeps, here and on Dask, against Ray Tune with MLflow: about an hour
	@.venv-cluster/bin/python -m studies.bench.cluster $(ARGS)

.venv-cluster/.ready: pyproject.toml
	@echo "installing Ray Tune and Dask into .venv-cluster: some minutes, once"
	@$(PYTHON) -m venv .venv-cluster
	@.venv-cluster/bin/python -m pip install --quiet --disable-pip-version-check "ray[tune]" -e ".[cluster]"
	@touch $@

lint: setup ## ruff and pyright
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

clean: ## remove caches and the environment; runs/ stays
	rm -rf .venv .venv-* .pytest_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
