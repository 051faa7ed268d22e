"""The ways that are compared, by letter; and the process of one: `python -m studies.bench.cluster.ways a N URI ROOT`."""

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from studies.bench.cluster.work import Work


class Way(NamedTuple):
    """A way: what it is, the function that goes it, what it needs installed, what its workers are called, of how many runs
    somebody is killed in their midst, and how it goes on after that."""

    name: str
    function: str
    needs: str
    worker: str
    runs: int = 1000  # eight populations
    again: str = "the same command"

    @property
    def here(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


PACKAGE = "studies.bench.cluster"
WAYS = {
    "a": Way("Ray Tune, as documented", "ray_peer:as_documented", "ray", "ray::ImplicitFunc", 6, "Tuner.restore"),
    "b": Way("Ray Tune, carefully", "ray_peer:carefully", "ray", "ray::ImplicitFunc", 200, "Tuner.restore"),
    "c": Way("Ray tasks, our populations", "ray_peer:tasks", "ray", "ray::_train", again="all from the start"),
    "d": Way("ours on Dask", "ours:on_dask", "distributed", "spawn_main"),
    "e": Way("ours here", "ours:here", "", "sandbox.tracking.writer"),
}


def go(letter: str, work: Work, again: bool = False) -> bool:
    """Do the work in this process, or what is left of it `again`; whether all went well."""
    module, _, function = WAYS[letter].function.partition(":")
    return getattr(importlib.import_module(f"{PACKAGE}.{module}"), function)(work, again)


if __name__ == "__main__":
    letter, count, uri, root, *again = sys.argv[1:]
    sys.exit(0 if go(letter, Work(int(count), uri, Path(root)), bool(again)) else 1)
