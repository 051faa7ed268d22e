"""What a comparison found: averages of every cell, verdicts on every pair of arms, and the answer in plain sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sandbox.answers.statistics import EQUIVALENT, LARGER, OPEN, SMALLER, Estimate, Pair, compare, error_of, mean
from sandbox.comparison.protocol import Cell, Comparison, overlap_of
from sandbox.comparison.run import FINAL, TUNING, Run, Winners
from sandbox.data import load_dataset, load_parts

if TYPE_CHECKING:
    import pandas as pd

Family = tuple[str, int]  # data set and number of examples

NEAR_CHANCE = 0.05  # of accuracy above chance: arms whose means are no further have learnt nothing to compare
FIDUCIAL = 4000  # draws for the interval of the number of examples from which layers catch up
TESTED = 1000  # test examples of generated data


class Average(NamedTuple):
    """What the final runs of a cell came to. `validation` is the winners' mean score in tuning, seconds the mean of a run.

    `converged` is the share of runs; `diverged` and `at_chance` count those that failed: a run at chance is at most two
    standard errors of its test part above the share of the commonest class.
    """

    cell: Cell
    mean: Estimate
    runs: int
    parameters: int
    seconds: float
    converged: float
    diverged: int
    at_chance: int
    validation: float


class Standing(NamedTuple):
    """A family's arm with the highest mean, "" where all are near chance; and how the others stand to it."""

    best: str
    equivalent: list[str]
    open: list[str]
    beaten: list[str]


class Duel(NamedTuple):
    """The arm that engineers features against the arm with hidden layers, each the best of its kind by validation.

    `near_chance`: neither has learnt anything there.
    """

    dataset: str
    n: int
    features: str
    layers: str
    pair: Pair
    near_chance: bool


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is computed from a comparison's runs; nothing here knows where they come from."""

    comparison: Comparison
    runs: list[Run]
    winners: Winners

    @cached_property
    def by_cell(self) -> dict[tuple[Cell, str], list[Run]]:
        """(cell, role) -> runs, by repetition, trial and seed."""
        found: dict[tuple[Cell, str], list[Run]] = {}
        for run in sorted(self.runs, key=lambda run: (run.repetition, run.trial, run.config.seed)):
            found.setdefault((run.cell, run.role), []).append(run)
        return found

    def trials(self, cell: Cell) -> list[list[list[Run]]]:
        """The tuning runs of a cell: for each repetition a list for each trial, with that of the first round first."""
        repetitions = groupby(self.by_cell[cell, TUNING], key=lambda run: run.repetition)
        return [[list(draws) for _, draws in groupby(runs, key=lambda run: run.trial)] for _, runs in repetitions]

    def means(self, cell: Cell) -> np.ndarray:
        """The mean test accuracy of every repetition (repetitions,)."""
        repetitions = groupby(self.by_cell[cell, FINAL], key=lambda run: run.repetition)
        return np.array([np.mean([run.score for run in runs]) for _, runs in repetitions])

    @cached_property
    def families(self) -> dict[Family, list[Cell]]:
        """(data set, size) -> its cells, an arm each."""
        found: dict[Family, list[Cell]] = {}
        for cell in self.comparison.cells:
            found.setdefault((cell.dataset, cell.n), []).append(cell)
        return found

    @cached_property
    def averages(self) -> dict[Cell, Average]:
        """The figures of every cell."""
        return {cell: self._average(cell) for cell in self.comparison.cells}

    def _average(self, cell: Cell) -> Average:
        runs = self.by_cell[cell, FINAL]
        tuned = [run.score for run in self.by_cell[cell, TUNING] if self.is_winner(run)]
        limit = chance_limit(cell.dataset)
        return Average(
            cell,
            mean(self.means(cell), overlap_of(cell.dataset)),
            len(runs),
            runs[0].parameters,
            float(np.mean([run.seconds for run in runs])),
            float(np.mean([run.converged for run in runs])),
            sum(run.diverged for run in runs),
            sum(run.score <= limit and not run.diverged for run in runs),
            float(np.mean(tuned)),
        )

    def is_winner(self, run: Run) -> bool:
        """Whether a run is of its repetition's winner, on whatever draw."""
        winner = self.winners[run.cell][run.repetition]
        return run.config.replace(seed=0, data_seed=0) == winner.replace(seed=0, data_seed=0)

    @cached_property
    def pairs(self) -> dict[Family, list[Pair]]:
        """(data set, size) -> every pair of arms."""
        families = {family: {cell.arm: self.means(cell) for cell in cells} for family, cells in self.families.items()}
        overlaps = {family: overlap_of(family[0]) for family in families}
        return compare(families, self.comparison.margin, overlaps)

    def pair(self, family: Family, first: str, second: str) -> Pair:
        """The pair of two arms, seen from the first."""
        for pair in self.pairs[family]:
            if (pair.first, pair.second) == (first, second):
                return pair
            if (pair.first, pair.second) == (second, first):
                return pair.turned
        raise KeyError((first, second))

    @cached_property
    def duels(self) -> list[Duel]:
        """Features against layers at every data set and size; none where the arms have not both kinds.

        The arms are chosen by validation, not by the test results that they are then judged by; their pair is one of the
        family's, so that no test is added.
        """
        found = []
        for (dataset, n), cells in self.families.items():
            best = {}
            for kind in ("features", "layers"):
                arms = [cell for cell in cells if self.comparison.arm(cell.arm).kind == kind]
                if arms:
                    best[kind] = max(arms, key=lambda cell: self.averages[cell].validation).arm
            if len(best) == 2:
                pair = self.pair((dataset, n), best["features"], best["layers"])
                lost = all(self.is_near_chance(Cell(arm, dataset, n)) for arm in best.values())
                found.append(Duel(dataset, n, best["features"], best["layers"], pair, lost))
        return found

    def is_near_chance(self, cell: Cell) -> bool:
        """Whether a cell's mean is hardly above the share of the commonest class."""
        return self.averages[cell].mean.value <= chance_of(cell.dataset) + NEAR_CHANCE

    def standing(self, family: Family) -> Standing:
        """The arm with the highest mean, and how the others stand to it; no arm where all are near chance."""
        cells = self.families[family]
        if all(map(self.is_near_chance, cells)):
            return Standing("", [], [cell.arm for cell in cells], [])
        best = max(cells, key=lambda cell: self.averages[cell].mean.value).arm
        verdicts = {cell.arm: self.pair(family, best, cell.arm).verdict for cell in cells if cell.arm != best}
        return Standing(
            best, *([arm for arm, one in verdicts.items() if one == kind] for kind in (EQUIVALENT, OPEN, LARGER))
        )

    def sentence(self, family: Family) -> str:
        """The verdicts of a data set and size in words."""
        dataset, n = family
        best, equivalent, undecided, beaten = self.standing(family)
        if not best:
            highest = max(self.averages[cell].mean.value for cell in self.families[family])
            most = f"{highest:.3f} at most, chance is {chance_of(dataset):.3f}"
            return f"{dataset}, {n} examples: all arms are near chance ({most}); none is best."
        text = f"{dataset}, {n} examples: {best} is best on average with {show(self._mean(best, family))}"
        if equivalent:
            text += f"; equivalent within {self.comparison.margin:g}: {listed(equivalent)}"
        if undecided:
            text += f"; inconclusive against {listed([self._open(family, best, arm) for arm in undecided])}"
        if beaten:
            parts = [f"{arm} (by {show_difference(self.pair(family, best, arm).difference)})" for arm in beaten]
            text += f"; better than {listed(parts)}"
        return text + "."

    def _open(self, family: Family, best: str, arm: str) -> str:
        return f"{arm} ({self.would_take(self.pair(family, best, arm))})"

    def would_take(self, pair: Pair) -> str:
        """What it would take to decide an inconclusive pair, in words."""
        if pair.needed is None:
            return "no number of repetitions in reach would tell"
        return f"about {pair.needed} repetitions, {pair.needed * self.comparison.seeds} seeds, would tell"

    def _mean(self, arm: str, family: Family) -> Estimate:
        return self.averages[Cell(arm, *family)].mean

    def duel_sentence(self, duel: Duel) -> str:
        """Who wins features against layers, in words."""
        difference = show_difference(duel.pair.difference)
        if duel.near_chance:
            return f"{duel.features} and {duel.layers} are both near chance ({difference})"
        if duel.pair.verdict == EQUIVALENT:
            return f"{duel.features} and {duel.layers} are equivalent within {self.comparison.margin:g} ({difference})"
        if duel.pair.verdict == OPEN:
            return f"{duel.features} against {duel.layers} is inconclusive ({difference}; {self.would_take(duel.pair)})"
        winner, loser = (duel.features, duel.layers) if duel.pair.verdict == LARGER else (duel.layers, duel.features)
        pair = duel.pair if duel.pair.verdict == LARGER else duel.pair.turned
        return f"{winner} is better than {loser} by {show_difference(pair.difference)}"

    @property
    def answer(self) -> list[str]:
        """Features against layers, a sentence for each data set: at which sizes which is better, and the catching up."""
        lines = []
        for dataset in dict.fromkeys(duel.dataset for duel in self.duels):
            duels = [duel for duel in self.duels if duel.dataset == dataset]
            parts = []
            for words, wanted in (
                ("features are better", LARGER),
                ("hidden layers are better", SMALLER),
                (f"equivalent within {self.comparison.margin:g}", EQUIVALENT),
                ("inconclusive", OPEN),
                ("both near chance", ""),
            ):
                sizes = [str(duel.n) for duel in duels if wanted == ("" if duel.near_chance else duel.pair.verdict)]
                parts += [f"{words} at {listed(sizes)} examples"] if sizes else []
            if len(duels) > 1:
                parts.append(catching_up(self.catch_up(dataset), [duel.n for duel in duels]))
            lines.append(f"{dataset}: {'; '.join(parts)}.")
        return lines

    def catch_up(self, dataset: str) -> Estimate:
        """From how many training examples on layers are level with features, with its 95 % interval.

        Features lead where they are ahead by more than the margin. Where the last size at which they do lies before one
        at which they do not, it is the number between them at which the lead, a straight line over the logarithm of the
        sizes, is the margin. The smallest size where features never lead, infinity where they still lead at the largest.
        The interval is that of the same over draws of the differences, Student's t about their means.
        """
        duels = [duel for duel in self.duels if duel.dataset == dataset]
        values = [
            self.means(Cell(duel.features, dataset, duel.n)) - self.means(Cell(duel.layers, dataset, duel.n))
            for duel in duels
        ]
        sizes, middles = [duel.n for duel in duels], np.array([one.mean() for one in values]) - self.comparison.margin
        errors = np.array([error_of(one, overlap_of(dataset)) for one in values])
        freedom = self.comparison.repetitions - 1
        draws = middles + errors * np.random.default_rng(0).standard_t(freedom, (FIDUCIAL, len(sizes)))
        found = np.sort([crossing(sizes, row) for row in draws])
        return Estimate(crossing(sizes, middles), *(float(found[int(share * FIDUCIAL)]) for share in (0.025, 0.975)))

    def averages_frame(self) -> "pd.DataFrame":
        """A row per cell."""
        import pandas as pd

        rows = []
        for average in self.averages.values():
            row = {**average.cell._asdict(), **flat("mean", average.mean)}
            rows.append(row | {name: getattr(average, name) for name in Average._fields[2:]})
        return pd.DataFrame(rows)

    def pairs_frame(self) -> "pd.DataFrame":
        """A row per pair of arms, data set and size."""
        import pandas as pd

        rows = [
            {"dataset": dataset, "n": n, **pair._asdict(), **flat("difference", pair.difference)}
            for (dataset, n), pairs in self.pairs.items()
            for pair in pairs
        ]
        order = ["dataset", "n", "first", "second", "difference", "difference_low", "difference_high"]
        frame = pd.DataFrame(rows, columns=pd.Index([*order, "p", "p_permutation", "verdict", "needed"]))
        return frame.astype({"needed": "Int64"})

    def duels_frame(self) -> "pd.DataFrame":
        """A row per data set and size: features against layers."""
        import pandas as pd

        rows = [
            {**duel._asdict(), **flat("difference", duel.pair.difference), "verdict": duel.pair.verdict}
            for duel in self.duels
        ]
        order = ["dataset", "n", "features", "layers", "difference", "difference_low", "difference_high"]
        return pd.DataFrame(rows, columns=pd.Index([*order, "verdict", "near_chance"]))

    def runs_frame(self) -> "pd.DataFrame":
        """A row per run."""
        import pandas as pd

        return pd.DataFrame([run.to_row() for run in self.runs])


@cache
def chance_of(dataset: str) -> float:
    """The share of a data set's commonest class: what is right without looking."""
    shares = load_dataset(dataset).Y.mean(axis=0)
    return float(max(*shares, 1 - shares.sum()))  # of two classes, one column has the second's


@cache
def chance_limit(dataset: str) -> float:
    """The highest accuracy that counts as chance: two standard errors of the test part above it."""
    chance, test = chance_of(dataset), load_parts(dataset).test
    return chance + 2 * math.sqrt(chance * (1 - chance) / (len(test) if test else TESTED))


def crossing(sizes: Sequence[int], differences: "np.ndarray | Sequence[float]") -> float:
    """Where differences over sizes cross 0 for the last time, from above.

    >>> crossing([8, 32], [0.1, -0.1]), crossing([8, 32], [-0.1, 0.0]), crossing([8, 32], [0.1, 0.1])
    (16.0, 8.0, inf)
    """
    above = np.flatnonzero(np.asarray(differences) > 0)
    if not above.size:
        return float(sizes[0])
    last = int(above[-1])
    if last == len(sizes) - 1:
        return math.inf
    share = differences[last] / (differences[last] - differences[last + 1])
    low, high = math.log2(sizes[last]), math.log2(sizes[last + 1])
    return 2 ** float(low + share * (high - low))


def catching_up(found: Estimate, sizes: Sequence[int]) -> str:
    """From when on layers are level with features, in words."""
    low, high = sizes[0], sizes[-1]
    if found.low <= low and found.high == math.inf:
        return f"whether layers catch up within {low} to {high} examples cannot be told"
    if found.low == math.inf or found.value == math.inf:
        rest = "" if found.low == math.inf else f" (perhaps from {found.low:.0f} on)"
        return f"layers do not catch up within {low} to {high} examples{rest}"
    if found.high < low + 0.5:
        return f"layers are not behind from {low} examples on"
    upper = f"more than {high}" if found.high == math.inf else f"{found.high:.0f}"
    return f"layers catch up at about {found.value:.0f} examples [{found.low:.0f}, {upper}]"


def flat(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate as columns of a table."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def show(estimate: Estimate) -> str:
    """An accuracy and its interval, which ends where accuracies do."""
    return f"{estimate.value:.3f} [{max(0.0, estimate.low):.3f}, {min(1.0, estimate.high):.3f}]"


def show_difference(estimate: Estimate) -> str:
    """A difference and its interval, signed, with the minus that typesetters use."""
    value, low, high = (f"{number + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}") for number in estimate)
    return f"{value} [{low}, {high}]"


def listed(words: list[str]) -> str:
    """Words as people list them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
