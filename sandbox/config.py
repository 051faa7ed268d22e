"""Config: every hyperparameter of one training run."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sandbox.data import DATASETS, parse_crosses
from sandbox.data.datasets import own_spelling
from sandbox.errors import RequestError, choose, is_count, is_number
from sandbox.nn.activations import get_activation
from sandbox.nn.costs import get_cost
from sandbox.nn.initializers import INITIALIZERS
from sandbox.nn.schedules import SCHEDULES
from sandbox.nn.workspace import Settings

OUTPUTS = {"binary": "sigmoid", "multiclass": "softmax", "regression": "linear"}
DTYPES = {"float64": "float64", "float32": "float32"}


@dataclass(frozen=True)
class Config:
    """Every hyperparameter of one training run: frozen, primitives only, logged whole.

    `n_examples` None is the data set's own number; `crosses` are terms such as "x1*x2" or "sin(x1)"; `hidden` holds the
    units of each hidden layer, () for none; `output` None is the task's own output activation (sigmoid, softmax or
    linear); `initializer_scale` belongs to `plain`, `momentum` to the optimizers `momentum` and `nesterov`;
    `batch_size` None is the full batch. Wrong values raise RequestError, naming the valid ones.

    >>> Config(dataset="xor", hidden=(), crosses=("x1*x2",)).replace(learning_rate=0.5).learning_rate
    0.5
    """

    dataset: str = "xor"
    n_examples: int | None = None
    noise: float = 0.0
    data_seed: int = 0
    crosses: tuple[str, ...] = ()
    hidden: tuple[int, ...] = (3,)
    activation: str = "sigmoid"
    output: str | None = None
    initializer: str = "xavier"
    initializer_scale: float = 0.01
    cost: str = "squared_error"
    l1: float = 0.0
    l2: float = 0.0
    optimizer: str = "gd"
    momentum: float = 0.9
    learning_rate: float = 1.0
    schedule: str = "constant"
    batch_size: int | None = None
    epochs: int = 5000
    dtype: str = "float64"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            object.__setattr__(self, name, _primitive(name, field.type, getattr(self, name)))
        object.__setattr__(self, "dataset", own_spelling(self.dataset))
        data = choose("dataset", self.dataset, DATASETS)
        for name in ("activation", "output"):
            if getattr(self, name) is not None:
                get_activation(getattr(self, name))
        choose("initializer", self.initializer, INITIALIZERS)
        choose("schedule", self.schedule, SCHEDULES)
        choose("dtype", self.dtype, DTYPES)
        self.settings()
        if not all(is_count(units) and units > 0 for units in self.hidden):
            raise RequestError(f"hidden is {self.hidden}: whole numbers of at least 1 are needed, such as (8, 8)")
        if self.activation == "softmax":
            raise RequestError("activation 'softmax' is for the output: choose another for the hidden layers")
        for name, lowest in (("data_seed", 0), ("seed", 0), ("n_examples", 1)):
            value = getattr(self, name)
            if not (is_count(value) and value >= lowest) and not (name == "n_examples" and value is None):
                raise RequestError(f"{name} is {value!r}: a whole number of at least {lowest} is needed")
        for name in ("noise", "initializer_scale"):
            value = getattr(self, name)
            if not is_number(value) or value < 0:
                raise RequestError(f"{name} is {value!r}: a number of at least 0 is needed")
        parse_crosses(self.crosses, data.n_features)
        cost = get_cost(self.cost)
        if data.task not in cost.tasks:
            raise RequestError(
                f"cost {self.cost!r} is for {' and '.join(cost.tasks)} data; {self.dataset} is {data.task}"
            )
        if cost.output not in (None, self.output_activation):
            raise RequestError(f"cost {self.cost!r} needs a {cost.output} output, not {self.output_activation!r}")

    @cached_property
    def output_activation(self) -> str:
        """The output layer's activation: `output`, or what the task asks for."""
        cost = get_cost(self.cost)
        return self.output or cost.output or OUTPUTS[DATASETS[self.dataset].task]

    @cached_property
    def key(self) -> str:
        """A hash of the canonical JSON: equal configs have equal keys, on every machine."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def replace(self, **changes: Any) -> "Config":
        """A config with some fields changed. Raises RequestError for an unknown field or a wrong value."""
        for name in changes:
            choose("field of Config", name, FIELDS)
        return dataclasses.replace(self, **changes)

    def settings(self) -> Settings:
        """The part of the config that the trainer's loop needs."""
        names = (
            "cost",
            "epochs",
            "batch_size",
            "optimizer",
            "momentum",
            "schedule",
            "l1",
            "l2",
            "learning_rate",
        )
        return Settings(**{name: getattr(self, name) for name in names})

    def to_dict(self) -> dict[str, Any]:
        """Field names and values, tuples as lists, as JSON has them."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def params(self) -> dict[str, str]:
        """Every field as text, the way MLflow keeps parameters and the command line takes them."""
        return {name: format_value(value) for name, value in self.to_dict().items()}

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> "Config":
        """The config whose `params` these are. Raises RequestError for unknown names and wrong values."""
        return cls(**{name.replace("-", "_"): parse_value(name, text) for name, text in params.items()})


EXAMPLES = {"crosses": '("x1*x2",)', "hidden": "(8, 8)"}
FIELDS = {field.name: field for field in dataclasses.fields(Config)}
NONE = "none"


def _primitive(name: str, kind: Any, value: Any) -> Any:
    """The value as Python's own types have it, so that equal configs have equal keys: 1 is 1.0, and -0.0 is 0.0."""
    if name in EXAMPLES:
        if isinstance(value, str) or not isinstance(value, Iterable):
            raise RequestError(f"{name} is {value!r}: a sequence is needed, such as {EXAMPLES[name]}")
        return tuple(_primitive("", None, part) for part in value)
    if isinstance(value, list | tuple | np.ndarray):
        raise RequestError(f"{name} is {value!r}: one value is needed")
    if kind is float and is_number(value):
        return float(value) + 0.0
    return value.item() if isinstance(value, np.generic) else value


def format_value(value: Any) -> str:
    """A field's value as text: lists with commas, "none" for None and for an empty list."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or NONE
    return NONE if value is None else str(value)


def parse_value(name: str, text: str) -> Any:
    """The value of Config's field `name` from its text. Raises RequestError where it is none."""
    kind = str(choose("field of Config", name.replace("-", "_"), FIELDS).type)
    text = text.strip()
    if text == NONE and ("None" in kind or "tuple" in kind):
        return () if "tuple" in kind else None
    convert: Callable[[str], Any] = str
    wanted = "a name"
    if "int" in kind:
        convert, wanted = int, "a whole number"
    elif "float" in kind:
        convert, wanted = float, "a number"
    try:
        if "tuple" in kind:
            wanted += " or several with commas between, or none"
            return tuple(convert(part.strip() or "-") for part in text.split(","))
        return convert(text)
    except ValueError:
        raise RequestError(f"{name} is {text!r}: {wanted} is needed") from None
