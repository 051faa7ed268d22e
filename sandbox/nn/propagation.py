"""Forward and backward through the layers, in buffers that are made once.

The mathematics is the textbook's. With A0 = X, for layers l = 1..L:

    Zl = Wl A(l-1) + bl        Al = g(Zl)
    dZl = dAl * g'(Zl)         dWl = dZl A(l-1)^T        dbl = dZl summed over examples        dA(l-1) = Wl^T dZl

A tiny network's time is the interpreter's, so the calls of a pass are put into lists once, bound to their buffers; an
epoch then is a run through the lists.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from sandbox.nn.activations import Calls, get_activation
from sandbox.nn.costs import Cost
from sandbox.nn.padding import Padding


class Propagation:
    """One pass over a batch of examples: the calls of `forward`, which end in the cost's derivative, and `backward`.

    `inputs` is X with the row of ones below, `targets` is Y; both are read anew by every pass. `parameters` and
    `gradients` lie as `layout` has them; `backward` overwrites `gradients`. After `forward`, `value()` is the cost,
    for targets that stay as they are: a pass whose targets change is made without it (`valued` False).
    `activations` are the buffers of every layer's output, `derivatives` those of the cost's derivatives by the
    weighted sums (after `backward`). `padding` says which units are missing.
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
        share: "Propagation | None" = None,
        valued: bool = True,
        padding: Padding | None = None,
    ) -> None:
        count = layout.examples(inputs)
        one, per_example = np.ones((), layout.dtype), np.array(1 / count, layout.dtype)
        self.buffers = share.buffers if share else Buffers(layout, sizes, count)
        self.inputs = inputs
        scratch, self.derivatives = self.buffers.scratch, self.buffers.derivatives
        self.activations: list[np.ndarray] = []
        self.forward: list[Callable[[], object]] = []
        backward: list[Calls] = []
        A, dA = inputs, None
        Ws, dWs = layout.layers(parameters, sizes), layout.layers(gradients, sizes)
        for number, name in enumerate(activations):
            linear, activation = layout.linear(Ws[number], A), get_activation(name)
            A, Z = self.buffers.activations[number]
            dZ, T = self.derivatives[number], scratch[sizes[number + 1]]
            last = number == len(activations) - 1
            of_logits = last and cost.output is not None  # then its derivative is by the logits as well
            sums = self.buffers.sums(number) if of_logits or activation.keeps_sums else Z
            self.forward.extend(linear.forward(sums))
            back = [] if of_logits else [*activation.backward(dZ, Z, sums, T, one)]
            if padding is not None and not last and (number > 0 or not np.isfinite(inputs).all()):
                self.forward.append(padding.clear_units(sums, number))
                back.append(padding.clear_units(dZ, number))
            self.forward.extend(activation.forward(sums, Z, T, one))
            backward.append([*back, *linear.backward(dZ, dWs[number], dA)])
            self.activations.append(Z)
            dA = dZ
            if last:
                self.forward.extend(cost.derivative(Z, targets, dZ, per_example))
                if valued:
                    self.value = cost.value(Z, sums, targets, dZ, T, layout)
        self.backward = [call for calls in reversed(backward) for call in calls]

    def evaluate(self) -> Any:
        """Forward only: the cost of the parameters as they are."""
        for call in self.forward:
            call()
        return self.value()


class Buffers:
    """The arrays that passes over as many examples share."""

    def __init__(self, layout: Any, sizes: tuple[int, ...], count: int) -> None:
        last = layout.empty(sizes[-1], count)  # which no layer reads: it is of one piece, without the row of ones
        self.activations = [*(layout.with_ones(units, count) for units in sizes[1:-1]), (last, last)]
        self.derivatives = [layout.empty(units, count) for units in sizes[1:]]
        self._sums: dict[int, np.ndarray] = {}
        self._make_sums = [partial(layout.empty, units, count) for units in sizes[1:]]
        self.scratch = {units: layout.empty(units, count) for units in sizes[1:]}

    def sums(self, number: int) -> np.ndarray:
        """A layer's weighted sums, where its outputs are not written over them."""
        if number not in self._sums:
            self._sums[number] = self._make_sums[number]()
        return self._sums[number]
