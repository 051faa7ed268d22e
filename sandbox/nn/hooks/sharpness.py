"""How sharp the valley is that training goes down, against the step that it takes."""

from typing import TYPE_CHECKING, Any

from sandbox.nn.curvature import sharpness
from sandbox.nn.hooks.hook import Hook

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class Sharpness(Hook):
    """Records `sharpness`, and `sharpness_times_rate`, which says whether the step is too large.

    The sharpness is the largest eigenvalue of the Hessian of what training goes down: the cost on all examples and the L2
    penalty. The other is that times the learning rate of this epoch, as the schedule has it.

    Plain gradient descent over the full batch is stable where the second is below 2, on a quadratic exactly (LeCun et al.
    1998, "Efficient BackProp"). Networks become sharper as they learn until it gets there, and then it hovers about 2
    (Cohen et al. 2021, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability"). Other optimizers
    have thresholds of their own. Each value takes `products` of the Hessian with vectors (see sandbox.nn.curvature).

    >>> from sandbox import Config, train
    >>> line = Config(dataset="linear", hidden=(), learning_rate=0.1, epochs=20)
    >>> curves = train(line, [Sharpness(every=10)]).curves
    >>> curves["sharpness"][1].round(3).tolist(), curves["sharpness_times_rate"][1].round(3).tolist()
    ([8.35, 8.35, 8.35], [0.835, 0.835, 0.835])
    """

    def __init__(self, every: int = 1, products: int = 20) -> None:
        self.every, self.products = every, products

    def on_epoch(self, run: "Run") -> None:
        cost: Any = run.settings.cost
        value = sharpness(run.network, *run.data, cost, l2=run.settings.l2, products=self.products)
        run.record("sharpness", value)
        run.record("sharpness_times_rate", value * run.rate)

    on_end = on_epoch
