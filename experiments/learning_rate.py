"""What does the learning rate do?

    make sweep-learning_rate          .venv/bin/python -m experiments.learning_rate --help

A step of gradient descent is the gradient times the learning rate. Here a small ReLU network with a linear output fits
the two moons by least squares, where nothing saturates: too small a rate crawls, too large a one diverges, and between
them lies a range of about a factor of ten.
"""

from sandbox import Config
from sandbox.sweeps import Sweep, log_grid
from sandbox.sweeps.command import experiment

SWEEP = Sweep(
    name="learning_rate",
    question="What does the learning rate do?",
    reading="Select the runs, press Compare and look at `cost`: one curve per learning rate and seed. `diverged = 1` "
    "marks the runs that blew up, with their curve up to there.",
    base=Config(
        dataset="moons",
        n_examples=200,
        noise=0.1,
        hidden=(8,),
        activation="relu",
        output="linear",
        initializer="he",
        cost="squared_error",
        epochs=1000,
    ),
    space={"learning_rate": log_grid(0.001, 10, 9)},
    seeds=20,
)

# Full run, medians: 0.001 ends at a cost of 0.099 (test accuracy 0.69), 0.01 at 0.042 (0.88), 0.316 at 0.012 (0.99); 1.0
# is no longer reliable (0.89; of 20 seeds 1 diverges, 4 stay at chance); 3.16 and 10 diverge for every seed by epoch 10.

if __name__ == "__main__":
    experiment(SWEEP)
