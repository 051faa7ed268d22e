"""Config: every hyperparameter of one training run."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from sandbox.data import DATASETS, Dataset, parse_crosses, places_kept
from sandbox.data.checks import LARGEST_SEED, noise_level
from sandbox.data.datasets import DatasetName, Entry, adopt, entry_of
from sandbox.data.playground import Page, check_seed, seed_text
from sandbox.errors import RequestError, choose, is_count, one_line
from sandbox.fields import DATA, NETWORK, REPLICA, Kind, format_value, kinds, role
from sandbox.link import fields_of_link, link_of, trained
from sandbox.nn.activations import SIGNED, ActivationName, get_activation
from sandbox.nn.checks import check_numbers
from sandbox.nn.costs import CostName, get_cost
from sandbox.nn.initializers import InitializerName, get_initializer
from sandbox.nn.optimizers import OptimizerName
from sandbox.nn.penalties import L1Rule
from sandbox.nn.schedules import ScheduleName, get_schedule
from sandbox.nn.workspace import Arithmetic, BatchOrder, Settings
from sandbox.own import Own, digest_of, is_own

OUTPUTS = {"binary": "sigmoid", "multiclass": "softmax", "regression": "linear"}
DtypeName = Literal["float64", "float32"]
MonitorName = Literal["cost", "validation_cost", "validation_accuracy", "train_accuracy"]
DTYPES = {name: name for name in get_args(DtypeName)}
MONITORS = {name: name for name in get_args(MonitorName)}
FUNCTIONS = ("activation", "output", "initializer", "cost", "optimizer", "schedule")  # fields that name one
RATES = (
    "initializer_scale",
    "bias_scale",
    "initial_bias",
    "l1",
    "l2",
    "weight_decay",
    "learning_rate",
)  # numbers that the arrays are multiplied by


@dataclass(frozen=True)
class Config:
    """Every hyperparameter of one training run: frozen, primitives only, logged whole.

    `n_examples` None is the data set's own number, and `n_validation` None the validation part as it is: a thousand
    examples, or of a table all that are left beside training and test part; `crosses` are terms such as "x1*x2" or
    "sin(x1)"; `hidden` holds the units of each hidden layer, () for none; `output` None is the task's own output
    activation (sigmoid, softmax or linear); `initializer_scale` belongs to `plain`, `momentum` to the optimizers
    `momentum` and `nesterov`, `weight_decay` to `adamw`: at every update weights, and not biases, lose this share of
    themselves times the learning rate; `batch_size` None is the full batch. With a `patience` training stops when what
    it monitors has not got better by more than `min_delta` for that many epochs; `monitor` None is the validation cost
    where there is one. Wrong values raise RequestError, naming the valid ones.

    `dataset` may be given as a Dataset of one's own, or as the path of a file, CSV or Parquet, of which `target` is the
    column to learn (see Dataset.from_file): the field then holds its name and the digest of its examples.

    Wherever a name stands, a function of one's own may: an Activation, a Cost or an Optimizer of sandbox.nn, an initializer,
    a schedule, or a cross (see sandbox.data.crosses), given as it is or by its name, "module:name". The field then holds the
    name, and the key is of the source behind it.

    Of the training examples the share `mislabelled`, but at least one where it is above 0, have another class than their
    own; validation and test part stay right.

    `omit` names features that are no inputs of the network, though crosses may be made of them. Weights start as the
    initializer draws them, biases at `initial_bias`, plus `bias_scale` times standard normal numbers. `batches`,
    `l1_rule` and `arithmetic` are those of sandbox.nn.Settings. Two classes are 0 and 1, and -1 and 1 where the output is
    tanh.

    The data sets "playground_..." are TensorFlow Playground's own: its points are those of the seed `playground_seed`, which
    is text (with a `data_seed` above 0 those of another one; None: of `data_seed` itself), and the initializer "playground"
    draws the weights after them as the page does. `from_playground` makes all that of a link.

    A field that does not say what it decides is alike for all networks that train side by side: see ROLES.

    >>> Config(dataset="xor", hidden=(), crosses=("x1*x2",)).replace(learning_rate=0.5).learning_rate
    0.5
    """

    dataset: DatasetName | str | Path | Dataset = field(default="xor", metadata=DATA)
    n_examples: int | None = field(default=None, metadata=DATA)
    n_validation: int | None = field(default=None, metadata=DATA)
    noise: float = field(default=0.0, metadata=DATA)
    data_seed: int = field(default=0, metadata=DATA)
    mislabelled: float = field(default=0.0, metadata=DATA)
    playground_seed: str | None = field(default=None, metadata=DATA)
    omit: tuple[str, ...] = field(default=(), metadata=DATA)
    crosses: tuple[str | Own, ...] = field(default=(), metadata=DATA)
    hidden: tuple[int, ...] = field(default=(3,), metadata=NETWORK)
    activation: ActivationName | Own = field(default="sigmoid", metadata=NETWORK)
    output: ActivationName | Own | None = field(default=None, metadata=NETWORK)
    initializer: InitializerName | Own = field(default="xavier", metadata=NETWORK)
    initializer_scale: float = field(default=0.01, metadata=NETWORK)
    bias_scale: float = field(default=0.0, metadata=NETWORK)
    initial_bias: float = field(default=0.0, metadata=NETWORK)
    cost: CostName | Own = "squared_error"
    l1: float = field(default=0.0, metadata=REPLICA)
    l1_rule: L1Rule = "subgradient"
    l2: float = field(default=0.0, metadata=REPLICA)
    optimizer: OptimizerName | Own = "gd"
    weight_decay: float = field(default=0.0, metadata=REPLICA)
    momentum: float = 0.9
    learning_rate: float = field(default=1.0, metadata=REPLICA)
    schedule: ScheduleName | Own = field(default="constant", metadata=REPLICA)
    batch_size: int | None = None
    batches: BatchOrder = "shuffled"
    epochs: int = 5000
    patience: int | None = field(default=None, metadata=REPLICA)
    min_delta: float = field(default=0.0, metadata=REPLICA)
    monitor: MonitorName | None = None
    dtype: DtypeName = "float64"
    arithmetic: Arithmetic = "matrix"
    seed: int = field(default=0, metadata=REPLICA)
    target: InitVar[str | None] = None

    def __post_init__(self, target: str | None) -> None:
        for name, kind in kinds(type(self)).items():
            if name != "dataset" or not isinstance(self.dataset, Dataset | Path):
                object.__setattr__(self, name, kind.own(name, getattr(self, name)))
        object.__setattr__(self, "_data", entry_of(self.dataset, target))
        object.__setattr__(self, "dataset", self.data.name)
        self._check_data()
        self._check_network()
        self._check_training()

    def _check_data(self) -> None:
        data = self.data
        if self.n_examples is not None and not data.smallest_n <= self.n_examples <= data.largest_n:
            span = f"{data.smallest_n} to {data.largest_n}"
            raise RequestError(f"n_examples is {one_line(self.n_examples)}: {self.dataset} takes {span} to train with")
        if self.noise and not data.noisy:
            raise RequestError(f"noise is {self.noise}: {self.dataset} is a table of real measurements, it must be 0")
        self._check_least(noise=0, data_seed=0, mislabelled=0)
        noise_level(self.noise)
        if self.mislabelled > 1:
            raise RequestError(
                f"mislabelled is {self.mislabelled}: a share of the training examples is needed, at most 1"
            )
        if self.mislabelled and data.task == "regression":
            raise RequestError(f"mislabelled is {self.mislabelled}: {self.dataset} has no classes, it must be 0")
        if self.data_seed > LARGEST_SEED:
            raise RequestError(f"data_seed is {one_line(self.data_seed)}: at most {LARGEST_SEED} is possible")
        if self.n_validation is not None:
            self._check_validation(data.largest_validation(self.n_examples, self.noise))
        self._check_page()
        crosses = parse_crosses(self.crosses, data.columns)
        if self.omit and not places_kept(self.omit, data.columns) and not crosses:
            raise RequestError(f"omit is {one_line(','.join(self.omit))}: nothing is left for the network to see")
        if not isinstance(data.columns, int):
            object.__setattr__(self, "crosses", tuple(cross.name for cross in crosses))

    def _check_page(self) -> None:
        if self.playground_seed is None:
            return
        if not isinstance(self.data, Page):
            pages = ", ".join(name for name, entry in DATASETS.items() if isinstance(entry, Page))
            raise RequestError(f"playground_seed is for the data sets of the page: {pages}; not for {self.dataset}")
        check_seed(self.playground_seed)

    def _check_validation(self, most: int) -> None:
        """Refuse a validation part of another size than 1 to `most`, which is 0 where there is no such part."""
        asked = f"n_validation is {one_line(self.n_validation)}: {self.dataset}"
        if not most:
            raise RequestError(f"{asked} has no validation part with this n_examples and noise")
        if not 1 <= (self.n_validation or 0) <= most:
            raise RequestError(f"{asked} has 1 to {most} examples for validation with this n_examples")

    def _check_network(self) -> None:
        for name in ("activation", "output"):
            if getattr(self, name) is not None:
                get_activation(getattr(self, name))
        if self.activation == "softmax":
            raise RequestError("activation 'softmax' is for the output: choose another for the hidden layers")
        if not all(is_count(units) and units > 0 for units in self.hidden):
            raise RequestError(
                f"hidden is {one_line(self.hidden)}: whole numbers of at least 1 are needed, such as (8, 8)"
            )
        get_initializer(self.initializer)
        choose("dtype", self.dtype, DTYPES)
        self._check_least(initializer_scale=0, bias_scale=0, seed=0)

    def _check_training(self) -> None:
        get_schedule(self.schedule)
        self._check_least(batch_size=1, epochs=1, patience=1, min_delta=0)
        self.settings()
        if self.arithmetic == "page" and (differences := [*trained(self)]):
            raise RequestError(
                f"arithmetic is 'page': TensorFlow Playground has {differences[0]}; from_playground makes what it has"
            )
        if self.dtype != "float64":  # whose numbers are those of Python
            check_numbers(self.dtype, **{name: getattr(self, name) for name in RATES})
        data, cost = self.data, get_cost(self.cost)
        if data.task not in cost.tasks:
            raise RequestError(
                f"cost {self.cost!r} is for {' and '.join(cost.tasks)} data; {self.dataset} is {data.task}"
            )
        if cost.output not in (None, self.output_activation):
            raise RequestError(f"cost {self.cost!r} needs a {cost.output} output, not {self.output_activation!r}")
        if self.monitor is None:
            return
        choose("monitor", self.monitor, MONITORS)
        if self.monitor.endswith("accuracy") and data.task == "regression":
            raise RequestError(f"monitor is {self.monitor!r}: {self.dataset} is for regression, which has a cost only")
        if self.monitor.startswith("validation") and not self.has_validation:
            raise RequestError(
                f"monitor is {self.monitor!r}: {self.dataset} has no validation part with this n_examples and noise"
            )

    def _check_least(self, **lowest: int) -> None:
        """Refuse numbers below what is possible; None is checked by its kind."""
        for name, least in lowest.items():
            value = getattr(self, name)
            if value is not None and value < least:
                noun = "number" if kinds(type(self))[name].type is float else "whole number"
                raise RequestError(f"{name} is {one_line(value)}: a {noun} of at least {least} is needed")

    def drawn(self, number: int) -> "Config":
        """The config with other weights, and other data where chance has a part in them: both seeds, `number` further.

        >>> Config(dataset="moons", seed=2).drawn(3).data_seed, Config(dataset="xor").drawn(3).data_seed
        (3, 0)
        """
        data = number if self.mislabelled or self.data.drawn(self.n_examples, self.noise) else 0
        return self.replace(seed=self.seed + number, data_seed=self.data_seed + data)

    @property
    def data(self) -> Entry:
        """The entry of its data set."""
        return vars(self)["_data"]

    @property
    def data_stream(self) -> int | str:
        """The seed of its data set's examples: text, where they are those of a page with this seed."""
        of_page = isinstance(self.data, Page)
        return seed_text(self.playground_seed, self.data_seed) if of_page else self.data_seed

    @property
    def signed(self) -> bool:
        """Whether its two classes are -1 and 1 for the network."""
        return self.data.task == "binary" and self.output_activation in SIGNED

    @property
    def has_validation(self) -> bool:
        """Whether the data have a validation part."""
        return self.data.has_validation(self.n_examples, self.noise)

    @property
    def monitored(self) -> str:
        """What early stopping looks at: `monitor`, or the validation cost where there is one, else the cost."""
        return self.monitor or ("validation_cost" if self.has_validation else "cost")

    @cached_property
    def output_activation(self) -> str:
        """The output layer's activation: `output`, or what the task asks for."""
        cost = get_cost(self.cost)
        return self.output or cost.output or OUTPUTS[self.data.task]

    @property
    def functions(self) -> dict[str, str]:
        """The functions of one's own that it names, each with a hash of its source."""
        named = [getattr(self, name) for name in FUNCTIONS]
        if any(map(is_own, self.crosses)):
            named += [name for cross in parse_crosses(self.crosses, self.data.columns) for name in cross.functions]
        return {name: digest_of(name) for name in sorted(set(filter(is_own, named)))}

    @cached_property
    def key(self) -> str:
        """A hash of what differs from the defaults, so that a new field leaves the keys of older configs as they are.

        Equal configs have equal keys, on every machine. Where a data set's examples are others than they once were, its
        edition is hashed too: a run of the former ones is not this config's. So is the source of functions of one's own.
        """
        import hashlib  # not for `import sandbox`

        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        changed = {name: value for name, value in self.to_dict().items() if getattr(self, name) != defaults[name]}
        if self.data.digest:
            changed["dataset"] = self.data.digest
        if (edition := self.data.edition) > 1:
            changed["edition"] = edition
        if functions := self.functions:
            changed["functions"] = functions
        canonical = json.dumps(changed, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def replace(self, **changes: Any) -> "Config":
        """A config with some fields changed. Raises RequestError for an unknown field or a wrong value."""
        for name in changes.keys() - {"target"}:
            choose("field of Config", name, FIELDS)
        return dataclasses.replace(self, **changes)

    def __getstate__(self) -> dict[str, Any]:
        """Its own data travel with it; all others are known by their names."""
        return {name: value for name, value in vars(self).items() if name != "_data" or self.data.digest}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        object.__setattr__(self, "_data", adopt(state["_data"]) if "_data" in state else entry_of(self.dataset))

    @classmethod
    def from_playground(cls, link: str) -> "Config":
        """The config that trains what the page of a link to TensorFlow Playground trains, for 300 epochs.

        To the last bit, with `arithmetic` "page"; with "matrix" as far as rounding goes, and side by side. Raises
        RequestError for a link that is none.

        >>> config = Config.from_playground("https://playground.tensorflow.org/#dataset=xor&seed=0.55646")
        >>> config.dataset, config.playground_seed, config.hidden, config.batch_size
        ('playground_xor', '0.55646', (4, 2), 10)
        """
        return cls(**fields_of_link(link))

    def playground_link(self) -> str:
        """The link that opens this network on TensorFlow Playground: the very same where `from_playground` made it.

        Else points, first weights or more are the page's own (sandbox.link.link_of says what). Raises RequestError where the
        page has no such data set, feature, activation, or so many units.

        >>> Config(dataset="circle", hidden=(3,), activation="tanh").playground_link().partition("#")[2][:42]
        'activation=tanh&regularization=none&batchS'
        """
        return link_of(self)[0]

    def settings(self) -> Settings:
        """The part of the config that the trainer's loop needs."""
        return Settings(
            **{name: getattr(self, name) for field in dataclasses.fields(Settings) if (name := field.name) in FIELDS}
        )

    def to_dict(self) -> dict[str, Any]:
        """Field names and values, tuples as lists, as JSON has them."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def params(self) -> dict[str, str]:
        """Every field as text, the way MLflow keeps parameters and the command line takes them."""
        return {name: format_value(value) for name, value in self.to_dict().items()}

    @property
    def words(self) -> list[str]:
        """The options of `sandbox train` for what differs from the defaults.

        >>> Config(dataset="moons", hidden=()).words
        ['--dataset', 'moons', '--hidden', 'none']
        """
        changed = [(name, text) for name, text in self.params().items() if getattr(self, name) != FIELDS[name].default]
        return [word for name, text in changed for word in (f"--{name.replace('_', '-')}", text)]

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> "Config":
        """The config whose `params` these are. Raises RequestError for unknown names and wrong values."""
        return cls(**{name.replace("-", "_"): parse_value(name, text) for name, text in params.items()})


KINDS: dict[str, Kind] = kinds(Config)
FIELDS = {field.name: field for field in dataclasses.fields(Config)}
ROLES = {name: role(field) for name, field in FIELDS.items()}
"""Field -> "data" (builds the data), "network" (builds the network), "replica" (may differ among networks that train
side by side) or "alike"."""


def parse_value(name: str, text: str) -> Any:
    """The value of Config's field `name` from its text. Raises RequestError where it is none."""
    return choose("field of Config", name.replace("-", "_"), KINDS).parse(name, text)
