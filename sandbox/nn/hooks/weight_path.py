"""The way that chosen weights and biases take."""

from typing import TYPE_CHECKING, Any

from sandbox.errors import RequestError
from sandbox.nn.hooks.hook import Hook
from sandbox.nn.network import Network

if TYPE_CHECKING:
    from sandbox.nn.run import Run


class WeightPath(Hook):
    """Records chosen parameters under the names given: a weight as (layer, unit, input), a bias as (layer, unit).

    All are counted from 0, as in `network.weights[layer][unit, input]`. Recorded is the value before each update, and
    the last one. Raises RequestError where there is no such parameter.

    >>> from sandbox import Config, train
    >>> line = Config(dataset="linear", hidden=(), cost="mean_squared_error", learning_rate=0.01, epochs=1000)
    >>> epochs, w = train(line, [WeightPath(w=(0, 0, 0), b=(0, 0))]).curves["w"]
    >>> len(w), round(w[-1].item(), 2)
    (1001, 2.99)
    """

    def __init__(self, every: int = 1, **parameters: tuple[int, ...]) -> None:
        if not parameters:
            raise RequestError(
                "WeightPath follows nothing: name weights as w=(layer, unit, input), biases as b=(layer, unit)"
            )
        self.every, self.chosen = every, parameters

    def on_start(self, run: "Run") -> None:
        for name, place in self.chosen.items():
            try:
                _value(run.network, place)
            except (IndexError, TypeError, ValueError):
                raise RequestError(
                    f"WeightPath: {name}={place!r} is nowhere in {run.network!r}: "
                    "a weight is (layer, unit, input), a bias (layer, unit), counted from 0"
                ) from None

    def on_epoch(self, run: "Run") -> None:
        for name, place in self.chosen.items():
            run.record(name, _value(run.network, place))

    on_end = on_epoch


def _value(network: Network, place: tuple[int, ...]) -> Any:
    layer, unit, *rest = place
    if min(place) < 0 or len(rest) > 1:
        raise IndexError
    return network.weights[layer][..., unit, rest[0]] if rest else network.biases[layer][..., unit, 0]
