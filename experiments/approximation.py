"""How many units does a curve need?

    make sweep-approximation          .venv/bin/python -m experiments.approximation --help

One hidden layer approximates any continuous function as closely as one likes, with units enough (Cybenko 1989; Hornik,
Stinchcombe, White 1989). That says nothing of how many, nor whether gradient descent finds the weights. Here 1 to 64 units
follow y = x sin x from -6 to 6. The kink of a ReLU unit is where its sum is 0: with biases of zero all of them begin at
x = 0, with biases that are drawn they begin all along the curve. This sweep is not part of `make sweep`.
"""

from sandbox import Config
from sandbox.sweeps import Sweep, arms, choice
from sandbox.sweeps.command import experiment

RELU = {"activation": "relu", "initializer": "he"}
SWEEP = Sweep(
    name="approximation",
    question="How many units does a curve need?",
    reading="Group by `hidden` and look at `test_rmse`: whoever says the mean everywhere is off by 2.4. `test_cost` beside "
    "`final_cost` says whether units and training are missing (both are large), or examples (the first alone is).",
    base=Config(
        dataset="y = x*sin(x)", n_examples=200, optimizer="adam", learning_rate=0.02, epochs=2000, dtype="float32"
    ),
    space={
        "hidden": choice((1,), (2,), (4,), (8,), (16,), (32,), (64,)),
        "arm": arms(
            {"tanh": {"activation": "tanh"}, "ReLU": RELU, "ReLU with drawn biases": RELU | {"bias_scale": 3.0}}
        ),
    },
    seeds=20,
    objective="validation_rmse",
)

# Full run, mean test RMSE of the best at each size, all tanh: 2.00, 0.656, 0.558, 0.34, 0.13, 0.068 and 0.056 with 64. ReLU
# comes to 0.81 with zero biases, to 0.19 with drawn ones: more units are no help to weights that are not found.

if __name__ == "__main__":
    experiment(SWEEP)
