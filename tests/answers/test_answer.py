"""The answers of sweeps: by hand, and against truths that are known because they are simulated."""

import numpy as np
import pytest
from scipy import stats

from sandbox.answers.answer import answer_of, spell
from sandbox.answers.figure import draw
from sandbox.answers.statistics import Estimate
from sandbox.answers.trials import Part, Trial


def simulated(rng, truths, seeds=10, spread=0.02, lost=()):
    """Trials at a value for each truth, the mean of its figure: paired by seeds that some luck is common to."""
    common = rng.normal(0, spread, seeds)
    own = rng.normal(0, spread, (len(truths), seeds))
    return [
        Trial({"value": value}, seed, 1e9 if value in lost else -truth, None if value in lost else figure)
        for (value, truth), figures in zip(
            truths.items(), np.array([*truths.values()])[:, None] + common + own, strict=True
        )
        for seed, figure in enumerate(figures.tolist())
    ]


def test_the_table_is_what_a_hand_would_write():
    figures = {0.1: [0.9, 0.8, 0.7, 0.8], 1.0: [0.5, 0.6, 0.4, 0.5]}
    trials = [
        Trial({"rate": rate, "width": width}, seed, -figure + (width == 8) * 0.1, figure - (width == 8) * 0.1)
        for rate, some in figures.items()
        for width in (4, 8)
        for seed, figure in enumerate(some)
    ]
    answer = answer_of(trials, {"rate": [0.1, 1.0], "width": [4, 8]}, "test_accuracy", larger=True, margin=0.01)
    first, second = answer.parts[Part("rate")]
    assert (first.label, first.at, first.runs, first.diverged) == ("0.1", {"width": 4}, 4, 0)
    assert first.mean.value == pytest.approx(0.8)
    half = stats.t.ppf(0.975, 3) * np.std(figures[0.1], ddof=1) / 2
    assert (first.mean.low, first.mean.high) == pytest.approx((0.8 - half, 0.8 + half))
    assert second.mean.value == pytest.approx(0.5)
    assert [row.at for row in answer.parts[Part("width")]] == [{"rate": 0.1}, {"rate": 0.1}]
    assert answer.level == 0.05 / 2
    assert answer.sentences == [
        "Rate 0.1 has the best test accuracy, 0.80 [0.67, 0.93]; 1 is worse.",
        "Width 4 has the best test accuracy, 0.80 [0.67, 0.93]; 8 is worse.",
    ]
    assert answer.table(Part("rate")) == {
        "rate": ["0.1", "1"],
        "test_accuracy": ["0.80", "0.50"],
        "95 % interval": ["[0.67, 0.93]", "[0.37, 0.63]"],
        "runs": [4, 4],
        "diverged": [0, 0],
        "best with": ["width=4", "width=4"],
    }


def test_what_diverges_is_said_and_not_compared():
    rng = np.random.default_rng(0)
    trials = simulated(rng, {"a": 0.9, "b": 0.9, "c": 0.5, "d": 0.9, "e": 0.9}, lost=("d", "e"))
    trials = [one._replace(figure=None) if (one.point["value"], one.seed) == ("b", 3) else one for one in trials]
    (sentence,) = answer_of(trials, {"value": [*"abcde"]}, "test_accuracy", larger=True).sentences
    assert "c is worse; b diverges with 1 of 10 seeds; d and e diverge with every seed." in sentence


def test_nothing_is_said_where_nothing_can_be():
    trials = [Trial({"value": value}, seed, 0.0, 0.5) for value in "ab" for seed in range(2)]
    (sentence,) = answer_of(trials, {"value": ["a", "b"]}, "final_cost", larger=False).sentences
    assert sentence == ("Value a did best, final cost 0.5, but fewer than 3 seeds for a value tell nothing of chance.")
    gone = [one._replace(figure=None) for one in trials]
    (sentence,) = answer_of(gone, {"value": ["a", "b"]}, "final_cost", larger=False).sentences
    assert sentence == "A and b diverge with every seed."


def test_equal_values_are_not_told_apart_and_costs_are_better_when_smaller():
    trials = [
        Trial({"value": value}, seed, 0.0, cost + seed / 10)
        for value, cost in (("a", 1.0), ("b", 1.0))
        for seed in range(5)
    ]
    (sentence,) = answer_of(trials, {"value": ["a", "b"]}, "final_cost", larger=False).sentences
    assert sentence.startswith("No value can be told from another by the final cost: a has 1.20 [1.00, ")
    trials = [one._replace(figure=one.figure - (one.point["value"] == "b") + one.seed % 2 / 100) for one in trials]
    assert (
        answer_of(trials, {"value": ["a", "b"]}, "final_cost", larger=False)
        .sentences[0]
        .startswith("Value b has the best")
    )


def test_a_best_value_at_the_edge_is_said_to_be_there():
    for best, said in ((0.1, True), (0.2, False), (0.3, True)):
        trials = [
            Trial({"rate": rate}, seed, abs(rate - best), 0.9 - abs(rate - best) + seed / 1000)
            for rate in (0.1, 0.2, 0.3)
            for seed in range(4)
        ]
        (sentence,) = answer_of(trials, {"rate": [0.1, 0.2, 0.3]}, "test_accuracy", larger=True).sentences
        assert sentence.startswith(f"Rate {best:g} has the best test accuracy, 0.901")
        assert (", at the edge of what was tried; " in sentence) == said


def test_splits_of_one_table_say_less():
    figures = [0.9, 0.8, 0.7, 0.8]
    trials = [Trial({"rate": 1}, seed, 0.0, figure, overlap=1 / 3) for seed, figure in enumerate(figures)]
    (row,) = answer_of(trials, {"rate": [1]}, "test_cost", larger=False).parts[Part("rate")]
    half = stats.t.ppf(0.975, 3) * np.std(figures, ddof=1) * np.sqrt(1 / 4 + 1 / 3)  # Nadeau and Bengio 2003
    assert (row.mean.low, row.mean.high) == pytest.approx((0.8 - half, 0.8 + half))


def test_problems_are_not_compared_but_answered_one_by_one():
    rng = np.random.default_rng(5)
    truths = {("a", "circle"): 0.9, ("b", "circle"): 0.5, ("a", "moons"): 0.6, ("b", "moons"): 0.8}
    trials = [
        Trial({"arm": arm, "dataset": dataset}, seed, -truth, truth + 0.01 * rng.normal())
        for (arm, dataset), truth in truths.items()
        for seed in range(5)
    ]
    values = {"dataset": ["circle", "moons"], "arm": ["a", "b"]}
    answer = answer_of(trials, values, "test_accuracy", larger=True, problems=["dataset"])
    assert [part.words for part in answer.parts] == ["circle", "moons"]
    first, second = answer.sentences
    assert first.startswith("Circle: a has the best test accuracy, 0.898 [")
    assert first.endswith("; b is worse.")
    assert second.startswith("Moons: b has the best test accuracy, 0.792 [")


def test_a_range_is_told_in_fifths():
    rng = np.random.default_rng(1)
    trials = [
        Trial({"rate": rate}, seed, -rate, rate + 0.01 * rng.normal())
        for rate in np.geomspace(0.01, 1, 20).tolist()
        for seed in range(4)
    ]
    answer = answer_of(trials, {"rate": None}, "test_accuracy", larger=True)
    rows = answer.parts[Part("rate")]
    assert [row.runs for row in rows] == [4] * 5
    assert rows[0].label.startswith("0.01 to ")
    assert rows[-1].label.endswith(" to 1")
    assert answer.best(Part("rate")) is rows[-1]


def test_at_most_one_answer_in_twenty_claims_a_difference_that_is_not_there():
    """200 sweeps: two values are equal, one is better, one diverges. What is worse is always found, too."""
    rng = np.random.default_rng(2)
    wrong = found = 0
    for _ in range(200):
        for truths in ({"a": 0.9, "b": 0.9, "c": 0.8, "d": 0.9}, {"a": 0.8, "b": 0.8, "c": 0.9, "d": 0.9}):
            answer = answer_of(simulated(rng, truths, lost=("d",)), {"value": [*"abcd"]}, "accuracy", larger=True)
            rows = {row.label: row for row in answer.parts[Part("value")]}
            wrong += answer.verdict(rows["a"], rows["b"]) in ("larger", "smaller")
            (sentence,) = answer.sentences
            found += ("c is worse" in sentence) if truths["a"] == 0.9 else "a and b are worse" in sentence
            assert "d diverges with every seed" in sentence
    assert wrong / 400 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)
    assert wrong / 400 <= 0.05
    assert found >= 390


def test_of_twelve_equal_values_nothing_is_claimed_more_often():
    rng = np.random.default_rng(3)
    truths = dict.fromkeys("abcdefghijkl", 0.9)
    claims = sum(
        "worse" in answer_of(simulated(rng, truths), {"value": [*truths]}, "accuracy", larger=True).sentences[0]
        for _ in range(300)
    )
    assert claims / 300 <= 0.05


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.98123, 0.96912, 0.99334), "0.981 [0.969, 0.993]"),
        (Estimate(1.0, 1.0, 1.0), "1.000 [1.000, 1.000]"),
        (Estimate(0.99985, 0.99968, 1.0), "0.9999 [0.9997, 1.0000]"),
        (Estimate(123.4, 100.2, 146.7), "123 [100, 147]"),
        (Estimate(0.00012, 0.00011, 0.00013), "0.000120 [0.000110, 0.000130]"),
    ],
)
def test_numbers_have_the_digits_that_they_deserve(estimate, text):
    assert spell(estimate) == text


def test_the_figure_has_a_panel_for_each_dimension():
    rng = np.random.default_rng(0)
    trials = simulated(rng, {"a": 0.9, "b": 0.7, "c": 0.9}, lost=("c",))
    trials = [one._replace(point={**one.point, "width": one.seed % 2}) for one in trials]
    figure = draw(answer_of(trials, {"value": [*"abc"], "width": [0, 1]}, "test_accuracy", larger=True), "a title")
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["a", "b", "c"]
    assert "diverged" in first.texts[0].get_text()
    assert second.get_title(loc="left") == "width"


def test_who_never_came_to_what_is_measured_has_not_diverged():
    def trials(size, without, diverged):
        for seed in range(8):
            figure = None if seed < without else 100.0 * size + seed
            yield Trial({"size": size}, seed, size + (seed < without), figure, diverged=diverged)

    some = [*trials(1, 1, False), *trials(2, 2, True), *trials(3, 8, False), *trials(4, 8, True)]
    some += [
        Trial({"size": 5}, seed, 5 + seed, None if seed < 2 else 500 + seed, diverged=seed < 1) for seed in range(8)
    ]
    answer = answer_of(some, {"size": [1, 2, 3, 4, 5]}, "time", larger=False)
    (sentence,) = answer.sentences
    for words in (
        "1 has none with 1 of 8 seeds",
        "2 diverges with 2 of 8 seeds",
        "5 diverges or has none with 2 of 8 seeds",
        "4 diverges with every seed",
        "3 has none with any seed",
    ):
        assert words in sentence
    ((_, table),) = [(part, answer.table(part)) for part in answer.parts]
    assert (table["diverged"], table["without"]) == ([0, 2, 0, 8, 1], [1, 0, 8, 0, 1])
