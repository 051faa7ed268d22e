"""Generated data are drawn independently: no seeds or parts share a point, and every part has the stated distribution."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstest, norm, uniform

from sandbox.data import DATASETS, load_parts

GATES = ["and", "or", "nand", "nor", "xor", "xnor"]
CLOUDS = ["quadrants", "circle", "gauss", "spiral", "xor_cloud", "moons"]
REGRESSION = ["linear", "reg_plane", "reg_gauss"]
# without noise a gate is its truth table: there is nothing to draw
DRAWN = [(name, 0.1) for name in GATES] + [(name, noise) for name in CLOUDS + REGRESSION for noise in (0.0, 0.1)]
PARTS = ("train", "validation", "test")
SEEDS = 20
LEVEL = 0.01  # of all the tests of one kind together (Bonferroni)

PROJECTIONS = {
    "x1": lambda X, Y: X[:, 0],
    "x2": lambda X, Y: X[:, -1],
    "radius": lambda X, Y: np.linalg.norm(X, axis=1),
    "x1+x2": lambda X, Y: X[:, 0] + X[:, -1],
    "x1-x2": lambda X, Y: X[:, 0] - X[:, -1],
    "y": lambda X, Y: Y[:, 0],
    "x1 where y": lambda X, Y: X[Y[:, 0] > 0, 0],
}


def drawn(name, noise, n=500, n_test=1000, seeds=SEEDS):
    """By part, X and Y of each seed."""
    all_parts = [load_parts(name, n=n, noise=noise, seed=seed, n_test=n_test) for seed in range(seeds)]
    return {part: [(one.X, one.Y) for one in (getattr(parts, part) for parts in all_parts)] for part in PARTS}


def pooled(draws):
    return np.concatenate([X for X, _ in draws]), np.concatenate([Y for _, Y in draws])


def p_of_two(one, other) -> Any:
    """How likely two samples of one distribution are to differ as much as these."""
    return ks_2samp(one, other)[1]


def test_every_generated_data_set_is_tested_here():
    tables = {"iris", "breast_cancer", "digits", "wine"}
    assert {name for name, _ in DRAWN} == {name for name in DATASETS if "playground" not in name} - tables


@pytest.mark.parametrize(("name", "noise"), DRAWN)
def test_no_two_seeds_and_no_two_parts_share_a_point(name, noise):
    draws = drawn(name, noise, n=300, n_test=300)
    points = [tuple(row) for part in PARTS for X, _ in draws[part] for row in X]
    assert len(set(points)) == len(points) == SEEDS * 900


@pytest.mark.parametrize("stream", [0, 1])
def test_no_part_is_drawn_with_the_random_numbers_of_training(stream):
    """NumPy's streams `seed` and [seed, 0] are one: of it the weights are drawn, of [seed, 1] the order of batches."""
    for seed in range(SEEDS):
        bits = np.random.default_rng(seed if stream == 0 else [seed, stream]).standard_normal(1000)
        exact, noisy = (load_parts("and", n=100, noise=noise, seed=seed, n_test=100) for noise in (0.0, 1.0))
        for part in PARTS:
            noise = getattr(noisy, part).X - getattr(exact, part).X
            assert np.abs(noise.ravel()[:, None] - bits).min() > 1e-9


@pytest.mark.parametrize(("name", "noise"), DRAWN)
def test_the_parts_are_of_one_distribution(name, noise):
    draws = {part: pooled(some) for part, some in drawn(name, noise).items()}
    for part in ("train", "validation"):
        for project in PROJECTIONS.values():
            p = p_of_two(project(*draws[part]), project(*draws["test"]))
            assert p > LEVEL / (2 * len(PROJECTIONS) * len(DRAWN))


def fairness(name, other, noise):
    """A p of Kolmogorov and Smirnov for p's of theirs: of the training part of `name` against the test part of `other`.

    Of independent draws these p's, one for each seed, are uniform; of even steps they are all near 1. They are taken
    within a label and a quarter of the plane, for by construction those have equal shares of the points.
    """
    p = []
    for seed in range(100):
        train = load_parts(name, n=400, noise=noise, seed=seed).train
        test = load_parts(other, n=1, noise=noise, seed=seed).test
        assert test is not None
        ours, theirs = (one.X[(one.X[:, 0] > 0) & (one.X[:, -1] > 0) & (one.Y[:, 0] > 0), 0] for one in (train, test))
        p.append(p_of_two(ours, theirs))
    return kstest(p, "uniform").pvalue


@pytest.mark.parametrize(("name", "noise"), [pair for pair in DRAWN if pair[0] not in ("quadrants", *GATES)])
def test_seeds_differ_as_much_as_chance_makes_them(name, noise):
    assert fairness(name, name, noise) > LEVEL / len(DRAWN)


def test_even_steps_would_be_found():
    assert fairness("spiral_playground", "spiral", 0.0) < 1e-9


def radius(X):
    return np.hypot(X[:, 0], X[:, 1])


def angle(x, y):
    return np.arctan2(y, x) % (2 * np.pi)


def of_gate(X, Y):
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[np.arange(len(X)) % 4]
    return [(column, norm(0, 0.1)) for column in (X - rows).T]


def of_circle(X, Y):
    disc = radius(X) < 3
    return [
        (radius(X)[disc], uniform(0, 2.5)),
        (radius(X)[~disc], uniform(3.5, 1.5)),
        (angle(*X.T), uniform(0, 2 * np.pi)),
    ]


def of_gauss(variance):
    def check(X, Y):
        return [(column, norm(0, variance**0.5)) for column in (X - np.where(Y == 1, 2, -2)).T]

    return check


def of_quadrants(spread):
    """Without the few points beyond an axis."""
    return lambda X, Y: [(column, norm(0, spread)) for column in (X - np.where(X > 0, 1, -1)).T]


def of_spiral(X, Y):
    return [(radius(X[Y[:, 0] == label]), uniform(0, 5)) for label in (0, 1)]


def of_xor_cloud(X, Y):
    return [(np.abs(column) - 0.3, uniform(0, 5)) for column in X.T]


def of_moons(X, Y):
    upper, lower = X[Y[:, 0] == 0], X[Y[:, 0] == 1]
    return [(angle(*upper.T), uniform(0, np.pi)), (angle(1 - lower[:, 0], 0.5 - lower[:, 1]), uniform(0, np.pi))]


def of_regression(X, Y):
    return [(column, uniform(-6, 12)) for column in X.T]


STATED = [
    *((name, 0.1, of_gate) for name in GATES),
    ("quadrants", 0.0, of_quadrants(0.25)),
    ("circle", 0.0, of_circle),
    ("circle", 0.1, of_circle),
    ("gauss", 0.0, of_gauss(0.5)),
    ("gauss", 0.1, of_gauss(1.2)),
    ("spiral", 0.0, of_spiral),
    ("xor_cloud", 0.0, of_xor_cloud),
    ("xor_cloud", 0.1, of_xor_cloud),
    ("moons", 0.0, of_moons),
    ("linear", 0.0, lambda X, Y: [(X[:, 0], uniform(1, 3))]),
    ("linear", 0.1, lambda X, Y: [(X[:, 0], uniform(1, 3)), ((Y - 3 * X)[:, 0], norm(0, 0.1))]),
    ("reg_plane", 0.1, of_regression),
    ("reg_gauss", 0.1, of_regression),
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("name", "noise", "stated"), STATED)
def test_points_have_the_stated_distribution(name, noise, stated, part):
    for sample, distribution in stated(*pooled(drawn(name, noise)[part])):
        assert kstest(sample, distribution.cdf).pvalue > LEVEL / (3 * 3 * len(STATED))


ARM = 3.5 * np.pi
# of a point t along a half circle, t in U(0, pi), and of one a along the arm: integrals over a in U(0, 1) of 5 a sin(ARM a)
# and 5 a cos(ARM a), where sin(ARM) = -1 and cos(ARM) = 0
MEANS = {
    ("moons", 0): (0, 2 / np.pi),
    ("moons", 1): (1, 0.5 - 2 / np.pi),
    ("spiral", 1): (-5 / ARM**2, -5 / ARM - 5 / ARM**2),
    ("spiral", 0): (5 / ARM**2, 5 / ARM + 5 / ARM**2),
}


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("name", "label"), MEANS)
def test_moments_of_the_curves(name, label, part, noise):
    X, Y = pooled(drawn(name, noise)[part])
    X = X[Y[:, 0] == label]
    error = X.std(axis=0) / len(X) ** 0.5
    assert (np.abs(X.mean(axis=0) - MEANS[name, label]) < 4 * error).all()
    if name == "moons":
        expected = np.array([1 / 2, 1 / 2 - 4 / np.pi**2]) + noise**2
        assert np.allclose(X.var(axis=0), expected, rtol=0.05)
    else:  # r^2 is 25 / 3 on average; U(-1, 1) has the variance 1 / 3, on each of two axes
        assert np.mean(radius(X) ** 2) == pytest.approx(25 / 3 + 2 * noise**2 / 3, rel=0.03)


@pytest.mark.parametrize("name", GATES)
def test_without_noise_a_gate_has_four_points_for_every_seed_and_part(name):
    draws = drawn(name, 0.0, n=40, n_test=40, seeds=3)
    assert {tuple(row) for part in PARTS for X, _ in draws[part] for row in X} == {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize("n", [1, 250, 450])
def test_playgrounds_own_spiral_has_500_points_whatever_the_seed(n):
    whole = []
    for seed in range(3):
        parts = load_parts("spiral_playground", n=n, seed=seed, n_test=7)
        three = [getattr(parts, part) for part in PARTS]
        assert [len(one) for one in three] == [n, (500 - n) // 2, (501 - n) // 2]
        X, Y = pooled([(one.X, one.Y) for one in three])
        whole.append({(*row, *label) for row, label in zip(X.round(9).tolist(), Y.tolist(), strict=True)})
    expected = set()
    for label, turn in ((1.0, 0.0), (0.0, np.pi)):
        for i in range(250):
            r, t = i / 250 * 5, 1.75 * i / 250 * 2 * np.pi + turn
            expected.add((round(r * np.sin(t), 9) + 0.0, round(r * np.cos(t), 9) + 0.0, label))
    assert whole == [expected] * 3


def test_a_seed_decides_which_of_its_points_train():
    one, other = ({tuple(row) for row in load_parts("spiral_playground", seed=seed).train.X} for seed in (0, 1))
    assert 90 < len(one & other) < 160  # of 250, half by chance
