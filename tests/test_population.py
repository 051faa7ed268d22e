"""Populations: the numbers of `train`, whatever trains beside them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import Config, Hook, train, train_many
from sandbox.nn import layouts

EPOCHS = 50


@st.composite
def configs(draw):
    """Configs of a few shapes, some of which diverge."""
    dataset = draw(st.sampled_from(["xor", "quadrants"]))
    return Config(
        dataset=dataset,
        n_examples=None if dataset == "xor" else 8,
        data_seed=draw(st.integers(0, 1)),
        crosses=draw(st.sampled_from([(), ("x1*x2",), ("x1^2",)])),
        hidden=draw(st.sampled_from([(), (2,), (3,), (2, 3), (4, 4)])),
        activation=draw(st.sampled_from(["sigmoid", "tanh", "relu"])),
        output=draw(st.sampled_from([None, "linear"])),
        initializer=draw(st.sampled_from(["plain", "xavier", "he"])),
        optimizer=draw(st.sampled_from(["gd", "adam"])),
        schedule=draw(st.sampled_from(["constant", "cosine"])),
        l2=draw(st.sampled_from([0.0, 0.01])),
        batch_size=draw(st.sampled_from([None, 3])),
        learning_rate=draw(st.sampled_from([0.01, 0.3, 50.0])),
        seed=draw(st.integers(0, 3)),
        epochs=EPOCHS,
    )


class Nudge(Hook):
    """Moves every initial parameter by about 1e-15, in a direction drawn at random."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def on_start(self, run):
        run.network.parameters[...] += 1e-15 * self.rng.standard_normal(run.network.parameters.shape)


def steady_epochs(config, costs):
    """For how many epochs training is not chaotic: perturbations of 1e-15 leave the costs where they are."""
    steady = len(costs)
    for seed in range(3):
        nudged = train(config, hooks=[Nudge(seed)]).costs
        both = min(len(costs), len(nudged))
        moved = np.abs(nudged[:both] - costs[:both]) > 1e-11 * np.abs(costs[:both]) + 1e-17
        steady = min(steady, int(np.argmax(moved)) if moved.any() else both)
    return steady


@settings(max_examples=25, deadline=None)
@given(
    mix=st.lists(configs(), min_size=2, max_size=8),
    chunk=st.sampled_from([None, 1, 3]),
    workers=st.sampled_from([1, 2]),
    tiny=st.sampled_from([0, layouts.TINY]),
)
def test_the_numbers_are_those_of_train(mix, chunk, workers, tiny):
    before, layouts.TINY = layouts.TINY, tiny  # 0: every population has its matrices stacked
    try:
        together = train_many(mix, chunk=chunk, workers=workers)
    finally:
        layouts.TINY = before
    for config, result in zip(mix, together, strict=True):
        alone = train(config)
        steady = steady_epochs(config, alone.costs)
        assert result.config == config
        if config.learning_rate < 1 and config.optimizer == "gd" and config.activation != "relu":  # which has a kink
            assert steady == len(alone.costs)
        assert result.costs[:steady] == pytest.approx(alone.costs[:steady], rel=1e-9, abs=1e-15)
        if steady < alone.epochs_run:
            continue
        assert (result.diverged_at, result.epochs_run) == (alone.diverged_at, alone.epochs_run)
        if alone.diverged_at is None:
            assert result.cost == pytest.approx(alone.cost, rel=1e-9, abs=1e-15)
            assert result.network.sizes == alone.network.sizes
            assert result.network.parameters == pytest.approx(alone.network.parameters, rel=1e-7, abs=1e-12)


def test_ten_thousand_networks_stay_small(tmp_path):
    """Curves of 10,000 replicas over 5,000 epochs are thinned, so that all of them fit."""
    many = [Config(epochs=1100, seed=seed % 50, learning_rate=0.1 + seed / 1e5) for seed in range(10_000)]
    results = train_many(many)
    assert len(results) == 10_000
    assert sum(result.costs.nbytes for result in results) < 20e6
    last = train(many[-1], curve_points=200)
    assert np.array_equal(results[-1].cost_epochs, last.cost_epochs)
    assert results[-1].costs == pytest.approx(last.costs, rel=1e-9)
