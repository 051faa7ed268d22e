"""scikit-learn's tables: what is taken, how it is split, how it is scaled."""

from typing import Any

import numpy as np
import pytest
import sklearn.datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sandbox.data import DATASETS, Dataset, Parts, Scaling, load_dataset, load_parts
from sandbox.data.tables import Table, stratified_order


def malignant_as_1():
    """scikit-learn's table with its classes the other way round."""
    bunch: Any = sklearn.datasets.load_breast_cancer()
    bunch.update(target=1 - bunch.target, target_names=bunch.target_names[::-1])
    return bunch


READERS = {
    "iris": sklearn.datasets.load_iris,
    "breast_cancer": malignant_as_1,
    "digits": sklearn.datasets.load_digits,
    "wine": sklearn.datasets.load_wine,
}


def classes_of(dataset):
    return dataset.Y.argmax(axis=1) if dataset.task == "multiclass" else dataset.Y.ravel().astype(int)


@pytest.mark.parametrize("name", READERS)
def test_whole_table_as_it_is(name):
    dataset, bunch = load_dataset(name), READERS[name]()
    assert np.array_equal(dataset.X, bunch.data)
    assert np.array_equal(classes_of(dataset), bunch.target)
    assert dataset.feature_names == tuple(bunch.feature_names)
    assert dataset.class_names == tuple(map(str, bunch.target_names))
    assert dataset.task == ("binary" if name == "breast_cancer" else "multiclass")


def test_malignant_is_what_is_looked_for():
    dataset = load_dataset("breast_cancer")
    assert dataset.class_names == ("benign", "malignant")
    assert dataset.Y.sum() == 212  # of 569, as the data's description says


def three(parts: Parts) -> tuple[Dataset, Dataset, Dataset]:
    """All of the parts, which are there."""
    assert parts.validation is not None
    assert parts.test is not None
    return parts.train, parts.validation, parts.test


def scaling(parts: Parts) -> Scaling:
    assert parts.scaling is not None
    return parts.scaling


def found_rows(parts, name):
    """For each part the numbers of its rows in the raw table, by their measurements: one of those that are alike."""
    raw = READERS[name]().data
    numbers = {tuple(row): number for number, row in enumerate(raw.round(6).tolist())}
    return [
        [numbers[tuple(row)] for row in (part.X * scaling(parts).scale + scaling(parts).mean).round(6).tolist()]
        for part in three(parts)
    ]


@pytest.mark.parametrize("n", [None, 40])
@pytest.mark.parametrize("name", READERS)
def test_parts_are_a_quarter_to_test_on_and_the_rest_in_two(name, n):
    parts, bunch = load_parts(name, n=n, seed=4), READERS[name]()
    raw = bunch.data.round(6).tolist()
    rows, test_rows = train_test_split(range(len(raw)), test_size=0.25, stratify=bunch.target, random_state=4)
    train, validation, test = ([raw[row] for row in part] for part in found_rows(parts, name))
    assert test == [raw[row] for row in test_rows]
    assert sorted(train + validation) == sorted(raw[row] for row in rows)
    assert len(train) == n or (n is None and len(train) == len(rows) * 4 // 5)
    assert classes_of(three(parts)[2]).tolist() == bunch.target[test_rows].tolist()


@pytest.mark.parametrize("n", [None, 40])
@pytest.mark.parametrize("name", READERS)
def test_parts_are_stratified(name, n):
    parts = load_parts(name, n=n, seed=4)
    shares = np.bincount(READERS[name]().target) / READERS[name]().target.size
    for part in three(parts):
        counts = np.bincount(classes_of(part), minlength=len(shares))
        assert counts.sum() == len(part)
        assert np.abs(counts - shares * len(part)).max() <= 1.6


@pytest.mark.parametrize("n", [None, 20])
@pytest.mark.parametrize("name", READERS)
def test_standardised_by_the_training_part(name, n):
    parts = load_parts(name, n=n, seed=2)
    raw = READERS[name]().data
    found = found_rows(parts, name)
    scaler = StandardScaler().fit(raw[found[0]])
    for part, rows in zip(three(parts), found, strict=True):
        np.testing.assert_allclose(part.X, np.asarray(scaler.transform(raw[rows])), atol=1e-9)
    deviation = parts.train.X.std(axis=0)
    assert np.allclose(parts.train.X.mean(axis=0), 0, atol=1e-9)
    assert np.all(np.isclose(deviation, 1) | (deviation == 0))
    np.testing.assert_allclose(scaling(parts).mean, raw[found[0]].mean(axis=0), atol=1e-9)


def test_a_constant_column_is_only_centred():
    """The first pixel of every digit is blank, and others are blank in a small training part only."""
    parts = load_parts("digits", n=10)
    raw, (train, _, test) = load_dataset("digits"), three(parts)
    assert not train.X[:, 0].any()
    assert not test.X[:, 0].any()
    blank = (train.X == 0).all(axis=0) & (test.X != 0).any(axis=0)
    assert blank.any()
    assert set(np.unique(test.X[:, blank])) <= set(np.unique(raw.X)) | set(-np.unique(raw.X))
    assert (scaling(parts).scale[blank] == 1).all()


def test_sizes_share_a_test_part_and_nest():
    small, large = (load_parts("wine", n=n, seed=1) for n in (30, 60))
    (small_train, small_rest, small_test), (large_train, large_rest, large_test) = (
        found_rows(parts, "wine") for parts in (small, large)
    )
    assert small_test == large_test
    assert large_train[:30] == small_train
    assert small_rest == large_train[30:] + large_rest
    assert not set(large_train + large_rest) & set(large_test)
    assert not set(large_train) & set(large_rest)


@pytest.mark.parametrize("n", [None, 40])
@pytest.mark.parametrize("name", READERS)
def test_a_smaller_validation_part_is_the_beginning_of_the_whole_and_stratified(name, n):
    whole = load_parts(name, n=n, seed=4)
    shares = np.bincount(READERS[name]().target) / READERS[name]().target.size
    for k in (1, 10, len(three(whole)[1])):
        parts = load_parts(name, n=n, seed=4, n_validation=k)
        for part in ("train", "test"):
            one, other = getattr(parts, part), getattr(whole, part)
            assert (one.X.tobytes(), one.Y.tobytes()) == (other.X.tobytes(), other.Y.tobytes())
        validation, all_of_it = three(parts)[1], three(whole)[1]
        assert len(validation) == k
        assert validation.X.tobytes() == all_of_it.X[:k].tobytes()
        assert validation.Y.tobytes() == all_of_it.Y[:k].tobytes()
        counts = np.bincount(classes_of(validation), minlength=len(shares))
        assert np.abs(counts - shares * k).max() <= 1.6


@pytest.mark.parametrize("name", READERS)
def test_sizes_are_known_without_reading_the_table(name):
    entry, target = DATASETS[name], READERS[name]().target
    rows, _ = train_test_split(range(len(target)), test_size=0.25, stratify=target, random_state=0)
    assert isinstance(entry, Table)
    assert (entry.examples, entry.smallest_n, entry.largest_n) == (len(target), len(set(target)), len(rows))


@pytest.mark.parametrize("name", READERS)
def test_a_validation_part_has_ten_examples_and_every_class(name):
    entry, classes = DATASETS[name], len(READERS[name]().target_names)
    most = entry.largest_n
    for n, there in ((None, True), (most - 10, True), (most - 9, False), (most, False)):
        assert entry.has_validation(n, 0.0) == there
        for seed in range(20):
            validation = load_parts(name, n=n, seed=seed).validation
            assert (validation is not None) == there
            if validation is not None:
                assert len(set(classes_of(validation))) == classes


@pytest.mark.parametrize("n", [3, 10, 33, 150])
def test_sample_is_stratified(n):
    counts = np.bincount(classes_of(load_dataset("iris", n=n, seed=5)), minlength=3)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


def test_rare_classes_are_in_every_beginning():
    labels = np.array([0] * 90 + [1] * 9 + [2])
    order = stratified_order(labels, np.random.default_rng(0))
    assert sorted(order) == list(range(100))
    assert set(labels[order[:3]]) == {0, 1, 2}
    assert np.bincount(labels[order[:52]]) == pytest.approx([46, 5, 1], abs=1)
