"""The stream of random numbers that a text seeds: seedrandom's own published numbers, and chance."""

import math

import numpy as np
import pytest

from sandbox.data.stream import Stream

# What David Bau's documentation of seedrandom prints.
PUBLISHED = {"hello.": [0.9282578795792454, 0.3752569768646784]}


@pytest.mark.parametrize("text", PUBLISHED)
def test_published_numbers(text):
    assert Stream(text).numbers(2).tolist() == PUBLISHED[text]


def test_numbers_are_the_same_however_they_are_asked_for():
    whole = Stream("a").numbers(3000)
    stream = Stream("a")
    parts = [stream.numbers(1), stream.numbers(999), stream.copy().numbers(1), stream.numbers(2000)]
    assert np.concatenate([parts[0], parts[1], parts[3]]).tolist() == whole.tolist()
    assert parts[2][0] == parts[3][0]


def test_uniform_is_the_page_s_formula():
    assert Stream("b").uniform(-2, 3, (2, 2)).ravel().tolist() == [
        one * 5 - 2 for one in Stream("b").numbers(4).tolist()
    ]


def test_permutation_is_fisher_and_yates_from_the_end():
    order, numbers = list(range(50)), iter(Stream("c").numbers(50).tolist())
    for counter in range(50, 0, -1):
        index = math.floor(next(numbers) * counter)
        order[counter - 1], order[index] = order[index], order[counter - 1]
    assert Stream("c").permutation(50) == order


def test_seeds_of_any_length_and_of_any_letters_differ():
    texts = ["", "0", "0.5", "0.50", "x" * 256, "x" * 257, "x" * 1000, "Grüße", "GrüÃ", "\U0001f9e0"]
    assert len({Stream(text).numbers(1)[0] for text in texts}) == len(texts)


def test_numbers_are_uniform():
    numbers = np.concatenate([Stream(str(seed)).numbers(200) for seed in range(200)])
    counts = np.histogram(numbers, 20, (0, 1))[0]
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert ((counts - 2000) ** 2 / 2000).sum() < 45.3  # the chi-squared of 19 degrees that one in a thousand exceeds
