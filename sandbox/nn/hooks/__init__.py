"""Hooks: code that watches training. Hooks observe; the trainer trains.

A hook sees a `Run` (see sandbox.nn.run): `run.epoch`, `run.cost`, `run.network`, `run.gradients`, and what
`run.measure(name)` computes. In a population each of them has the replicas' axis in front. `run.stop()` is the one way to
end training early, `run.record(name, value)` the one way to keep a curve, `run.snapshot()` the one way to keep the network
of this epoch, and `run.restore(...)` the one way to go back to parameters that were kept.
"""

from sandbox.nn.hooks.checkpoint import Checkpoint, load_checkpoint
from sandbox.nn.hooks.curves import Curves
from sandbox.nn.hooks.divergence import StopOnDivergence
from sandbox.nn.hooks.early_stopping import EarlyStopping
from sandbox.nn.hooks.gradient_noise import GradientNoise
from sandbox.nn.hooks.gradient_norms import GradientNorms
from sandbox.nn.hooks.hook import Hook
from sandbox.nn.hooks.initializer_health import InitializerHealth
from sandbox.nn.hooks.jaggedness import Jaggedness
from sandbox.nn.hooks.measures import Measures
from sandbox.nn.hooks.print_every import PrintEvery
from sandbox.nn.hooks.progress import Progress
from sandbox.nn.hooks.sharpness import Sharpness
from sandbox.nn.hooks.snapshots import Snapshots
from sandbox.nn.hooks.time_to_cost import TimeToCost
from sandbox.nn.hooks.weight_path import WeightPath

__all__ = [
    "Checkpoint",
    "Curves",
    "EarlyStopping",
    "GradientNoise",
    "GradientNorms",
    "Hook",
    "InitializerHealth",
    "Jaggedness",
    "Measures",
    "PrintEvery",
    "Progress",
    "Sharpness",
    "Snapshots",
    "StopOnDivergence",
    "TimeToCost",
    "WeightPath",
    "load_checkpoint",
]
