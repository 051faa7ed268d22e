"""What a comparison came to, in short: the table of means, and the answer in sentences."""

from typing import TYPE_CHECKING

from sandbox.comparison.findings import Findings, show
from sandbox.comparison.protocol import Cell

if TYPE_CHECKING:
    import pandas as pd


def summary(findings: Findings) -> "pd.DataFrame":
    """A row for each arm at each data set and size: mean test accuracy, how many runs failed, how it stands to the best."""
    averages = findings.averages
    return findings.averages_frame()[["dataset", "n", "arm"]].assign(
        accuracy=[show(average.mean) for average in averages.values()],
        failed=[f"{average.at_chance + average.diverged} of {average.runs}" for average in averages.values()],
        verdict=[_standing(findings, cell) for cell in averages],
    )


def sentences(findings: Findings) -> list[str]:
    """What the accuracies are, and what follows from them."""
    counted = f"{findings.comparison.repetitions} tunings, {findings.comparison.seeds} seeds each"
    families = [] if findings.duels else [findings.sentence(family) for family in findings.families]
    return [f"test accuracy: mean over {counted} [95 % interval]", *families, *findings.answer]


def _standing(findings: Findings, cell: Cell) -> str:
    """How an arm stands to the best of its data set and size."""
    best, equivalent, undecided, _ = findings.standing((cell.dataset, cell.n))
    if not best:
        return "all near chance"
    if cell.arm == best:
        return "best on average"
    if cell.arm in equivalent:
        return f"equivalent to {best}"
    return f"inconclusive against {best}" if cell.arm in undecided else f"worse than {best}"
