"""Experiment-tracking research sandbox for learning how neural networks learn.

`train(Config(...))` trains one network from scratch in NumPy; `train_many` a population side by side. Sweeps, MLflow
tracking and pictures live in rooms of their own and are imported only when they are used.
"""

import sandbox.interrupt  # noqa: F401  before all that takes its time

# isort: split
import importlib
from typing import TYPE_CHECKING, Any

from sandbox.config import Config
from sandbox.data import Dataset, load_dataset
from sandbox.errors import RequestError
from sandbox.nn import Hook, Network, fit, gradient_check
from sandbox.train import Result, train, train_many

if TYPE_CHECKING:
    from sandbox.estimators import SandboxClassifier, SandboxRegressor
    from sandbox.kept import load
    from sandbox.logged import log_run

LATER = {  # what brings in the store, or scikit-learn: when it is asked for
    "SandboxClassifier": "sandbox.estimators",
    "SandboxRegressor": "sandbox.estimators",
    "load": "sandbox.kept",
    "log_run": "sandbox.logged",
}


def __getattr__(name: str) -> Any:
    if name not in LATER:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    return getattr(importlib.import_module(LATER[name]), name)


__all__ = [
    "Config",
    "Dataset",
    "Hook",
    "Network",
    "RequestError",
    "Result",
    "SandboxClassifier",
    "SandboxRegressor",
    "fit",
    "gradient_check",
    "load",
    "load_dataset",
    "log_run",
    "train",
    "train_many",
]
