"""How long the gradient is, layer by layer."""

from typing import TYPE_CHECKING

import numpy as np

from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class GradientNorms(Hook):
    """Records the Euclidean norm of the gradient: `gradient_norm` of all parameters, `gradient_norm/layer1` of a layer's.

    A layer's parameters are its weights and biases, so the squares of the layers' norms add up to the whole one's. The
    gradient is the one that the update uses: penalties included, and with mini-batches that of an epoch's first batch.

    >>> from sandbox import Config, train
    >>> curves = train(Config(hidden=(3,), epochs=10), [GradientNorms()]).curves
    >>> sorted(curves), len(curves["gradient_norm"][1])
    (['gradient_norm', 'gradient_norm/layer1', 'gradient_norm/layer2'], 10)
    """

    stateless = True

    def __init__(self, every: int = 1) -> None:
        self.every = every

    def on_epoch(self, run: "Run") -> None:
        gradients = run.gradients
        run.record("gradient_norm", norm(gradients.parameters))
        for number, (dW, db) in enumerate(zip(gradients.weights, gradients.biases, strict=True), start=1):
            layer = np.concatenate([dW, db], axis=-1)
            run.record(f"gradient_norm/layer{number}", norm(layer.reshape(*run.lead, -1)))


def norm(vectors: np.ndarray) -> np.ndarray:
    """The Euclidean norms of (..., P), summed one by one: alike for a network among others, padded, and alone."""
    return np.sqrt(np.cumsum(np.square(vectors, dtype=float), axis=-1)[..., -1])
