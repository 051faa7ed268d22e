"""Initializers: the weights before the first update.

Each is a function `(rng, (n_out, n_in)) -> array`. G is standard normal of that shape; `rng` is a
`numpy.random.Generator`, or anything else with `standard_normal(shape)` and `uniform(low, high, shape)`, such as the
legacy `numpy.random.RandomState` of the older texts. Biases start at zero, unless they are drawn.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from sandbox.errors import RequestError, one_line
from sandbox.own import look_up

Initializer = Callable[[Any, tuple[int, int]], np.ndarray]
InitializerName = Literal[
    "plain", "xavier", "he", "glorot_normal", "glorot_uniform", "orthogonal", "playground", "constant", "zeros"
]


def plain(rng: Any, shape: tuple[int, int], scale: float = 0.01) -> np.ndarray:
    """`scale * G`: small numbers, whatever the layer's width."""
    return scale * rng.standard_normal(shape)


def xavier(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """`G / sqrt(n_in)`: keeps the variance of linear and tanh layers (after Glorot and Bengio 2010)."""
    return rng.standard_normal(shape) / np.sqrt(shape[1])


def he(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """`G * sqrt(2 / n_in)`: keeps the variance through ReLU, which drops half of it (He et al. 2015)."""
    return rng.standard_normal(shape) * np.sqrt(2 / shape[1])


def glorot_normal(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """`G * sqrt(2 / (n_in + n_out))` (Glorot and Bengio 2010, between equations 10 and 11)."""
    return rng.standard_normal(shape) * np.sqrt(2 / sum(shape))


def glorot_uniform(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """Uniform within `sqrt(6 / (n_in + n_out))` of zero (Glorot and Bengio 2010, equation 16)."""
    limit = np.sqrt(6 / sum(shape))
    return rng.uniform(-limit, limit, shape)


def orthogonal(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """Orthonormal rows or columns, whichever are fewer, uniformly drawn (Saxe, McClelland, Ganguli 2014).

    The Q of a standard normal matrix's QR decomposition, with signs that make R's diagonal positive (Mezzadri 2007).
    """
    n_out, n_in = shape
    Q, R = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    Q *= np.sign(np.diag(R))
    return Q if n_out >= n_in else Q.T


def playground(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """Uniform within a half of zero, whatever the layer's width: TensorFlow Playground's.

    With the page's own data sets they are also drawn from its own stream, behind the data: see Config.
    """
    return rng.uniform(-0.5, 0.5, shape)


def constant(rng: Any, shape: tuple[int, int], scale: float = 0.01) -> np.ndarray:
    """All `scale`: no zeros, and equal units all the same."""
    return np.full(shape, float(scale))


def zeros(rng: Any, shape: tuple[int, int]) -> np.ndarray:
    """All zero: every unit of a layer then learns the same, which is why symmetry must be broken."""
    return np.zeros(shape)


INITIALIZERS: dict[str, Initializer] = {
    function.__name__: function
    for function in (plain, xavier, he, glorot_normal, glorot_uniform, orthogonal, playground, constant, zeros)
}
SCALED = ("plain", "constant")  # those that take a `scale`


def get_initializer(initializer: str | Initializer) -> Initializer:
    """The initializer called `initializer`, one's own, "module:name", or the function itself.

    Raises RequestError, naming the valid ones, and where one's own does not give finite numbers of the shape asked for.
    """
    if callable(initializer):
        return initializer
    return look_up("initializer", initializer, INITIALIZERS, _own)


def _own(name: str, found: Any) -> Any:
    if not callable(found):
        raise RequestError(f"{name} is no initializer: a function (rng, (n_out, n_in)) -> weights is needed")
    for shape in ((3, 2), (1, 5)):
        drawn = np.asarray(found(np.random.default_rng(0), shape))
        if drawn.shape != shape or drawn.dtype.kind not in "fiu" or not np.isfinite(drawn).all():
            raise RequestError(f"initializer {name} gives {one_line(drawn)} for the shape {shape}: weights are needed")
    return found
