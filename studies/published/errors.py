"""Where "Nothing but NumPy" and what was made after it err: each figure computed the way that leads to it."""

import math
from itertools import pairwise

import numpy as np

from sandbox.nn import textbook
from studies.published.claims import Misprint

OR = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 1)]
WEIGHTS = (0.1, 0.6)


def predicted(point: tuple[int, int]) -> float:
    """What the OR neuron says of a point before its first update."""
    return 1 / (1 + math.exp(-sum(w * x for w, x in zip(WEIGHTS, point, strict=True))))


def summed() -> float:
    """The derivative by w1, summed over the examples and not averaged."""
    return sum((a - y) * a * (1 - a) * x[0] for x, y in OR for a in [predicted(x)])


def rounded() -> float:
    """The derivative by w2, from predictions rounded to two decimals."""
    return sum((a - y) * a * (1 - a) * x[1] for x, y in OR for a in [round(predicted(x), 2)]) / len(OR)


def growth(rate: float) -> float:
    """By what each step would grow on the parabola that fits the OR neuron's cost at the start."""
    H = np.zeros((3, 3))
    for point, y in OR:
        a, ends = predicted(point), np.array([*point, 1])
        slope = a * (1 - a)
        H += (slope**2 + (a - y) * slope * (1 - 2 * a)) * np.outer(ends, ends) / len(OR)
    return abs(1 - rate * float(np.linalg.eigvalsh(H).max()))


def three_layers(update: int = 4900) -> float:
    """The cost of 2-5-3-1 before an update, by the notebook's own lines."""
    draw, sizes = np.random.RandomState(48).randn, (2, 5, 3, 1)
    Ws = [draw(n_out, n_in) / math.sqrt(n_in) for n_in, n_out in pairwise(sizes)]
    bs = [np.zeros((n_out, 1)) for n_out in sizes[1:]]
    X, Y = np.array([[0, 0, 1, 1], [0, 1, 0, 1]]), np.array([[0, 1, 1, 0]])
    return textbook.train(Ws, bs, ["sigmoid"] * 3, X, Y, "squared_error", 1, update + 1)[0][-1]


LOSS = Misprint("0.10998", lambda: 0.469**2 / 2, "computed from yhat rounded to 0.469")
SUMS = Misprint(
    "a sum over the examples",
    summed,
    "where the formula has the mean of them: four times as much, and descent at four times the rate. The notebooks divide "
    "once, in the cost's derivative, and are right",
)
SLOPE = Misprint("-0.038", rounded, "the slides compute from predictions rounded to 0.65 and 0.67")
WEIGHT = Misprint("0.638", lambda: WEIGHTS[1] - rounded(), "what the slides' -0.038 makes of 0.6")
RATE_50 = Misprint(
    "divergence",
    lambda: float(growth(50) > 1),
    "true of a parabola: on the one that fits this cost at the start steps grow 4.7-fold, and any rate above 17.4 diverges. "
    "But sigmoids bound the cost: it rises once, to 0.0934, and falls to 9.2e-6. A rate of 1000 does not diverge either: "
    "after one update all outputs are 1, their derivatives 0, and the cost stays at 0.125",
)
AROUND = Misprint(
    "around 0.0001",
    three_layers,
    "the text says so of what the notebook prints as 0.0003; 0.0001 takes 9,500 updates",
)
