"""How curved the cost is where the parameters are: its sharpness, which says how large a step of descent may be.

Along an eigenvector of the Hessian H with eigenvalue k a cost that is quadratic has the slope k x, and a step of gradient
descent with the learning rate r takes x to (1 - r k) x. That shrinks as long as r < 2 / k. So the largest eigenvalue, the
sharpness, gives the largest rate: 2 / sharpness (LeCun, Bottou, Orr and Mueller 1998, "Efficient BackProp", section 5).
"""

from typing import Any

import numpy as np

from sandbox.errors import RequestError, is_count, one_line
from sandbox.nn.costs import CostName
from sandbox.nn.gradients import gradients
from sandbox.nn.network import Network
from sandbox.nn.penalties import weight_mask
from sandbox.own import Own

STEP = (
    1e-7  # of the differences, beside parameters of length 1: what it cuts off and what is rounded are both about 1e-8
)


def sharpness(
    network: Network, X: Any, Y: Any, cost: CostName | Own = "squared_error", *, l2: Any = 0.0, products: int = 20
) -> Any:
    """The largest eigenvalue of the Hessian of the cost and its L2 penalty by all parameters; (R,) of a population.

    X is (..., examples, features), Y (..., examples, outputs). The Hessian is never made: Lanczos' method takes
    `products` of it with vectors (all there is to know of a network with no more parameters than that), each a difference
    of gradients, computed in double precision. A ReLU has a kink: where the step of a difference leads over one, the
    difference in the other direction counts, and at a kink itself there is no Hessian. NaN where parameters or gradients
    are not finite. Raises RequestError where shapes do not fit, and without a product.

    >>> line = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])
    >>> H = [[2.5, 1.5], [1.5, 1.0]]  # the mean of [x, 1] [x, 1]^T
    >>> round(sharpness(line, [[1], [2]], [3, 6]), 6), np.linalg.eigvalsh(H).max().round(6).item()
    (3.427051, 3.427051)
    """
    if not (is_count(products) and products >= 1):
        raise RequestError(f"products is {one_line(products)}: a whole number of at least 1 is needed")
    lead, P = network.lead, network.parameters.shape[-1]
    centre = np.array(network.parameters, float, order="C").reshape(-1, P)
    # a lone network with one example gets a twin, for NumPy would multiply them in another way than several
    count, twin = len(centre), len(centre) == 1 and np.shape(X)[-2] == 1
    centre = np.repeat(centre, 2, axis=0) if twin else centre
    X, Y = (data[0] if data.ndim == 3 and len(data) == 1 else data for data in (np.asarray(X), np.asarray(Y)))
    decay = np.asarray(l2, float)[..., None] * weight_mask(network.sizes)

    def slopes(parameters: np.ndarray) -> np.ndarray:
        found = gradients(Network(network.sizes, network.activations, parameters), X, Y, cost)[1].parameters
        return np.ascontiguousarray(found)  # replicas may lie last, and sums depend on it

    with np.errstate(all="ignore"):
        here, step = slopes(centre), STEP * np.maximum(1, _norm(centre))

        def product(v: np.ndarray) -> np.ndarray:
            ahead, behind = (slopes(centre + step * v) - here) / step, (here - slopes(centre - step * v)) / step
            return np.where(_norm(ahead) <= _norm(behind), ahead, behind) + decay * v

        largest = _largest_eigenvalues(product, centre.shape, min(products, P))[:count]
    return largest.reshape(lead) if lead else float(largest[0])


def _largest_eigenvalues(product: Any, shape: tuple[int, int], count: int) -> np.ndarray:
    """(R,) of R symmetric matrices (P, P) that `product` multiplies vectors (R, P) with.

    Lanczos 1950: in the basis that products grow from a first vector, each made orthogonal to all before it, a symmetric
    matrix is tridiagonal, and its outermost eigenvalues are found first (Golub and Van Loan, section 10.1).
    """
    R, P = shape
    basis, T = np.zeros((R, count, P)), np.zeros((R, count, count))
    v = np.broadcast_to(np.random.default_rng(0).standard_normal(P), shape)
    v = v / _norm(v)
    for place in range(count):
        basis[:, place] = v
        w = product(v)
        # where products lead nowhere new, v is zero, and the first entry again changes no outermost eigenvalue
        T[:, place, place] = np.where(v.any(-1), np.vecdot(v, w), T[:, 0, 0])
        for _ in range(2):  # once leaves what was rounded
            w = w - (basis.mT @ (basis @ w[..., None]))[..., 0]
        length = _norm(w)
        if place + 1 < count:
            T[:, place, place + 1] = T[:, place + 1, place] = length[:, 0]
        v = np.where(length > 0, w / length, 0.0)
    sound = np.isfinite(T).all((-2, -1))
    eigenvalues = np.linalg.eigvalsh(np.where(sound.reshape(R, 1, 1), T, 0.0))
    return np.where(sound, eigenvalues[:, -1], np.nan)


def _norm(vectors: np.ndarray) -> np.ndarray:
    """(R, 1): the lengths of (R, P)."""
    return np.sqrt(np.vecdot(vectors, vectors))[:, None]
