"""The statistics of answers: averages with their uncertainty, paired differences, and verdicts.

One observation is one repetition: a tuning with its own points, draws and validation data, and the mean score of its winner
on seeds of its own. The spread of the repetitions holds the luck of tuning and that of the seeds together, in whatever
proportion, and repetitions are independent. Intervals are Student's t over them (arms paired by repetition), which
`python -m studies.method_check` chose: resampling so few clusters gives intervals that are too short by a fifth.

Splits of one table overlap; Nadeau and Bengio (2003) add to the variance of a mean of R splits, s^2 / R, the share
s^2 * rho / (1 - rho), rho being the test part's share of the table.

One level holds over a whole report. Benjamini and Hochberg (1995) select k of M pairs, so that of the differences that are
claimed at most 5 % are expected to be none; the intervals shown are at the level 1 - 0.05 k / M (Benjamini and Yekutieli
2005), so that one leaves out 0 exactly where its pair is selected. A verdict is read off its interval alone, and can
therefore never contradict it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.05
MARGIN = 0.01  # of accuracy: differences smaller than this are of no interest
EXACT = 16  # differences for which all signs are tried
MOST = 1000  # repetitions beyond which nobody is told to go
LARGER, SMALLER, EQUIVALENT, OPEN = "larger", "smaller", "equivalent", "inconclusive"
TURNED = {LARGER: SMALLER, SMALLER: LARGER}

Scores = Mapping[str, ArrayLike]


class Estimate(NamedTuple):
    """A number and its interval."""

    value: float
    low: float
    high: float


class Pair(NamedTuple):
    """Two arms on the same repetitions: `difference` is the first's score minus the second's, the verdict the first's.

    `p` is Student's, `p_permutation` that of `permutation_p`, both alone. `needed`: how many repetitions an inconclusive
    pair would take, None where that cannot be said or it is not inconclusive.
    """

    first: str
    second: str
    difference: Estimate
    p: float
    p_permutation: float
    verdict: str
    needed: int | None = None

    @property
    def turned(self) -> "Pair":
        """The same, seen from the second arm."""
        value, low, high = self.difference
        verdict = TURNED.get(self.verdict, self.verdict)
        return self._replace(
            first=self.second, second=self.first, difference=Estimate(-value, -high, -low), verdict=verdict
        )


def error_of(values: ArrayLike, overlap: float = 0.0) -> float:
    """The standard error of the mean of values (repetitions,), whose splits overlap as rho / (1 - rho) says."""
    values = np.asarray(values, float)
    return float(values.std(ddof=1) * math.sqrt(1 / len(values) + overlap))


def mean(values: ArrayLike, overlap: float = 0.0, level: float = LEVEL) -> Estimate:
    """The mean of values (repetitions,), at least two, and Student's interval at 1 - `level`."""
    from scipy.stats import t

    values = np.asarray(values, float)
    middle, half = float(values.mean()), float(t.isf(level / 2, len(values) - 1)) * error_of(values, overlap)
    return Estimate(middle, middle - half, middle + half)


def proportion(values: ArrayLike) -> Estimate:
    """The share of ones among values (repetitions,), each 0 or 1, and the exact interval at 95 % (Clopper, Pearson 1934).

    >>> [round(one, 3) for one in proportion([1] * 100)], [round(one, 2) for one in proportion([0, 1, 1, 1])]
    ([1.0, 0.964, 1.0], [0.75, 0.19, 0.99])
    """
    from scipy.stats import binomtest

    values = np.asarray(values, float)
    ends = binomtest(int(values.sum()), len(values)).proportion_ci(1 - LEVEL)
    return Estimate(float(values.mean()), float(ends.low), float(ends.high))


def median(values: ArrayLike) -> Estimate:
    """The median of values (repetitions,), and an interval that holds it at 95 % or more, whatever they are drawn from.

    Its ends are two of the values, by the binomial distribution of how many lie below the median (Conover 1999, 3.2). Of
    fewer than six they are the lowest and the highest, which hold it less often.

    >>> median([1, 2, 3, 4, 5, 6, 7])
    Estimate(value=4.0, low=1.0, high=7.0)
    """
    from scipy.stats import binom

    ordered = np.sort(np.asarray(values, float))
    left_out = max(int(binom.ppf(LEVEL / 2, len(ordered), 0.5)) - 1, 0)
    return Estimate(float(np.median(ordered)), float(ordered[left_out]), float(ordered[len(ordered) - 1 - left_out]))


def student_p(differences: ArrayLike, overlap: float = 0.0) -> float:
    """The two-sided p of Student's test that differences (repetitions,) have the mean 0; 1 where all of them are 0."""
    from scipy.stats import t

    values = np.asarray(differences, float)
    middle, error = float(values.mean()), error_of(values, overlap)
    if abs(middle) <= 1e-12:
        return 1.0
    return float(2 * t.sf(abs(middle) / error, len(values) - 1)) if error > 1e-12 else 0.0


def permutation_p(differences: ArrayLike) -> float:
    """The two-sided p of the paired permutation test of the mean (Fisher 1935): the share of all signs that differences
    (repetitions,) could have whose mean is as far from 0.

    Exact, ties or not, up to 16 of them; beyond that 2^16 signs are drawn, always the same. Of R differences no p is below
    2^(1 - R).
    """
    values = np.asarray(differences, float)
    found = abs(values.sum()) - 1e-9
    if len(values) <= EXACT:
        signs = 1.0 - 2.0 * (np.arange(2 ** len(values))[:, None] >> np.arange(len(values)) & 1)
        return float((np.abs(signs @ values) >= found).mean())
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (2**EXACT, len(values)))
    return float((1 + (np.abs(signs @ values) >= found).sum()) / (1 + len(signs)))


def level_of(p: Sequence[float]) -> float:
    """What Benjamini and Hochberg's selection among these leaves each interval: 0.05 k / M where k of M are selected.

    Where none is, 0.05 / M: what the first would have to fall below.

    >>> level_of([0.001, 0.2, 0.6, 0.02])
    0.025
    """
    ordered = np.sort(np.asarray(p, float))
    below = np.flatnonzero(ordered <= LEVEL * np.arange(1, len(ordered) + 1) / len(ordered))
    return LEVEL * (int(below[-1]) + 1 if below.size else 1) / max(len(ordered), 1)


def verdict_of(difference: Estimate, margin: float) -> str:
    """What an interval says: equivalent where it lies within the margin, else larger, smaller, or nothing yet."""
    if -margin < difference.low and difference.high < margin:
        return EQUIVALENT
    return LARGER if difference.low > 0 else SMALLER if difference.high < 0 else OPEN


def needed(differences: ArrayLike, overlap: float, level: float, margin: float) -> int | None:
    """How many repetitions as these differences (repetitions,) would end in another verdict than "inconclusive".

    The difference and the spread being what they are here: then the interval leaves out 0 or lies within the margin,
    whichever comes first. None beyond a thousand, and for a table whose overlap alone is too much.
    """
    from scipy.stats import t

    values = np.asarray(differences, float)
    middle, spread = abs(float(values.mean())), float(values.std(ddof=1))
    target = max(middle, margin - middle)
    counts = np.arange(len(values) + 1, MOST + 1)
    halves = t.isf(level / 2, counts - 1) * spread * np.sqrt(1 / counts + overlap)
    enough = np.flatnonzero(halves < target)
    return int(counts[enough[0]]) if enough.size else None


def compare(
    families: Mapping[Any, Scores], margin: float, overlaps: Mapping[Any, float] | None = None
) -> dict[Any, list[Pair]]:
    """Every pair of arms of every family: scores by arm, each (repetitions,) in the same order. One level for all.

    >>> import numpy as np
    >>> spread = np.array([0.0, 0.01, -0.01, 0.02])
    >>> pairs = compare({"a family": {"good": 0.9 + spread, "bad": 0.5 - spread}}, margin=0.01)
    >>> pairs["a family"][0].verdict
    'larger'
    """
    overlaps = overlaps or {}
    differences: dict[Any, dict[tuple[str, str], NDArray[np.float64]]] = {
        family: {
            (first, second): np.asarray(scores[first], float) - np.asarray(scores[second], float)
            for first, second in combinations(scores, 2)
        }
        for family, scores in families.items()
    }
    p = {
        family: {pair: student_p(values, overlaps.get(family, 0.0)) for pair, values in pairs.items()}
        for family, pairs in differences.items()
    }
    level = level_of([value for pairs in p.values() for value in pairs.values()])
    found: dict[Any, list[Pair]] = {}
    for family, pairs in differences.items():
        overlap = overlaps.get(family, 0.0)
        found[family] = []
        for (first, second), values in pairs.items():
            difference = mean(values, overlap, level)
            verdict = verdict_of(difference, margin)
            more = needed(values, overlap, level, margin) if verdict == OPEN else None
            chances = p[family][first, second], permutation_p(values)
            found[family].append(Pair(first, second, difference, *chances, verdict, more))
    return found
