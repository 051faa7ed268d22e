"""Random numbers as TensorFlow Playground draws them: David Bau's seedrandom, an ARC4 that is seeded with text."""

from __future__ import annotations

import math

import numpy as np

WIDTH, CHUNKS = 256, 6  # a number takes six bytes, and more where these begin with zeros
DROPPED = 256  # bytes that nobody sees
LEAST, OVERFLOW = 2**52, 2**53  # of a number's numerator
AT_ONCE = 4096  # bytes that are made at a time


class Stream:
    """The numbers of `Math.seedrandom(text)` in a browser, to the last bit, in their order.

    It has the `uniform` of NumPy's generators, from which the page's initializer draws.

    >>> stream = Stream("hello.")  # as seedrandom's own documentation has it
    >>> stream.numbers(2).tolist()
    [0.9282578795792454, 0.3752569768646784]
    """

    def __init__(self, text: str) -> None:
        key: list[int] = []
        smear = 0
        units = text.encode("utf-16-le", "surrogatepass")  # JavaScript's characters
        for place in range(len(units) // 2):
            at = place % WIDTH
            smear ^= (key[at] if at < len(key) else 0) * 19
            key[at : at + 1] = [(smear + units[2 * place] + 256 * units[2 * place + 1]) % WIDTH]
        key = key or [0]
        state, j = list(range(WIDTH)), 0
        for i in range(WIDTH):
            before = state[i]
            j = (j + key[i % len(key)] + before) % WIDTH
            state[i], state[j] = state[j], before
        self._state, self._i, self._j = state, 0, 0
        self._bytes, self._place = b"", 0
        self._take(DROPPED)

    def copy(self) -> Stream:
        """A stream that goes on from here by itself."""
        other = Stream.__new__(Stream)
        vars(other).update(vars(self) | {"_state": list(self._state)})
        return other

    def _take(self, count: int) -> bytes:
        """The next bytes."""
        while len(self._bytes) - self._place < count:
            self._bytes = self._bytes[self._place :] + self._more()
            self._place = 0
        self._place += count
        return self._bytes[self._place - count : self._place]

    def _more(self) -> bytes:
        state, i, j, made = self._state, self._i, self._j, bytearray(AT_ONCE)
        for place in range(AT_ONCE):
            i = (i + 1) & 255
            one = state[i]
            j = (j + one) & 255
            other = state[i] = state[j]
            state[j] = one
            made[place] = state[(one + other) & 255]
        self._i, self._j = i, j
        return bytes(made)

    def _number(self) -> float:
        n: float = int.from_bytes(self._take(CHUNKS), "big")
        d: float = WIDTH**CHUNKS
        x = 0
        while n < LEAST:
            n, d = (n + x) * WIDTH, d * WIDTH
            x = self._take(1)[0]
        while n >= OVERFLOW:
            n, d, x = n / 2, d / 2, x >> 1
        return (n + x) / d

    def numbers(self, count: int) -> np.ndarray:
        """The next numbers (count,), each from 0 to below 1."""
        return np.array([self._number() for _ in range(count)])

    def uniform(self, low: float, high: float, shape: int | tuple[int, ...]) -> np.ndarray:
        """Numbers of this shape from low to high."""
        return self.numbers(math.prod(np.atleast_1d(shape))).reshape(shape) * (high - low) + low

    def permutation(self, n: int) -> list[int]:
        """0 to n - 1, shuffled by Fisher and Yates from the end."""
        order = list(range(n))
        for counter, number in zip(range(n, 0, -1), self.numbers(n).tolist(), strict=True):
            index = math.floor(number * counter)
            order[counter - 1], order[index] = order[index], order[counter - 1]
        return order
