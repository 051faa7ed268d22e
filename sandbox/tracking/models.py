"""Runs as MLflow models: logged once a run, linked to it, and registered under a name. No file of one is a pickle."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sandbox.lock import lock_of, locked
from sandbox.tracking.connection import RefusedError, reporting
from sandbox.tracking.linked import LoggedModel
from sandbox.tracking.reading import linked, models_of
from sandbox.tracking.store import Store

if TYPE_CHECKING:
    from mlflow import MlflowClient, entities

VERSIONS = "mlflow.modelVersions"  # the tag of a model that says as what it is registered
CARRIED = ("sweep", "arm", "seed")  # tags of a run that its model has too


def log_model(store: Store, model: LoggedModel, root: Path) -> tuple[str, bool]:
    """The id of the model that a run has become, and whether it was made now: where it had none that is whole.

    Raises RefusedError where the run is not in the store, or is in its trash; StoreError.
    """
    client = store.client
    with locked(lock_of("models", root)), reporting(store.uri):
        run = _run(client, model.run_id)
        known = models_of(client, run)
        there = next((one for one in known if one.status == "READY"), None)
        for half in known if there is None else ():  # of a process that died
            client.delete_logged_model(half.model_id)
        made = there or _make(client, model, run)
        if made.model_id not in linked(run):  # last: whoever is told of a model finds it whole
            from mlflow.entities import LoggedModelOutput

            client.log_outputs(model.run_id, [LoggedModelOutput(made.model_id, 0)])
        return made.model_id, there is None


def register(store: Store, model_id: str, name: str, root: Path) -> tuple[int, bool]:
    """The version that a model has under a name of MLflow's registry, and whether it was given now.

    Raises StoreError.
    """
    client = store.client
    with locked(lock_of("models", root)), reporting(store.uri):
        model = client.get_logged_model(model_id)
        run_id, place = model.source_run_id, model.artifact_location
        known = [one for one in client.search_model_versions(f"name = '{name}'") if one.source == place]
        if not known and not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        one = known[0] if known else client.create_model_version(name, place, run_id, model_id=model_id)
        told = json.loads(client.get_logged_model(model_id).tags.get(VERSIONS, "[]"))
        if not any(each["name"] == name and int(each["version"]) == int(one.version) for each in told):
            versions = [*told, {"name": name, "version": int(one.version)}]
            client.set_logged_model_tags(model_id, {VERSIONS: json.dumps(versions)})
        return int(one.version), not known


def _run(client: "MlflowClient", run_id: str) -> "entities.Run":
    from mlflow import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise RefusedError(f"run {run_id} is not in the store: it cannot become a model") from None
    if run.info.lifecycle_stage == "deleted":
        raise RefusedError(f"run {run_id} is in MLflow's trash: it cannot become a model before it is restored")
    return run


def _make(client: "MlflowClient", model: LoggedModel, run: "entities.Run") -> "entities.LoggedModel":
    """A model of a run, its files and its metrics, READY when all of it is there."""
    tags = {name: text for name, text in run.data.tags.items() if name in CARRIED}
    here = {"source_run_id": run.info.run_id, "tags": tags, "params": run.data.params}
    made = client.create_logged_model(run.info.experiment_id, model.name, **here)
    with TemporaryDirectory(prefix="sandbox-") as directory:
        files = Path(directory, "model")
        with _quietly():
            _save(model, made, files)
        client.log_model_artifacts(made.model_id, str(files))
    with _quietly():
        client.log_batch(run.info.run_id, _metrics(run, made.model_id))
    return client.finalize_logged_model(made.model_id, "READY")


@contextmanager
def _quietly() -> Iterator[None]:
    """Nothing is said of MLflow's own type hints, nor of what it does; nor by PostgreSQL of what it has already."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "psycopg")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _save(model: LoggedModel, made: "entities.LoggedModel", directory: Path) -> None:
    """Write a model's files: `code`, its signature, its example and what it requires."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    types = {name: float if kind == "double" else object for name, kind, _ in model.inputs}
    inputs = Schema([ColSpec(kind, name, required=required) for name, kind, required in model.inputs])
    outputs = Schema([ColSpec(kind, name) for name, kind in model.outputs])
    code = directory.with_name("network.py")
    code.write_text(model.code)
    more: dict[str, Any] = {}
    if model.example:
        more["input_example"] = pd.DataFrame(model.example, columns=list(types)).astype(types)
    mlflow.pyfunc.save_model(
        directory,
        python_model=str(code),
        signature=ModelSignature(inputs, outputs),
        pip_requirements=model.requirements,
        mlflow_model=Model(made.artifact_location, model.run_id, model_uuid=made.model_id, model_id=made.model_id),
        **more,
    )


def _metrics(run: "entities.Run", model_id: str) -> "list[entities.Metric]":
    """A run's final metrics as those of its model, on the run's data set. (What the run has is not logged again.)"""
    from mlflow.entities import Metric

    data = [one.dataset for one in (run.inputs.dataset_inputs if run.inputs else ())]
    on = {"dataset_name": data[0].name, "dataset_digest": data[0].digest} if data else {}
    return [
        Metric(one.key, one.value, one.timestamp, one.step, model_id=model_id, run_id=run.info.run_id, **on)
        for one in run.data._metric_objs
    ]
