"""Config: defaults, equality, keys, text, and that every wrong request is one clear line."""

import dataclasses
import hashlib
import json
import math
import subprocess
import sys
from typing import Any, get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import Config, RequestError, load_dataset
from sandbox.config import FIELDS, ROLES, parse_value
from sandbox.data import DATASETS, Dataset
from sandbox.data.datasets import DatasetName
from sandbox.fields import format_value
from sandbox.link import fields_of_link
from sandbox.nn.activations import ACTIVATIONS
from sandbox.nn.costs import COSTS
from sandbox.nn.initializers import INITIALIZERS
from sandbox.nn.optimizers import OPTIMIZERS
from sandbox.nn.schedules import SCHEDULES

OTHER: dict[str, Any] = {  # for every field a value that is not its default
    "dataset": "or",
    "n_examples": 40,
    "n_validation": 30,
    "noise": 0.1,
    "data_seed": 1,
    "mislabelled": 0.25,
    "playground_seed": "0.5",
    "omit": ("x2",),
    "crosses": ("x1*x2",),
    "hidden": (8, 8),
    "activation": "tanh",
    "output": "tanh",
    "initializer": "he",
    "initializer_scale": 0.5,
    "bias_scale": 0.5,
    "initial_bias": 0.1,
    "cost": "mean_squared_error",
    "l1": 0.1,
    "l1_rule": "clipped",
    "l2": 0.1,
    "optimizer": "adam",
    "weight_decay": 0.1,
    "momentum": 0.5,
    "learning_rate": 0.3,
    "schedule": "cosine",
    "batch_size": 2,
    "batches": "in_order",
    "epochs": 10,
    "patience": 20,
    "min_delta": 0.01,
    "monitor": "train_accuracy",
    "dtype": "float32",
    "arithmetic": "page",
    "seed": 1,
}


NEEDED: dict[str, dict[str, Any]] = {  # what a field has to come with where another value is not its default
    "n_validation": {"dataset": "circle"},
    "playground_seed": {"dataset": "playground_xor"},
    "arithmetic": {
        k: v for k, v in fields_of_link("https://playground.tensorflow.org/#seed=1").items() if k != "arithmetic"
    },
    "weight_decay": {"optimizer": "adamw"},
}


def some_name(table):
    return st.sampled_from(sorted(table))


def number(low, high):
    return st.floats(low, high, allow_subnormal=False) | st.integers(math.ceil(low), math.floor(high))


def make(fields: dict[str, Any]) -> Config:
    if fields.get("optimizer") != "adamw":
        fields.pop("weight_decay", None)
    data = DATASETS[fields.get("dataset", "xor")]
    if fields.get("n_examples"):
        fields["n_examples"] = min(fields["n_examples"], data.largest_n)
    most = data.largest_validation(fields.get("n_examples"), fields.get("noise", 0.0))
    if fields.get("n_validation"):
        fields["n_validation"] = min(fields["n_validation"], most) or None
    return Config(**fields)


CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "dataset": some_name(name for name, entry in DATASETS.items() if (entry.task, entry.noisy) == ("binary", True)),
        "n_examples": st.none() | st.integers(1, 10**6),
        "n_validation": st.none() | st.integers(1, 10**6),
        "noise": number(0, 10),
        "data_seed": st.integers(0, 2**32 - 1),
        "mislabelled": number(0, 1),
        "omit": st.sampled_from([(), ("x1",), ("x2",)]),
        "crosses": st.lists(st.sampled_from(["x1*x2", "x1^2", "sin(x1)", "x2 ^ 3"]), unique=True, max_size=3),
        "hidden": st.lists(st.integers(1, 100), max_size=4),
        "activation": some_name(set(ACTIVATIONS) - {"softmax"}),
        "output": st.none() | some_name(ACTIVATIONS),
        "initializer": some_name(INITIALIZERS),
        "initializer_scale": number(0, 10),
        "bias_scale": number(0, 10),
        "initial_bias": number(0, 10),
        "cost": st.sampled_from(["squared_error", "mean_squared_error", "mean_absolute_error"]),
        "l1": number(0, 10) | st.just(-0.0),
        "l1_rule": st.sampled_from(["subgradient", "clipped"]),
        "l2": number(0, 10),
        "optimizer": some_name(OPTIMIZERS),
        "weight_decay": number(0, 10),
        "momentum": st.floats(0, 1, exclude_max=True),
        "learning_rate": number(1e-300, 1e6).filter(bool),
        "schedule": some_name(SCHEDULES),
        "batch_size": st.none() | st.integers(1, 10**6),
        "batches": st.sampled_from(["shuffled", "in_order", "carried"]),
        "epochs": st.integers(1, 10**9),
        "patience": st.none() | st.integers(1, 10**9),
        "min_delta": number(0, 10),
        "monitor": st.sampled_from([None, "cost", "train_accuracy"]),
        "dtype": st.sampled_from(["float64", "float32"]),
        "seed": st.integers(0, 2**63 - 1),
    },
).map(make)


class TestValues:
    def test_defaults(self):
        """Keys hold what differs from these: whoever changes a default gives old runs another config."""
        assert {field.name: field.default for field in dataclasses.fields(Config)} == {
            "dataset": "xor",
            "n_examples": None,
            "n_validation": None,
            "noise": 0.0,
            "data_seed": 0,
            "mislabelled": 0.0,
            "playground_seed": None,
            "omit": (),
            "crosses": (),
            "hidden": (3,),
            "activation": "sigmoid",
            "output": None,
            "initializer": "xavier",
            "initializer_scale": 0.01,
            "bias_scale": 0.0,
            "initial_bias": 0.0,
            "cost": "squared_error",
            "l1": 0.0,
            "l1_rule": "subgradient",
            "l2": 0.0,
            "optimizer": "gd",
            "weight_decay": 0.0,
            "momentum": 0.9,
            "learning_rate": 1.0,
            "schedule": "constant",
            "batch_size": None,
            "batches": "shuffled",
            "epochs": 5000,
            "patience": None,
            "min_delta": 0.0,
            "monitor": None,
            "dtype": "float64",
            "arithmetic": "matrix",
            "seed": 0,
        }

    def test_roles(self):
        """What is not declared is alike for all that train side by side."""
        names = {role: {name for name in ROLES if ROLES[name] == role} for role in set(ROLES.values())}
        assert names == {
            "data": {
                "dataset",
                "n_examples",
                "n_validation",
                "noise",
                "data_seed",
                "mislabelled",
                "playground_seed",
                "omit",
                "crosses",
            },
            "network": {
                "hidden",
                "activation",
                "output",
                "initializer",
                "initializer_scale",
                "bias_scale",
                "initial_bias",
            },
            "replica": {"l1", "l2", "weight_decay", "learning_rate", "schedule", "seed", "patience", "min_delta"},
            "alike": {
                "cost",
                "optimizer",
                "momentum",
                "batch_size",
                "epochs",
                "dtype",
                "monitor",
                "batches",
                "l1_rule",
                "arithmetic",
            },
        }

    def test_equality_and_hash(self):
        same: dict[str, Any] = {"hidden": [3], "learning_rate": 1}
        assert Config() == Config(**same)
        assert hash(Config()) == hash(Config(**same))
        assert Config() != Config(seed=1)

    def test_lists_become_tuples(self):
        lists: dict[str, Any] = {"hidden": [8, 8], "crosses": ["x1*x2"]}
        config = Config(**lists)
        assert (config.hidden, config.crosses) == ((8, 8), ("x1*x2",))

    @pytest.mark.parametrize("name", ["reg-plane", "reg-gauss"])
    def test_playgrounds_spelling_is_the_same_config(self, name):
        config = Config(dataset=name)
        assert config == Config(dataset=name.replace("-", "_"))
        assert config.key == Config(dataset=name.replace("-", "_")).key
        assert config.params()["dataset"] == name.replace("-", "_")

    def test_frozen(self):
        config: Any = Config()
        with pytest.raises(dataclasses.FrozenInstanceError):
            config.seed = 1

    def test_replace(self):
        config = Config(seed=3)
        assert config.replace(learning_rate=0.5) == Config(seed=3, learning_rate=0.5)
        assert config.learning_rate == 1.0

    @pytest.mark.parametrize(
        ("config", "output"),
        [
            (Config(), "sigmoid"),
            (Config(output="tanh"), "tanh"),
            (Config(dataset="iris"), "softmax"),
            (Config(dataset="iris", cost="binary_cross_entropy"), "sigmoid"),
            (Config(dataset="iris", cost="categorical_cross_entropy"), "softmax"),
            (Config(dataset="linear"), "linear"),
        ],
    )
    def test_output_activation(self, config, output):
        assert config.output_activation == output


class TestNames:
    def test_editors_know_what_the_table_holds(self):
        assert get_args(DatasetName) == tuple(DATASETS)

    def test_every_field_of_names_has_a_literal(self):
        """Text is what names something, or is a cross, for which something of one's own may stand; or a page's seed."""
        text = {name for name, hint in get_type_hints(Config).items() if hint in (str, str | None)}
        assert text == {"playground_seed"}
        assert get_type_hints(Config)["crosses"] == tuple[str | Any, ...]


class TestMonitored:
    @pytest.mark.parametrize(
        ("fields", "monitored"),
        [
            ({"dataset": "xor"}, "cost"),
            ({"dataset": "xor", "noise": 0.1}, "validation_cost"),
            ({"dataset": "circle"}, "validation_cost"),
            ({"dataset": "iris"}, "validation_cost"),
            ({"dataset": "iris", "n_examples": 112}, "cost"),
            ({"dataset": "linear", "n_examples": 9}, "validation_cost"),
            ({"dataset": "circle", "monitor": "cost"}, "cost"),
            ({"dataset": "circle", "monitor": "validation_accuracy"}, "validation_accuracy"),
            ({"dataset": "xor", "monitor": "train_accuracy", "patience": 5}, "train_accuracy"),
        ],
    )
    def test_is_the_validation_cost_where_there_is_one(self, fields, monitored):
        assert Config(**fields).monitored == monitored


class TestKey:
    def test_every_field_has_another_value_here(self):
        assert set(OTHER) == set(FIELDS)

    def test_a_further_field_at_its_default_changes_no_key(self):
        @dataclasses.dataclass(frozen=True)
        class Later(Config):
            decay: float = 0.5

        for fields in ({}, {"learning_rate": 0.3, "hidden": (8, 8)}):
            assert Later(**fields).key == Config(**fields).key
            assert Later(**fields, decay=0.25).key != Config(**fields).key

    def test_is_of_what_differs_from_the_defaults(self):
        config = Config(dataset="iris", hidden=(8, 8), learning_rate=1)
        canonical = b'{"dataset":"iris","hidden":[8,8]}'
        assert config.key == hashlib.sha256(canonical).hexdigest()[:16]

    @pytest.mark.parametrize("name", ["moons", "circle"])
    def test_is_of_the_edition_too_where_examples_are_others_than_before(self, name):
        """Those of edition 1 shared their normal numbers with the weights; moons also had even steps."""
        former, now = b'{"dataset":"%s"}' % name.encode(), b'{"dataset":"%s","edition":2}' % name.encode()
        assert Config(dataset=name).key == hashlib.sha256(now).hexdigest()[:16]
        assert Config(dataset=name).key != hashlib.sha256(former).hexdigest()[:16]

    def test_every_field_counts(self):
        keys = {Config().key}
        for name, value in OTHER.items():
            needed = NEEDED.get(name, {})
            keys |= {Config(**needed).key, Config(**needed, **{name: value}).key}
        assert len(keys) == len(OTHER) + 1 + len(NEEDED)

    @given(CONFIGS)
    @settings(max_examples=50, deadline=None)
    def test_equal_configs_have_equal_keys(self, config):
        again = Config(**json.loads(json.dumps(config.to_dict())))
        assert again == config
        assert again.key == config.key

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"learning_rate": 1}, {"learning_rate": 1.0}),
            ({"learning_rate": np.float64(0.3)}, {"learning_rate": 0.3}),
            ({"noise": np.int64(1), "n_examples": 8}, {"noise": 1.0, "n_examples": np.int64(8)}),
            ({"seed": np.int64(3), "epochs": np.int32(7)}, {"seed": 3, "epochs": 7}),
            ({"hidden": np.array([4, 2])}, {"hidden": (4, 2)}),
            ({"l1": -0.0}, {"l1": 0.0}),
        ],
    )
    def test_is_of_the_value_and_not_of_its_type(self, one, other):
        assert Config(**one) == Config(**other)
        assert Config(**one).key == Config(**other).key
        assert Config(**one).params() == Config(**other).params()

    def test_is_the_same_in_another_process(self):
        code = "from sandbox import Config; print(Config(hidden=(8, 8), learning_rate=0.3, crosses=('x1*x2',)).key)"
        printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert printed.strip() == Config(hidden=(8, 8), learning_rate=0.3, crosses=("x1*x2",)).key


class TestText:
    @given(CONFIGS)
    @settings(max_examples=100, deadline=None)
    def test_round_trip(self, config):
        params = config.params()
        assert set(params) == set(FIELDS)
        assert all(isinstance(text, str) and text for text in params.values())
        assert Config.from_params(params) == config

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("hidden", "8,8", (8, 8)),
            ("hidden", " 8 , 4 ", (8, 4)),
            ("hidden", "3", (3,)),
            ("hidden", "none", ()),
            ("crosses", "x1*x2,x1^2", ("x1*x2", "x1^2")),
            ("crosses", "none", ()),
            ("batch_size", "none", None),
            ("batch-size", "16", 16),
            ("learning-rate", "1e-3", 0.001),
            ("epochs", "100", 100),
            ("output", "none", None),
            ("dataset", "xor", "xor"),
        ],
    )
    def test_values_from_text(self, name, text, value):
        assert parse_value(name, text) == value

    @pytest.mark.parametrize(
        ("value", "text"), [(None, "none"), ((), "none"), ((8, 8), "8,8"), (0.1, "0.1"), ("xor", "xor")]
    )
    def test_text_of_values(self, value, text):
        assert format_value(value) == text

    def test_fields_that_are_not_given_are_the_defaults_and_dashes_will_do(self):
        assert Config.from_params({"learning-rate": "0.5"}) == Config(learning_rate=0.5)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            ("hidden", "", "hidden is '': a whole number or several"),
            ("hidden", "8,,8", "hidden is '8,,8'"),
            ("hidden", "8,x", "hidden is '8,x'"),
            ("hidden", "8.5", "hidden is '8.5'"),
            ("epochs", "many", "epochs is 'many': a whole number is needed"),
            ("epochs", "none", "epochs is 'none'"),
            ("learning_rate", "", "learning_rate is '': a number is needed"),
            ("learning_rate", "fast", "learning_rate is 'fast': a number is needed"),
            ("learningrate", "0.1", "unknown field of Config 'learningrate': did you mean 'learning_rate'"),
        ],
    )
    def test_wrong_text(self, name, text, message):
        with pytest.raises(RequestError, match=message) as error:
            parse_value(name, text)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("params", [{"crosses": ""}, {"learning_rate": "nan"}, {"hiden": "3"}, {"seed": "-1"}])
    def test_wrong_params(self, params):
        with pytest.raises(RequestError):
            Config.from_params(params)


WRONG = [
    ({"dataset": "xorr"}, "unknown dataset 'xorr': did you mean 'xor'.* Valid: .*xor.*moons"),
    ({"dataset": ["xor"]}, "dataset is .*: one value is needed"),
    ({"learning_rate": (0.1, 0.2)}, "learning_rate is .*: one value is needed"),
    ({"dataset": None}, "unknown dataset None: Valid: "),
    ({"initializer": "xaver"}, "unknown initializer 'xaver': did you mean 'xavier'.* Valid: plain, xavier, he"),
    ({"initializer": np.zeros}, "initializer numpy:zeros is no function that is written in Python"),
    ({"activation": "sigmoyd"}, "unknown activation 'sigmoyd': did you mean 'sigmoid'.* Valid: sigmoid, tanh, relu"),
    ({"activation": "softmax"}, "activation 'softmax' is for the output"),
    ({"output": "sigmoyd"}, "unknown activation 'sigmoyd': did you mean 'sigmoid'"),
    ({"optimizer": "adm"}, "unknown optimizer 'adm': did you mean 'adam'.* Valid: gd, momentum, nesterov, adam, adamw"),
    ({"schedule": "cosin"}, "unknown schedule 'cosin': did you mean 'cosine'.* Valid: constant, step"),
    ({"schedule": ["cosine"]}, "schedule is .*: one value is needed"),
    ({"cost": "square_error"}, "unknown cost 'square_error': did you mean 'squared_error'"),
    ({"dtype": "float16"}, "unknown dtype 'float16': .* Valid: float64, float32"),
    ({"cost": "categorical_cross_entropy"}, "cost 'categorical_cross_entropy' is for multiclass data; xor is binary"),
    ({"dataset": "linear", "cost": "binary_cross_entropy"}, "is for binary and multiclass data; linear is regression"),
    ({"cost": "binary_cross_entropy", "output": "tanh"}, "needs a sigmoid output, not 'tanh'"),
    ({"crosses": ("x9*x1",)}, r"cross 'x9\*x1': expected x1, x2 or"),
    ({"crosses": ("__import__('os')",)}, "expected x1, x2 or"),
    ({"crosses": ("x1**",)}, r"cross 'x1\*\*': expected x1, x2 or"),
    ({"crosses": ("",)}, "expected x1, x2 or"),
    ({"crosses": "x1*x2"}, r"crosses is 'x1\*x2': a sequence is needed, such as \(\"x1\*x2\",\)"),
    ({"crosses": ("x1*x2", "x2*x1")}, "is there already"),
    ({"crosses": (3,)}, "a cross is text such as"),
    ({"crosses": None}, "crosses is None: a sequence is needed"),
    ({"hidden": (0,)}, r"hidden is \(0,\): whole numbers of at least 1"),
    ({"hidden": (3, -1)}, r"hidden is \(3, -1\)"),
    ({"hidden": (2.5,)}, r"hidden is \(2.5,\)"),
    ({"hidden": (True,)}, r"hidden is \(True,\)"),
    ({"hidden": ("8",)}, r"hidden is \('8',\)"),
    ({"hidden": 8}, r"hidden is 8: a sequence is needed, such as \(8, 8\)"),
    ({"hidden": 8.5}, r"hidden is 8.5: a sequence is needed"),
    ({"hidden": "8,8"}, "hidden is '8,8': a sequence is needed"),
    ({"learning_rate": -0.1}, "learning_rate is -0.1: a number above 0 is needed"),
    ({"learning_rate": 0}, "learning_rate is 0.*: a number above 0 is needed"),
    ({"learning_rate": math.nan}, "learning_rate is nan"),
    ({"learning_rate": math.inf}, "learning_rate is inf"),
    ({"learning_rate": "0.1"}, "learning_rate is '0.1'"),
    ({"learning_rate": True}, "learning_rate is True"),
    ({"learning_rate": None}, "learning_rate is None"),
    ({"learning_rate": [0.1, 0.2]}, "learning_rate is .*: one value is needed"),
    ({"l1": np.array([0.1, 0.2])}, "l1 is .*: one value is needed"),
    ({"l1": -1}, "l1 is -1.*: a number of at least 0 is needed"),
    ({"l2": math.inf}, "l2 is inf"),
    ({"optimizer": "adamw", "weight_decay": -1}, "weight_decay is -1.*: a number of at least 0 is needed"),
    ({"optimizer": "adamw", "weight_decay": math.inf}, "weight_decay is inf"),
    ({"optimizer": "adamw", "weight_decay": None}, "weight_decay is None: a number is needed"),
    *(
        ({"optimizer": name, "weight_decay": 0.01}, "^weight_decay is for adamw: l2 is the penalty that other optimiz")
        for name in OPTIMIZERS
        if name != "adamw"
    ),
    ({"momentum": 1}, "momentum is 1.*: a number from 0 to below 1 is needed"),
    ({"momentum": -0.1}, "momentum is -0.1"),
    ({"epochs": 0}, "epochs is 0: a whole number of at least 1 is needed"),
    ({"epochs": 1e3}, "epochs is 1000.0: a whole number"),
    ({"batch_size": 0}, "batch_size is 0: a whole number of at least 1 is needed"),
    ({"n_examples": 0}, "n_examples is 0: xor takes 1 to 10000000 to train with"),
    ({"n_examples": 10**12}, "n_examples is 1000000000000: xor takes 1 to 10000000"),
    ({"dataset": "iris", "n_examples": 2}, "n_examples is 2: iris takes 3 to 112 to train with"),
    ({"dataset": "iris", "n_examples": 113}, "n_examples is 113: iris takes 3 to 112 to train with"),
    ({"n_validation": 9}, "^n_validation is 9: xor has no validation part with this n_examples and noise$"),
    ({"dataset": "linear", "n_validation": 9}, "n_validation is 9: linear has no validation part with this"),
    ({"dataset": "iris", "n_examples": 105, "n_validation": 5}, "n_validation is 5: iris has no validation part"),
    ({"dataset": "iris", "n_validation": 24}, "n_validation is 24: iris has 1 to 23 examples for validation with this"),
    ({"dataset": "wine", "n_examples": 100, "n_validation": 34}, "n_validation is 34: wine has 1 to 33 examples"),
    ({"dataset": "circle", "n_validation": 0}, "n_validation is 0: circle has 1 to 10000000 examples for validation"),
    ({"dataset": "circle", "n_validation": 10**12}, "n_validation is 1000000000000: circle has 1 to 10000000"),
    ({"dataset": "circle", "n_validation": 2.0}, "n_validation is 2.0: a whole number or none is needed"),
    ({"dataset": "circle", "n_validation": True}, "n_validation is True: a whole number or none is needed"),
    ({"dataset": "iris", "noise": 0.1}, "noise is 0.1: iris is a table of real measurements, it must be 0"),
    ({"data_seed": 2**32}, "data_seed is 4294967296: at most 4294967295 is possible"),
    ({"patience": 0}, "patience is 0: a whole number of at least 1 is needed"),
    ({"patience": 2.5}, "patience is 2.5: a whole number or none is needed"),
    ({"min_delta": -0.1}, "min_delta is -0.1: a number of at least 0 is needed"),
    ({"min_delta": None}, "min_delta is None: a number is needed"),
    ({"monitor": "test_cost"}, "unknown monitor 'test_cost': .* Valid: cost, validation_cost, validation_acc"),
    ({"monitor": "validation_cost"}, "monitor is 'validation_cost': xor has no validation part"),
    ({"dataset": "iris", "n_examples": 103, "monitor": "validation_accuracy"}, "iris has no validation part"),
    ({"dataset": "reg_plane", "monitor": "validation_accuracy"}, "reg_plane is for regression"),
    ({"dataset": "linear", "monitor": "train_accuracy"}, "linear is for regression"),
    ({"n_examples": 4.0}, "n_examples is 4.0"),
    ({"seed": -1}, "seed is -1: a whole number of at least 0 is needed"),
    ({"seed": None}, "seed is None"),
    ({"data_seed": -1}, "data_seed is -1"),
    ({"mislabelled": -0.5}, "mislabelled is -0.5: a number of at least 0 is needed"),
    ({"mislabelled": 1.5}, "mislabelled is 1.5: a share of the training examples is needed, at most 1"),
    ({"mislabelled": math.nan}, "mislabelled is nan"),
    ({"dataset": "linear", "mislabelled": 0.1}, "mislabelled is 0.1: linear has no classes, it must be 0"),
    ({"noise": -0.5}, "noise is -0.5: a number of at least 0 is needed"),
    ({"noise": math.nan}, "noise is nan"),
    ({"initializer_scale": -1}, "initializer_scale is -1.*: a number of at least 0"),
]


HUGE = [
    load_dataset("digits"),
    np.full((300, 300), "x" * 20),
    list(map(str, range(10**5))),
    "\n".join(["long text"] * 10**5),
    {str(number): number for number in range(10**5)},
    pd.DataFrame(np.zeros((50, 20))),
    Config,
    {1.5, 2.5},
    b"bytes",
    -(10**5000),
]


class TestWrongRequests:
    @pytest.mark.parametrize(("fields", "message"), WRONG)
    def test_is_one_clear_line(self, fields, message):
        with pytest.raises(RequestError, match=message) as error:
            Config(**fields)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("value", HUGE, ids=[type(value).__name__ for value in HUGE])
    @pytest.mark.parametrize("field", FIELDS)
    def test_a_huge_value_is_one_short_line(self, field, value):
        if field == "dataset" and isinstance(value, Dataset):
            assert Config(dataset=value).data.name.startswith("digits-")
            return
        with pytest.raises(RequestError) as error:
            Config(**{field: value})
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 400

    def test_unknown_field(self):
        with pytest.raises(RequestError, match="field of Config 'learningrate': did you mean 'learning_rate'") as error:
            Config().replace(learningrate=0.1)
        assert all(name in str(error.value) for name in FIELDS)

    @pytest.mark.parametrize(
        ("field", "table"),
        [
            ("dataset", DATASETS),
            ("activation", ACTIVATIONS),
            ("initializer", INITIALIZERS),
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("cost", COSTS),
        ],
    )
    def test_names_every_valid_choice(self, field, table):
        wrong: dict[str, Any] = {field: "quux"}
        with pytest.raises(RequestError) as error:
            Config(**wrong)
        own = "" if field == "dataset" else " or MODULE:NAME"
        assert str(error.value) == f"unknown {field} 'quux': Valid: {', '.join(table)}{own}"

    def test_importing_and_refusing_bring_in_no_scikit_learn(self):
        code = """
import sys
from sandbox import Config, RequestError
Config(dataset="iris", n_examples=102, monitor="validation_cost").key
try:
    Config(dataset="digits", n_examples=9)
except RequestError as error:
    print(error, "sklearn" in sys.modules)
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "n_examples is 9: digits takes 10 to 1347 to train with False\n"

    def test_no_hidden_layers_are_right(self):
        assert Config(hidden=()).hidden == ()
