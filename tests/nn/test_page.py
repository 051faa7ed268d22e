"""Training in the page's own order: its losses to the last bit, and why the trainer's own order does not come to them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox import Config, Hook, Network, RequestError, fit, train, train_many
from sandbox.nn.hooks import Curves, InitializerHealth, Measures, Snapshots
from sandbox.train import build

FILE = json.loads((Path(__file__).parent.parent / "data" / "playground_links.json").read_text(encoding="utf-8"))
CASES = [*FILE["page"], *FILE["rules"]]
CHAOTIC = (0, 4, 12, 21)  # of the page's cases
EPOCHS = (0, 1, 2, 10, 100, 300)


def losses(config, **options):
    """{epoch: (training loss, test loss)} of the epochs at which the page's are known."""
    result = train(config, [Measures(EPOCHS, ("test_cost",))], **options)
    costs = dict(zip([*result.cost_epochs.tolist(), result.epochs_run], [*result.costs, result.cost], strict=True))
    tests = dict(zip(*(part.tolist() for part in result.curves["test_cost"]), strict=True))
    return {epoch: (costs[epoch], tests[epoch]) for epoch in EPOCHS if epoch in costs and epoch in tests}


def of_page(case):
    return {epoch: (cost, test) for epoch, cost, test in case["losses"]}


def farthest(found, expected, epochs=EPOCHS):
    return max(abs(one - other) for epoch in epochs for one, other in zip(found[epoch], expected[epoch], strict=True))


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_first_ten_epochs_are_the_pages(case):
    found = losses(Config.from_playground(case["link"]).replace(epochs=10))
    assert [found[epoch][0] for epoch in EPOCHS[:4]] == [
        of_page(case)[epoch][0] for epoch in EPOCHS[:4]
    ]  # to the last bit
    assert farthest(found, of_page(case), EPOCHS[:4]) < 1e-14


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_three_hundred_epochs_are_the_pages(case):
    found = losses(Config.from_playground(case["link"]))
    assert [found[epoch][0] for epoch in EPOCHS] == [of_page(case)[epoch][0] for epoch in EPOCHS]
    assert farthest(found, of_page(case)) < 1e-14


@pytest.mark.parametrize("number", [number for number in range(24) if number not in (*CHAOTIC, 22)])
def test_matrices_come_to_the_same_where_nothing_is_chaotic(number):
    config = Config.from_playground(FILE["page"][number]["link"]).replace(arithmetic="matrix")
    assert farthest(losses(config), of_page(FILE["page"][number])) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("number", CHAOTIC)
def test_the_others_forget_nothing_a_change_of_1e_15_in_the_first_weights_is_one_of_1e_6(number):
    case = FILE["page"][number]
    config = Config.from_playground(case["link"])
    start = build(config)
    start.parameters += 1e-15 * np.random.default_rng(0).standard_normal(start.parameters.shape)
    assert farthest(losses(config, start=start), of_page(case)) > 1e-6
    assert farthest(losses(config.replace(arithmetic="matrix")), of_page(case), EPOCHS[:3]) < 1e-12


LINK = "https://playground.tensorflow.org/#dataset=xor&networkShape=3&seed=1&batchSize=7&percTrainData=20"
SMALL = Config.from_playground(LINK).replace(epochs=6)


def test_it_trains_alone_beside_others_and_to_the_same_bits():
    configs = [SMALL, SMALL.replace(arithmetic="matrix"), SMALL.replace(seed=1), SMALL.replace(learning_rate=0.1)]
    for config, result in zip(configs, train_many(configs), strict=True):
        alone = train(config)
        assert result.network.parameters.tobytes() == alone.network.parameters.tobytes()
        assert result.costs.tobytes() == alone.costs.tobytes()


def test_hooks_see_it_as_they_see_others():
    seen = {}
    for arithmetic in ("page", "matrix"):
        hooks = [Snapshots([0, 3]), Curves(slope=lambda run: np.abs(run.gradients.parameters).max(-1))]
        seen[arithmetic] = train(SMALL.replace(arithmetic=arithmetic), hooks)
    one, other = seen.values()
    assert [*one.snapshots] == [*other.snapshots] == [0, 3, 6]
    for epoch in one.snapshots:
        np.testing.assert_allclose(one.snapshots[epoch].parameters, other.snapshots[epoch].parameters, rtol=1e-12)
    np.testing.assert_allclose(one.curves["slope"][1][:-1], other.curves["slope"][1][:-1], rtol=1e-9)
    with pytest.raises(RequestError, match="has no arrays of"):
        train(SMALL, [InitializerHealth(range(6))])


def test_what_a_hook_restores_is_trained_on():
    class Back(Hook):
        def on_epoch(self, run):
            if run.epoch == 0:
                self.first = run.network.parameters.copy()
            if run.epoch == 4:
                run.restore(self.first, run.cost)

    one, other = (train(SMALL.replace(arithmetic=name), [Back()]).network.parameters for name in ("page", "matrix"))
    np.testing.assert_allclose(one, other, rtol=1e-9)
    assert not np.allclose(one, train(SMALL).network.parameters, rtol=1e-3)


def test_a_network_that_overflows_diverges():
    link = (
        "https://playground.tensorflow.org/#problem=regression&activation=relu&learningRate=30&seed=1&percTrainData=10"
    )
    result = train(Config.from_playground(link))
    assert result.diverged_at is not None
    assert np.isfinite(result.costs).all()


def test_fit_takes_it_too():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 2)), rng.normal(size=20)
    network = Network.initialize([2, 3, 1], ["tanh", "linear"], "playground", rng)
    options: dict[str, Any] = {"learning_rate": 0.1, "epochs": 5, "batch_size": 6, "batches": "carried"}
    page, matrix = (fit(network, X, Y, arithmetic=arithmetic, **options) for arithmetic in ("page", "matrix"))
    np.testing.assert_allclose(page.network.parameters, matrix.network.parameters, rtol=1e-12)
    options["arithmetic"] = "page"
    with pytest.raises(RequestError, match="one network of the page's activations"):
        fit(Network.initialize([2, 2], ["linear"], "playground", rng), X, rng.normal(size=(20, 2)), **options)
    wrong: list[dict[str, Any]] = [
        {"optimizer": "adam"},
        {"batches": "shuffled"},
        {"schedule": "cosine"},
        {"l1": 0.1},
        {"batch_size": None},
    ]
    for one in wrong:
        with pytest.raises(RequestError, match=r"arithmetic page needs|batch_size is None"):
            fit(network, X, Y, **(options | one))
    options["batch_size"] = 21
    with pytest.raises(RequestError, match="1 to 20 are possible"):
        fit(network, X, Y, **options)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"optimizer": "adam"}, "gradient descent at a constant rate"),
        ({"batch_size": None}, "batches of points in one order"),
        ({"patience": 5}, "no end"),
        ({"dtype": "float32"}, "numbers of 64 bits"),
        ({"output": "sigmoid"}, "a tanh output"),
        ({"activation": "gelu"}, "the activations relu"),
    ],
)
def test_what_the_page_has_not_is_refused(changes, why):
    with pytest.raises(RequestError, match=why):
        SMALL.replace(**changes)
