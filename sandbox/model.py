"""A trained network with everything that raw rows need: what a run keeps, and what predicts."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.data.features import Features
from sandbox.errors import RequestError, one_line
from sandbox.nn.activations import SIGNED
from sandbox.nn.network import Network
from sandbox.nn.storage import arrays_of, content_of
from sandbox.own import digest_of, is_own


@dataclass(frozen=True, eq=False)
class Model:
    """A network, the features that it takes, and what its outputs mean.

    `task` is "binary", "multiclass" or "regression", `class_names` are those of the data (empty: 0, 1, ...), and `params`
    the config that it was trained with, as text; `example` has a few raw rows, each a value for each of `features.raw`.
    """

    network: Network
    features: Features
    task: str
    class_names: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    example: Sequence[Sequence[Any]] = ()

    def predict(self, rows: Any) -> np.ndarray:
        """Outputs (rows, outputs), probabilities or values, for raw rows: numbers (rows, features), or a frame.

        Features are scaled and crossed as the training examples were. Raises RequestError where rows are no such thing.
        """
        return self.network.predict(self.features(rows))

    def classify(self, rows: Any) -> np.ndarray:
        """The class (rows,) of each raw row, called as the data call it, or 0, 1, ... where they have no names.

        Raises RequestError as `predict` does, and for regression.
        """
        if self.task == "regression":
            name = self.params.get("dataset", "the task")
            raise RequestError(f"{name} is for regression: it has values to predict, and no classes")
        labels = self._labels(self.predict(rows))
        return np.array(self.class_names)[labels] if self.class_names else labels

    def answers(self, rows: Any) -> dict[str, Any]:
        """What each raw row is, by columns: its class and the probability of it, or its values; arrays (rows,).

        Where the output is no probability (an activation other than sigmoid or softmax) it is given as it is.
        """
        outputs = self.predict(rows).astype(float)
        if self.task == "regression":
            names = [f"prediction {number}" for number in range(1, outputs.shape[1] + 1)]
            return dict(zip(names if len(names) > 1 else ["prediction"], outputs.T, strict=True))
        labels = self._labels(outputs)
        classes = np.array(self.classes)[labels]
        if self.score == "output":
            return {"prediction": classes, "output": outputs.max(1)}
        chosen = outputs[np.arange(len(labels)), labels] if self.task == "multiclass" else outputs[:, 0]
        return {
            "prediction": classes,
            "probability": np.where((self.task == "binary") & (labels == 0), 1 - chosen, chosen),
        }

    def _labels(self, outputs: np.ndarray) -> np.ndarray:
        """The class numbers (rows,) that outputs (rows, outputs) stand for."""
        return (outputs[:, 0] > self.threshold).astype(int) if self.task == "binary" else outputs.argmax(1)

    @property
    def threshold(self) -> float:
        """The output above which it is class 1 of two."""
        return 0.0 if self.network.activations[-1] in SIGNED else 0.5

    @property
    def score(self) -> str:
        """What stands beside a predicted class: its "probability", or the "output" as it is; "" for regression."""
        if self.task == "regression":
            return ""
        return "probability" if self.network.activations[-1] in ("sigmoid", "softmax") else "output"

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of its classes, one for each number that an output can stand for; none for regression."""
        if self.task == "regression" or self.class_names:
            return self.class_names
        return tuple(map(str, range(2 if self.task == "binary" else self.network.sizes[-1])))

    @property
    def functions(self) -> dict[str, str]:
        """The functions of one's own that it needs, each with a hash of its source."""
        named = {*self.network.activations, *(name for cross in self.features.crosses for name in cross.functions)}
        return {name: digest_of(name) for name in sorted(filter(is_own, named))}

    def to_bytes(self) -> bytes:
        """All of it as a file: NumPy's .npz without pickle, which `Network.load` reads too."""
        network = self.network
        told = {"task": self.task, "class_names": list(self.class_names), "params": dict(self.params)}
        told |= {"features": self.features.describe(), "functions": self.functions, "example": self.example}
        arrays = {"sizes": network.sizes, "activations": network.activations, "parameters": network.parameters}
        return content_of(**arrays, epoch=0, told=json.dumps(told))

    @classmethod
    def from_bytes(cls, content: bytes, what: object = "network.npz") -> "Model":
        """The model in a file that `to_bytes` made. Raises RequestError for one that is damaged or foreign."""
        arrays = arrays_of(content, what)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                told = json.loads(file["told"].item())
        except Exception:  # whatever zipfile, zlib, NumPy and json raise for bytes that they did not expect
            raise RequestError(f"{what}: damaged, or a network without its features") from None
        try:
            network = Network(arrays["sizes"].tolist(), arrays["activations"].tolist(), arrays["parameters"])
            features = Features.restore(told["features"])
            if features.inputs != network.sizes[0]:
                raise ValueError("so many inputs it has not")
            task, classes, example = str(told["task"]), tuple(told["class_names"]), told.get("example", [])
            if any(len(row) != len(features.raw) for row in example):
                raise ValueError("its example is none")
            model = cls(network, features, task, classes, told["params"], example)
            before = dict(told["functions"])
        except RequestError as error:  # a function of one's own that is not here
            raise RequestError(f"{what}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RequestError(f"{what}: damaged, or a network without its features ({one_line(str(error))})") from None
        if changed := [name for name, digest in model.functions.items() if before.get(name) != digest]:
            raise RequestError(
                f"{what}: {', '.join(changed)} is another function now than the one that it was trained with"
            )
        return model

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Model":
        """The model in a file. Raises RequestError for one that is not there, damaged or foreign."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise RequestError(f"{path}: {error.strerror}") from None
        return cls.from_bytes(content, path)
