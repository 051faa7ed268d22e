"""How far the gradients of mini-batches lie from that of all examples."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.errors import RequestError, is_count, one_line
from sandbox.nn.gradients import gradients
from sandbox.nn.hooks.hook import Epochs, Hook
from sandbox.nn.network import Network

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class GradientNoise(Hook):
    """Records `gradient_noise`, the mean of |g_B - g|^2 over mini-batches, and `gradient_noise/signal`, which is |g|^2.

    `gradient_noise/against` is the share of these mini-batches whose g_B points against g: however small a step by it is,
    the cost on all examples rises.

    g_B is the cost's gradient on a mini-batch of `batch_size` examples (None: as training has them), g that on all N, at
    the weights of the epoch; penalties are alike in both. The mini-batches are drawn as training draws them, examples
    shuffled and cut, from random numbers of their own: as often as gives `batches` of them. A shorter rest is left out.
    With g_i the gradient of one example, the noise has the expectation

        1/B * (N - B)/(N - 1) * mean of |g_i - g|^2

    the variance of a mean of B drawn without replacement (Cochran 1977, "Sampling Techniques", theorem 2.2): as 1/B where
    B is small, and 0 for the full batch. Where noise is larger than the signal, a step is mostly chance (McCandlish et al.
    2018, "An Empirical Model of Large-Batch Training").

    >>> from sandbox import Config, train
    >>> moons = Config(dataset="moons", n_examples=64, epochs=1)
    >>> noise = [train(moons, [GradientNoise(size, 20_000)]).curves["gradient_noise"][1].item() for size in (1, 4, 16, 64)]
    >>> [round(noise[0] / one) for one in noise[:3]], noise[3]  # 4 * 63 / 60 = 4.2, 16 * 63 / 48 = 21
    ([1, 4, 21], 0.0)
    """

    def __init__(self, batch_size: int | None = None, batches: int = 100, epochs: Epochs | None = None) -> None:
        for name, count in {"batch_size": batch_size, "batches": batches}.items():
            if not (is_count(count) and count >= 1) and not (name == "batch_size" and count is None):
                raise RequestError(f"{name} is {one_line(count)}: a whole number of at least 1 is needed")
        self.batch_size, self.batches, self.epochs = batch_size, batches, epochs

    def on_epoch(self, run: "Run") -> None:
        X, Y = run.data
        parameters = run.network.parameters.astype(float)
        examples = X.shape[-2]
        size = min(self.batch_size or run.settings.batch_size or examples, examples)
        orders = self._batches(np.random.default_rng(run.epoch), examples, size)
        noise, signal, against = (np.zeros(run.lead) for _ in range(3))
        for replica in np.ndindex(run.lead):  # one by one: as each would be alone, to the last bit
            own_X, own_Y = (np.asarray(data[replica] if data.ndim == 3 else data, float) for data in (X, Y))
            whole, *some = (
                _gradients(run, parameters[replica], own_X[order], own_Y[order])
                for order in (np.arange(examples)[None], *([orders] if size < examples else []))
            )
            signal[replica] = np.square(whole).sum()
            for batches in some:
                noise[replica] = np.square(batches - whole).sum(-1).mean()
                against[replica] = ((batches * whole).sum(-1) < 0).mean()
        run.record("gradient_noise", noise)
        run.record("gradient_noise/signal", signal)
        run.record("gradient_noise/against", against)

    def _batches(self, rng: "np.random.Generator", examples: int, size: int) -> np.ndarray:
        """(batches, size) places of examples."""
        cut = examples // size
        shuffles = -(-self.batches // cut)
        orders = rng.permuted(np.broadcast_to(np.arange(examples), (shuffles, examples)), axis=1)
        return orders[:, : cut * size].reshape(-1, size)


def _gradients(run: "Run", parameters: np.ndarray, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The cost's gradients (K, P) of one network on K batches, X (K, examples, inputs)."""
    copies = np.broadcast_to(parameters, (len(X), len(parameters)))
    network = Network(run.network.sizes, run.network.activations, copies)
    cost: Any = run.settings.cost
    return gradients(network, X, Y, cost)[1].parameters
