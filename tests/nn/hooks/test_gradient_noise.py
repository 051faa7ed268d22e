"""The noise of mini-batches against all mini-batches that there are, one after another."""

from itertools import combinations

import numpy as np
import pytest

from sandbox import Config, Network, RequestError, fit, train, train_many
from sandbox.nn import GradientNoise

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(6, 2)), (RNG.uniform(size=(6, 1)) > 0.5).astype(float)
NETWORK = Network((2, 3, 1), ["sigmoid", "sigmoid"], RNG.normal(size=13))


@pytest.fixture
def slopes(textbook):
    """A function: the gradient (P,) of some examples, one example and one unit at a time."""

    def of(network, rows):
        _, dWs, dbs = textbook(network.weights, network.biases, X[rows], Y[rows])
        return np.concatenate([np.hstack(layer).ravel() for layer in zip(dWs, dbs, strict=True)])

    return of


def noise_of(network, size, batches=100, **options):
    run = fit(network, X, Y, epochs=1, hooks=[GradientNoise(size, batches)], **options)
    return run.curves["gradient_noise"][0][1], run.curves["gradient_noise/signal"][0][1]


def every(slopes, network, size):
    """The mean of |g_B - g|^2 over all mini-batches."""
    whole = slopes(network, range(6))
    return np.mean([np.sum((slopes(network, list(rows)) - whole) ** 2) for rows in combinations(range(6), size)])


@pytest.mark.parametrize("size", range(1, 6))
def test_is_the_mean_over_all_mini_batches(size, slopes):
    measured, signal = noise_of(NETWORK, size, 6000)
    assert measured == pytest.approx(every(slopes, NETWORK, size), rel=1e-12 if size == 1 else 0.05)
    assert signal == pytest.approx(np.sum(slopes(NETWORK, range(6)) ** 2), rel=1e-12)


@pytest.mark.parametrize("size", range(1, 7))
def test_the_formula_in_the_docstring_is_that_mean(size, slopes):
    assert every(slopes, NETWORK, size) == pytest.approx(
        every(slopes, NETWORK, 1) / size * (6 - size) / (6 - 1), rel=1e-9, abs=1e-30
    )


@pytest.mark.parametrize("size", range(1, 6))
def test_the_share_that_points_against_the_average_is_that_of_all_mini_batches(size, slopes):
    networks = [Network(NETWORK.sizes, NETWORK.activations, 2 * RNG.normal(size=13)) for _ in range(5)]
    shares = []
    for network in networks:
        run = fit(network, X, Y, epochs=1, hooks=[GradientNoise(size, 6000)])
        whole = slopes(network, range(6))
        against = [slopes(network, list(rows)) @ whole < 0 for rows in combinations(range(6), size)]
        shares.append(np.mean(against))
        assert run.curves["gradient_noise/against"][0][1] == pytest.approx(shares[-1], abs=1e-12 if size == 1 else 0.03)
    assert max(shares) > 0.1 or size > 3


def test_of_the_full_batch_nothing_points_against_it():
    assert fit(NETWORK, X, Y, epochs=1, hooks=[GradientNoise()]).curves["gradient_noise/against"][0][1] == 0


@pytest.mark.parametrize("size", [6, 7, None])
def test_the_full_batch_has_none(size):
    assert noise_of(NETWORK, size)[0] == 0


def test_the_size_is_that_of_the_training_and_penalties_are_no_noise():
    given = noise_of(NETWORK, 4)
    assert noise_of(NETWORK, None, batch_size=4) == given
    assert noise_of(NETWORK, 4, batch_size=2, l2=0.5, l1=0.1) == given


def test_a_population_has_the_bits_of_each_alone():
    population = Network(NETWORK.sizes, NETWORK.activations, RNG.normal(size=(3, 13)))
    together = noise_of(population, 2)
    for row in range(3):
        assert noise_of(population[row], 2) == (together[0][row], together[1][row])


def test_of_the_same_weights_it_falls_as_one_over_the_batch_size():
    """In runs of their own, which begin alike: N = 64, so 1 : 4 * 63 / 60 : 16 * 63 / 48."""
    base = Config(dataset="moons", n_examples=64, noise=0.1, hidden=(8,), activation="tanh", epochs=1)
    configs = [base.replace(batch_size=size) for size in (1, 4, 16)]
    one, *others = (
        result.curves["gradient_noise"][1][0] for result in train_many(configs, [GradientNoise(None, 4000)])
    )
    assert [one / other for other in others] == pytest.approx([4.2, 21], rel=0.05)


def test_at_chosen_epochs():
    result = train(Config(dataset="moons", n_examples=9, batch_size=2, epochs=9), [GradientNoise(epochs=(0, 5))])
    assert result.curves["gradient_noise"][0].tolist() == [0, 5]


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"batch_size": 1.5}, {"batches": 0}, {"batches": None}])
def test_numbers_of_examples_and_batches_are_counts(wrong):
    with pytest.raises(RequestError, match=rf"{next(iter(wrong))} is .*: a whole number of at least 1 is needed"):
        GradientNoise(**wrong)
