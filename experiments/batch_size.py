"""What does the batch size do?

    make sweep-batch_size             .venv/bin/python -m experiments.batch_size --help

The gradient of B examples is that of all N plus noise, whose variance falls as 1/B (and is 0 for all N). An update of one
example is N times as cheap, and not N times worse. Here every batch size brings a tanh network's cost on the two moons
down to 0.03, also with two wrong labels of 64: what that takes, and how jagged the curve is. Not part of `make sweep`.
"""

from sandbox import Config
from sandbox.nn import GradientNoise, Jaggedness, TimeToCost
from sandbox.sweeps import Sweep, choice
from sandbox.sweeps.command import experiment

SWEEP = Sweep(
    name="batch_size",
    question="What does the batch size do?",
    reading="`batch_size` none is the full batch, of 64. `gradient_noise` is that of the first weights, which all batch "
    "sizes have in common. `time_to_cost/examples`, `/updates` and `/epochs` say when the cost was first at most 0.03; a "
    "run that never got there has none of them, and `time_to_cost/reached` 0. `jaggedness` is how many times as far as it "
    "fell the cost went, over 399 updates; `gradient_noise/against` are the mini-batches that point against the average.",
    base=Config(
        dataset="moons",
        n_examples=64,
        noise=0.1,
        hidden=(8,),
        activation="tanh",
        output="linear",
        cost="squared_error",
        epochs=400,
    ),
    space={
        "batch_size": choice(None, 16, 4, 1),
        "learning_rate": choice(0.1, 0.2, 0.4),
        "mislabelled": choice(0.0, 1 / 32),
    },
    seeds=20,
    objective="min:time_to_cost/examples",
    hooks=[GradientNoise(epochs=[0]), TimeToCost(0.03), Jaggedness(updates=399)],
)

# Full run: the noise of 1, 4, 16 and 64 examples is 1.67, 0.391, 0.0770 and 0 (means), that is 1, 1/4.27, 1/21.7 and 0.
# Updates to the cost 0.03, medians, never being the last: at a rate of 0.1 641, 538, 525 and never (the full batch has only
# 400, which are not enough for 12 of 20); at 0.4 never (14 of 20), 171, 142 and 133. Examples: at 0.1 641, 2,152, 8,392 and
# never; at 0.4 684 by fours, and 404 one by one at 0.2. In 399 updates at 0.2 the cost goes 24.1, 6.4, 1.8 and 1.0 times as
# far as it falls, with two wrong labels 32.3, 8.7, 2.1 and 1.0 times.

if __name__ == "__main__":
    experiment(SWEEP)
