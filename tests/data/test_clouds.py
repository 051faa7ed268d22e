"""The clouds, point by point against the rules of TensorFlow Playground and scikit-learn, restated here.

How they are drawn is in test_draws.py.
"""

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from sandbox.data import add_crosses, load_dataset, load_parts, parse_crosses
from sandbox.data.clouds import spiral_playground

CLOUDS = ["quadrants", "circle", "gauss", "spiral", "xor_cloud", "moons"]


def points(dataset):
    return [(x, y, label) for (x, y), label in zip(dataset.X.tolist(), dataset.Y.ravel().tolist(), strict=True)]


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("n", [1, 7, 8, 50])
def test_exactly_n_examples_and_balanced_classes(name, n):
    dataset = load_dataset(name, n=n, seed=3)
    ones = int(dataset.Y.sum())
    assert dataset.X.shape == (n, 2)
    assert set(dataset.Y.ravel()) <= {0.0, 1.0}
    assert abs(ones - (n - ones)) <= 1
    assert dataset.feature_names == ("x1", "x2")
    assert dataset.task == "binary"


@pytest.mark.parametrize("name", CLOUDS)
def test_order_is_shuffled(name):
    labels = load_dataset(name, n=200).Y.ravel()
    changes = np.count_nonzero(np.diff(labels))
    assert 60 < changes < 140  # 199 pairs, each a change one time in two; sorted or alternating: 1 or 199


def test_circle_without_noise_keeps_to_its_disc_and_ring():
    radii = {0.0: [], 1.0: []}
    for x, y, label in points(load_dataset("circle", n=1000)):
        radii[label].append(math.hypot(x, y))
    assert max(radii[1.0]) < 2.5
    assert min(radii[0.0]) >= 3.5
    assert max(radii[0.0]) <= 5
    # the radius is uniform, so its means are the middles: 1.25 and 4.25
    assert abs(np.mean(radii[1.0]) - 1.25) < 0.1
    assert abs(np.mean(radii[0.0]) - 4.25) < 0.06


def test_noise_on_a_circle_turns_labels_and_leaves_points():
    clean, noisy = load_dataset("circle", n=1000), load_dataset("circle", n=1000, noise=0.5)
    assert np.array_equal(clean.X, noisy.X)
    for x, y, label in points(noisy):
        # moved by at most 2.5 on each axis: such a point cannot cross radius 2.5
        if math.hypot(x, y) > 2.5 + math.hypot(2.5, 2.5):
            assert label == 0
    assert 0.1 < np.mean(clean.Y != noisy.Y) < 0.5


def test_xor_cloud_labels_equal_signs_one_and_keeps_a_margin():
    for x, y, label in points(load_dataset("xor_cloud", n=1000)):
        assert 0.3 <= abs(x) <= 5.3
        assert 0.3 <= abs(y) <= 5.3
        assert label == ((x > 0) == (y > 0))


def test_noise_on_xor_cloud_turns_labels_near_the_axes_only():
    noisy = load_dataset("xor_cloud", n=2000, noise=0.2)
    turned = [(abs(x), abs(y)) for x, y, label in points(noisy) if label != ((x > 0) == (y > 0))]
    assert turned
    assert all(min(pair) < 0.2 * 5 for pair in turned)


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_gauss_has_playgrounds_centres_and_variance(noise, variance):
    dataset = load_dataset("gauss", n=20_000, noise=noise)
    for label, centre in ((1, 2.0), (0, -2.0)):
        cloud = dataset.X[dataset.Y.ravel() == label]
        assert np.allclose(cloud.mean(axis=0), centre, atol=4 * math.sqrt(variance / 10_000))
        assert np.allclose(cloud.var(axis=0), variance, rtol=0.06)


@pytest.mark.parametrize("n", [10, 11])
def test_spiral_playground_is_playgrounds_loop(n):
    expected = []
    for label, delta, arm in ((1.0, 0.0, (n + 1) // 2), (0.0, math.pi, n // 2)):
        for i in range(arm):
            r = i / arm * 5
            t = 1.75 * i / arm * 2 * math.pi + delta
            expected.append((r * math.sin(t), r * math.cos(t), label))
    X, Y = spiral_playground(n, 0.0, np.random.default_rng(0))
    found = [(*row, label) for row, (label,) in zip(X.tolist(), Y.tolist(), strict=True)]
    assert np.allclose(sorted(found, key=spiral_key), sorted(expected, key=spiral_key))


def spiral_key(point):
    return round(point[2]), round(math.hypot(point[0], point[1]), 6)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_without_noise_spirals_lie_on_their_arms(part):
    for x, y, label in points(getattr(load_parts("spiral", n=500, n_test=300), part)):
        r = math.hypot(x, y)
        t = 1.75 * r / 5 * 2 * math.pi + (0 if label else math.pi)
        assert (x, y) == pytest.approx((r * math.sin(t), r * math.cos(t)), abs=1e-9)


def test_noise_moves_spiral_points_within_a_square():
    shift = load_dataset("spiral", noise=0.3).X - load_dataset("spiral").X
    assert 0.28 < np.abs(shift).max() <= 0.3
    assert abs(shift.mean()) < 0.03


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_moons_without_noise_lie_on_their_half_circles(part):
    dataset = getattr(load_parts("moons", n=40, n_test=40), part)
    for x, y, label in points(dataset):
        centre_x, centre_y, side = (1, 0.5, -1) if label else (0, 0, 1)
        assert math.hypot(x - centre_x, y - centre_y) == pytest.approx(1)
        assert side * (y - centre_y) >= -1e-12


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_noise_on_moons_is_gaussian(part):
    dataset = getattr(load_parts("moons", n=4000, noise=0.1, n_test=4000), part)
    off = [math.hypot(x - (1 if c else 0), y - (0.5 if c else 0)) - 1 for x, y, c in points(dataset)]
    # a step of standard deviation s changes the distance from the centre by s, and by s^2 / 2 on average
    assert np.std(off) == pytest.approx(0.1, rel=0.1)
    assert np.mean(off) == pytest.approx(0.005, abs=0.006)


def test_quadrants_have_a_cloud_in_each_quadrant():
    for noise, spread in ((0.0, 0.25), (0.6, 0.65)):  # 0.25^2 + 0.6^2 = 0.65^2
        dataset = load_dataset("quadrants", n=8000, noise=noise)
        assert np.allclose(np.abs(dataset.X).mean(axis=0), 1, atol=0.06)
        square = np.mean(dataset.X**2, axis=0)  # centre squared plus variance
        assert np.allclose(square, 1 + spread**2, rtol=0.05)
    for x, y, label in points(load_dataset("quadrants", n=400)):
        assert label == ((x > 0) != (y > 0))


def test_every_quadrant_has_its_share():
    for name in ("quadrants", "xor_cloud"):
        signs = load_dataset(name, n=10).X > 0
        counts = np.bincount(signs @ [1, 2], minlength=4)
        assert sorted(counts) == [2, 2, 3, 3]


def test_quadrants_need_the_cross():
    """A linear classifier guesses; with x1*x2 among its features it is right."""
    crosses = parse_crosses(["x1*x2"], 2)
    raw, crossed = [], []
    for seed in range(5):
        parts = load_parts("quadrants", seed=seed)
        train, test = parts.train, parts.test
        assert test is not None
        labels, truth = train.Y.ravel(), test.Y.ravel()
        raw.append(LogisticRegression().fit(train.X, labels).score(test.X, truth))
        model = LogisticRegression().fit(add_crosses(train.X, crosses), labels)
        crossed.append(model.score(add_crosses(test.X, crosses), truth))
    assert abs(np.mean(raw) - 0.5) < 0.06
    assert min(crossed) > 0.995
