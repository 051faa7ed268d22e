"""One thread for NumPy's BLAS while networks train: with several it groups sums differently, which changes last bits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_lock = threading.Lock()
_before: list[list[int]] = []  # for each `one_thread` that is under way, how many threads each library had


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit BLAS to one thread until the last of those who asked for it, in whatever thread, has left.

    >>> import numpy as np
    >>> with one_thread():
    ...     float(np.ones((2, 3)).dot(np.ones(3)).sum())
    6.0
    """
    libraries = _libraries()
    mine = [library.get_num_threads() for library in libraries]
    with _lock:
        _before.append(_before[0] if _before else mine)
        for library in libraries:
            _limit(library, 1)
    try:
        yield
    finally:
        with _lock:
            first = _before.pop()
            for library, own, original in zip(libraries, mine, first, strict=True):
                if getattr(library, "threading_layer", None) == "openmp":  # which has a limit for each thread
                    _limit(library, own)
                elif not _before:
                    _limit(library, original)


def _limit(library: Any, threads: int) -> None:
    # threadpoolctl 3.8 lets one thread of the process set the limit and ignores the others in silence
    getattr(library, "_real_set_num_threads", library.set_num_threads)(threads)


@cache
def _libraries() -> list[Any]:
    """The BLAS that is loaded; NumPy's is from the start."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas").lib_controllers
