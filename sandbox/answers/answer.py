"""What a sweep's runs answer: a table of each dimension's values, and a sentence that claims no more than they show.

A value stands for the best point that has it: the one whose objective is best over the seeds, the other dimensions being
what they are there. What is then compared is the figure that nothing was selected by, the test part's where the objective
is of validation data. Values are paired by seed, which decides weights and data alike. Intervals of means are Student's at
95 %, those of shares (of a figure that is 0 or 1) exact; differences are judged by intervals that hold together for all
pairs of all dimensions (Bonferroni), so that in one answer of twenty a difference is claimed that is not there. A value with
which more than half of the seeds diverge, or never come to the figure, is not compared. Dimensions that say what is to be
learnt, such as the data set, are not compared: there is an answer for each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from sandbox.answers.statistics import LARGER, LEVEL, OPEN, SMALLER, Estimate, mean, proportion, verdict_of
from sandbox.answers.trials import Group, Part, Trial, compared, grouped, words

SHARES = ("accuracy", "precision", "recall", "f1")  # figures that are shares of examples, even where all are 0 or 1
FEWEST = 3  # seeds, below which there is nothing to compare by


class Row(NamedTuple):
    """A value of a dimension, or a part of its range, `label`: how the best point with it did.

    `point` is that point, `at` the values of the other dimensions there, `mean` that of the figure over the seeds that have
    one (NaN: fewer than two). The others diverged, or are `missing`: they never came to what is measured.
    """

    label: str
    place: float
    point: Mapping[str, Any]
    at: Mapping[str, Any]
    mean: Estimate
    runs: int
    diverged: int
    figures: Mapping[int, float]  # by seed
    overlap: float = 0.0
    missing: int = 0

    @property
    def without(self) -> int:
        """How many seeds have no figure."""
        return self.diverged + self.missing

    @property
    def fate(self) -> str:
        """What becomes of those seeds."""
        return " or ".join(filter(None, ["diverges" * bool(self.diverged), "has none" * bool(self.missing)]))

    @property
    def told(self) -> bool:
        """Whether it has a mean."""
        return not np.isnan(self.mean.value)

    @property
    def sound(self) -> bool:
        """Whether it can be compared: at least half of the seeds have a figure, and these are enough."""
        return self.without <= self.runs / 2 and len(self.figures) >= FEWEST


@dataclass(frozen=True)
class Answer:
    """The answer of a sweep: `parts` with the rows of their values, in order.

    `figure` is the metric that is compared, better if it is larger where `larger` is. Differences below the `margin` count
    as none. Of dimensions that are `ordered` a best value at the edge is said to be one.
    """

    figure: str
    larger: bool
    parts: Mapping[Part, Sequence[Row]]
    margin: float = 0.0
    ordered: Collection[str] = ()

    @cached_property
    def level(self) -> float:
        """What each interval of a difference may miss, so that all of them together miss in 5 % of answers."""
        pairs = sum(len(sound) * (len(sound) - 1) // 2 for sound in map(_sound, self.parts.values()))
        return LEVEL / max(pairs, 1)

    def best(self, part: Part) -> Row | None:
        """The value with the best mean, None where none can be compared."""
        rows = _sound(self.parts[part])
        return max(rows, key=lambda row: row.mean.value * (1 if self.larger else -1)) if rows else None

    def verdict(self, one: Row, other: Row) -> str:
        """How the first stands to the second, by the seeds that both have."""
        seeds = sorted(one.figures.keys() & other.figures.keys())
        if len(seeds) < FEWEST:
            return OPEN
        differences = np.array([one.figures[seed] - other.figures[seed] for seed in seeds])
        return verdict_of(mean(differences, max(one.overlap, other.overlap), self.level), self.margin)

    def sentence(self, part: Part) -> str:
        """What the rows of a part say, and no more."""
        rows, best, name = self.parts[part], self.best(part), part.name
        lost = [row for row in rows if row.without > row.runs / 2]
        ends = [_diverging(lost)] if lost else []
        told, called = self.figure.replace("_", " "), "" if name == "arm" else f"{name.replace('_', ' ')} "
        if best is None:
            few = _few(rows, self.larger, f"{called}{{}} did best, {told} {{:.4g}}")
            return "; ".join([*([few] if few else []), *ends])
        others = [row for row in _sound(rows) if row is not best]
        beaten = [row for row in others if self.verdict(best, row) == (LARGER if self.larger else SMALLER)]
        open_ones = [row for row in others if row not in beaten]
        few = [row for row in rows if row not in (best, *others, *lost)]
        shaky = [row for row in (best, *others) if row.without]
        if others and not beaten:
            parts = [
                f"no {called or 'arm '}can be told from another by the {told}: {best.label} has {spell(best.mean)}"
            ]
        else:
            parts = [f"{called}{best.label} has the best {told}, {spell(best.mean)}"]
            if len(rows) == 1:
                parts = [f"{called}{best.label}: the {told} is {spell(best.mean)}"]
            if name in self.ordered and len(rows) > 2 and best in (rows[0], rows[-1]):
                parts[0] += ", at the edge of what was tried"
            if open_ones:
                parts.append(f"{_listed(open_ones)} cannot be told from it")
            if beaten:
                parts.append(f"{_listed(beaten)} {'is' if len(beaten) == 1 else 'are'} worse")
        parts += [f"{row.label} {row.fate} with {row.without} of {row.runs} seeds" for row in shaky]
        if few:
            parts.append(f"{_listed(few)} {'has' if len(few) == 1 else 'have'} too few seeds to compare")
        return "; ".join([*parts, *ends])

    @property
    def sentences(self) -> list[str]:
        """A sentence for each part."""
        told = [(f"{part.where}: " if part.where else "") + self.sentence(part) for part in self.parts]
        return [f"{sentence[0].upper()}{sentence[1:]}." for sentence in told]

    def table(self, part: Part) -> dict[str, list[Any]]:
        """The rows of a part by columns, as they are printed."""
        rows = self.parts[part]
        others = list(dict.fromkeys(other.name for other in self.parts if other.name != part.name))
        return {
            part.name: [row.label for row in rows],
            self.figure: [spell(row.mean).partition(" ")[0] if row.told else "" for row in rows],
            "95 % interval": [_interval(row.mean) if row.told else "" for row in rows],
            "runs": [row.runs for row in rows],
            "diverged": [row.diverged for row in rows],
            **({"without": [row.missing for row in rows]} if any(row.missing for row in rows) else {}),
            **({"best with": [words({one: row.at[one] for one in others}) for row in rows]} if others else {}),
        }


def answer_of(
    trials: Iterable[Trial],
    values: Mapping[str, Sequence[Any] | None],
    figure: str,
    *,
    larger: bool,
    margin: float = 0.0,
    problems: Collection[str] = (),
) -> Answer:
    """The answer of these trials. `values` has those of each dimension in their order, None for a range.

    `problems` are the dimensions that say what is to be learnt.

    >>> trials = [Trial({"rate": rate}, seed, -rate, rate + seed / 100) for rate in (0.1, 0.9) for seed in range(4)]
    >>> answer_of(trials, {"rate": [0.1, 0.9]}, "test_accuracy", larger=True).sentences
    ['Rate 0.9 has the best test accuracy, 0.915 [0.894, 0.936]; 0.1 is worse.']
    """
    names = compared(values, problems)
    parts = {
        part: [_row(group, [other for other in names if other != part.name], figure) for group in groups]
        for part, groups in grouped(trials, values, problems).items()
    }
    ordered = [
        name for name, known in values.items() if known is None or all(isinstance(one, int | float) for one in known)
    ]
    return Answer(figure, larger, parts, margin, ordered)


def _row(group: Group, others: list[str], figure: str) -> Row:
    best = group.best.trials
    figures = {trial.seed: trial.figure for trial in best if trial.figure is not None}
    overlap = max(trial.overlap for trial in best)
    estimate = mean(list(figures.values()), overlap) if len(figures) > 1 else Estimate(np.nan, np.nan, np.nan)
    if len(figures) > 1 and not overlap and not figure.endswith(SHARES) and {*figures.values()} <= {0, 1}:
        estimate = proportion([*figures.values()])  # whether it did, such as `converged`
    if figure.endswith("accuracy"):  # which ends at 0 and 1
        estimate = Estimate(estimate.value, max(estimate.low, 0.0), min(estimate.high, 1.0))
    point = group.best.at
    at = {other: point[other] for other in others}
    missing = sum(trial.figure is None and not trial.diverged for trial in best)
    diverged = len(best) - len(figures) - missing
    return Row(group.label, group.place, point, at, estimate, len(best), diverged, figures, overlap, missing)


def _sound(rows: Sequence[Row]) -> list[Any]:
    return [row for row in rows if row.sound]


def spell(estimate: Estimate) -> str:
    """A mean with its interval, to so many digits as its width deserves.

    >>> spell(Estimate(0.98123, 0.96912, 0.99334))
    '0.981 [0.969, 0.993]'
    """
    digits = _digits(estimate)
    return f"{estimate.value:.{digits}f} {_interval(estimate)}"


def _interval(estimate: Estimate) -> str:
    digits = _digits(estimate)
    return f"[{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def _digits(estimate: Estimate) -> int:
    width = estimate.high - estimate.low
    most = 4 if abs(estimate.value) >= 0.01 else 9
    return 3 if width == 0 else int(np.clip(np.ceil(-np.log10(width)) + 1, 0, most))


def _few(rows: Sequence[Row], larger: bool, told: str) -> str:
    """What can be said of values with too few seeds, "" where there is none with a figure."""
    figures = [(float(np.mean([*row.figures.values()])), row.label) for row in rows if row.figures]
    if not figures:
        return ""
    value, label = max(figures, key=lambda one: one[0] if larger else -one[0])
    return f"{told.format(label, value)}, but fewer than {FEWEST} seeds for a value tell nothing of chance"


def _diverging(rows: list[Row]) -> str:
    every = [row for row in rows if row.diverged == row.runs]
    parts = [f"{_listed(every)} {'diverges' if len(every) == 1 else 'diverge'} with every seed"] if every else []
    never = [row for row in rows if row.missing == row.runs]
    parts += [f"{_listed(never)} {'has' if len(never) == 1 else 'have'} none with any seed"] if never else []
    others = [row for row in rows if row not in (*every, *never)]
    return "; ".join(parts + [f"{row.label} {row.fate} with {row.without} of {row.runs} seeds" for row in others])


def _listed(rows: Sequence[Row]) -> str:
    labels = [row.label for row in rows]
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))
