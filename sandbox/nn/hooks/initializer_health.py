"""Whether signal and gradient get through a network: their variances, layer by layer, beside what theory predicts."""

from typing import TYPE_CHECKING

import numpy as np

from sandbox.nn.hooks.hook import Epochs, Hook
from sandbox.nn.variances import predicted_variances

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class InitializerHealth(Hook):
    """Records mean and variance, over units and examples, of every layer's activations and gradients at chosen epochs.

    The gradients are the cost's derivatives by the layer's weighted sums (of the cost, a mean over m examples: they fall
    as 1/m). The curves, counted from layer 1:

        health/activation_mean/layer1       health/gradient_mean/layer1
        health/activation_variance/layer1   health/gradient_variance/layer1

    and at epoch 0, where it is among `epochs`, what theory predicts for weights just drawn (see sandbox.nn.variances):

        health/activation_variance_theory/layer1, ...        health/gradient_variance_theory/layer1, ...

    The theory is about the mean over draws of the weights, which a layer of many units comes close to. It starts from the
    inputs as they are and, backwards, from the last layer's derivatives, for which there is thus no prediction; nor is
    there one for a softmax. With mini-batches all are those of the epoch's first batch.

    >>> from sandbox import Config, train
    >>> deep = Config(dataset="circle", hidden=(300, 300), activation="relu", initializer="he", epochs=1)
    >>> curves = train(deep, [InitializerHealth()]).curves
    >>> measured, theory = (curves[f"health/activation_variance{part}/layer2"][1] for part in ("", "_theory"))
    >>> bool(abs(measured / theory - 1) < 0.2)
    True
    """

    def __init__(self, epochs: Epochs = (0,)) -> None:
        self.epochs = epochs

    def on_epoch(self, run: "Run") -> None:
        for kind, layers in (("activation", run.activations), ("gradient", run.derivatives)):
            for number, values in enumerate(layers, start=1):
                values = np.array(values, float, order="C")  # whose sums are grouped alike in every layout
                run.record(f"health/{kind}_mean/layer{number}", values.mean((-2, -1)))
                run.record(f"health/{kind}_variance/layer{number}", values.var((-2, -1)))
        if run.epoch == 0:
            predicted = predicted_variances(run.network, run.inputs, run.derivatives[-1])
            for kind, variances in zip(("activation", "gradient"), predicted, strict=True):
                for number, variance in enumerate(variances, start=1):
                    if np.isfinite(variance).any():
                        run.record(f"health/{kind}_variance_theory/layer{number}", variance)
