"""The statistics of a comparison: averages with their uncertainty, paired differences, and verdicts.

Intervals are 95 % percentile bootstrap intervals over the seeds (scipy.stats.bootstrap, always seeded with 0, so that
the same scores give the same interval). Arms are paired by seed. Two arms differ when Wilcoxon's signed-rank test says
so at the level 0.05 after Holm's correction over all pairs of arms of the same data set and size, and the interval of the
mean difference leaves out 0. The interquartile mean is that of the middle half (Agarwal et al. 2021).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
LEVEL = 0.05
EXACT = 13  # differences for which all signs are tried
BETTER, WORSE, ALIKE = "better", "worse", "no detectable difference"


class Estimate(NamedTuple):
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


class Pair(NamedTuple):
    """Two arms on the same seeds: `difference` is the first's score minus the second's, `p` is corrected by Holm."""

    first: str
    second: str
    difference: Estimate
    p_alone: float
    p: float
    verdict: str

    @property
    def turned(self) -> "Pair":
        """The same, seen from the second arm."""
        value, low, high = self.difference
        verdict = {BETTER: WORSE, WORSE: BETTER, ALIKE: ALIKE}[self.verdict]
        return Pair(self.second, self.first, Estimate(-value, -high, -low), self.p_alone, self.p, verdict)


def mean(scores: ArrayLike) -> Estimate:
    """The mean of scores (seeds,)."""
    return _bootstrapped(scores, np.mean)


def interquartile_mean(scores: ArrayLike) -> Estimate:
    """The mean of the middle half of scores (seeds,): a quarter is cut from each end."""
    from scipy.stats import trim_mean

    return _bootstrapped(scores, lambda values, axis=-1: trim_mean(values, 0.25, axis=axis))


def _bootstrapped(scores: ArrayLike, statistic: Callable[..., NDArray[np.float64]]) -> Estimate:
    from scipy.stats import bootstrap

    values = np.asarray(scores, float)
    middle = float(statistic(values))
    if np.ptp(values) == 0:
        return Estimate(middle, middle, middle)  # resamples are all alike: nothing to learn of the uncertainty
    rng = np.random.default_rng(0)
    options = {"confidence_level": 1 - LEVEL, "n_resamples": RESAMPLES, "method": "percentile", "rng": rng}
    interval = bootstrap((values,), statistic, vectorized=True, **options).confidence_interval
    return Estimate(middle, float(interval.low), float(interval.high))


def wilcoxon_p(differences: ArrayLike) -> float:
    """The two-sided p of Wilcoxon's signed-rank test, zeros left out; 1 where all differences are zero.

    Exact for up to 13 differences, ties or not; beyond that scipy decides between exact and normal.
    """
    from scipy.stats import rankdata, wilcoxon

    values = np.asarray(differences, float)
    values = np.round(values[np.abs(values) > 1e-12], 12)  # scores are shares of examples: smaller ones are rounding
    if not values.size:
        return 1.0
    if values.size <= EXACT:  # what scipy does too where there are ties, in a second and not in a millisecond
        ranks = rankdata(np.abs(values))
        sums = (np.arange(2**values.size)[:, None] >> np.arange(values.size) & 1) @ ranks
        found = ranks[values > 0].sum()
        return float(min(1, 2 * min((sums >= found - 1e-9).mean(), (sums <= found + 1e-9).mean())))
    result: Any = wilcoxon(values)
    return float(result.pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction (1979): the smallest p times the number of tests, the next times one fewer, and so on, at most
    1 and never below one before. Controls the probability of any false alarm."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(np.minimum(1, np.asarray(p)[order] * np.arange(len(p), 0, -1)))
    return corrected.tolist()


def compare(scores: Mapping[str, ArrayLike]) -> list[Pair]:
    """Every pair of arms: scores by arm, each (seeds,) in the same order of seeds. Together they are one family."""
    pairs = list(combinations(scores, 2))
    differences = [np.asarray(scores[first], float) - np.asarray(scores[second], float) for first, second in pairs]
    alone = [wilcoxon_p(values) for values in differences]
    return [
        Pair(first, second, estimate, p_alone, p, verdict(estimate, p))
        for (first, second), estimate, p_alone, p in zip(pairs, map(mean, differences), alone, holm(alone), strict=True)
    ]


def verdict(difference: Estimate, p: float) -> str:
    """What a difference and its corrected p come to."""
    if p >= LEVEL or difference.low <= 0 <= difference.high:
        return ALIKE
    return BETTER if difference.value > 0 else WORSE
