"""The elementary operations: each computes a value and knows its local gradients.

They are written from the formulas, apart from sandbox.nn, so that each can be checked against the other; functions of one's
own have been checked before. Values are
numbers () in the graph of one example, arrays (units, examples) in that of a batch.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from sandbox.errors import RequestError, one_line
from sandbox.graph.node import Edge, Node
from sandbox.nn.activations import get_activation
from sandbox.own import called, is_own

FAR = 700.0  # exp of more than this is no float64
SLOPE = 0.01  # of the leaky ReLU below zero
ROOT = math.sqrt(2 * math.pi)


def leaf(name: str, kind: str, value: object, formula: str = "") -> Node:
    """A node that is given: data or a parameter."""
    return Node(name, kind, np.asarray(value, np.float64), formula)


def multiply(weight: Node, x: Node) -> Node:
    """w * x, with d/dw = x and d/dx = w."""
    name = f"{weight.name}*{x.name}"
    return Node(
        name,
        "product",
        weight.value * x.value,
        name,
        (Edge(weight, x.value, x.name), Edge(x, weight.value, weight.name)),
    )


def add(name: str, terms: Sequence[Node], kind: str = "sum") -> Node:
    """The sum of terms, each with the local gradient 1."""
    value = np.asarray(sum(term.value for term in terms))
    one = np.ones_like(value)
    return Node(name, kind, value, joined([term.name for term in terms]), tuple(Edge(term, one, "1") for term in terms))


def linear(name: str, W: Node, A: Node, b: Node) -> Node:
    """Z = W A + b for all examples: dW = dZ A^T, dA = W^T dZ, db = dZ summed over examples."""
    return Node(
        name,
        "sum",
        W.value @ A.value + b.value,
        f"{W.name} {A.name} + {b.name}",
        (
            Edge(W, A.value.T, f"{A.name}^T", lambda dZ: dZ @ A.value.T, "upstream @ local"),
            Edge(A, W.value.T, f"{W.name}^T", lambda dZ: W.value.T @ dZ, "local @ upstream"),
            Edge(
                b,
                np.ones((A.value.shape[1], 1)),
                "1",
                lambda dZ: dZ.sum(1, keepdims=True),
                "upstream summed over examples",
            ),
        ),
    )


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), precise for small results too: 1 - sigmoid(z) is sigmoid(-z). Never below 1e-304."""
    return 1 / (1 + np.exp(-np.clip(z, -FAR, FAR)))


def share(z: np.ndarray) -> np.ndarray:
    """Phi(z): the normal distribution's share below z."""
    return np.array(np.vectorize(lambda one: math.erfc(-one / math.sqrt(2)) / 2)(z))


ACTIVATIONS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, str]]] = {
    "linear": lambda x: (x, np.ones_like(x), "1"),
    "sigmoid": lambda x: (sigmoid(x), sigmoid(x) * sigmoid(-x), "{a} * (1 - {a})"),
    "tanh": lambda x: (np.tanh(x), 1 - np.tanh(x) ** 2, "1 - {a}^2"),
    "relu": lambda x: (np.where(x > 0, x, 0.0), np.where(x > 0, 1.0, 0.0), "1 if {z} > 0 else 0"),
    "leaky_relu": lambda x: (
        np.where(x >= 0, x, SLOPE * x),
        np.where(x >= 0, 1.0, SLOPE),
        f"1 if {{z}} >= 0 else {SLOPE}",
    ),
    "sin": lambda x: (np.sin(x), np.cos(x), "cos({z})"),
    "cos": lambda x: (np.cos(x), -np.sin(x), "-sin({z})"),
    "softplus": lambda x: (np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), sigmoid(x), "sigmoid({z})"),
    "swish": lambda x: (
        x * sigmoid(x),
        sigmoid(x) + x * sigmoid(x) * sigmoid(-x),
        "sigmoid({z}) + {a} * (1 - sigmoid({z}))",
    ),
    "gelu": lambda x: (x * share(x), share(x) + x * np.exp(-x * x / 2) / ROOT, "Phi({z}) + {z} * phi({z})"),
}
"""Name -> what gives g(z), its derivative, and how that is written for a = g(z).

Where ReLU has no derivative, at 0, it has 0; the leaky one 1.
"""


def activate(activation: str, name: str, z: Node) -> Node:
    """g(z), entry by entry; one's own by its own slope. Raises RequestError for an activation that is not written here."""
    word = called(activation)
    if is_own(activation):
        own = get_activation(activation)
        value, local, formula = np.asarray(own.function(z.value)), np.asarray(own.slope(z.value)), f"{word}'({{z}})"
    elif activation in ACTIVATIONS:
        value, local, formula = ACTIVATIONS[activation](z.value)
    else:
        known = f"{', '.join(ACTIVATIONS)} and, for the output, softmax"
        raise RequestError(f"the graph of the activation {one_line(activation)} is not known. Valid: {known}")
    edge = Edge(z, local, formula.format(a=name, z=z.name))
    return Node(name, "activation", value, f"{word}({z.name})", (edge,))


def softmax(z: np.ndarray) -> np.ndarray:
    """exp(z) / sum(exp(z)) over the first axis, never below 1e-304."""
    z = z - z.max(0)
    return np.exp(np.maximum(z - np.log(np.exp(z).sum(0)), -FAR))


def softmax_unit(name: str, unit: int, zs: Sequence[Node], outputs: Sequence[str]) -> Node:
    """One of the softmax's outputs, with d p_k / d z_j = p_k (1 if j = k else 0, minus p_j)."""
    p = softmax(np.array([z.value for z in zs]))
    edges = [
        Edge(z, p[unit] * ((j == unit) - p[j]), f"{name} * (1 - {name})" if j == unit else f"-{name} * {outputs[j]}")
        for j, z in enumerate(zs)
    ]
    return Node(name, "activation", p[unit], f"softmax({joined([z.name for z in zs], ', ')})", tuple(edges))


def softmax_layer(name: str, Z: Node) -> Node:
    """All of the softmax's outputs, for all examples; the local gradient is a matrix (k, j) for each example."""
    P = softmax(Z.value)
    local = np.einsum("ke,kj->ekj", P, np.eye(len(P))) - np.einsum("ke,je->ekj", P, P)
    edge = Edge(
        Z,
        local,
        f"diag({name}) - {name} {name}^T",
        lambda dP: np.einsum("ke,ekj->je", dP, local),
        "local^T @ upstream, example by example",
    )
    return Node(name, "activation", P, f"softmax({Z.name})", (edge,))


def subtract(name: str, target: Node, output: Node) -> Node:
    """The error y - yhat."""
    one = np.ones_like(output.value)
    edges = (Edge(target, one, "1"), Edge(output, -one, "-1"))
    return Node(name, "error", target.value - output.value, f"{target.name} - {output.name}", edges)


def penalty(name: str, weights: Sequence[Node], l1: float, l2: float) -> Node:
    """l1 * sum(|w|) + l2 / 2 * sum(w^2), biases left out."""
    value = sum((l1 * np.abs(w.value) + l2 / 2 * w.value**2).sum() for w in weights)
    terms = [text for rate, text in ((l1, f"{l1:g} * sum(|w|)"), (l2, f"{l2:g} / 2 * sum(w^2)")) if rate]
    edges = []
    for w in weights:
        parts = [part for rate, part in ((l1, f"{l1:g} * sign({w.name})"), (l2, f"{l2:g} * {w.name}")) if rate]
        edges.append(Edge(w, l1 * np.sign(w.value) + l2 * w.value, " + ".join(parts)))
    return Node(name, "penalty", np.asarray(value), " + ".join(terms), tuple(edges))


def joined(terms: Sequence[str], between: str = " + ") -> str:
    """Terms in a row; of many the first two and the last two."""
    return between.join(terms if len(terms) <= 6 else [*terms[:2], "...", *terms[-2:]])
