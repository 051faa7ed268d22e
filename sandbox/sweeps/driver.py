"""The driver: takes a sweep through training, pictures, MLflow and Optuna, and does only what is missing."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from sandbox.config import format_value
from sandbox.nn.hooks import Snapshots
from sandbox.sweeps.record import CURVE_POINTS, describe, make_record, snapshot_epochs, trial_tags
from sandbox.sweeps.sweep import Sweep, Trial
from sandbox.sweeps.trials import Trials
from sandbox.tracking import Store
from sandbox.train import Result, train_many

BATCH = 64  # trials that are trained together before they are logged


@dataclass
class Outcome:
    """What a sweep came to: a row of the closing table."""

    sweep: Sweep
    status: str = "FINISHED"
    done: int = 0
    before: int = 0
    diverged: int = 0
    seconds: float = 0.0
    costs: dict[str, list[float]] = field(default_factory=dict)
    accuracies: dict[str, list[float]] = field(default_factory=dict)

    def note(self, arm: str, cost: float | None, accuracy: float | None) -> None:
        """Take in one finished trial (cost None: it diverged)."""
        self.done += 1
        self.diverged += cost is None
        self.costs.setdefault(arm, []).append(np.inf if cost is None else cost)
        self.accuracies.setdefault(arm, []).append(np.nan if accuracy is None else accuracy)

    @property
    def best(self) -> tuple[str, float, float]:
        """The point whose median cost over the seeds is lowest: in words, that cost, and its median accuracy."""
        if not self.costs:
            return "", np.nan, np.nan
        arm = min(self.costs, key=lambda name: float(np.median(self.costs[name])))
        return arm, float(np.median(self.costs[arm])), float(np.median(self.accuracies[arm]))


def run_sweep(sweep: Sweep, store: Store, root: Path = Path("runs"), *, quiet: bool = False) -> Outcome:
    """Train and log all trials of a sweep that are not logged yet. Ctrl-C ends it with everything done so far logged."""
    started = time.perf_counter()
    outcome = Outcome(sweep)
    experiment = store.experiment(sweep.name, f"{sweep.question}\n\n{sweep.reading}".strip())
    trials = Trials(sweep, root)
    parent = store.find_parent(experiment, sweep.id)
    finished = _read_back(store, sweep, outcome) if parent else {}
    outcome.before = outcome.done
    if sweep.sampler != "tpe":
        unheard = set(finished) - trials.keys()
        trials.add((trial, finished[trial.config.key]) for trial in sweep.plan if trial.config.key in unheard)
    if sweep.total <= len(finished):
        outcome.seconds = time.perf_counter() - started
        return outcome
    if parent is None:
        parent = store.start_parent(experiment, sweep.id, *_parent_words(sweep))
    else:
        store.reopen(parent)
        store.kill_running(parent)
    bar = tqdm(total=sweep.total, initial=len(finished), desc=sweep.name, unit="run", disable=quiet, dynamic_ncols=True)
    try:
        with bar:
            for batch in _batches(sweep, trials, set(finished)):
                for number, (trial, result) in enumerate(_train(batch), start=outcome.done):
                    name = f"{describe(trial)}, seed {trial.config.seed}"
                    record = make_record(result, name, trial_tags(sweep, trial, number))
                    store.log(record, experiment, parent)
                    batch.tell(trial, result)
                    outcome.note(describe(trial), _cost(result), result.test_accuracy or result.train_accuracy)
                    bar.update()
                    arm, cost, _ = outcome.best
                    bar.set_postfix_str(f"best {cost:.4g} at {arm}", refresh=False)
    except KeyboardInterrupt:
        outcome.status = "KILLED"
    except BaseException:
        outcome.status = "FAILED"
        raise
    finally:
        outcome.seconds = time.perf_counter() - started
        store.finish_parent(parent, outcome.status, *_parent_figures(outcome))
    return outcome


def _parent_words(sweep: Sweep) -> tuple[dict[str, str], dict[str, str]]:
    tags = {"sweep": sweep.id, "sampler": sweep.sampler, "role": "sweep", "mlflow.note.content": sweep.question}
    space = {
        f"space.{name}": format_value(list(getattr(dimension, "values", [dimension])))[:500]
        for name, dimension in sweep.space.items()
    }
    return tags, {**{f"base.{name}": text for name, text in sweep.base.params().items()}, **space}


def _parent_figures(outcome: Outcome) -> tuple[dict[str, float], dict[str, str]]:
    arm, cost, accuracy = outcome.best
    figures = {"runs": outcome.done, "diverged_runs": outcome.diverged, "best_cost": cost, "best_accuracy": accuracy}
    return {name: float(value) for name, value in figures.items() if np.isfinite(value)}, {"best": arm}


@dataclass
class Batch:
    """Trials to train together, and how Optuna hears of them."""

    trials: list[Trial]
    study: Trials
    numbers: dict[str, int] = field(default_factory=dict)  # config key -> number of a trial that Optuna was asked for

    def tell(self, trial: Trial, result: Result) -> None:
        key = trial.config.key
        if key in self.numbers:
            self.study.tell(self.numbers[key], _cost(result))
        else:
            self.study.add([(trial, _cost(result))])


def _batches(sweep: Sweep, study: Trials, finished: set[str]) -> Iterator[Batch]:
    """What is left to do, in batches."""
    if sweep.sampler != "tpe":
        left = [trial for trial in sweep.plan if trial.config.key not in finished]
        for start in range(0, len(left), BATCH):
            yield Batch(left[start : start + BATCH], study)
        return
    while len(finished) < sweep.total:
        batch = Batch([], study)
        for _ in range(max(1, min(TPE_POINTS, (sweep.total - len(finished)) // sweep.seeds))):
            number, trials = study.ask(sweep.seeds)
            new = [trial for trial in trials if trial.config.key not in finished][: sweep.total - len(finished)]
            batch.numbers[trials[0].config.key] = number
            batch.trials += new
            finished |= {trial.config.key for trial in new}
        yield batch


TPE_POINTS = 8  # points that are asked for before the first of them is told


def _train(batch: Batch) -> Iterator[tuple[Trial, Result]]:
    by_epochs: dict[int, list[Trial]] = {}
    for trial in batch.trials:
        by_epochs.setdefault(trial.config.epochs, []).append(trial)
    for epochs, trials in by_epochs.items():
        hooks = [Snapshots(snapshot_epochs(epochs))]
        results = train_many([trial.config for trial in trials], hooks, curve_points=CURVE_POINTS)
        yield from zip(trials, results, strict=True)


def _cost(result: Result) -> float | None:
    """The final cost, None where it diverged."""
    return None if result.diverged_at is not None else result.cost


def _read_back(store: Store, sweep: Sweep, outcome: Outcome) -> dict[str, float | None]:
    """The keys and costs of the sweep's FINISHED runs, which are noted in `outcome`."""
    frame = store.runs_frame([sweep.name], f"tags.sweep = '{sweep.id}' AND attributes.status = 'FINISHED'")
    finished: dict[str, float | None] = {}
    for row in frame.to_dict("records"):
        key = row.get("tags.config_key")
        if not isinstance(key, str) or key in finished:
            continue
        accuracies = [row.get(f"metrics.{part}_accuracy", np.nan) for part in ("test", "train")]
        finished[key] = None if row["metrics.diverged"] else row["metrics.final_cost"]
        outcome.note(row["tags.arm"], finished[key], next((one for one in accuracies if one == one), None))
    return finished
