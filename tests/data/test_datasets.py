"""What holds for every data set: seeds, independent test parts, and refusals in one line."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare

from sandbox.data import DATASETS, Dataset, Parts, load_dataset, load_parts
from sandbox.errors import RequestError

TABLES = ["iris", "breast_cancer", "digits", "wine"]
PAGES = [name for name in DATASETS if name.startswith("playground_")]  # tests/data/test_playground.py
GENERATED = [name for name in DATASETS if name not in (*TABLES, *PAGES)]


@pytest.mark.parametrize("name", DATASETS)
def test_the_registry_tells_the_truth(name):
    entry, dataset = DATASETS[name], load_dataset(name)
    assert (entry.name, entry.task, entry.n_features) == (dataset.name, dataset.task, dataset.X.shape[1])
    assert entry.summary
    assert dataset.X.dtype == dataset.Y.dtype == np.float64
    if name in TABLES:
        assert getattr(entry, "examples", None) == len(dataset)


def three(parts: Parts) -> tuple[Dataset, Dataset, Dataset]:
    """All of the parts, which are there."""
    assert parts.validation is not None
    assert parts.test is not None
    return parts.train, parts.validation, parts.test


def rows(dataset):
    return {tuple(row) for row in dataset.X}


@pytest.mark.parametrize("name", [*GENERATED, *TABLES])
def test_same_seed_same_bits_and_another_seed_other_examples(name):
    size = {"n": 40, "n_test": 30}
    first, again, other = (three(load_parts(name, seed=seed, **size)) for seed in (7, 7, 8))
    for one, same, different in zip(first, again, other, strict=True):
        assert one.X.tobytes() == same.X.tobytes()
        assert one.Y.tobytes() == same.Y.tobytes()
        if name not in ("and", "or", "nand", "nor", "xor", "xnor"):
            assert not np.array_equal(one.X, different.X)


@pytest.mark.parametrize("name", [name for name in GENERATED if name != "spiral_playground"])
def test_other_parts_are_fresh_and_do_not_depend_on_n(name):
    small, large = (three(load_parts(name, n=n, noise=0.1, n_test=50)) for n in (8, 50))
    assert [len(part) for part in (*small, *large)] == [8, 50, 50, 50, 50, 50]
    for one, other in zip(small[1:], large[1:], strict=True):
        assert one.X.tobytes() == other.X.tobytes()
        assert one.Y.tobytes() == other.Y.tobytes()
    assert len(set().union(*map(rows, large))) == 150


@pytest.mark.parametrize("asked", [1, 7, 40, 1500])
@pytest.mark.parametrize("name", [name for name in GENERATED if name != "spiral_playground"])
def test_so_many_validation_examples_as_asked_and_the_other_parts_as_they_are(name, asked):
    as_it_is, other = (three(load_parts(name, n=12, noise=0.1, seed=3, n_validation=k)) for k in (None, asked))
    assert [len(part) for part in (*as_it_is, *other)] == [12, 1000, 1000, 12, asked, 1000]
    for place in (0, 2):
        assert as_it_is[place].X.tobytes() == other[place].X.tobytes()
        assert as_it_is[place].Y.tobytes() == other[place].Y.tobytes()
    drawn = three(load_parts(name, n=5, noise=0.1, seed=3, n_test=asked))[1]  # a whole draw of so many, not a cut
    assert other[1].X.tobytes() == drawn.X.tobytes()
    assert other[1].Y.tobytes() == drawn.Y.tobytes()


def test_a_small_validation_part_is_balanced():
    for name in ("quadrants", "circle", "gauss", "spiral", "moons", "xor"):
        validation = three(load_parts(name, n=12, n_validation=8))[1]
        assert validation.Y.sum() == 4


@pytest.mark.parametrize("name", [name for name in GENERATED if DATASETS[name].default_n == 500])
def test_without_noise_too_no_point_is_in_two_parts(name):
    train, validation, test = map(rows, three(load_parts(name, n=300, n_test=300)))
    assert len(train | validation | test) == len(train) + len(validation) + len(test)


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("request_", [{}, {"n": 4}, {"noise": 0.1}, {"n": 4, "noise": 0.1}])
def test_what_has_a_validation_part_is_known_without_drawing_it(name, request_):
    asked = {"n": None, "noise": 0.0, **request_}
    parts = load_parts(name, **asked)
    assert DATASETS[name].has_validation(**asked) == (parts.validation is not None) == (parts.test is not None)
    assert parts.scaling is None


@pytest.mark.parametrize("name", DATASETS)
def test_numpys_global_state_is_left_alone(name):
    np.random.seed(1)  # noqa: NPY002
    load_parts(name, n=20)
    drawn = np.random.random()  # noqa: NPY002
    assert drawn == np.random.RandomState(1).random()


def test_what_a_caller_changes_stays_with_the_caller():
    load_dataset("iris").X[:] = 0
    load_dataset("iris").Y[:] = 0
    load_dataset("xor").X[:] = 5
    assert load_dataset("iris").X.min() > 0
    assert load_dataset("iris").Y.sum() == 150
    assert load_dataset("xor").X.max() == 1


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"name": "xro"}, "did you mean 'xor'"),
        ({"name": None}, "unknown dataset None"),
        ({"name": ["xor"]}, "unknown dataset"),
        ({"name": "circle", "n": 0}, "n must be a whole number from 1"),
        ({"name": "circle", "n": -5}, "got -5"),
        ({"name": "circle", "n": 2.5}, "got 2.5"),
        ({"name": "circle", "n": "8"}, "got '8'"),
        ({"name": "circle", "n": True}, "got True"),
        ({"name": "circle", "n": 10**12}, "to 10000000"),
        ({"name": "spiral_playground", "n": 451}, "from 1 to 450"),
        ({"name": "circle", "n": np.arange(40).reshape(8, 5)}, "n must be"),
        ({"name": "iris", "n": 151}, "from 3 to"),
        ({"name": "iris", "n": 2}, "from 3 to"),
        ({"name": "xor", "noise": -0.1}, "noise must be a finite number, 0 or more, got -0.1"),
        ({"name": "xor", "noise": float("nan")}, "got nan"),
        ({"name": "moons", "noise": float("inf")}, "got inf"),
        ({"name": "moons", "noise": "much"}, "got 'much'"),
        ({"name": "moons", "noise": 10**400}, "got 1000"),
        ({"name": "iris", "noise": 0.1}, "noise must be 0, got 0.1"),
        ({"name": "iris", "noise": -1}, "noise must be a finite number"),
        ({"name": "circle", "seed": -1}, "seed must be a whole number from 0"),
        ({"name": "wine", "seed": 2**32}, "to 4294967295"),
        ({"name": "digits", "seed": 1.0}, "got 1.0"),
    ],
)
@pytest.mark.parametrize("load", [load_dataset, load_parts])
def test_wrong_requests_get_one_clear_line(load, request_, says):
    request_ = dict(request_)
    with pytest.raises(RequestError) as caught:
        load(request_.pop("name"), **request_)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    assert len(message) < 400


def test_a_table_has_only_so_many_training_examples():
    with pytest.raises(RequestError, match=r"112 training examples of iris.* from 3 to 112, got 113"):
        load_parts("iris", n=113)
    assert len(load_parts("iris", n=112).train) == 112


@pytest.mark.parametrize("name", ["circle", "xor", "iris", "spiral_playground"])
def test_wrong_test_size(name):
    with pytest.raises(RequestError, match="n_test must be a whole number from 1"):
        load_parts(name, n_test=0)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"name": "circle", "n_validation": 0}, "must be a whole number from 1 to 10000000, got 0"),
        ({"name": "circle", "n_validation": 2.5}, "got 2.5"),
        ({"name": "circle", "n_validation": True}, "got True"),
        ({"name": "moons", "n_validation": 10**12}, "to 10000000, got 1000000000000"),
        ({"name": "xor", "n_validation": 8}, "n_validation is 8: xor has no validation part with this n and noise"),
        ({"name": "linear", "n_validation": 8}, "linear has no validation part"),
        ({"name": "iris", "n_validation": 24}, "of the 23 examples that iris can give .* from 1 to 23, got 24"),
        ({"name": "wine", "n": 100, "n_validation": 34}, "of the 33 examples that wine can give"),
        ({"name": "iris", "n": 103, "n_validation": 5}, "iris has no validation part"),
        ({"name": "digits", "n_validation": 0}, "must be a whole number from 1"),
    ],
)
def test_wrong_validation_size(request_, says):
    with pytest.raises(RequestError, match=says) as caught:
        load_parts(**request_)
    assert "\n" not in str(caught.value)


def test_numpy_integers_are_whole_numbers():
    request: dict[str, Any] = {"n": np.int64(8), "noise": np.float32(0.1), "seed": np.int32(3)}
    assert len(load_dataset("circle", **request)) == 8


def test_take_and_len():
    dataset = load_dataset("xor").take([3, 1])
    assert len(dataset) == 2
    assert dataset.X.tolist() == [[1, 1], [0, 1]]
    assert dataset.Y.tolist() == [[0], [1]]
    assert dataset.name == "xor"


@pytest.mark.parametrize(
    ("X", "Y", "task"),
    [((3, 2), (4, 1), "binary"), ((3,), (3, 1), "binary"), ((3, 1), (3, 1), "binary"),
     ((3, 2), (3, 2), "binary"), ((3, 2), (3, 1), "guessing")],
)  # fmt: skip
def test_a_dataset_that_does_not_fit_together_is_refused(X, Y, task):
    with pytest.raises(RequestError):
        Dataset("mine", np.zeros(X), np.zeros(Y), ("x1", "x2"), task)


def test_import_brings_in_no_heavy_library():
    code = "import sys, sandbox.data; print([m for m in ('sklearn', 'pandas', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["moons", "xor", "breast_cancer", "iris", "digits", "playground_circle"])
@pytest.mark.parametrize("share", [0.001, 0.25, 0.3, 1.0])
def test_a_share_of_the_training_labels_is_wrong_and_nothing_else(name, share):
    right = load_parts(name, seed=3)
    wrong = right.mislabelled(share, seed=3)
    assert (wrong.validation, wrong.test, wrong.scaling) == (right.validation, right.test, right.scaling)
    assert np.array_equal(wrong.train.X, right.train.X)
    moved = (wrong.train.Y != right.train.Y).any(1)
    assert moved.sum() == max(1, round(share * len(right.train)))
    assert set(np.unique(wrong.train.Y)) <= {0.0, 1.0}
    if right.train.task == "multiclass":
        assert (wrong.train.Y.sum(1) == 1).all()
    assert np.array_equal(load_parts(name, seed=3).train.Y, right.train.Y)  # what is cached stays as it was


def test_which_are_mislabelled_is_of_the_seed_and_a_larger_share_has_those_of_a_smaller_one():
    parts = load_parts("moons", n=64)
    moved = {
        (share, seed): np.flatnonzero(parts.mislabelled(share, seed).train.Y != parts.train.Y)
        for share in (0.1, 0.5)
        for seed in range(300)
    }
    assert all(set(moved[0.1, seed]) < set(moved[0.5, seed]) for seed in range(300))
    counts = np.bincount(np.concatenate([moved[0.1, seed] for seed in range(300)]), minlength=64)
    assert chisquare(counts).pvalue > 0.01


def test_a_wrong_class_of_several_is_any_other_as_often():
    parts = load_parts("digits")
    right, wrong = (one.Y.argmax(1) for one in (parts.train, parts.mislabelled(1.0, 0).train))
    assert (right != wrong).all()
    assert chisquare(np.bincount((wrong - right) % 10, minlength=10)[1:]).pvalue > 0.01
