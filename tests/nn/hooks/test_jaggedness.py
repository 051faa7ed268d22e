"""How jagged a cost curve is, against the costs before every update, taken down one by one."""

from itertools import pairwise

import pytest

from sandbox import Config, Hook, RequestError, train, train_many
from sandbox.nn import Jaggedness

MOONS = Config(dataset="moons", n_examples=10, noise=0.1, activation="tanh", epochs=40, learning_rate=0.5)


class Costs(Hook):
    """The cost before every update."""

    def on_start(self, run):
        self.costs = []

    def on_batch(self, run):
        self.costs.append(run.cost)


def told(result):
    return {name: values.tolist() for name, (_, values) in result.curves.items() if name.startswith("jaggedness")}


def expected(costs):
    steps = [after - before for before, after in pairwise(costs)]
    up, down = sum(step for step in steps if step > 0), sum(-step for step in steps if step < 0)
    rises = {"jaggedness/rises": [pytest.approx(sum(step > 0 for step in steps) / len(steps), rel=1e-12)]}
    return {"jaggedness": [pytest.approx((up + down) / (down - up), rel=1e-9)], **rises} if down > up else rises


@pytest.mark.parametrize("size", [1, 4, 5])  # the last batch of ten in fours has two examples
@pytest.mark.parametrize("updates", [None, 1, 7, 30, 10_000])
def test_is_the_way_of_the_costs_over_what_it_comes_to(size, updates):
    costs = Costs()
    result = train(MOONS.replace(batch_size=size), [costs, Jaggedness(updates)])
    assert len(costs.costs) == 40 * -(-10 // size)
    assert told(result) == expected(costs.costs[: None if updates is None else updates + 1])
    assert [epochs.tolist() for epochs, _ in result.curves.values()] == [[40]] * len(result.curves)


@pytest.mark.parametrize("rate", [0.5, 30.0])
def test_of_the_full_batch_it_is_that_of_the_recorded_costs(rate):
    result = train(MOONS.replace(learning_rate=rate), [Jaggedness()])
    assert told(result) == expected(result.costs)
    assert (told(result)["jaggedness/rises"][0] > 0) is (rate > 1)


def test_a_curve_that_did_not_fall_has_none_and_one_that_diverged_neither():
    risen = train(MOONS.replace(batch_size=1, learning_rate=30.0, epochs=2, seed=1), [Jaggedness(1)])
    assert set(told(risen)) == {"jaggedness/rises"}
    assert told(risen)["jaggedness/rises"] == [1.0]
    lost = train(Config(dataset="linear", hidden=(), learning_rate=1.0, epochs=100), [Jaggedness()])
    assert lost.diverged_at is not None
    assert told(lost) == {}


@pytest.mark.parametrize("size", [None, 3])
def test_a_population_has_what_each_has_alone_also_of_those_that_stop_early(size):
    base = MOONS.replace(batch_size=size, n_examples=9, patience=2, min_delta=0.002, monitor="cost", epochs=80)
    configs = [base.replace(seed=seed, learning_rate=rate) for seed in range(4) for rate in (0.5, 3.0)]
    together = train_many(configs, [Jaggedness()])
    assert len({result.epochs_run for result in together}) > 2
    for result in together:
        assert told(result) == told(train(result.config, [Jaggedness()]))


@pytest.mark.parametrize("first", [True, False])
def test_of_a_network_that_was_stopped_it_is_that_of_its_own_updates(first):
    class Stop(Hook):
        def on_epoch(self, run):
            if run.epoch == 5:
                run.stop()

    hooks = [Stop(), Jaggedness()] if first else [Jaggedness(), Stop()]
    whole = train(MOONS.replace(learning_rate=30.0))
    assert told(train(whole.config, hooks)) == expected(whole.costs[:6])


@pytest.mark.parametrize("wrong", [0, 1.5, "many"])
def test_updates_are_counted(wrong):
    with pytest.raises(RequestError, match=r"updates is .*: a whole number of at least 1 is needed, or None for all"):
        Jaggedness(wrong)
