"""The contact sheet: the boundaries of all arms and sizes of a data set in one picture, one such picture an epoch."""

from collections.abc import Mapping

import numpy as np

from sandbox.comparison.protocol import Cell, Comparison
from sandbox.comparison.run import Winners
from sandbox.nn.hooks import Measures, Snapshots
from sandbox.plots.contact import ContactSheet
from sandbox.plots.tile import Tile
from sandbox.result import Result
from sandbox.train import train_many

TILE = 168  # pixels
SIZES_SHOWN = 4


def shown_cells(comparison: Comparison) -> list[Cell]:
    """The cells whose boundaries are shown: all arms, at most four sizes of each data set, from the least to the most."""
    cells = []
    for cell in comparison.cells:
        sizes = comparison.sizes_of(cell.dataset)
        places = np.linspace(0, len(sizes) - 1, min(SIZES_SHOWN, len(sizes))).round().astype(int)
        if cell.n in {sizes[place] for place in places}:
            cells.append(cell)
    return cells


def shown_epochs(epochs: int) -> tuple[int, ...]:
    """The epochs at which boundaries are shown: the first, some evenly spread on a log scale, the last."""
    return tuple(np.unique([0, *np.geomspace(max(1, epochs / 200), epochs, 5).round().astype(int)]).tolist())


def shown_results(comparison: Comparison, winners: Winners) -> dict[Cell, Result]:
    """The first winner of every shown cell on its first seed, with snapshots: trained again, which gives the same bits."""
    cells = shown_cells(comparison)
    configs = [comparison.final(winners[cell][0])[0] for cell in cells]
    hooks = [Snapshots(shown_epochs), Measures(shown_epochs, ["test_accuracy"])]
    return dict(zip(cells, train_many(configs, hooks, curve_points=25), strict=True))


def contact_sheets(results: Mapping[Cell, Result]) -> dict[int, bytes]:
    """{epoch: PNG} of results with snapshots, all of one data set: a row for each arm, a column for each size."""
    arms, sizes = list(dict.fromkeys(cell.arm for cell in results)), sorted({cell.n for cell in results})
    epochs = sorted({epoch for result in results.values() for epoch in result.snapshots})
    problems = {cell.n: result.problem for cell, result in results.items()}
    tiles = {n: Tile(problem.train, problem.test, TILE) for n, problem in problems.items()}
    sheets = {}
    for epoch in epochs:
        names = [arm.replace(" + ", "\n+ ").replace(", ", ",\n") for arm in arms]
        sheet = ContactSheet(names, [f"{n} examples" if n == sizes[0] else str(n) for n in sizes], TILE)
        for cell, result in results.items():
            reached = max(one for one in result.snapshots if one <= epoch)  # a diverged one stays where it was
            network, problem = result.snapshots[reached], result.problem
            share = dict(zip(*result.curves["test_accuracy"], strict=True))[reached]
            tile = tiles[cell.n].draw(
                lambda X, n=network, p=problem: p.unsigned(n.predict(p.inputs(X))), f"{share:.2f}"
            )
            sheet.put(arms.index(cell.arm), sizes.index(cell.n), tile)
        sheets[epoch] = sheet.png()
    return sheets
