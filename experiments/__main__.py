"""All four experiments, one after another: `make sweep` or `python -m experiments`."""

from experiments import depth, feature_crosses, initializers, learning_rate
from sandbox.sweeps.command import experiment

if __name__ == "__main__":
    experiment(learning_rate.SWEEP, initializers.SWEEP, depth.SWEEP, feature_crosses.SWEEP)
