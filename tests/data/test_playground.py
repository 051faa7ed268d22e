"""The page's own points: those that its code draws, to the last bit, and the parts that they come in."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest

from sandbox import Config, RequestError
from sandbox.data import DATASETS, load_dataset, load_parts
from sandbox.data.playground import Page

FILE = json.loads((Path(__file__).parent / "playground_links.json").read_text(encoding="utf-8"))
CASES = [*FILE["page"], *FILE["rules"]]
PAGES = [name for name, entry in DATASETS.items() if isinstance(entry, Page)]


def state_of(case):
    told = {name: values[-1] for name, values in parse_qs(case["link"].partition("#")[2]).items()}
    regression = told.get("problem") == "regression"
    name = told.get("regDataset", "reg-plane") if regression else told.get("dataset", "circle")
    return f"playground_{name.replace('-', '_')}", float(told.get("noise", 0)) / 100, told["seed"], regression


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_points_are_those_of_the_page(case):
    name, noise, seed, regression = state_of(case)
    parts = load_parts(name, n=case["n_train"], noise=noise, seed=seed)
    assert parts.test is not None
    assert (len(parts.train), len(parts.test), parts.validation) == (case["n_train"], case["n_test"], None)
    for part, place, expected in ((parts.train, 0, case["first_train"]), (parts.test, -1, case["last_test"])):
        label = part.Y[place, 0] if regression else 2 * part.Y[place, 0] - 1
        assert [*part.X[place].tolist(), label] == expected


@pytest.mark.parametrize("name", PAGES)
def test_a_seed_may_be_a_number_or_its_text_and_others_differ(name):
    one, same, other = (load_dataset(name, seed=seed) for seed in (7, "7", "8"))
    assert np.array_equal(one.X, same.X)
    assert not np.array_equal(one.X, other.X)
    assert len(one) == DATASETS[name].default_n


@pytest.mark.parametrize("name", PAGES)
def test_parts_are_one_pool_cut_in_two(name):
    few, many = (load_parts(name, n=n, seed=3) for n in (10, 200))
    wholes = []
    for parts in (few, many):
        assert parts.test is not None
        wholes.append(np.concatenate([parts.train.X, parts.test.X]))
    assert np.array_equal(wholes[0], wholes[1])


def test_a_number_of_a_seed_counts_on_from_its_text():
    config = Config(dataset="playground_xor", playground_seed="0.5")
    texts = [config.replace(data_seed=number).data_stream for number in (0, 1, 2)]
    assert texts == ["0.5", "0.5-1", "0.5-2"]
    assert Config(dataset="playground_xor", data_seed=4).data_stream == "4"
    assert config.drawn(2).data_stream == "0.5-2"
    assert len({config.replace(data_seed=number).key for number in range(3)}) == 3


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"dataset": "xor", "playground_seed": "0.5"}, "playground_seed is for the data sets of the page"),
        ({"dataset": "playground_xor", "playground_seed": "x" * 1001}, "has 1001 characters: at most 1000"),
        ({"dataset": "playground_xor", "playground_seed": "none"}, "any other will do"),
        ({"dataset": "playground_xor", "playground_seed": "a&b"}, "stands in no link"),
        ({"dataset": "playground_xor", "playground_seed": " 1"}, "stands in no link"),
        ({"dataset": "playground_xor", "playground_seed": ""}, "stands in no link"),
        ({"dataset": "playground_xor", "n_examples": 500}, "takes 1 to 499"),
        ({"dataset": "playground_xor", "n_validation": 5}, "has no validation part"),
    ],
)
def test_what_there_is_not_is_refused(fields, why):
    with pytest.raises(RequestError, match=why):
        Config(**fields)
