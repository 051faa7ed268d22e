"""What training surely takes, of memory and of time: what this machine cannot hold, or a year, is refused beforehand.

The estimates are low on purpose. They count the arrays that are held at once, and products and calls at speeds that no
core reaches: what is refused cannot be, and what is not may still take long.
"""

import math
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from sandbox.config import Config
from sandbox.errors import LONGEST, RequestError
from sandbox.fields import format_value
from sandbox.nn.network import Network
from sandbox.nn.optimizers import get_optimizer

YEAR = 365 * 86400.0  # seconds
CALLS = 5e-6  # seconds: no update takes less, whatever its size
TOGETHER = 2e-8  # seconds: nor one network's share of it, among thousands side by side
SPEED = 3e11  # additions and multiplications a second of one core, which matrix products of NumPy stay below
COPIES = 6  # of the parameters: first, working and final ones, gradients, steps and rates
OF_A_RUN = 3000  # bytes that are kept of every run of a sweep or a comparison: its config, its tags, what it came to
MOST_EPOCHS = 10**15  # beyond that, epochs are no longer exact where curves are spread over them
CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # what a container may have
DECIDES = attrgetter(
    *("dataset", "n_examples", "n_validation", "noise", "crosses", "omit", "hidden", "optimizer"),
    *("batch_size", "epochs", "patience", "dtype"),
)


@dataclass(frozen=True)
class Effort:
    """The least that training one config takes: `bytes` for its parameters and all, `seconds` alone and side by side."""

    parameters: int
    parameter_bytes: int
    bytes: int
    seconds: float
    seconds_together: float


def effort(config: Config) -> Effort:
    """What training this config surely takes. Nothing is read, drawn or made.

    >>> effort(Config(hidden=(1_000_000_000,))).parameters
    4000000001
    """
    data, itemsize = config.data, 8 if config.dtype == "float64" else 4
    inputs, examples = data.n_features - len(config.omit) + len(config.crosses), _examples(config)
    sizes = (inputs, *config.hidden, getattr(data, "classes", 1) if data.task == "multiclass" else 1)
    parameters = Network.count(sizes)
    parameter_bytes = parameters * itemsize * (COPIES + get_optimizer(config.optimizer).memory)
    units = 2 * sum(sizes[1:]) + sum(set(sizes[1:]))  # activations, derivatives, and scratch space for each width
    example_bytes = examples * (8 * inputs + itemsize * (2 * inputs + units))
    example_bytes += (config.n_validation or 0) * (8 * inputs + itemsize * (inputs + sum(sizes[1:])))
    products = 4 * examples * parameters  # those of the way forward, and of the weights' derivatives
    batches = math.ceil(examples / min(config.batch_size or examples, examples))
    epochs = config.epochs
    if config.patience is not None and epochs <= MOST_EPOCHS:  # it stops when it has learned what there is
        epochs = min(epochs, config.patience)
    alone, together = (epochs * max(batches * calls, products / SPEED) for calls in (CALLS, TOGETHER))
    return Effort(parameters, parameter_bytes, parameter_bytes + example_bytes, alone, together)


def check_memory(config: Config) -> Effort:
    """The effort of a config. Raises RequestError where this machine has not the memory."""
    needed, there = effort(config), machine_bytes()
    if needed.bytes > there:
        units = format_value(config.hidden)
        what = f"hidden is {units if len(units) <= LONGEST else f'{units[: LONGEST - 3]}...'}"
        its = f"its {number(needed.parameters)} parameters need"
        if needed.parameter_bytes < needed.bytes / 2:
            its = f"inputs and units of {number(_examples(config) + (config.n_validation or 0))} examples need"
        raise RequestError(f"{what}: {its} about {_room(needed.bytes)}, this machine has {_room(there)}")
    return needed


def check_effort(configs: Iterable[Config], runs: int = 1) -> None:
    """Raises RequestError where one of these configs does not fit this machine's memory or a year, nor all a year.

    `runs` says how many of each there will be.
    """
    seconds = 0.0
    for config, count in _alike(configs):
        needed = check_memory(config)
        if needed.seconds > YEAR:
            epoch = needed.seconds / config.epochs if config.patience is None else CALLS
            raise RequestError(
                f"epochs is {config.epochs}: about {_years(needed.seconds)} even at {_time(epoch)} an epoch"
            )
        seconds += runs * count * needed.seconds_together
    seconds /= os.cpu_count() or 1
    if seconds > YEAR:
        raise RequestError(
            f"all runs would take about {_years(seconds)} even side by side: ask for fewer, or fewer epochs"
        )


def check_count(count: int, what: str) -> None:
    """Raises RequestError where so many runs are too many to be planned; `what` says what they follow from.

    >>> check_count(10**18, "trials is 1000000000000000000")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    sandbox.errors.RequestError: trials is 1000000000000000000: what is known of 10^18 runs needs about ... GB, ...
    """
    there = machine_bytes()
    if count * OF_A_RUN > there:
        raise RequestError(
            f"{what}: what is known of {number(count)} runs needs about {_room(count * OF_A_RUN)}, "
            f"this machine has {_room(there)}"
        )


@cache
def machine_bytes() -> float:
    """The memory that this process may have: the machine's, or what a container or a limit of the shell leaves of it."""
    known = [math.inf]
    with suppress(AttributeError, ValueError, OSError):
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in CGROUPS:
        with suppress(OSError, ValueError):  # none here, or "max"
            known.append(int(Path(path).read_text()))
    with suppress(ImportError):
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        known.append(math.inf if soft == resource.RLIM_INFINITY else soft)
    return min(one for one in known if one > 0)


def number(count: int) -> str:
    """A whole number for people, of whatever size.

    >>> number(1_000_000), number(10**30)
    ('1,000,000', '10^30')
    """
    return f"{count:,}" if count < 10**18 else f"10^{math.log10(count):.0f}"


def _alike(configs: Iterable[Config]) -> list[tuple[Config, int]]:
    """One of those configs that take the same effort, and how many they are."""
    first: dict[Any, Config] = {}
    counts: Counter[Any] = Counter()
    for config in configs:
        key = DECIDES(config)
        first.setdefault(key, config)
        counts[key] += 1
    return [(first[key], count) for key, count in counts.items()]


def _examples(config: Config) -> int:
    """How many examples a config trains with, or fewer."""
    data = config.data
    if config.n_examples is not None:
        return config.n_examples
    if data.default_n is None:  # a table, of which a quarter is for testing and a fifth of the rest for validation
        return data.largest_n // 2
    return data.default_n if config.has_validation else 1


def _room(size: float) -> str:
    return f"{number(math.ceil(size / 1e9))} GB"


def _years(seconds: float) -> str:
    return f"{number(round(seconds / YEAR))} years"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:,.3g} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.0f} ms"
