"""What a run is linked to, as plain data: the data set that it learnt from, and the model that it has become."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

CONTEXT = ("mlflow.data.context", "training")  # the tag that says what a run has done with a data set
SOURCE = "code"  # what MLflow calls a data set that code makes


@dataclass(frozen=True)
class LoggedDataset:
    """A data set as MLflow keeps it: its name, a digest of what decides the examples, and how to get them.

    `source`, `schema` and `profile` are JSON: the columns of raw rows, and how many there are.
    """

    name: str
    digest: str
    source: str
    schema: str
    profile: str

    def input(self) -> "DatasetInput":
        """It as the training data of a run, in MLflow's words."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        dataset = Dataset(self.name, self.digest, SOURCE, self.source, self.schema, self.profile)
        return DatasetInput(dataset, [InputTag(*CONTEXT)])


@dataclass(frozen=True)
class LoggedModel:
    """A model as MLflow serves it, of the run `run_id`: the text of a Python file that `mlflow.models.set_model` ends.

    `inputs` are (name, type, whether it must be there), `outputs` (name, type), types being MLflow's "double" and "string";
    `example` has raw rows, `requirements` say what pip installs for it.
    """

    run_id: str
    name: str
    code: str
    inputs: list[tuple[str, str, bool]]
    outputs: list[tuple[str, str]]
    example: list[list[Any]]
    requirements: list[str]
