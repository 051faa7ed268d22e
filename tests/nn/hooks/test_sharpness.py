"""Sharpness along a training, and the rate that it is set against."""

import numpy as np
import pytest

from sandbox import Config, train, train_many
from sandbox.nn import Sharpness, Snapshots, sharpness

MOONS = Config(dataset="moons", n_examples=20, activation="tanh", output="linear", epochs=60, learning_rate=0.3)


def test_is_that_of_the_network_then():
    config = MOONS.replace(l2=0.1)
    result = train(config, [Sharpness(every=25), Snapshots([0, 25, 50])])
    epochs, values = result.curves["sharpness"]
    assert epochs.tolist() == [0, 25, 50, 60]
    data = result.problem.train
    for epoch, value in zip(epochs.tolist(), values, strict=True):
        assert value == sharpness(result.snapshots[epoch], data.X, data.Y, l2=0.1)


def test_times_the_rate_of_the_epoch():
    """The factors of the schedules by hand: half a cosine, and halves."""
    configs = [MOONS.replace(schedule=name) for name in ("constant", "cosine", "step")]
    factors = {"constant": [1, 1, 1], "cosine": [1, 0.5, 0], "step": [1, 2**-5, 2**-10]}
    for result in train_many(configs, [Sharpness(every=30)]):
        shares = result.curves["sharpness_times_rate"][1] / result.curves["sharpness"][1]
        assert shares == pytest.approx(0.3 * np.array(factors[result.config.schedule]), abs=1e-12)


def test_who_stopped_early_has_the_rate_of_its_own_end():
    configs = [MOONS.replace(schedule="cosine", patience=patience, min_delta=0.1) for patience in (3, None)]
    together = train_many(configs, [Sharpness()])
    assert [result.epochs_run < 60 for result in together] == [True, False]
    for result in together:
        alone = train(result.config, [Sharpness()])
        for name, (epochs, values) in alone.curves.items():
            assert result.curves[name][0].tolist() == epochs.tolist()
            assert result.curves[name][1].tolist() == values.tolist()


def test_with_mini_batches_it_is_of_all_examples():
    first = {
        size: train(MOONS.replace(batch_size=size, epochs=1), [Sharpness()]).curves["sharpness"][1][0]
        for size in (None, 3)
    }
    assert first[3] == first[None]


def test_a_network_sharpens_until_the_edge_of_stability():
    """Cohen et al. 2021: it rises to 2 / rate and hovers there, while the cost goes on falling, though not at each step."""
    config = MOONS.replace(n_examples=100, noise=0.1, hidden=(8,), learning_rate=0.6, epochs=600)
    for seed in range(3):
        result = train(config.replace(seed=seed, data_seed=seed), [Sharpness(every=20)])
        product = result.curves["sharpness_times_rate"][1]
        assert product[0] < 1.85
        assert np.median(product[-10:]) == pytest.approx(2, rel=0.1)
        assert result.costs[-1] < result.costs[300]
