"""What a comparison found: averages of every cell, verdicts on every pair of arms, and the answer in plain sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sandbox.comparison.protocol import Cell, Comparison
from sandbox.comparison.run import FINAL, TUNING, Run
from sandbox.comparison.statistics import ALIKE, BETTER, WORSE, Estimate, Pair, compare, interquartile_mean, mean
from sandbox.config import Config

if TYPE_CHECKING:
    import pandas as pd


SLIGHT = 0.01  # of accuracy


class Average(NamedTuple):
    """What the final runs of a cell came to. `validation` is the winner's score in tuning, seconds the mean."""

    cell: Cell
    mean: Estimate
    interquartile_mean: Estimate
    seeds: int
    parameters: int
    seconds: float
    converged: float
    diverged: int
    validation: float


class Duel(NamedTuple):
    """The arm that engineers features against the arm with hidden layers, each the best of its kind by validation."""

    dataset: str
    n: int
    features: str
    layers: str
    pair: Pair


@dataclass(frozen=True, eq=False)
class Findings:
    """All that is computed from a comparison's runs; nothing here knows where they come from."""

    comparison: Comparison
    runs: list[Run]
    winners: Mapping[Cell, Config]

    @cached_property
    def by_cell(self) -> dict[tuple[Cell, str], list[Run]]:
        """(cell, role) -> runs, in the order of their seeds."""
        found: dict[tuple[Cell, str], list[Run]] = {}
        for run in sorted(self.runs, key=lambda run: (run.trial, run.config.seed)):
            found.setdefault((run.cell, run.role), []).append(run)
        return found

    def trials(self, cell: Cell) -> list[list[Run]]:
        """The tuning runs of a cell, a list for each trial, that of the first round first."""
        runs = self.by_cell[cell, TUNING]
        return [list(draws) for _, draws in groupby(runs, key=lambda run: run.trial)]

    @cached_property
    def families(self) -> dict[tuple[str, int], list[Cell]]:
        """(data set, size) -> its cells, an arm each: what Holm's correction is over."""
        found: dict[tuple[str, int], list[Cell]] = {}
        for cell in self.comparison.cells:
            found.setdefault((cell.dataset, cell.n), []).append(cell)
        return found

    @cached_property
    def averages(self) -> dict[Cell, Average]:
        """The figures of every cell."""
        return {cell: self._average(cell) for cell in self.comparison.cells}

    def _average(self, cell: Cell) -> Average:
        runs = self.by_cell[cell, FINAL]
        scores = [run.score for run in runs]
        tuned = [run.score for run in self.by_cell[cell, "tuning"] if self.is_winner(run)]
        return Average(
            cell,
            mean(scores),
            interquartile_mean(scores),
            len(runs),
            runs[0].parameters,
            float(np.mean([run.seconds for run in runs])),
            float(np.mean([run.converged for run in runs])),
            sum(run.diverged for run in runs),
            float(np.mean(tuned)),
        )

    def is_winner(self, run: Run) -> bool:
        """Whether a run is of its cell's winner, on whatever draw."""
        winner = self.winners[run.cell]
        return run.config.replace(seed=0, data_seed=0) == winner.replace(seed=0, data_seed=0)

    @cached_property
    def pairs(self) -> dict[tuple[str, int], list[Pair]]:
        """(data set, size) -> every pair of arms."""
        return {
            family: compare({cell.arm: [run.score for run in self.by_cell[cell, FINAL]] for cell in cells})
            for family, cells in self.families.items()
        }

    def pair(self, family: tuple[str, int], first: str, second: str) -> Pair:
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
                found.append(Duel(dataset, n, best["features"], best["layers"], pair))
        return found

    def leaders(self, family: tuple[str, int]) -> tuple[str, list[str], list[str]]:
        """The arm with the highest mean, those not detectably different from it, and those that it beats."""
        best = max(self.families[family], key=lambda cell: self.averages[cell].mean.value).arm
        others = [cell.arm for cell in self.families[family] if cell.arm != best]
        alike = [arm for arm in others if self.pair(family, best, arm).verdict == ALIKE]
        return best, alike, [arm for arm in others if arm not in alike]

    def sentence(self, family: tuple[str, int]) -> str:
        """The verdicts of a data set and size in words."""
        dataset, n = family
        best, alike, beaten = self.leaders(family)
        text = f"{dataset}, {n} examples: {best} is best on average with {show(self._mean(best, family))}"
        if alike:
            text += f"; no detectable difference to {listed(alike)}"
        if beaten:
            parts = [f"{arm} (by {show_difference(self.pair(family, best, arm).difference)})" for arm in beaten]
            text += f"; better than {listed(parts)}"
        return text + "."

    def _mean(self, arm: str, family: tuple[str, int]) -> Estimate:
        return self.averages[Cell(arm, *family)].mean

    def duel_sentence(self, duel: Duel) -> str:
        """Who wins features against layers, in words."""
        difference = show_difference(duel.pair.difference)
        if duel.pair.verdict == ALIKE:
            return f"no detectable difference between {duel.features} and {duel.layers} ({difference})"
        winner, loser = (duel.features, duel.layers) if duel.pair.verdict == BETTER else (duel.layers, duel.features)
        size = show_difference(duel.pair.difference if duel.pair.verdict == BETTER else duel.pair.turned.difference)
        return f"{winner} is better than {loser} by {size}"

    @property
    def answer(self) -> list[str]:
        """Features against layers, a sentence for each data set: at which sizes which is better."""
        lines = []
        for dataset in dict.fromkeys(duel.dataset for duel in self.duels):
            duels = [duel for duel in self.duels if duel.dataset == dataset]
            parts = []
            for words, wanted in (
                ("features are better", lambda pair: pair.verdict == BETTER and not is_slight(pair)),
                ("features are better by less than 0.01", lambda pair: pair.verdict == BETTER and is_slight(pair)),
                ("hidden layers are better", lambda pair: pair.verdict == WORSE and not is_slight(pair)),
                ("hidden layers are better by less than 0.01", lambda pair: pair.verdict == WORSE and is_slight(pair)),
                ("no detectable difference", lambda pair: pair.verdict == ALIKE),
            ):
                sizes = [str(duel.n) for duel in duels if wanted(duel.pair)]
                parts += [f"{words} at {listed(sizes)} examples"] if sizes else []
            lines.append(f"{dataset}: {'; '.join(parts)}.")
        return lines

    def averages_frame(self) -> "pd.DataFrame":
        """A row per cell."""
        import pandas as pd

        rows = []
        for average in self.averages.values():
            winner = self.winners[average.cell]
            row = {**average.cell._asdict(), **flat("mean", average.mean), **flat("iqm", average.interquartile_mean)}
            row |= {name: getattr(average, name) for name in Average._fields[3:]}
            rows.append(row | {name: getattr(winner, name) for name in self.comparison.space})
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
        return pd.DataFrame(rows, columns=pd.Index([*order, "p_alone", "p", "verdict"]))

    def runs_frame(self) -> "pd.DataFrame":
        """A row per run."""
        import pandas as pd

        return pd.DataFrame([run.to_row() for run in self.runs])


def is_slight(pair: Pair) -> bool:
    """Whether a difference, detected or not, is too small to matter: less than 0.01."""
    return abs(pair.difference.value) < SLIGHT


def flat(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate as columns of a table."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def show(estimate: Estimate) -> str:
    """An accuracy and its interval."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def show_difference(estimate: Estimate) -> str:
    """A difference and its interval, signed, with the minus that typesetters use."""
    value, low, high = (f"{number + 0.0:+.3f}".replace("-", "\N{MINUS SIGN}") for number in estimate)
    return f"{value} [{low}, {high}]"


def listed(words: list[str]) -> str:
    """Words as people list them: a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
