"""Targets, point by point against their formulas."""

import math

import numpy as np
import pytest

from sandbox.data import load_dataset, load_parts

BUMPS = [(-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1)]


def bump(x, y):
    value = 0.0
    for centre_x, centre_y, sign in BUMPS:
        candidate = sign * min(1.0, max(0.0, 1 - math.dist((x, y), (centre_x, centre_y)) / 2))
        if abs(candidate) > abs(value):
            value = candidate
    return value


def test_linear_is_three_x_at_one_to_four():
    parts = load_parts("linear")
    assert (parts.validation, parts.test) == (None, None)
    train = parts.train
    assert train.X.tolist() == [[1], [2], [3], [4]]
    assert train.Y.tolist() == [[3], [6], [9], [12]]
    assert (train.feature_names, train.task) == (("x1",), "regression")


def test_linear_with_n_and_noise():
    exact = load_dataset("linear", n=50)
    assert np.allclose(exact.Y, 3 * exact.X)
    assert exact.X.min() >= 1
    assert exact.X.max() <= 4
    noisy = load_dataset("linear", n=5000, noise=0.5)
    residuals = noisy.Y - 3 * noisy.X
    assert np.std(residuals) == pytest.approx(0.5, rel=0.05)
    assert abs(np.mean(residuals)) < 0.03
    assert len(load_dataset("linear", noise=0.5)) == 100


def test_plane_is_a_tenth_of_the_sum():
    dataset = load_dataset("reg_plane")
    assert dataset.X.shape == (500, 2)
    assert 5.8 < np.abs(dataset.X).max() <= 6
    for (x, y), target in zip(dataset.X, dataset.Y.ravel(), strict=True):
        assert target == pytest.approx((x + y) / 10)


def test_noise_reads_the_plane_elsewhere():
    clean, noisy = load_dataset("reg_plane", n=5000), load_dataset("reg_plane", n=5000, noise=0.25)
    assert np.array_equal(clean.X, noisy.X)
    shift = (noisy.Y - clean.Y) * 10  # the sum of two U(-1.5, 1.5): standard deviation 1.5 * sqrt(2 / 3)
    assert np.abs(shift).max() <= 3
    assert np.std(shift) == pytest.approx(1.5 * math.sqrt(2 / 3), rel=0.05)


def test_bumps_are_playgrounds_six():
    dataset = load_dataset("reg_gauss", n=1000)
    targets = dataset.Y.ravel()
    for (x, y), target in zip(dataset.X, targets, strict=True):
        assert target == pytest.approx(bump(x, y))
    assert targets.max() > 0.8
    assert targets.min() < -0.8


def test_playgrounds_own_spelling():
    dataset = load_dataset("reg-gauss", n=5)
    assert dataset.name == "reg_gauss"
    assert load_dataset("reg-plane", n=5).name == "reg_plane"
