"""Four experiments, one after another: `make sweep` or `.venv/bin/python -m experiments`.

The others, batch_size, schedules, neurons and approximation, are run by their names: `make sweep-batch_size`, or
`.venv/bin/python -m experiments.batch_size`.
"""

from sandbox.sweeps.command import experiment

from . import depth, feature_crosses, initializers, learning_rate

if __name__ == "__main__":
    experiment(learning_rate.SWEEP, initializers.SWEEP, depth.SWEEP, feature_crosses.SWEEP)
