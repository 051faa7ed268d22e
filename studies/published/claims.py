"""What a published result is made of: a network that a text trains, and the figures that it says came out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sandbox import Dataset, Network, fit
from sandbox.data import Cross, add_crosses
from sandbox.nn import Curves, Run, Snapshots, StopOnDivergence, gradients
from sandbox.nn.costs import CostName

Published = Literal["printed", "recomputed"]


@dataclass(frozen=True)
class Source:
    """Where a figure was published, and as what; `number` stands for it in the table."""

    number: int
    title: str
    note: str
    address: str


@dataclass(frozen=True)
class Misprint:
    """A figure that a source shows although its own formulas give another one, and how it came to it.

    `retraced` computes the figure by the source's own way, from scratch: the proof of `reason`.
    """

    shown: str
    retraced: Callable[[], float]
    reason: str


@dataclass(frozen=True)
class Claim:
    """Values, row by row, of a quantity after `update` updates.

    `quantity` is yhat, cost, accuracy or diverges (1 or 0), or W, b, dW, db, Z (sums) or A (outputs) with the number of the
    layer (`dW1`); `dW1[1,2]` is one value of it. `tolerance` is the relative difference that still matches: rounding
    (1e-9), or as many digits as were printed. `published` says whether the source prints these values, or what it trains
    and no more (or fewer digits), so that they were recomputed, in float64 and by other code than the trainer's.
    """

    quantity: str
    update: int
    values: tuple[float, ...]
    tolerance: float = 1e-9
    published: Published = "recomputed"
    misprint: Misprint | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """A network that a text trains by gradient descent on all examples at once, and what it says came out.

    `name` is a title, then after a colon how it is trained. `network` is as it was before the first update. `folder` is
    where the pictures go, "" for none. `descend` gives the network after the last update where the text has another way
    to descend than the trainer's.
    """

    name: str
    source: Source
    network: Network
    data: Dataset
    claims: tuple[Claim, ...]
    cost: CostName = "squared_error"
    learning_rate: float = 1.0
    epochs: int = 5000
    crosses: tuple[Cross, ...] = ()
    folder: str = ""
    descend: Callable[[], Network] | None = None

    @property
    def title(self) -> str:
        return self.name.partition(":")[0]

    def inputs(self, X: np.ndarray) -> np.ndarray:
        """The network's inputs (examples, features + crosses) for raw features (examples, features)."""
        return add_crosses(X, self.crosses)


@dataclass(frozen=True, eq=False)
class Figure:
    """A source's number, and ours."""

    case: Case
    claim: Claim
    name: str
    value: float
    ours: float

    @property
    def published(self) -> str:
        """Whether the source prints the number, and which source that is."""
        return f"{self.claim.published} [{self.case.source.number}]"

    @property
    def difference(self) -> float:
        """Relative to the source's number; absolute where that is 0."""
        return abs(self.ours - self.value) / (abs(self.value) or 1.0)

    @property
    def matches(self) -> bool:
        return self.difference <= self.claim.tolerance  # never true of NaN


def costs(
    values: Mapping[int, float], tolerance: float = 1e-9, published: Published = "recomputed"
) -> tuple[Claim, ...]:
    """Claims of costs by update."""
    return tuple(Claim("cost", update, (value,), tolerance, published) for update, value in values.items())


def check(case: Case) -> tuple[Run, list[Figure]]:
    """Train a case's network, and set our number beside every one of the source's."""
    hooks = [
        StopOnDivergence(),
        Snapshots(sorted({claim.update for claim in case.claims})),
        Curves(w=lambda run: run.network.weights[0][0, 0]),
    ]
    run = fit(
        case.network,
        case.inputs(case.data.X),
        case.data.Y,
        cost=case.cost,
        learning_rate=case.learning_rate,
        epochs=case.epochs,
        hooks=hooks,
    )
    networks = run.snapshots if case.descend is None else {case.epochs: case.descend()}
    figures = []
    for claim in case.claims:
        quantity, _, place = claim.quantity.rstrip("]").partition("[")
        ours = np.squeeze(measure(case, run, networks, quantity, claim.update))
        one = tuple(int(number) - 1 for number in place.split(",")) if place else ()
        found = [(one, ours[one])] if one else np.ndenumerate(ours)
        short = quantity if len(run.network.weights) > 1 else quantity.rstrip("1")
        for value, (index, number) in zip(claim.values, found, strict=True):
            where = f"[{','.join(str(k + 1) for k in index)}]" if index else ""
            figures.append(Figure(case, claim, f"{short}{where}@{claim.update}", value, float(number)))
    return run, figures


def measure(case: Case, run: Run, networks: Mapping[int, Network], quantity: str, update: int) -> Any:
    """A quantity of a case's run, of the parameters after `update` updates, which are in `networks`."""
    if quantity == "diverges":
        return float(run.diverged_at is not None)
    if quantity == "cost":
        return np.append(run.costs, run.cost)[update]
    network, X, Y = networks[update], case.inputs(case.data.X), case.data.Y
    if quantity == "yhat":
        return network.predict(X)
    if quantity == "accuracy":
        return np.mean((network.predict(X) > 0.5) == (Y > 0.5))
    name, layer = quantity.removeprefix("d")[0], int(quantity[-1])
    if name in "ZA":  # the outputs of the layers up to this one
        names = [*network.activations[: layer - 1], "linear" if name == "Z" else network.activations[layer - 1]]
        return Network.from_parameters(network.weights[:layer], network.biases[:layer], names).predict(X)
    parameters = gradients(network, X, Y, case.cost)[1] if quantity.startswith("d") else network
    return {"W": parameters.weights, "b": parameters.biases}[name][layer - 1]
