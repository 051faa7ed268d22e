"""scikit-learn's tables: what is taken, how it is split, how it is scaled."""

import numpy as np
import pytest
import sklearn.datasets

from sandbox.data import load_dataset, load_split
from sandbox.data.tables import stratified_order

READERS = {
    "iris": sklearn.datasets.load_iris,
    "breast_cancer": sklearn.datasets.load_breast_cancer,
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
    assert dataset.Y.sum() == (len(bunch.target) if dataset.task == "multiclass" else bunch.target.sum())
    assert dataset.feature_names == tuple(bunch.feature_names)
    assert dataset.class_names == tuple(str(name) for name in bunch.target_names)
    assert dataset.task == ("binary" if name == "breast_cancer" else "multiclass")


@pytest.mark.parametrize("name", READERS)
def test_split_is_stratified_and_complete(name):
    train, test = load_split(name, seed=4)
    whole = classes_of(load_dataset(name))
    assert test is not None
    assert len(test) == -(-len(whole) // 4)
    assert len(train) + len(test) == len(whole)
    for label, count in enumerate(np.bincount(whole)):
        assert abs(np.sum(classes_of(test) == label) - count / 4) <= 1


@pytest.mark.parametrize("n", [None, 20])
@pytest.mark.parametrize("name", READERS)
def test_standardised_by_the_training_part(name, n):
    """Training columns have mean 0 and deviation 1, and both parts went through the same affine map."""
    train, test = load_split(name, n=n, seed=2)
    raw = load_dataset(name)
    assert test is not None
    assert np.isfinite(test.X).all()
    deviation = train.X.std(axis=0)
    assert np.allclose(train.X.mean(axis=0), 0, atol=1e-9)
    assert np.all(np.isclose(deviation, 1) | (deviation == 0))
    # sorted together, the parts of a column are the raw column's image
    if n is None:
        for column in np.flatnonzero(deviation):
            both = np.sort(np.concatenate([train.X[:, column], test.X[:, column]]))
            original = np.sort(raw.X[:, column])
            scale = (both[-1] - both[0]) / (original[-1] - original[0])
            assert np.allclose(both - both[0], scale * (original - original[0]))


def test_a_constant_column_is_only_centred():
    """The first pixel of every digit is blank, and others are blank in a small training part only."""
    train, test = load_split("digits", n=10)
    raw = load_dataset("digits")
    assert test is not None
    assert not train.X[:, 0].any()
    assert not test.X[:, 0].any()
    blank = (train.X == 0).all(axis=0) & (test.X != 0).any(axis=0)
    assert blank.any()
    assert set(np.unique(test.X[:, blank])) <= set(np.unique(raw.X)) | set(-np.unique(raw.X))


def test_sizes_share_a_test_part_and_nest():
    """Rows are told apart by their raw measurements' ranks, which scaling keeps."""
    small, test_small = load_split("wine", n=30, seed=1)
    large, test_large = load_split("wine", n=60, seed=1)
    assert test_small is not None
    assert test_large is not None
    assert np.array_equal(test_small.Y, test_large.Y)
    column = 12
    assert np.array_equal(np.argsort(test_small.X[:, column]), np.argsort(test_large.X[:, column]))
    assert np.array_equal(small.Y, large.Y[:30])
    assert np.array_equal(np.argsort(small.X[:, column]), np.argsort(large.X[:30, column]))


def test_train_and_test_have_no_row_in_common():
    train, test = load_split("wine")
    assert test is not None
    assert not {tuple(row) for row in train.X} & {tuple(row) for row in test.X}


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
