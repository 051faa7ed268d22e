"""How many configs become few arrays: groups of what trains side by side, chunks of a group, and who is left of a chunk.

A group is what may share arrays: networks of the same layers on as many examples, trained in the same way but for what
each replica may have of its own. Of tiny networks too few are often alike, and the interpreter's time is all there is;
so those of the same depth share arrays that are as wide as the widest, with zeros where a unit is missing, as long as
the zeros cost less than an epoch's calls. Chunks are as many replicas of a group as the cache holds. Replicas that have
stopped leave their chunk once they are many. None of this changes a number: see sandbox.nn.layouts and
sandbox.nn.padding for why.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from sandbox.nn.layouts import ReplicasLast, Stacked, choose_layout
from sandbox.nn.network import Network
from sandbox.nn.workspace import Settings, Workspace

CACHE = 1_600_000  # bytes: what was fastest, most of a second-level cache of 2 MB
LARGEST_CHUNK = 500_000_000  # bytes: of large networks fewer train at a time, so that memory holds them
CALLS = 4500  # products that a pass works through in the time of a layer's calls (measured: 3000 to 7000 do as well)
OF_ITS_OWN = ("learning_rate", "schedule", "l1", "l2", "weight_decay")  # the settings that may be one for each replica


@dataclass(frozen=True)
class Shape:
    """What decides in which arrays a network trains; `alike` is whatever else must be the same for all in them.

    `beside` are the bytes that its other examples may take, which decide how many networks train at a time.
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    examples: int
    itemsize: int
    batch_size: int | None
    alike: Hashable = None
    beside: int = field(default=0, compare=False)

    @property
    def tiny(self) -> bool:
        """Whether it trains with the replicas last, where calls cost more than their work."""
        return choose_layout(self.sizes, self.examples, self.batch_size) is ReplicasLast


def parts(shapes: Sequence[Shape], *, padded: bool = True, size: int | None = None) -> list[list[int]]:
    """The places of `shapes` in parts, each to be trained in the same arrays: groups in chunks of at most `size`.

    With `padded`, tiny networks of which few are alike are put together with others. `size` None is what fits the cache.
    """
    groups, few = [], {}
    for shape, alike in places(shapes).items():
        if padded and shape.tiny and len(alike) < ReplicasLast.smallest_chunk:
            few.setdefault(replace(shape, sizes=(shape.sizes[0], shape.sizes[-1])), {})[shape] = alike
        else:
            groups.append((shape, shape.tiny, alike))
    for some in few.values():
        groups += [(shape, True, alike) for shape, alike in share(some)]
    return [
        [together[number] for number in chunk]
        for shape, tiny, together in groups
        for chunk in even_chunks(
            len(together), size or chunk_size(shape, tiny, max(shapes[place].beside for place in together))
        )
    ]


def share(few: dict[Shape, list[int]]) -> list[tuple[Shape, list[int]]]:
    """The places of shapes of the same depth in groups, each with the shape of its arrays.

    A group costs its calls, and each of its networks as much as the widest would. So the two that gain most by sharing
    arrays are put together, until no two gain.
    """
    (first, *_), groups = few, [list(alike) for alike in few.values()]
    sizes, counts = np.array([shape.sizes for shape in few]), np.array([len(alike) for alike in groups])
    calls = CALLS * len(first.activations)

    def work(layers: np.ndarray, networks: np.ndarray) -> np.ndarray:
        return networks * first.examples * (layers[..., 1:] * (layers[..., :-1] + 1)).sum(-1)

    def gain(row: int) -> np.ndarray:
        """What a group gains with each of the others, in products; nothing with itself and with what has gone."""
        apart = work(sizes, counts) + work(sizes[row], counts[row])
        together = work(np.maximum(sizes, sizes[row]), counts + counts[row])
        return np.where((counts > 0) & (np.arange(len(counts)) != row), calls + apart - together, 0)

    gains = np.array([gain(row) for row in range(len(groups))])
    while gains.max() > 0:
        row, other = map(int, np.unravel_index(gains.argmax(), gains.shape))
        sizes[row], counts[row], counts[other] = np.maximum(sizes[row], sizes[other]), counts[row] + counts[other], 0
        groups[row], groups[other] = groups[row] + groups[other], []
        gains[other] = gains[:, other] = 0
        gains[row] = gains[:, row] = gain(row)
    return [
        (replace(first, sizes=tuple(map(int, sizes[row]))), together) for row, together in enumerate(groups) if together
    ]


def chunk_size(shape: Shape, tiny: bool, beside: int = 0) -> int:
    """How many replicas to train at a time: what fits the cache, but enough to be worth the calls."""
    layout = ReplicasLast if tiny else Stacked
    values = sum(2 * units + 1 for units in shape.sizes[1:]) + max(shape.sizes[1:])  # activations, derivatives, scratch
    examples = shape.batch_size or shape.examples
    touched = shape.itemsize * (values * examples + 3 * Network.count(shape.sizes))  # by one replica's epoch
    return max(1, min(max(layout.smallest_chunk, CACHE // touched), LARGEST_CHUNK // (touched + beside)))


def even_chunks(count: int, size: int) -> list[range]:
    """`count` replicas in the fewest chunks of at most `size`, as even as can be."""
    number = -(-count // size)
    bounds = [round(place * count / number) for place in range(number + 1)]
    return [range(start, stop) for start, stop in pairwise(bounds)]


def stack(networks: Sequence[Network]) -> tuple[Network, np.ndarray | None]:
    """A population of these networks, of equal depth, in layers as wide as the widest; and where it has parameters.

    That is (R, P), false where a smaller network was padded; None where all have the same layers.

    >>> narrow, wide = (Network.initialize([2, units, 1], ["tanh", "tanh"]) for units in (2, 3))
    >>> population, mask = stack([narrow, wide])
    >>> population, mask.sum(-1).tolist()
    (Network(2-3-1, tanh, tanh, replicas=(2,)), [9, 13])
    """
    given = [network.sizes for network in networks]
    sizes = tuple(max(units) for units in zip(*given, strict=True))
    activations, each = networks[0].activations, [network.parameters for network in networks]
    if len(set(given)) == 1:
        return Network(sizes, activations, np.stack(each)), None
    parameters = np.empty((len(networks), Network.count(sizes)), each[0].dtype)
    mask = np.empty(parameters.shape, bool)
    for own, rows in places(given).items():
        parameters[rows] = pad(Network(own, activations, np.stack([each[row] for row in rows])), sizes)
        mask[rows] = pad(Network(own, activations, np.ones(Network.count(own))), sizes) > 0
    return Network(sizes, activations, parameters), mask


def unstack(population: Network, sizes: Sequence[tuple[int, ...]]) -> list[Network]:
    """The networks of these sizes that `stack` made a population of, with the parameters that it has now."""
    networks: dict[int, Network] = {}
    for own, rows in places(sizes).items():
        some = crop(population[rows], own)
        networks |= {row: some[number] for number, row in enumerate(rows)}
    return [networks[row] for row in range(len(sizes))]


def places(values: Iterable[Any]) -> dict[Any, list[int]]:
    """Where each value is."""
    found: dict[Any, list[int]] = {}
    for place, value in enumerate(values):
        found.setdefault(value, []).append(place)
    return found


def pad(network: Network, sizes: tuple[int, ...]) -> np.ndarray:
    """The parameters (..., P) of the network in layers of these sizes, zero where it has none."""
    padded = Network(
        sizes, network.activations, np.zeros((*network.lead, Network.count(sizes)), network.parameters.dtype)
    )
    for W, b, small_W, small_b in zip(padded.weights, padded.biases, network.weights, network.biases, strict=True):
        n_out, n_in = small_W.shape[-2:]
        W[..., :n_out, :n_in], b[..., :n_out, :] = small_W, small_b
    return padded.parameters


def crop(network: Network, sizes: tuple[int, ...]) -> Network:
    """The first units of every layer, of one network or of each of a population."""
    if network.sizes == sizes:
        return network
    weights = [W[..., :n_out, :n_in] for W, n_in, n_out in zip(network.weights, sizes, sizes[1:], strict=False)]
    biases = [b[..., :n_out, :] for b, n_out in zip(network.biases, sizes[1:], strict=True)]
    return Network.from_parameters(weights, biases, network.activations, network.parameters.dtype)


def take_settings(settings: Settings, rows: np.ndarray) -> Settings:
    """The settings of some replicas."""

    def some(value: Any) -> Any:
        return [value[row] for row in rows] if isinstance(value, list | tuple) else np.asarray(value)[rows]

    own = {name: value for name in OF_ITS_OWN if np.ndim(value := getattr(settings, name)) > 0}
    return replace(settings, **{name: some(value) for name, value in own.items()})


def take(work: Workspace, rows: np.ndarray) -> Workspace:
    """A workspace of some of the replicas, mid-training."""
    X, Y = (data[rows] if data.ndim == 3 else data for data in (work.X, work.Y))
    rngs = [work.rngs[row] for row in rows] if work.rngs else []
    mask = None if work.mask is None else work.mask[rows]
    some = Workspace(work.network[rows], X, Y, take_settings(work.settings, rows), rngs, mask)
    for old, new in zip(work.state, some.state, strict=True):
        some.layout.canonical(new)[...] = work.layout.canonical(old)[rows]
    some.optimizer.updates = work.optimizer.updates
    return some
