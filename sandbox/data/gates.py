"""The six logic gates of two inputs: the smallest questions a network can be asked."""

from __future__ import annotations  # numpy.random takes as long to import as all of this

import numpy as np

ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

TRUTH = {
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "nor": (1, 0, 0, 0),
    "xor": (0, 1, 1, 0),
    "xnor": (1, 0, 0, 1),
}


def gate(name: str, n: int, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """n examples of a gate: its four rows in turn, Gaussian noise of that standard deviation on the inputs.

    Returns X (n, 2) and Y (n, 1). The outputs are those of the rows without noise.
    Without noise nothing is drawn: the four rows are the points of every seed and of every part.

    >>> X, Y = gate("xor", 4, 0.0, np.random.default_rng(0))
    >>> Y.ravel()
    array([0., 1., 1., 0.])
    """
    row = np.arange(n) % 4
    X = ROWS[row] + noise * rng.standard_normal((n, 2))
    return X, np.array(TRUTH[name], dtype=float)[row, None]
