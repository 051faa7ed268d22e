"""When a cost was first reached, against a look at the cost after every update."""

import numpy as np
import pytest

from sandbox import Config, Hook, RequestError, train, train_many
from sandbox.nn import TimeToCost

MOONS = Config(dataset="moons", n_examples=10, noise=0.1, activation="tanh", epochs=200, learning_rate=0.3)
UNITS = ("epochs", "updates", "examples")


class Costs(Hook):
    """The cost before every update."""

    def on_start(self, run):
        self.costs = []

    def on_batch(self, run):
        self.costs.append(run.cost)

    def on_end(self, run):
        self.costs.append(run.cost)


def times(result):
    return [result.curves[f"time_to_cost/{name}"][1].tolist() for name in UNITS]


def test_of_the_full_batch_it_is_the_first_recorded_cost():
    result = train(MOONS, [TimeToCost(0.08)])
    first = int(np.argmax(result.costs <= 0.08))
    assert 5 < first < 200
    assert times(result) == [[first], [first], [first * 10]]
    assert all(result.curves[f"time_to_cost/{name}"][0].tolist() == [first] for name in UNITS)
    assert [part.tolist() for part in result.curves["time_to_cost/reached"]] == [[0, first], [0, 1]]


@pytest.mark.parametrize("size", [1, 4, 5])  # the last batch of ten in fours has two examples
@pytest.mark.parametrize("seed", range(3))
def test_with_mini_batches_it_is_the_first_update_after_which_the_cost_is_there(size, seed):
    costs = Costs()
    result = train(MOONS.replace(batch_size=size, seed=seed), [costs, TimeToCost(0.08, looks=10)])
    first = int(np.argmax(np.array(costs.costs) <= 0.08))
    assert first > 5
    epochs, rest = divmod(first, -(-10 // size))
    examples = epochs * 10 + rest * size
    assert times(result) == [[examples / 10], [first], [examples]]


def test_few_looks_find_it_at_the_next_one():
    often, seldom = (
        train(MOONS.replace(batch_size=1), [TimeToCost(0.08, looks=looks)]).curves["time_to_cost/updates"][1].item()
        for looks in (10, 2)
    )
    assert seldom % 5 == 0
    assert 0 <= seldom - often < 5 or seldom == often


def test_what_is_never_reached_has_no_number():
    result = train(MOONS.replace(epochs=3), [TimeToCost(0.0)])
    assert set(result.curves) == {"time_to_cost/reached"}
    assert result.curves["time_to_cost/reached"][1].tolist() == [0]


def test_reached_before_the_first_update_and_after_the_last():
    assert times(train(MOONS, [TimeToCost(1e9)])) == [[0], [0], [0]]
    alone = train(MOONS.replace(epochs=20))
    last = train(MOONS.replace(epochs=20), [TimeToCost(alone.cost)])
    assert alone.cost < alone.costs.min()
    assert times(last) == [[20], [20], [200]]


def test_a_network_that_diverged_did_not_get_there():
    config = Config(dataset="linear", hidden=(), learning_rate=1.0, epochs=100)
    result = train(config, [TimeToCost(0.01)])
    assert result.diverged_at is not None
    assert result.curves["time_to_cost/reached"][1].tolist() == [0]


@pytest.mark.parametrize("size", [None, 3])
def test_a_population_has_what_each_has_alone_and_changes_no_number(size):
    configs = [
        MOONS.replace(batch_size=size, seed=seed, learning_rate=rate) for seed in range(4) for rate in (0.3, 1.0)
    ]
    reached = set()
    for result, bare in zip(train_many(configs, [TimeToCost(0.08)]), train_many(configs), strict=True):
        alone = train(result.config, [TimeToCost(0.08)])
        assert {name: [part.tolist() for part in curve] for name, curve in result.curves.items()} == {
            name: [part.tolist() for part in curve] for name, curve in alone.curves.items()
        }
        assert result.costs.tolist() == bare.costs.tolist()
        reached.add(tuple(times(result)[1]))
    assert len(reached) > 4


@pytest.mark.parametrize("wrong", ["low", None, [0.1, 0.2]])
def test_a_target_is_a_number(wrong):
    with pytest.raises(RequestError, match=r"target is .*: the cost to be reached is needed, a number"):
        TimeToCost(wrong)
    with pytest.raises(RequestError, match="looks is 0: a whole number of at least 1"):
        TimeToCost(0.08, looks=0)
