"""What FINDINGS.md says of the experiments in figures, computed from what MLflow holds of their runs.

Each function gives texts, figures and all, that stand in FINDINGS.md word for word; those that do not are what has moved.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

from sandbox.answers.statistics import Estimate, mean, median
from sandbox.job import Ended
from sandbox.sweeps import Outcome

First = Callable[[Ended, str], float]  # the first value of a run's metric, which MLflow has as a curve
NEVER = np.inf
SIZES_OF_XOR = {
    "none": "no hidden layer",
    "2": "2 units",
    "3": "3 units",
    "4": "4 units",
    "5-3": "layers of 5 and 3",
    "3-3": "two layers of 3",
}


def of(outcome: Outcome, arm: str, metric: str) -> list[float]:
    """A metric of an arm's runs, in the order of their seeds, infinite where it never came to that."""
    runs = sorted(outcome.arms[arm], key=lambda run: run.job.config.seed)
    return [run.metrics.get(metric, NEVER) for run in runs]


def shown(value: float, digits: int = 3) -> str:
    """A number to so many digits behind the point, rounded as people do: a median may end in a 5."""
    if value == NEVER:
        return "never"
    return f"{Decimal(f'{value:.12g}').quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,}"


def spread(values: Sequence[float], digits: int = 3) -> str:
    """The median, and the lowest and highest: 0.694 (0.423 to 0.869)."""
    median, low, high = (shown(value, digits) for value in (np.median(values), min(values), max(values)))
    return f"{median} ({low} to {high})"


def ends(estimate: Estimate, digits: int = 1) -> str:
    """An estimate and its interval: 9.6 [5.6, 15.3]."""
    value, low, high = (shown(one, digits) for one in estimate)
    return f"{value} [{low}, {high}]"


def learning_rate(outcome: Outcome, first: First) -> Iterator[str]:
    told = {
        rate: spread(of(outcome, f"learning_rate={rate}", "test_accuracy")) for rate in ("0.01", "0.1", "0.316", "1")
    }
    lowest = spread(of(outcome, "learning_rate=0.001", "test_accuracy"))
    yield f"0.001 has a test accuracy of {lowest} after 1000 epochs"
    yield from (f"{rate} {told[rate]}" for rate in ("0.01", "0.1", "0.316"))
    yield f"1.0 is worse again, {told['1']}"


def initializers(outcome: Outcome, first: First) -> Iterator[str]:
    def value(metric: str, initializer: str, activation: str = "sigmoid") -> list[float]:
        return of(outcome, f"initializer={initializer}, activation={activation}", metric)

    zeros, plain = (value("test_accuracy", name) for name in ("zeros", "plain"))
    yield f"cost {np.median(value('final_cost', 'plain')):.3f}, accuracy {np.median(zeros):.3f} and {spread(plain)}"
    xavier, he = (value("test_accuracy", name) for name in ("xavier", "he"))
    yield f"Xavier and He reach {spread([*xavier, *he])}"
    yield f"costs {np.median(value('final_cost', 'xavier')):.4f} and {np.median(value('final_cost', 'he')):.4f}"
    yield f"With ReLU it gets there, {spread(value('test_accuracy', 'plain', 'relu'))}"
    first_layer = [np.median(value("health/gradient_variance/layer1", name)) for name in ("plain", "xavier", "he")]
    yield "is {:.0e} with plain, {:.0e} with Xavier and {:.0e} with He".format(*first_layer)
    yield f"With tanh plain has {np.median(value('health/gradient_variance/layer1', 'plain', 'tanh')):.0e}"


def depth(outcome: Outcome, first: First) -> Iterator[str]:
    rates: dict[str, list[list[Ended]]] = {}
    for arm in sorted(outcome.arms, key=lambda arm: outcome.arms[arm][0].job.config.learning_rate):
        rates.setdefault(arm.partition(", learning_rate")[0].removeprefix("hidden="), []).append(outcome.arms[arm])

    def accuracies(layers: str) -> list[list[float]]:
        return [[run.metrics["test_accuracy"] for run in runs] for runs in rates[layers]]

    def medians(layers: str) -> str:
        found = [float(np.median(values)) for values in accuracies(layers)]
        return f"{shown(min(found))} to {shown(max(found))}"

    yield f"No hidden layer {medians('none')}; one {medians('8')}; two {medians('8,8')}; three {medians('8,8,8')}."
    two, three = ([min(values) for values in accuracies(layers)] for layers in ("8,8", "8,8,8"))
    places = ("at the lowest of its rates", "at the second", "at the third", "at the highest of its rates")
    lowest = [f"{shown(min(one))}, {places[int(np.argmin(one))]}" for one in (two, three)]
    yield f"two layers has {lowest[0]}, of three {lowest[1]}"
    yield f"two hidden layers, lowest to highest of the rates | 0.996 to 1.000 | {medians('8,8')} |"
    yield f"three | 0.998 to 1.000 | {medians('8,8,8')} |"
    yield f"one | 0.785 to 0.796 | {medians('8')} |"
    yield f"none | 0.572 at every rate | {medians('none')} |"
    yield f"the worst seed of two layers, at any rate | 0.983 | {shown(min(two))} |"
    yield f"the worst seed of three, at the highest rate | 0.625 | {shown(three[-1])} |"
    learnt = [
        sum(run.metrics["train_accuracy"] == 1 for runs in rates[one] for run in runs) for one in ("8,8", "8,8,8")
    ]
    yield f"by heart ({learnt[0]} runs of 80; three layers {learnt[1]} of 80)"


def feature_crosses(outcome: Outcome, first: First) -> Iterator[str]:
    def median(dataset: str, arm: str, metric: str = "test_accuracy") -> str:
        return shown(float(np.median(of(outcome, f"dataset={dataset}, {arm}", metric))))

    yield f"quadrants: x1\\*x2 {median('quadrants', 'cross x1*x2')} with 4 parameters, two layers of eight " + median(
        "quadrants", "hidden 8-8"
    )
    yield f"four hidden units {median('quadrants', 'hidden 4')}"
    yield f"raw {median('quadrants', 'raw')}"
    yield f"x1\\*x2 {median('circle', 'cross x1*x2')} (the wrong cross is no better than none, {median('circle', 'raw')})"
    yield f"second degree {median('circle', 'crosses, second degree')} with 6"
    yield f"two layers {median('circle', 'hidden 8-8')}"
    gauss = [median("gauss", arm.partition(", ")[2]) for arm in outcome.arms if arm.startswith("dataset=gauss")]
    yield f"gauss: {min(gauss)} to {max(gauss)} whatever the arm"
    crosses = max(median("spiral", arm) for arm in ("cross x1*x2", "crosses, second degree"))
    yield f"every cross at most {crosses}, raw {median('spiral', 'raw')}, two layers {median('spiral', 'hidden 8-8')}"
    yield f"their median training accuracy is {median('spiral', 'hidden 8-8', 'train_accuracy')}"


def batch_size(outcome: Outcome, first: First) -> Iterator[str]:
    def value(size: str, rate: str, metric: str = "time_to_cost/updates", wrong: str = "0") -> list[float]:
        return of(outcome, f"batch_size={size}, learning_rate={rate}, mislabelled={wrong}", metric)

    first_weights = [outcome.arms[f"batch_size={size}, learning_rate=0.1, mislabelled=0"] for size in (1, 4, 16)]
    means = [float(np.mean([first(run, "gradient_noise") for run in runs])) for runs in first_weights]
    yield f"is {means[0]:.2f}, {means[1]:.3f}, {means[2]:.4f} and 0 for 1, 4, 16 and 64 examples"
    yield f"That is {means[0] / means[1]:.2f} and {means[0] / means[2]:.1f} times"
    for size, words in (("1", "1"), ("4", "4"), ("16", "16"), ("none", "64, all")):
        some = [value(size, rate) for rate in ("0.1", "0.2", "0.4")]
        cells = [f"{spread(one, 0)}" for one in some]
        seen = [shown(float(np.median(value(size, rate, "time_to_cost/examples"))), 0) for rate in ("0.1", "0.4")]
        yield f"| {words} | {' | '.join(cells + seen)} |".replace("never (never to never)", "never")
    full = [sum(one == NEVER for one in value("none", rate)) for rate in ("0.1", "0.2")]
    yield f"{full[0]} of its 20 networks are not there by then ({full[1]} at 0.2"
    alone, four = (np.median(value(size, "0.4", "final_cost")) for size in ("1", "4"))
    lost = sum(one == NEVER for one in value("1", "0.4"))
    yield f"at 0.4 {lost} of 20 networks that learn from one example"
    yield f"(final cost {alone:.3f}, four at a time {four:.4f})"
    left = [np.median(value(size, "0.2", "final_cost")) for size in ("none", "1")]
    yield f"({left[0]:.3f} at 0.2, one at a time {left[1]:.4f})"
    rates, some, wrong = ("0.1", "0.2", "0.4"), {"1": "1", "4": "4", "16": "16", "none": "64, all"}, "0.03125"
    for size, words in some.items():
        cells = [ends(median(value(size, rate, "jaggedness", share))) for share in ("0", wrong) for rate in rates]
        yield f"| {words} | {' | '.join(cells)} |"
    against = {size: 100 * np.array(value(size, "0.1", "gradient_noise/against")) for size in some}
    yield f"{ends(mean(against['1']))} % of the examples point against the average of all"
    yield f"of batches of four {ends(mean(against['4']))} %, of sixteen {against['16'].mean():.2f} %"
    mislabelled = 100 * np.array(value("1", "0.1", "gradient_noise/against", wrong))
    yield f"{mislabelled.mean():.1f} %, which is {ends(mean(mislabelled - against['1']))} points more"
    more: dict[str, list[int]] = {}
    for size, words in (("1", "one at a time"), ("4", "by fours"), ("16", "by sixteens")):
        pairs = [[np.array(value(size, rate, "jaggedness", share)) for share in ("0", wrong)] for rate in rates]
        told = [ends(median(worse / right), 2) for right, worse in pairs]
        more[size] = [int((worse > right).sum()) for right, worse in pairs]
        yield f"{words} {told[0]}, {told[1]} and {told[2]}"
    yield "{}, {} and {} of 20 one at a time".format(*more["1"])
    yield f"with {min(*more['4'], *more['16'])} of 20 networks by fours and by sixteens"
    rises = [
        [shown(float(np.median(value(size, "0.2", "jaggedness/rises", share))), 2) for size in some]
        for share in ("0", wrong)
    ]
    yield "after {}, {}, {} and {} of the updates".format(*rises[0])
    yield "with two wrong labels {}, {}, {} and {}".format(*rises[1])


def schedules(outcome: Outcome, first: First) -> Iterator[str]:
    def arm(name: str, rate: float) -> list[Ended]:
        return sorted(outcome.arms[f"{name}, learning_rate={rate:g}"], key=lambda run: run.job.config.seed)

    def cost(runs: list[Ended]) -> str:
        lost = sum(run.diverged for run in runs)
        if lost == len(runs):
            return "all diverge"
        if lost > len(runs) / 2:
            return f"{lost} diverge"
        median = np.median([NEVER if run.diverged else run.metrics["final_cost"] for run in runs])
        return f"{median:.4f}" + (f", {lost} diverge" if lost else "")

    line = [first(run, "sharpness") for run in arm("line", 0.3)]
    yield f"Its sharpness is {spread(line)}, the threshold {2 / max(line):.2f} to {2 / min(line):.2f}"
    names = {"constant": "constant", "cosine": "cosine", "inverse_time": "inverse_time", "step": "step"}
    names |= {f"batches of 10, {name}": f"{name}, batches of 10" for name in ("constant", "cosine")}
    for words, name in names.items():
        yield f"| {words} | {' | '.join(cost(arm(name, rate)) for rate in (0.3, 0.6, 1.0, 1.5))} |"
    runs = arm("constant", 0.6)
    start, end = (
        [first(run, "sharpness_times_rate") for run in runs],
        of(outcome, "constant, learning_rate=0.6", "sharpness_times_rate"),
    )
    yield f"starts at {spread(start, 2)} and ends at {spread(end, 2)}"
    start = [(first(run, "sharpness_times_rate"), run) for run in arm("constant", 1.0)]
    sound = [run.metrics["sharpness_times_rate"] for _, run in start if not run.diverged]
    yield f"at 1 the sound ones end at {spread(sound, 2)}"
    lost = sorted(one for one, run in start if run.diverged)
    above = sum(one > 2 for one, _ in start)
    yield f"At 1 {above} of 20 start above it, and only {len(lost)} diverge"
    yield "(of sharpness times rate " + " and ".join(f"{one:.2f}" for one in lost)
    higher = [
        run for _, run in start if not run.diverged and run.metrics["final_cost"] > 1.1 * run.metrics["best_cost"]
    ]
    yield f"at 1 {len(higher)} of the {len(sound)} sound ones end at more than 1.1 times the lowest cost"

    def below(one: tuple[str, float], other: tuple[str, float]) -> tuple[int, int, float]:
        """With how many seeds the first ends below the other, of how many with which neither diverges, and Wilcoxon's p."""
        pairs = zip(arm(*one), arm(*other), strict=True)
        both = [[run.metrics["final_cost"] for run in pair] for pair in pairs if not any(run.diverged for run in pair)]
        less = [a - b for a, b in both]
        tested: Any = wilcoxon(less)
        return sum(gap < 0 for gap in less), len(both), float(tested.pvalue)

    count, of_all, p = below(("cosine", 1.0), ("constant", 1.0))
    both = f"{count} of the {of_all} seeds that do not diverge with both"
    yield f"cosine ends below constant with {both} (Wilcoxon, p = {p:.1g}"
    noisy = [below(("cosine, batches of 10", rate), ("constant, batches of 10", rate)) for rate in (0.3, 0.6, 1.0)]
    told = [
        f"{count} of {'the ' if rate == 1 else ''}{of_all}"
        for rate, (count, of_all, _) in zip((0.3, 0.6, 1), noisy, strict=True)
    ]
    yield f"cosine is below with {told[0]} seeds at 0.3 (p = {noisy[0][2]:.2g}), {told[1]} at 0.6 (p = {noisy[1][2]:.1g})"
    yield f"{told[2]} that do not diverge at 1 (p = {noisy[2][2]:.1g})"


def neurons(outcome: Outcome, first: First) -> Iterator[str]:
    solved = {arm: of(outcome, arm, "solved") for arm in outcome.arms}
    told = {arm: f"{sum(values):.0f}" for arm, values in solved.items()}
    sizes = ", ".join(f"{words} {told[arm]}" for arm, words in SIZES_OF_XOR.items())
    yield f"Of 100 networks each, these have all four rows right: {sizes}"
    helped = [told[f"3-3 {how}"] for how in ("tanh", "cross-entropy", "for 20000 epochs")]
    yield "with tanh {}, with cross-entropy {}, for 20,000 epochs {}".format(*helped)
    stuck = [cost for cost, one in zip(of(outcome, "3-3", "final_cost"), solved["3-3"], strict=True) if not one]
    stand = sum(abs(cost - 0.125) < 0.00125 for cost in stuck)
    yield f"{stand} of the {len(stuck)} 3-3 that fail stand within 1 % of a cost of 0.125"


def approximation(outcome: Outcome, first: First) -> Iterator[str]:
    def rmse(units: int, arm: str) -> str:
        return f"{np.mean(of(outcome, f'hidden={units}, {arm}', 'test_rmse')):.2g}"

    sizes = (1, 2, 4, 8, 16, 32, 64)
    for arm in ("tanh", "ReLU", "ReLU with drawn biases"):
        yield f"| {arm} | {' | '.join(rmse(units, arm) for units in sizes)} |"
    left = (np.median(of(outcome, "hidden=64, tanh", name)) for name in ("final_cost", "test_cost"))
    yield "with 64 of tanh the cost on what is learnt from is {:.1g}, on the test part {:.1g} (medians)".format(*left)


QUOTED: dict[str, Callable[[Outcome, First], Iterator[str]]] = {
    one.__name__: one
    for one in (learning_rate, initializers, depth, feature_crosses, batch_size, schedules, neurons, approximation)
}


def missing(texts: Sequence[str], findings: str) -> list[str]:
    """Those of these texts that do not stand in the findings, wherever lines are broken there."""
    words = " ".join(findings.split())
    return [text for text in texts if " ".join(text.split()) not in words]
