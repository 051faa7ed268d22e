"""Does a sweep, or a comparison, survive `kill -9` at any moment?

    python -m studies.chaos --kills 30

Runs two small sweeps (random sampling, and TPE) and small comparisons in an empty store, and kills the driver, the writers
or all of them at random moments, again and again: after some milliseconds, or some runs further on. Then it runs all of
them to their end, looks at every run in both stores, every point of every curve and every picture, and asks the doctor.
Exits with 1 if anything is not as if nothing had happened.

The last full run: 30 kills, nothing wrong.
"""

import io
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import optuna
from PIL import Image

from sandbox import Config
from sandbox.comparison import parse_arm
from sandbox.comparison.driver import run_comparison
from sandbox.comparison.protocol import EXPERIMENT, Comparison
from sandbox.doctor import examine
from sandbox.sweeps import Range, Sweep, choice, run_sweep
from sandbox.sweeps.journal import open_storage
from sandbox.sweeps.study import study_name
from sandbox.tracking import Store

FURTHER = 5  # trials that are added to a sweep for every kill
BASE = Config(dataset="xor", hidden=(2,), epochs=60)
SPACE = {"learning_rate": Range(0.01, 10.0, log=True), "initializer": choice("xavier", "he")}
SWEEPS = [
    Sweep("chaos random", BASE, SPACE, sampler="random", trials=FURTHER, seeds=1),
    Sweep("chaos tpe", BASE, SPACE, sampler="tpe", trials=FURTHER, seeds=2),
]


ARMS = (parse_arm("raw: hidden=none"), parse_arm("deep: hidden=4"))
COUNTS = {"seeds": 6, "trials": 6, "finalists": 2, "draws": 2, "epochs": 60}
COMPARISON = Comparison(datasets=("circle",), sizes=(16,), arms=ARMS, **COUNTS)
Work = Sweep | Comparison


def drive(work: Work, uri: str, root: Path) -> None:
    """The driver's process."""
    store = Store(uri, root)
    if isinstance(work, Sweep):
        sys.exit(run_sweep(work, store, root, quiet=True, batch=8).status != "FINISHED")
    sys.exit(run_comparison(work, store, root, quiet=True).status != "FINISHED")


def writers_of(root: Path) -> list[int]:
    """The numbers of the writers' processes."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"sandbox.tracking.writer" in words and str(root).encode() in b" ".join(words):
                found.append(int(process.name))
    return found


def torment(uri: str, root: Path, kills: int, luck: random.Random) -> tuple[list[Sweep], list[Comparison], Counter]:
    """Run sweeps and comparisons by turns, killing at random moments; what there is of them, and what was killed.

    A sweep grows with every turn; a comparison that has come to its end is followed by one with other seeds.
    """
    forked, killed = multiprocessing.get_context("fork"), Counter()
    sweeps, comparisons = list(SWEEPS), [COMPARISON]
    for number in range(kills):
        place, work = number % 3, None
        if place < 2:
            work = sweeps[place] = sweeps[place].replace(trials=(sweeps[place].trials or 0) + FURTHER)
        driver = forked.Process(target=drive, args=(work or comparisons[-1], uri, root))
        driver.start()
        _wait_for_a_moment(driver, root, luck)
        who = luck.choice(["driver", "writers", "all"])
        if who != "driver":
            for writer in writers_of(root):
                with suppress(ProcessLookupError):
                    os.kill(writer, signal.SIGKILL)
        if who != "writers":
            driver.kill()
        driver.join()
        if work is None and driver.exitcode == 0:
            comparisons.append(COMPARISON.replace(first_seed=100 * len(comparisons)))
        what = "comparison" if work is None else "sweep"
        killed[f"{what}, {who}: {'killed' if driver.exitcode == -signal.SIGKILL else 'finished'}"] += 1
        click.echo(f"{number + 1}: {what}, {who}", err=True)
    return sweeps, comparisons, killed


def _wait_for_a_moment(driver: BaseProcess, root: Path, luck: random.Random) -> None:
    """Some milliseconds, or until some files have come into the spool or gone out of it."""
    changes, files = luck.choice([0, 1, 2, 4, 8, 12]), set(root.glob("spool/*/*.run"))
    while changes > 0 and driver.is_alive():
        time.sleep(0.005)
        now = set(root.glob("spool/*/*.run"))
        changes -= len(now ^ files)
        files = now
    time.sleep(luck.uniform(0.0, 0.1 if files else 1.5))


def faults(sweep: Sweep, store: Store, root: Path) -> list[str]:
    """What is not as it would be if nothing had happened to a sweep that has been run to its end."""
    client = store.client
    found = client.get_experiment_by_name(sweep.name)
    assert found is not None
    runs = client.search_runs([found.experiment_id], max_results=50_000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    finished = [run for run in children if run.info.status == "FINISHED"]
    keys = Counter(run.data.tags["config_key"] for run in finished)
    name = study_name(sweep.id, sweep.goal)
    trials = optuna.load_study(study_name=name, storage=open_storage(root)).trials
    told = Counter(trial.user_attrs["config_key"] for trial in trials if trial.state.name == "COMPLETE")
    wrong = {
        "parents": [run.info.status for run in parents] != ["FINISHED"],
        "orphans": len(children) + len(parents) != len(runs),
        "doubled in MLflow": max(keys.values()) > 1,
        "doubled in Optuna": max(told.values()) > 1,
        "the two stores differ": set(keys) != set(told),
        "number of trials": len(keys) != sweep.total,
        "not the plan": sweep.sampler != "tpe" and set(keys) != {trial.config.key for trial in sweep.plan},
        "states in MLflow": {run.info.status for run in children} - {"FINISHED", "KILLED"},
        "states in Optuna": {trial.state.name for trial in trials} - {"COMPLETE", "FAIL", "WAITING"},
    }
    messages = [f"{sweep.name}: {what} {is_wrong}" for what, is_wrong in wrong.items() if is_wrong]
    for run in finished:
        messages += [f"{sweep.name}, run {run.info.run_id}: {what}" for what in _faults_of_run(store, run, sweep)]
    return messages


def faults_of(comparison: Comparison, store: Store) -> list[str]:
    """The same for a comparison."""
    client = store.client
    found = client.get_experiment_by_name(EXPERIMENT)
    assert found is not None
    runs = client.search_runs([found.experiment_id], f"tags.sweep = '{comparison.id}'", max_results=50_000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]
    finished = [run for run in children if run.info.status == "FINISHED"]
    keys = Counter((run.data.tags["role"], run.data.tags["arm"], run.data.tags["config_key"]) for run in finished)
    wrong = {
        "parents": [run.info.status for run in parents] != ["FINISHED"],
        "orphans": len(children) + len(parents) != len(runs),
        "doubled": max(keys.values()) > 1,
        "number of runs": len(keys) != comparison.total,
        "states": {run.info.status for run in children} - {"FINISHED", "KILLED"},
        "figures": [run.info.run_id for run in finished if not {"final_cost", "converged"} <= run.data.metrics.keys()],
    }
    return [f"{comparison.id}: {what} {is_wrong}" for what, is_wrong in wrong.items() if is_wrong]


def _faults_of_run(store: Store, run, sweep: Sweep) -> list[str]:
    epochs, client, messages = sweep.base.epochs, store.client, []
    steps = [point.step for point in client.get_metric_history(run.info.run_id, "cost")]
    if steps != list(range(epochs + 1)):
        messages.append(f"curve of {len(steps)} points")
    if len(run.data.params) != len(BASE.params()):
        messages.append(f"{len(run.data.params)} params")
    with TemporaryDirectory() as directory:
        folder = Path(client.download_artifacts(run.info.run_id, "", directory))
        pictures = [path for path in folder.rglob("*") if path.is_file()]
        for path in pictures:
            try:
                Image.open(io.BytesIO(path.read_bytes())).load()
            except OSError as error:
                messages.append(f"{path.name}: {error}")
        shown = {path.name.split("+")[2] for path in pictures if "+step+" in path.name}
        if {"boundary.png", "cost.png"} - {path.name for path in pictures} or not {"0", str(epochs)} <= shown:
            messages.append("pictures are missing")
        if sum("+step+" in path.name for path in pictures) != 2 * len(shown):
            messages.append("slider pictures are doubled, or without a thumbnail")
    return messages


@click.command()
@click.option("--kills", default=30, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, seed: int) -> None:
    """Torment two sweeps and comparisons, run them to their end, and print one JSON object."""
    with TemporaryDirectory() as directory:
        root = Path(directory)
        uri = f"sqlite:///{directory}/mlflow.db"
        forked = multiprocessing.get_context("fork")
        first = forked.Process(target=lambda: Store(uri, root).check())  # no database connection in this process yet
        first.start()
        first.join()
        sweeps, comparisons, killed = torment(uri, root, kills, random.Random(seed))
        store = Store(uri, root)
        ended = [run_sweep(sweep, store, root, quiet=True) for sweep in sweeps]
        ended += [run_comparison(comparison, store, root, quiet=True) for comparison in comparisons]
        messages = [f"{outcome.status}, {outcome.why}" for outcome in ended if outcome.status != "FINISHED"]
        while writers_of(root):
            time.sleep(0.1)
        messages += [f"doctor: {finding.campaign}: {finding.what}" for finding in examine(store, root).findings]
        for sweep in sweeps:
            messages += faults(sweep, store, root)
        for comparison in comparisons:
            messages += faults_of(comparison, store)
    runs = sum(work.total for work in [*sweeps, *comparisons])
    click.echo(json.dumps({"kills": kills, "killed": dict(killed), "runs": runs, "wrong": messages}, indent=1))
    sys.exit(bool(messages))


if __name__ == "__main__":
    main()
