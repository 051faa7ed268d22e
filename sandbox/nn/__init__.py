"""The trainer: neural networks from scratch in NumPy, one at a time or a population side by side."""

from sandbox.nn.activations import Activation
from sandbox.nn.costs import Cost
from sandbox.nn.curvature import sharpness
from sandbox.nn.gradients import gradient_check, gradients
from sandbox.nn.hooks import (
    Checkpoint,
    Curves,
    EarlyStopping,
    GradientNoise,
    GradientNorms,
    Hook,
    InitializerHealth,
    Jaggedness,
    Measures,
    PrintEvery,
    Progress,
    Sharpness,
    Snapshots,
    StopOnDivergence,
    TimeToCost,
    WeightPath,
    load_checkpoint,
)
from sandbox.nn.network import Network
from sandbox.nn.optimizers import Optimizer
from sandbox.nn.run import Run
from sandbox.nn.training import fit

__all__ = [
    "Activation",
    "Checkpoint",
    "Cost",
    "Curves",
    "EarlyStopping",
    "GradientNoise",
    "GradientNorms",
    "Hook",
    "InitializerHealth",
    "Jaggedness",
    "Measures",
    "Network",
    "Optimizer",
    "PrintEvery",
    "Progress",
    "Run",
    "Sharpness",
    "Snapshots",
    "StopOnDivergence",
    "TimeToCost",
    "WeightPath",
    "fit",
    "gradient_check",
    "gradients",
    "load_checkpoint",
    "sharpness",
]
