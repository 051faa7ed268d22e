"""Populations in chunks: as many replicas at a time as keep their arrays in the cache."""

from itertools import pairwise

from sandbox.nn.layouts import choose_layout
from sandbox.nn.network import Network

CACHE = 4_200_000  # bytes: what was fastest, four times a second-level cache of 1 MB


def bytes_per_replica(sizes: tuple[int, ...], examples: int, itemsize: int) -> int:
    """What one replica's pass touches: activations and their derivatives, scratch, parameters, gradients and step."""
    values = sum(2 * units + 1 for units in sizes[1:]) + max(sizes[1:])
    return itemsize * (values * examples + 3 * Network.count(sizes))


def chunk_size(sizes: tuple[int, ...], examples: int, itemsize: int, batch_size: int | None = None) -> int:
    """How many replicas to train at a time: what fits the cache, but enough to be worth the calls."""
    layout = choose_layout(sizes, examples, batch_size)
    return max(layout.smallest_chunk, CACHE // bytes_per_replica(sizes, batch_size or examples, itemsize))


def even_chunks(count: int, size: int) -> list[range]:
    """`count` replicas in the fewest chunks of at most `size`, as even as can be."""
    number = -(-count // size)
    bounds = [round(place * count / number) for place in range(number + 1)]
    return [range(start, stop) for start, stop in pairwise(bounds)]
