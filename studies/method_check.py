"""Does the comparison's method keep what it promises?

    .venv/bin/python -m studies.method_check            simulated scores, a minute
    .venv/bin/python -m studies.method_check --real     and real networks: identical arms, tuned apart, some minutes

Cases whose truth is known. Simulated scores are an arm's mean, less the luck of its tuning (each repetition's own), with
the scatter of its seeds; of some arms one seed in twenty fails, others are nearly perfect. Asked are

- coverage: how often the 95 % interval of a mean, or of a difference, holds the true one;
- false verdicts: in how many families of identical arms, tuned apart, any pair is called larger or smaller;
- power: how often a difference that there is is found, and how often the rest is called equivalent.

Beside the method stand those that it was chosen from: resampling the repetitions, resampling all runs as if the tuning had
no luck, and Wilcoxon's test of the runs with Holm's correction, which were the method before. For tables, two learners that
are exchangeable (each sees one of two features which are alike) are compared on overlapping splits of one drawn table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import click
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from sandbox.answers.statistics import EQUIVALENT, LARGER, OPEN, SMALLER, Estimate, compare, mean, student_p
from sandbox.comparison.arms import parse_arm
from sandbox.comparison.findings import Findings
from sandbox.comparison.judge import Judge
from sandbox.comparison.protocol import MARGIN, SMALL, Comparison, overlap_of
from sandbox.job import work
from sandbox.options import main
from sandbox.table import render

REPETITIONS, SEEDS, ARMS = SMALL.repetitions, SMALL.seeds, 7
FAMILIES_OF_A_REPORT = 9
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Arms of such scores: `level` less an exponential luck of tuning, seeds that scatter, and some that fail."""

    name: str
    level: float = 0.95
    luck: float = 0.01  # mean shortfall of a tuning
    scatter: float = 0.02  # of seeds
    fail: float = 0.0  # the share of seeds that stay at chance
    bad: float = 0.0  # the share of tunings that crown a trial which is 0.08 worse

    @property
    def truth(self) -> float:
        """The mean of all repetitions."""
        return (1 - self.fail) * (self.level - self.luck - 0.08 * self.bad) + self.fail * 0.5

    def scores(self, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
        """Accuracies (..., repetitions, seeds)."""
        tunings = (*shape[:-1], 1)
        found = self.level - rng.exponential(self.luck, tunings) - 0.08 * (rng.random(tunings) < self.bad)
        found = found + rng.normal(0, self.scatter, shape)
        return np.where(rng.random(shape) < self.fail, 0.5, found)


CASES = (
    Case("seeds and tuning"),
    Case("tuning alone", scatter=0.001),
    Case("5 % of the seeds fail", fail=0.05),
    Case("20 % of the seeds fail", fail=0.2),
    Case("10 % of the tunings are bad", bad=0.1),
    Case("nearly perfect", level=0.9995, luck=0.0003, scatter=0.0003),
)


def students(scores: Floats) -> Estimate:
    """The method: Student's t over the repetitions."""
    return mean(scores.mean(-1))


def resampled_repetitions(scores: Floats) -> Estimate:
    """The percentile bootstrap over the repetitions."""
    return _percentile(scores.mean(-1))


def resampled_runs(scores: Floats) -> Estimate:
    """The percentile bootstrap over all runs, whatever tuning they are of."""
    return _percentile(scores.ravel())


def _percentile(values: Floats) -> Estimate:
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (1000, len(values)))].mean(-1)
    return Estimate(float(values.mean()), *np.quantile(means, [0.025, 0.975]).tolist())


INTERVALS = {"Student": students, "resampled repetitions": resampled_repetitions, "resampled runs": resampled_runs}


def share(found: list[bool]) -> str:
    """A share of cases with its standard error, in per cent."""
    value = float(np.mean(found))
    return f"{100 * value:.1f} +- {100 * np.sqrt(value * (1 - value) / len(found)):.1f}"


def coverage(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """How often 95 % intervals hold the truth: of a mean, and of the difference to an arm that never fails."""
    rows = []
    for case in CASES:
        arms = case.scores((count, REPETITIONS, SEEDS), rng)
        others = CASES[0].scores((count, REPETITIONS, SEEDS), rng)
        for name, interval in INTERVALS.items():
            means, differences = map(interval, arms), map(interval, arms - others)
            rows.append(
                {
                    "case": case.name,
                    "interval": name,
                    "of a mean, %": share([one.low <= case.truth <= one.high for one in means]),
                    "of a difference, %": share(
                        [one.low <= case.truth - CASES[0].truth <= one.high for one in differences]
                    ),
                }
            )
    return pd.DataFrame(rows)


def any_false(families: dict[int, dict[str, Floats]], overlap: float = 0.0) -> list[bool]:
    """For each family of identical arms, (repetitions,) each: whether any pair of it is called different."""
    found = compare(families, MARGIN, dict.fromkeys(families, overlap))
    return [any(pair.verdict in (LARGER, SMALLER) for pair in pairs) for pairs in found.values()]


def any_false_before(arms: dict[str, Floats]) -> bool:
    """The same by the method before: Wilcoxon's test of the runs, Holm's correction, the interval of resampled runs."""
    differences = [(arms[first] - arms[second]).ravel().round(12) for first, second in combinations(arms, 2)]
    tests: list[Any] = [stats.wilcoxon(one) if np.any(one) else None for one in differences]
    p = np.array([test.pvalue if test else 1.0 for test in tests])
    if p.min() * len(p) > 0.05:
        return False
    one = _percentile(differences[int(p.argmin())])
    return not one.low <= 0 <= one.high


def false_verdicts(reports: int, rng: np.random.Generator) -> pd.DataFrame:
    """Families of seven identical arms, tuned apart, by reports of nine families: how many have a false verdict."""
    rows = []
    for case in CASES:
        ours, before = [], []
        for _ in range(reports):
            scores = case.scores((FAMILIES_OF_A_REPORT, ARMS, REPETITIONS, SEEDS), rng)
            families = [dict(zip("abcdefg", family, strict=True)) for family in scores]
            means = [{arm: one.mean(-1) for arm, one in family.items()} for family in families]
            ours += any_false(dict(enumerate(means)))
            before += map(any_false_before, families[:2])
        rows.append({"case": case.name, "families": len(ours), "false, %": share(ours), "before, %": share(before)})
    return pd.DataFrame(rows)


def power(reports: int, rng: np.random.Generator) -> pd.DataFrame:
    """Pairs whose true difference is this, ten of each in a report of sixty: how often each verdict is given."""
    differences, base = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1), Case("", luck=0.003, scatter=0.01)
    found: dict[float, list[str]] = {one: [] for one in differences}
    for _ in range(reports):
        families = {}
        for difference in differences:
            for number in range(10):
                first, second = base.scores((2, REPETITIONS, SEEDS), rng).mean(-1)
                families[difference, number] = {"a": first, "b": second - difference}
        for (difference, _), (pair,) in compare(families, MARGIN).items():
            found[difference].append(pair.verdict)
    verdicts = (LARGER, EQUIVALENT, OPEN, SMALLER)
    return pd.DataFrame(
        [
            {"true difference": one, **{word: share([word == x for x in said]) for word in verdicts}}
            for one, said in found.items()
        ]
    )


def exchangeable(tables: int, rng: np.random.Generator, size: int = 160, train: int = 64) -> Iterator[Floats]:
    """Differences of accuracy (repetitions,) of two exchangeable learners on splits of one table, many tables.

    Each learner sees one of two independent features, which tell the classes equally well, and cuts it half-way between
    the classes' means. One quarter is to test.
    """
    for _ in range(tables):
        label = np.arange(size) % 2
        X = rng.normal(0, 1, (size, 2)) + label[:, None]
        differences = []
        for _ in range(REPETITIONS):
            order = rng.permutation(size)
            test, rest = order[: size // 4], order[size // 4 :][:train]
            low, high = (X[rest][label[rest] == one].mean(0) for one in (0, 1))
            right = ((X[test] - (low + high) / 2) * (high - low) > 0) == (label[test, None] == 1)
            differences.append(right.mean(0) @ [1, -1])
        yield np.array(differences)


def tables(count: int, rng: np.random.Generator) -> pd.DataFrame:
    """How often exchangeable learners are called different at 5 %, with and without the correction."""
    found = list(exchangeable(count, rng))
    return pd.DataFrame(
        [
            {
                "test": name,
                "rejects, %": share([student_p(one, overlap) < 0.05 for one in found]),
                "interval holds 0, %": share([(e := mean(one, overlap)).low <= 0 <= e.high for one in found]),
            }
            for name, overlap in (("Student", 0.0), ("Nadeau and Bengio", overlap_of("iris")))
        ]
    )


REAL = Comparison(
    arms=(parse_arm("layers: hidden=4"), parse_arm("crosses: crosses=x1*x2,x1^2,x2^2")),
    seeds=SEEDS,
    trials=4,
    finalists=1,
    draws=1,
    epochs=200,
)


def real(dataset: str, n: int, families: int, arms: int = 3) -> pd.DataFrame:
    """Identical arms of real networks, tuned apart: the repetitions of each of two arms, dealt out to families."""
    each = families * arms * REPETITIONS
    comparison = REAL.replace(datasets=(dataset,), sizes=(n,), repetitions=each)
    judge = Judge(comparison)
    with click.progressbar(length=comparison.total, label=f"{dataset}, {n} examples") as bar:
        for jobs in judge.jobs():
            for start in range(0, len(jobs), 1000):
                for ended, _ in work(jobs[start : start + 1000]):
                    judge.tell(ended)
                bar.update(len(jobs[start : start + 1000]))
    findings, rows, overlap = Findings(comparison, judge.runs, judge.winners), [], overlap_of(dataset)
    for cell in comparison.cells:
        means = findings.means(cell)
        groups = means.reshape(families, arms, REPETITIONS)
        held = []
        for group in groups.reshape(-1, REPETITIONS):
            one, others = mean(group, overlap), (means.sum() - group.sum()) / (len(means) - REPETITIONS)
            held.append(one.low <= others <= one.high)
        dealt = [dict(zip("abc", family, strict=True)) for family in groups]
        alone = [any_false({0: family}, overlap)[0] for family in dealt]
        rows.append(
            {
                "data": f"{dataset} {n}",
                "arm": cell.arm,
                "mean": f"{means.mean():.3f}",
                "repetitions": len(means),
                "families": families,
                "false, %": share(alone),
                "mean of the others held, %": share(held),
            }
        )
    return pd.DataFrame(rows)


def show(question: str, asked: Callable[..., pd.DataFrame], *given: object) -> None:
    """Print a question and its table."""
    click.echo(f"\n{question}\n\n{render(asked(*given))}")


@click.command(help=__doc__)
@click.option("--size", default=1.0, show_default=True, help="How many cases, times the usual number.")
@click.option("--real", "of_networks", is_flag=True, help="Also train identical arms of real networks.")
def command(size: float, of_networks: bool) -> int:
    """Print what was asked, table by table."""
    rng = np.random.default_rng(0)
    click.echo(f"{REPETITIONS} repetitions, {SEEDS} seeds each; +- is a standard error")
    show("How often do 95 % intervals hold the truth?", coverage, int(2000 * size), rng)
    show("How many families of seven identical arms have a false verdict?", false_verdicts, int(60 * size), rng)
    show("What is said of a true difference?", power, int(40 * size), rng)
    show("Two exchangeable learners on splits of one table:", tables, int(1000 * size), rng)
    if of_networks:
        for dataset, n in (("circle", 16), ("moons", 32), ("iris", 24)):
            show(f"Identical arms, {dataset}, {n} examples:", real, dataset, n, max(1, int(50 * size)))
    return 0


if __name__ == "__main__":
    main(command)
