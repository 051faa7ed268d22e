"""What MLflow is told of a run's data set: the same digest for the same examples, another one for others."""

import json

import numpy as np
import pandas as pd
import pytest

import sandbox
from sandbox import Config, Dataset, train
from sandbox.provenance import dataset_of


def of(**changes):
    return dataset_of(train(Config(**{"epochs": 1, "hidden": (), **changes})))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"dataset": "moons"}, {"dataset": "moons", "seed": 7, "learning_rate": 0.1, "crosses": ("x1*x2",)}, True),
        ({"dataset": "moons"}, {"dataset": "moons", "data_seed": 1}, False),
        ({"dataset": "moons"}, {"dataset": "moons", "noise": 0.1}, False),
        ({"dataset": "moons"}, {"dataset": "moons", "n_examples": 20}, False),
        ({"dataset": "moons"}, {"dataset": "circle"}, False),
        ({"dataset": "xor"}, {"dataset": "xor", "data_seed": 3}, True),  # all four rows, whatever the seed
    ],
)
def test_the_digest_is_of_what_decides_the_examples(one, other, same):
    first, second = (
        train(Config(**{"epochs": 1, "hidden": (), **changes})).problem.train.X for changes in (one, other)
    )
    assert np.array_equal(first, second) is same
    assert (of(**one).digest == of(**other).digest) is same


def test_its_source_is_code_that_gives_the_examples():
    changes = {"dataset": "moons", "n_examples": 30, "noise": 0.1, "data_seed": 2}
    told = of(**changes)
    code = json.loads(told.source)["tags"]["mlflow.source.name"]
    examples = eval(code, {"load_dataset": sandbox.load_dataset})
    np.testing.assert_array_equal(examples.X, train(Config(**changes, epochs=1)).problem.train.X)
    assert json.loads(told.profile) == {"num_rows": 30, "num_elements": 60}


def test_ones_own_data_go_by_their_name_and_digest_whatever_part_is_learnt_from():
    rng = np.random.default_rng(0)
    ages = [None, *range(20, 59)]
    frame = pd.DataFrame({"age": ages, "city": rng.choice(["Rome", "Oslo"], 40), "y": [0, 1] * 20})
    data = Dataset.from_frame(frame, "y", name="people", gaps="fill")
    told, other = of(dataset=data), of(dataset=data, n_examples=10, data_seed=4)
    assert told == other
    assert (told.name, told.digest) == ("people", Config(dataset=data).data.digest)
    assert json.loads(told.schema)["mlflow_colspec"] == [
        {"type": "double", "name": "age", "required": False},
        {"type": "string", "name": "city", "required": False},
    ]
    assert json.loads(told.profile) == {"num_rows": 40, "num_elements": 80}
    example = train(Config(dataset=data, epochs=1)).model.example
    assert [list(row) for row in example] == [[None, frame.city[0]], [20.0, frame.city[1]], [21.0, frame.city[2]]]


@pytest.mark.parametrize("data", ["moons", "iris", "own"])
def test_with_wrong_labels_it_is_another_data_set_and_its_source_says_so(data):
    if data == "own":
        data = Dataset.from_frame(pd.DataFrame({"age": range(40), "y": [0, 1] * 20}), "y", name="people")
    right, wrong, other = (of(dataset=data, **more) for more in ({}, {"mislabelled": 0.2}, {"mislabelled": 0.1}))
    assert len({right.digest, wrong.digest, other.digest}) == 3
    assert wrong == of(dataset=data, mislabelled=0.2)
    assert json.loads(wrong.source)["tags"]["mlflow.source.name"].endswith(", 0.2 mislabelled with the seed 0")
