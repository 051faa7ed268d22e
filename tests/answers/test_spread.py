"""The spread over seeds: the share that does better is the binomial's, and the sentence says what there is."""

import io

import numpy as np
import pytest
from PIL import Image

from sandbox.answers.panels import png
from sandbox.answers.spread import MANY, draw_spread, sentence, spreads
from sandbox.answers.trials import Part, Point, Trial


def point(figures, label="a"):
    return Point({"arm": label}, [Trial({"arm": label}, seed, 0.0, one) for seed, one in enumerate(figures)])


def of(figures, larger=False):
    ((one,),) = spreads({Part(""): [point(figures)]}, larger=larger).values()
    return one


def test_only_points_with_many_seeds_have_one():
    assert spreads({Part(""): [point([0.5] * (MANY - 1))]}, larger=False) == {}
    assert [*spreads({Part(""): [point([0.1, 0.2, *[0.5] * MANY])]}, larger=False)] == [Part("")]
    assert spreads({Part(""): [point([0.0, 1.0] * MANY)]}, larger=False) == {}  # of which a share says all


def test_where_the_first_seed_lies():
    figures = np.arange(101.0)
    figures[[0, 25]] = figures[[25, 0]]  # the first is the 26th of 101
    better = of(figures).better
    assert better.value == pytest.approx(0.25)
    assert (round(better.low, 3), round(better.high, 3)) == (0.169, 0.347)  # Clopper and Pearson for 25 of 100
    assert of(figures, larger=True).better.value == pytest.approx(0.75)


def test_the_interval_holds_the_true_share():
    """Of 400 draws in which the first is at the 30th percentile, at least 95 % of the intervals hold 0.3: they are exact."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        better = of(np.append(0.3, rng.random(200))).better
        held += better.low <= 0.3 <= better.high
    assert held >= 380 - 2 * np.sqrt(400 * 0.05 * 0.95)


def test_sentences():
    figures = [0.2, *np.linspace(0.1, 0.5, 40)]
    assert sentence(of(figures), "test_cost", larger=False) == (
        # the 21st of 41, and the 14th and the 28th, between which it lies with 95 %
        "a: over 41 seeds the test cost has the median 0.2949 [0.2231, 0.3667] and goes from 0.1 to 0.5. "
        "The first of them (seed 0) has 0.2: 25 % [12.7, 41.2] of the others do better."
    )
    lost = sentence(of([None, *figures]), "test_cost", larger=False)
    assert "; 1 diverged. The first of them (seed 0) diverged: 100 % " in lost
    assert "the median 0.9 [0.9, 0.9] and goes from 0.7 to 0.9" in sentence(
        of([0.9] * 38 + [0.8, 0.7], larger=True), "test_accuracy", larger=True
    )


def test_pictures_are_legible_and_those_of_equal_and_of_lost_seeds_too():
    cases = [[0.2, *np.geomspace(0.001, 5, 60)], [0.5] * 40 + [0.4, 0.6], [None] * 39 + [0.1, 0.2]]
    found = spreads({Part(""): [point(one, f"case {number}") for number, one in enumerate(cases)]}, larger=False)
    picture = Image.open(io.BytesIO(png(draw_spread(found, "test_cost", larger=False, most=8))))
    assert picture.width >= 900
    alone = spreads({Part(""): [point(cases[0])]}, larger=True)
    assert Image.open(io.BytesIO(png(draw_spread(alone, "test_cost", larger=True, most=8)))).width >= 600
