"""Forward and backward through the layers, in buffers that are made once.

The mathematics is the textbook's. With A0 = X, for layers l = 1..L:

    Zl = Wl A(l-1) + bl        Al = g(Zl)
    dZl = dAl * g'(Zl)         dWl = dZl A(l-1)^T        dbl = dZl summed over examples        dA(l-1) = Wl^T dZl
"""

from copy import copy
from typing import Any

import numpy as np

from sandbox.nn.activations import get_activation
from sandbox.nn.costs import Cost


class Propagation:
    """One pass over a batch of examples: `forward`, then `derivative`, then `value` if wanted, then `backward`.

    `inputs` is X with the row of ones below, `targets` is Y; both are read anew by every pass. `parameters` and
    `gradients` lie as `layout` has them; `backward` overwrites `gradients`. `outputs` are the last activations,
    `logits` their weighted sums (the same buffer unless the cost is computed from logits).
    """

    def __init__(
        self,
        layout: Any,
        sizes: tuple[int, ...],
        activations: tuple[str, ...],
        cost: Cost,
        parameters: np.ndarray,
        gradients: np.ndarray,
        inputs: np.ndarray,
        targets: np.ndarray,
    ) -> None:
        self.layout, self.cost, self.inputs, self.targets = layout, cost, inputs, targets
        self.count = layout.examples(inputs)
        self.one = np.ones((), layout.dtype)
        self.per_example = np.array(1 / self.count, layout.dtype)
        Ws, dWs = layout.layers(parameters, sizes), layout.layers(gradients, sizes)
        self.layers: list[tuple] = []
        A, dA = inputs, None
        for W, dW, units, name in zip(Ws, dWs, sizes[1:], activations, strict=True):
            linear = layout.linear(W, dW, A, dA)
            A, Z = layout.with_ones(units, self.count)
            dA, T = layout.empty(units, self.count), layout.empty(units, self.count)
            self.layers.append((linear, get_activation(name), Z, dA, T))
        *hidden, (linear, activation, Z, dA, T) = self.layers
        self.outputs = self.logits = Z
        self.D, self.T, activation_backward = dA, T, activation
        if cost.output is not None:  # D is with respect to the logits: the output's activation is already in it
            self.logits, activation_backward = layout.empty(sizes[-1], self.count), get_activation("linear")
        self.hidden, self.last = hidden, (linear, activation)
        self.reverse = [(linear, activation_backward, Z, dA, T), *hidden[::-1]]

    def over(self, inputs: np.ndarray, targets: np.ndarray) -> "Propagation":
        """The same pass in the same buffers over another batch of as many examples."""
        other = copy(self)
        other.inputs, other.targets = inputs, targets
        first = self.layers[0][0]
        rebound = self.layout.linear(first.W, first.dW, inputs, None)

        def swap(linear):
            return rebound if linear is first else linear

        other.hidden = [(swap(linear), *rest) for linear, *rest in self.hidden]
        other.reverse = [(swap(linear), *rest) for linear, *rest in self.reverse]
        other.last = (swap(self.last[0]), self.last[1])
        return other

    def forward(self) -> None:
        axis, one = self.layout.units, self.one
        for linear, activation, Z, _, T in self.hidden:
            linear.forward(Z)
            activation.forward(Z, T, one, axis)
        linear, activation = self.last
        linear.forward(self.logits)
        if self.logits is not self.outputs:
            np.copyto(self.outputs, self.logits)
        activation.forward(self.outputs, self.T, one, axis)

    def derivative(self) -> None:
        """Start the way back: D becomes the derivative of the cost."""
        self.cost.derivative(self.outputs, self.targets, self.D, self.per_example)

    def value(self) -> Any:
        """The cost, one number per replica; after `derivative` and before `backward`."""
        return self.cost.value(self.outputs, self.logits, self.targets, self.D, self.T, self.layout)

    def backward(self) -> None:
        axis, one = self.layout.units, self.one
        for linear, activation, A, dA, T in self.reverse:
            activation.backward(dA, A, T, one, axis)
            linear.backward(dA)

    def evaluate(self) -> Any:
        """Forward only: the cost of the parameters as they are."""
        self.forward()
        self.derivative()
        return self.value()
