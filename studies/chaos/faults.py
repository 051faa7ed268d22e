"""What is wrong with a sweep or a comparison, by MLflow's and Optuna's own clients: independent of the doctor."""

import io
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from sandbox import RequestError
from sandbox.comparison.protocol import EXPERIMENT, Comparison
from sandbox.model import Model
from sandbox.record import NETWORK
from sandbox.sweeps import Sweep
from sandbox.sweeps.study import known_study
from sandbox.tracking import Store


def faults(sweep: Sweep, store: Store, root: Path, *, deep: bool = True) -> list[str]:
    """What is not as it would be if nothing had happened to a sweep that has been run to its end.

    `deep`: also in the curves and the pictures of each run, and the model of the best one.
    """
    wrong, finished = _faults_of_runs(store, sweep.name, sweep.id)
    keys = Counter(run.data.tags["config_key"] for run in finished)
    study = known_study(sweep.id, sweep.goal.words, root)
    trials = study.trials if study else []
    told = Counter(trial.user_attrs["config_key"] for trial in trials if trial.state.name == "COMPLETE")
    wrong |= _faults_of_models(store, finished) if deep else {}
    wrong |= {
        "doubled in MLflow": max(keys.values(), default=0) > 1,
        "doubled in Optuna": max(told.values(), default=0) > 1,
        "the two stores differ": set(keys) != set(told),
        "number of trials": len(keys) != sweep.total,
        "not the plan": sweep.sampler != "tpe" and set(keys) != {trial.config.key for trial in sweep.plan},
        "states in Optuna": {trial.state.name for trial in trials} - {"COMPLETE", "FAIL", "WAITING"},
    }
    messages = [f"{sweep.name}: {what} {is_wrong}" for what, is_wrong in wrong.items() if is_wrong]
    for run in finished if deep else []:
        messages += [f"{sweep.name}, run {run.info.run_id}: {what}" for what in _faults_of_run(store, run, sweep)]
    return messages


def faults_of(comparison: Comparison, store: Store) -> list[str]:
    """The same for a comparison."""
    wrong, finished = _faults_of_runs(store, EXPERIMENT, comparison.id)
    keys = Counter((run.data.tags["role"], run.data.tags["arm"], run.data.tags["config_key"]) for run in finished)
    wrong |= {
        "doubled": max(keys.values(), default=0) > 1,
        "number of runs": len(keys) != comparison.total,
        "figures": [run.info.run_id for run in finished if not {"final_cost", "converged"} <= run.data.metrics.keys()],
    }
    return [f"{comparison.id}: {what} {is_wrong}" for what, is_wrong in wrong.items() if is_wrong]


def _faults_of_runs(store: Store, experiment: str, campaign: str) -> tuple[dict[str, object], list[Any]]:
    """What is wrong with the parent run and the states of a campaign's runs; and those that have FINISHED below it."""
    found = store.client.get_experiment_by_name(experiment)
    text = f"tags.sweep = '{campaign}'"
    runs = store.client.search_runs([found.experiment_id], text, max_results=50_000) if found else []
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    first = parents[0].info.run_id if parents else "none"
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == first]
    wrong = {
        "parents": [run.info.status for run in parents] != ["FINISHED"],
        "orphans": len(children) + len(parents) != len(runs),
        "states": {run.info.status for run in children} - {"FINISHED", "KILLED"},
        "data sets": [run.info.run_id for run in children if run.info.status == "FINISHED" and _data_sets(run) != 1],
    }
    return wrong, [run for run in children if run.info.status == "FINISHED"]


def _data_sets(run: Any) -> int:
    return len(run.inputs.dataset_inputs) if run.inputs else 0


def _faults_of_models(store: Store, finished: list[Any]) -> dict[str, object]:
    """What is wrong with the models of a sweep's runs: one that has ended has one, of its best run."""
    ids = {run.info.run_id for run in finished}
    places = {run.info.experiment_id for run in finished}
    models = [one for one in store.client.search_logged_models([*places]) if one.source_run_id in ids] if places else []
    of_runs = Counter(one.source_run_id for one in models)
    links = Counter(one.model_id for run in finished for one in (run.outputs.model_outputs if run.outputs else ()))
    return {
        "no model": not models,
        "models of one run": max(of_runs.values(), default=0) > 1,
        "half models": [one.model_id for one in models if one.status != "READY" or links[one.model_id] != 1],
    }


def _faults_of_run(store: Store, run, sweep: Sweep) -> list[str]:
    epochs, client, messages = sweep.base.epochs, store.client, []
    steps = [point.step for point in client.get_metric_history(run.info.run_id, "cost")]
    if steps != list(range(epochs + 1)):
        messages.append(f"curve of {len(steps)} points")
    if len(run.data.params) != len(sweep.base.params()):
        messages.append(f"{len(run.data.params)} params")
    with TemporaryDirectory() as directory:
        folder = Path(client.download_artifacts(run.info.run_id, "", directory))
        files = [path for path in folder.rglob("*") if path.is_file()]
        pictures = [path for path in files if path.name != NETWORK]
        try:
            Model.load(folder / NETWORK)
        except RequestError as error:
            messages.append(str(error))
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
