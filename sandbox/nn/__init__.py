"""The trainer: neural networks from scratch in NumPy, one at a time or a population side by side."""

from sandbox.nn.gradients import gradient_check, gradients
from sandbox.nn.hooks import Hook, Progress, Recorder, Snapshots, StopOnDivergence
from sandbox.nn.network import Network
from sandbox.nn.training import Run, fit

__all__ = [
    "Hook",
    "Network",
    "Progress",
    "Recorder",
    "Run",
    "Snapshots",
    "StopOnDivergence",
    "fit",
    "gradient_check",
    "gradients",
]
