"""The work that is measured: one sweep, its jobs, and as many runs as are wanted that look like its."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from sandbox import Config
from sandbox.job import Ended, Job, work
from sandbox.sweeps import Range, Sweep
from sandbox.tracking.entry import Record

BASE = Config(dataset="circle", n_examples=200, hidden=(8,), epochs=1000)
PACE = 10  # milliseconds between the beginnings of two runs


def sweep(name: str, trials: int) -> Sweep:
    """A sweep of learning rates at random, every one with a seed of its own."""
    return Sweep(name, BASE, {"learning_rate": Range(0.01, 10.0, log=True)}, sampler="random", trials=trials, seeds=1)


def jobs(one: Sweep, *, shown: bool = True) -> list[Job]:
    """All jobs of a sweep; those that are not `shown` have no pictures, and short curves."""
    made = [one.job(trial, number) for number, trial in enumerate(one.plan)]
    return made if shown else [replace(job, shown=False) for job in made]


def templates(some: Sequence[Job]) -> list[tuple[Ended, Record]]:
    """What is really trained and drawn."""
    return list(work(some))


def varied(records: Sequence[Record], numbers: Sequence[int]) -> Iterator[Record]:
    """Runs like these, each with a key, a seed, a place in the sweep and times of its own, as if one began every `PACE`."""
    begin = records[0].start_time
    for number in numbers:
        like = records[number % len(records)]
        digest = sha256(str(number).encode()).hexdigest()
        rate = float(f"{0.01 * 1000 ** (int(digest[:8], 16) / 16**8):.6g}")
        start = begin + PACE * number
        told = {
            "config_key": digest[: len(like.tags["config_key"])],
            "seed": str(number),
            "trial": str(number),
            "point": json.dumps({"learning_rate": rate}),
            "arm": f"learning_rate={rate:.4g}",
            "label": f"rate {rate:.3g}",
        }
        yield replace(
            like,
            name=f"rate {rate:.3g} seed {number}",
            start_time=start,
            end_time=start + like.end_time - like.start_time,
            params={**like.params, "seed": str(number), "learning_rate": repr(rate)},
            tags={**like.tags, **told},
        )
