"""Sweeps: many trials over a search space, sampled by Optuna, trained as populations, logged to MLflow."""

from sandbox.space import Choice, Range, arms, choice, log_grid, parse_dimension
from sandbox.sweeps.driver import run_sweep
from sandbox.sweeps.outcome import Outcome
from sandbox.sweeps.sweep import Sweep, Trial

__all__ = ["Choice", "Outcome", "Range", "Sweep", "Trial", "arms", "choice", "log_grid", "parse_dimension", "run_sweep"]
