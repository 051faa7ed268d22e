"""Experiment-tracking research sandbox for learning how neural networks learn.

`train(Config(...))` trains one network from scratch in NumPy; `train_many` a population side by side. Sweeps, MLflow
tracking and pictures live in rooms of their own and are imported only when they are used.
"""

import sandbox.interrupt  # noqa: F401  before all that takes its time

# isort: split
from typing import TYPE_CHECKING, Any

from sandbox.config import Config
from sandbox.data import Dataset, load_dataset
from sandbox.errors import RequestError
from sandbox.nn import Hook, Network, fit, gradient_check
from sandbox.train import Result, train, train_many

if TYPE_CHECKING:
    from sandbox.estimators import SandboxClassifier, SandboxRegressor
    from sandbox.kept import load


def __getattr__(name: str) -> Any:
    if name == "load":
        from sandbox.kept import load  # which brings in the store: when it is asked for

        return load
    if name in ("SandboxClassifier", "SandboxRegressor"):
        from sandbox import estimators  # which bring in scikit-learn, likewise

        return getattr(estimators, name)
    raise AttributeError(f"module 'sandbox' has no attribute {name!r}")


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
    "train",
    "train_many",
]
