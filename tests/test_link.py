"""Links to TensorFlow Playground: what they say, what is wrong with broken ones, and the way back."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import Config, RequestError
from sandbox.link import CROSSES, DEFAULTS, INPUTS, link_of, otherwise

FILE = json.loads((Path(__file__).parent / "data" / "playground_links.json").read_text(encoding="utf-8"))
SITE = "https://playground.tensorflow.org/"


def test_a_bare_link_is_the_pages_defaults():
    config = Config.from_playground(f"{SITE}#seed=0.5")
    assert (config.dataset, config.n_examples, config.noise, config.playground_seed) == (
        "playground_circle",
        250,
        0,
        "0.5",
    )
    assert (config.hidden, config.activation, config.output, config.cost) == ((4, 2), "tanh", "tanh", "squared_error")
    assert (config.initializer, config.initial_bias, config.learning_rate) == ("playground", 0.1, 0.03)
    assert (config.batch_size, config.batches, config.l1, config.l2, config.epochs) == (10, "carried", 0, 0, 300)
    assert (config.omit, config.crosses) == ((), ())


@pytest.mark.parametrize("case", [*FILE["page"], *FILE["rules"]], ids=range(30))
def test_the_way_there_and_back_is_the_same_config(case):
    config = Config.from_playground(case["link"])
    link = config.playground_link()
    assert Config.from_playground(link) == config
    assert otherwise(config) == []
    given, back = (
        DEFAULTS | {name: values[0] for name, values in parse_qs(one.partition("#")[2]).items() if name in DEFAULTS}
        for one in (case["link"], link)
    )
    decides = ["activation", "batchSize", "learningRate", "percTrainData", "problem", "initZero", *INPUTS, *CROSSES]
    assert [given[name] for name in decides] == [back[name] for name in decides]


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {"seed": st.text("0123456789.abcXYZ-_", min_size=1, max_size=12).filter(lambda text: text != "none")},
        optional={
            "activation": st.sampled_from(["relu", "tanh", "sigmoid", "linear", "new", ""]),
            "regularization": st.sampled_from(["none", "L1", "L2"]),
            "regularizationRate": st.sampled_from(["0", "0.001", "3"]),
            "batchSize": st.integers(1, 30),
            "learningRate": st.sampled_from(["0.00001", "0.03", "10"]),
            "noise": st.integers(0, 50),
            "networkShape": st.lists(st.integers(1, 8), max_size=6).map(lambda units: ",".join(map(str, units))),
            "percTrainData": st.integers(10, 90),
            "dataset": st.sampled_from(["circle", "xor", "gauss", "spiral"]),
            "problem": st.sampled_from(["classification", "regression"]),
            "initZero": st.sampled_from(["true", "false"]),
            "xSquared": st.sampled_from(["true", "false", ""]),
            "hideText": st.just("true"),
            "cosX": st.just("true"),
        },
    )
)
def test_every_state_of_the_page_is_a_config_and_comes_back(state):
    link = f"{SITE}#" + "&".join(f"{name}={value}" for name, value in state.items())
    config = Config.from_playground(link)
    assert Config.from_playground(config.playground_link()) == config
    assert Config.from_params(config.params()) == config


@pytest.mark.parametrize(
    ("link", "why"),
    [
        (SITE, "it holds no state"),
        (f"{SITE}#", "it holds no state"),
        ("https://playground.example.org/#seed=1", "a link such as https://playground.tensorflow.org/#"),
        ("ftp://playground.tensorflow.org/#seed=1", "a link such as"),
        ("playground.tensorflow.org/#seed=1", "a link such as"),
        ("https://[/#seed=1", "a link such as"),
        ("", "a link such as"),
        (f"{SITE}#dataset=swissroll", "unknown dataset 'swissroll'.*circle, xor, gauss, spiral"),
        (f"{SITE}#problem=regression&regDataset=sine", "unknown regDataset 'sine'"),
        (f"{SITE}#networkShape=1000000", "layers of 1 to 100 units"),
        (f"{SITE}#networkShape={'8,' * 500}8", "has 501 layers"),
        (f"{SITE}#networkShape=4,0", "layers of 1 to 100 units"),
        (f"{SITE}#networkShape=4,two", "networkShape is 'two'"),
        (f"{SITE}#networkShape=4,2.5", "a whole number is needed"),
        (f"{SITE}#seed={'7' * 10000}", "has 10000 characters: at most 1000"),
        (f"{SITE}#networkShape=4%2C2&seed=1", "it was escaped"),
        (f"{SITE}#seed=1%", "it was escaped"),
        (f"{SITE}#learningRate=fast", "learningRate is 'fast'"),
        (f"{SITE}#learningRate=nan", "learningRate is 'nan'"),
        (f"{SITE}#learningRate=1_0", "learningRate is '1_0'"),
        (f"{SITE}#learningRate=0", "learning_rate is 0.0"),
        (f"{SITE}#noise=-5", "noise is '-5'"),
        (f"{SITE}#batchSize=0", "1 to 250 are possible"),
        (f"{SITE}#batchSize=251", "1 to 250 are possible"),
        (f"{SITE}#percTrainData=0", "some must train"),
        (f"{SITE}#percTrainData=100", "some must train, and some test"),
        (f"{SITE}#x=false&y=false", "has no feature"),
    ],
)
def test_a_broken_link_is_answered_in_one_line(link, why):
    with pytest.raises(RequestError, match=why) as caught:
        Config.from_playground(link)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_no_text_at_all():
    wrong: list = [None, 3, b"x", ["x"]]
    for link in wrong:
        with pytest.raises(RequestError, match="link is"):
            Config.from_playground(link)


@pytest.mark.parametrize(
    ("config", "differences"),
    [
        (
            Config(dataset="circle", hidden=(3,), activation="tanh"),
            {"other points of the same kind", "other first weights"},
        ),
        (Config.from_playground(f"{SITE}#seed=1").replace(seed=1), {"other first weights"}),
        (
            Config.from_playground(f"{SITE}#seed=1").replace(
                arithmetic="matrix", cost="binary_cross_entropy", output=None
            ),
            {"squared error with a tanh output"},
        ),
        (
            Config.from_playground(f"{SITE}#seed=1").replace(arithmetic="matrix", optimizer="adam"),
            {"gradient descent at a constant rate"},
        ),
        (
            Config.from_playground(f"{SITE}#seed=1").replace(arithmetic="matrix", batches="shuffled"),
            {"batches of points in one order, not shuffled"},
        ),
    ],
)
def test_what_the_page_does_otherwise_is_said(config, differences):
    link, found = link_of(config)
    assert differences <= set(found)
    assert link.startswith(f"{SITE}#")
    Config.from_playground(link)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (Config(dataset="moons"), "has no data set 'moons'"),
        (Config(dataset="iris"), "has no data set 'iris'"),
        (Config(dataset="circle", crosses=("x1^3",)), "has no feature 'x1\\^3'"),
        (Config(dataset="circle", activation="gelu"), "has no activation 'gelu'"),
        (Config(dataset="circle", hidden=(9,)), "up to 8 units, not 9"),
        (Config(dataset="circle", hidden=(2,) * 7), "up to 6 hidden layers"),
    ],
)
def test_what_the_page_cannot_show_is_said(config, why):
    with pytest.raises(RequestError, match=why):
        config.playground_link()


def test_the_page_has_no_wrong_labels():
    config = Config.from_playground(f"{SITE}#seed=0.5").replace(mislabelled=0.1)
    assert otherwise(config) == ["every point with its own class"]
