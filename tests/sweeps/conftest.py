"""A sweep that is small enough to run in a test."""

import pytest

from sandbox import Config
from sandbox.sweeps import Sweep, choice, run_sweep
from sandbox.sweeps.work import work
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers


@pytest.fixture(scope="session")
def small():
    """A function: a grid of two learning rates with two seeds, under a name of its own."""

    def make(name, **changes):
        sweep = Sweep(
            name=name,
            question="What does the learning rate do?",
            base=Config(dataset="quadrants", n_examples=40, hidden=(3,), epochs=100),
            space={"learning_rate": choice(0.1, 1.0)},
            seeds=2,
            tags={"purpose": "test"},
        )
        return sweep.replace(**changes)

    return make


@pytest.fixture(scope="session")
def make_run():
    """A function: the record of a sweep's first trial, trained."""

    def make(sweep):
        (done,) = work(sweep, sweep.plan[:1], 0)
        return done.record

    return make


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A directory in which sweeps of several tests run, each under a name of its own."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="session")
def run_here(store, root):
    """A function: run a sweep in `root`, logged by writers that start once: that takes two seconds."""
    with Writers(Spool(store.uri, root), 1) as crew:
        yield lambda sweep, **options: run_sweep(sweep, store, root, **{"quiet": True, "writers": crew, **options})
