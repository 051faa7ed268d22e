"""A simulation by events: stations that serve what waits for them, on processors that they may have to share."""

import heapq
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

Then = Callable[[], object]


class Clock:
    """Pieces of work under way, each a number of processor seconds, on so many `cores`.

    Where they are more than the cores, all of them are equally slow (egalitarian processor sharing); so all proceed at one
    pace, and one heap has them in the order in which they end.
    """

    def __init__(self, cores: float = math.inf) -> None:
        self.cores, self.now = cores, 0.0
        self._served = 0.0  # processor seconds that a piece of work has got which has been there from the beginning
        self._heap: list[tuple[float, int, Then]] = []
        self._number = count()

    def spend(self, seconds: float, then: Then) -> None:
        """Begin a piece of work; `then` is called when it has ended."""
        heapq.heappush(self._heap, (self._served + seconds, next(self._number), then))

    def run(self, until: float = math.inf) -> None:
        """Go on until nothing is under way, or until this time."""
        while self._heap:
            pace = min(1.0, self.cores / len(self._heap))
            end = self.now + (self._heap[0][0] - self._served) / pace
            if end > until:
                self._served += (until - self.now) * pace
                self.now = until
                return
            self._served, _, then = heapq.heappop(self._heap)
            self.now = end
            then()


class Station:
    """`servers` that take what waits, first come first served, up to `most` at a time.

    `serve(taken, done)` says what they do with it: it `spend`s, and calls `done` when the server is free again.
    """

    def __init__(
        self, clock: Clock, serve: Callable[[Sequence[Any], Then], object], *, servers: int = 1, most: float = 1
    ) -> None:
        self.clock, self.serve, self.servers, self.most = clock, serve, servers, most
        self.free, self.spent, self._held = servers, 0.0, 0.0
        self.waiting: deque[Any] = deque()

    def add(self, *customers: Any) -> None:
        """Whoever comes, waits; and is taken at once where a server is free."""
        self.waiting.extend(customers)
        self._begin()

    def _begin(self) -> None:
        while self.free and self.waiting:
            taken = [self.waiting.popleft() for _ in range(int(min(self.most, len(self.waiting))))]
            self.free -= 1
            self.serve(taken, partial(self._end, self.clock.now))

    def _end(self, since: float) -> None:
        self.free += 1
        self._held += self.clock.now - since
        self._begin()

    def spend(self, seconds: float, then: Then) -> None:
        """A server's own processor time."""
        self.spent += seconds
        self.clock.spend(seconds, then)

    @property
    def busy(self) -> float:
        """Which part of the time its servers have worked themselves."""
        return self.spent / (self.servers * self.clock.now) if self.clock.now else 0.0

    @property
    def taken(self) -> float:
        """Which part of the time they were not free: working, or waiting for what they have asked of another station."""
        return self._held / (self.servers * self.clock.now) if self.clock.now else 0.0


def in_turn(*steps: Callable[[Then], object]) -> None:
    """One step after another: each is given what comes next."""
    if steps:
        steps[0](partial(in_turn, *steps[1:]))
