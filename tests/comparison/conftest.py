"""One small comparison, run and published once: circle with 16 and 32 examples, three arms."""

from types import SimpleNamespace

import pytest

from sandbox.answers.pages import write_files
from sandbox.comparison import Arm, parse_arm
from sandbox.comparison.driver import run_comparison
from sandbox.comparison.protocol import EXPERIMENT, Comparison
from sandbox.comparison.publish import parent_fields
from sandbox.comparison.report import Facts, report_files


@pytest.fixture(scope="session")
def small():
    """A comparison of 3 arms, 2 sizes: 6 cells, 6 tunings each of 3 trials, of which 2 have a second draw, and 2 seeds."""
    arms = (Arm("raw"), parse_arm("squares: crosses=x1^2,x2^2"), parse_arm("deep: hidden=4,4"))
    return Comparison(
        datasets=("circle",),
        sizes=(16, 32),
        arms=arms,
        repetitions=6,
        seeds=2,
        trials=3,
        finalists=2,
        draws=2,
        epochs=250,
    )


def parent_of(comparison, client):
    """The parent run of a comparison, which is the only one."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    (run,) = client.search_runs(
        [experiment.experiment_id], f"tags.sweep = '{comparison.id}' AND tags.role = 'comparison'"
    )
    return run


@pytest.fixture(scope="session")
def publisher(tmp_path_factory):
    """A function: run a comparison in a store and publish it; what came of it, where, and its parent run."""

    def run(comparison, store, **options):
        directory = tmp_path_factory.mktemp("report")
        found = []

        def publish(outcome):
            facts = Facts("sandbox compare ...", "2026-11-21", store.uri, outcome.seconds)
            findings, files = report_files(outcome, facts)
            write_files(directory, files)
            found.append(findings)
            return parent_fields(findings, files)

        outcome = run_comparison(comparison, store, directory, publish=publish, quiet=True, **options)
        return SimpleNamespace(
            outcome=outcome, findings=found[0], directory=directory, parent=parent_of(comparison, store.client)
        )

    return run


@pytest.fixture(scope="session")
def done(small, store, publisher):
    """The small comparison, done: .outcome, .findings, .directory of the report, .parent run."""
    return publisher(small, store)
