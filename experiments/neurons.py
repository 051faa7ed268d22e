"""How many neurons does XOR need?

    make sweep-neurons                .venv/bin/python -m experiments.neurons --help

Texts say that a size was found "after some experimentation". Here are a hundred networks of each, trained as the texts do
(sigmoid, squared error, rate 1, 5000 epochs), and what helps two layers of three, which often stand still. `solved` is 1
where all four rows are right at the end. This sweep is not part of `make sweep`.
"""

from sandbox import Config, Hook
from sandbox.sweeps import Sweep, arms
from sandbox.sweeps.command import experiment


class Solved(Hook):
    """Records at the end whether a network has every example right."""

    stateless = True

    def on_end(self, run):
        run.record("solved", run.measure("train_accuracy") == 1)


SIZES = {"none": (), "2": (2,), "3": (3,), "4": (4,), "5-3": (5, 3), "3-3": (3, 3)}
HELP = {
    "3-3 tanh": {"activation": "tanh"},
    "3-3 cross-entropy": {"cost": "binary_cross_entropy"},
    "3-3 for 20000 epochs": {"epochs": 20_000},
}
SWEEP = Sweep(
    name="neurons",
    question="How many neurons does XOR need?",
    reading="Group by the tag `arm`: the mean of `solved` is the share of networks that have all four rows right. Those "
    "that have not stand at a cost of 0.125 (they say 0.5 everywhere) or 0.0625 (two rows right, 0.5 for the others).",
    base=Config(dataset="xor", epochs=5000),
    space={
        "arm": arms(
            {name: {"hidden": hidden} for name, hidden in SIZES.items()}
            | {name: {"hidden": (3, 3)} | one for name, one in HELP.items()}
        )
    },
    seeds=100,
    objective="max:solved",
    hooks=[Solved()],
)

# Full run, of 100 each: none 0, 2 units 77, 3 units 97, 4 units 100, 5-3 87, 3-3 83, with tanh 97, else 100.

if __name__ == "__main__":
    experiment(SWEEP)
