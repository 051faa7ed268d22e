"""A model in MLflow's terms: the code that serves it, what goes in and what comes out."""

from importlib.metadata import version
from typing import Any

from sandbox.data.datasets import OWN_NAME
from sandbox.export import served
from sandbox.model import Model
from sandbox.names import safe
from sandbox.tracking.linked import LoggedModel

NEEDED = ("numpy", "pandas")  # beside MLflow, which adds itself


def logged_model(model: Model, run_id: str) -> LoggedModel:
    """The model of a run as MLflow logs it: raw rows in, out what `sandbox predict` says.

    >>> from sandbox import Config, train
    >>> logged = logged_model(train(Config(dataset="iris", epochs=1)).model, "0123")
    >>> logged.name, logged.inputs[0], logged.outputs
    ('iris', ('sepal length (cm)', 'double', True), [('prediction', 'string'), ('probability', 'double')])
    """
    features, about = model.features, model.params.get("dataset", "data")
    outputs = [("prediction", "string"), (model.score, "double")] if model.score else [("prediction", "double")]
    return LoggedModel(
        run_id=run_id,
        name=name_of(model),
        code=served(model, f"Run {run_id}, trained on {about}."),
        inputs=[(one.name, "string" if one.categories else "double", not features.has_gaps) for one in features.raw],
        outputs=outputs,
        example=whole(model.example),
        requirements=[f"{name}=={version(name)}" for name in NEEDED],
    )


def name_of(model: Model) -> str:
    """What a model is called where nobody says: as its data set is, without what MLflow takes in no name."""
    name = model.params.get("dataset", "network")
    return safe(name.rpartition("-")[0] if OWN_NAME.fullmatch(name) else name).replace(".", "-")


def whole(rows: Any) -> list[list[Any]]:
    """The rows without gaps, or all where every row has some."""
    return [list(row) for row in rows if None not in row] or [list(row) for row in rows]
