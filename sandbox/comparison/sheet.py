"""The contact sheet: the boundaries of all arms and sizes of a data set in one picture, one such picture an epoch."""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw

from sandbox.comparison.protocol import Cell
from sandbox.data import Dataset
from sandbox.figures import shares
from sandbox.nn.network import Network
from sandbox.plots import shading
from sandbox.plots.picture import INK, encode, letters
from sandbox.plots.plane import Plane, plane_of
from sandbox.result import Result

TILE, GAP, LABELS, HEAD = 168, 8, 152, 30  # pixels
GRID = 84  # points a side at which a network is asked
EXAMPLES = 120  # at most so many are drawn


def contact_sheets(results: Mapping[Cell, Result]) -> dict[int, bytes]:
    """{epoch: PNG} of results with snapshots, all of one data set: a row for each arm, a column for each size."""
    arms, sizes = list(dict.fromkeys(cell.arm for cell in results)), sorted({cell.n for cell in results})
    epochs = sorted({epoch for result in results.values() for epoch in result.snapshots})
    frames = {n: _Frame(next(result for cell, result in results.items() if cell.n == n)) for n in sizes}
    sheets = {}
    for epoch in epochs:
        sheet = _blank(arms, sizes)
        for cell, result in results.items():
            reached = max(one for one in result.snapshots if one <= epoch)  # a diverged one stays where it was
            tile = frames[cell.n].tile(result, result.snapshots[reached])
            sheet.paste(tile, _corner(arms.index(cell.arm), sizes.index(cell.n)))
        sheets[epoch] = encode(sheet)
    return sheets


def _corner(row: int, column: int) -> tuple[int, int]:
    return LABELS + column * (TILE + GAP), HEAD + row * (TILE + GAP)


def _blank(arms: list[str], sizes: list[int]) -> Image.Image:
    """The sheet with its labels."""
    width, height = _corner(len(arms), len(sizes))
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for column, n in enumerate(sizes):
        left, _ = _corner(0, column)
        words = f"{n} examples" if column == 0 else str(n)
        draw.text((left + TILE / 2, HEAD / 2), words, fill=INK, font=letters(17), anchor="mm")
    for row, arm in enumerate(arms):
        _, top = _corner(row, 0)
        text = arm.replace(" + ", "\n+ ").replace(", ", ",\n")
        draw.multiline_text((LABELS - 10, top + TILE / 2), text, fill=INK, font=letters(17), anchor="rm", align="right")
    return sheet


class _Frame:
    """What the tiles of a column share: the plane, the grid of points, the examples."""

    def __init__(self, result: Result) -> None:
        problem = result.problem
        assert problem.test is not None
        self.train: Dataset = problem.train
        self.test: Dataset = problem.test
        self.plane: Plane = plane_of(problem.train)
        everything = np.concatenate([self.plane.project(problem.test.X), self.plane.project(problem.train.X)])
        low, high = np.quantile(everything, [0.005, 0.995], axis=0)
        margin = 0.08 * (high - low) + 1e-9
        self.low, self.high = low - margin, high + margin
        side = (np.arange(GRID) + 0.5) / GRID
        x, y = np.meshgrid(side, side[::-1])
        places = self.low + np.column_stack([x.ravel(), y.ravel()]) * (self.high - self.low)
        self.points = self.plane.points(places)

    def tile(self, result: Result, network: Network) -> Image.Image:
        """What a network says all over the plane, the examples, and its test accuracy."""
        outputs = network.predict(result.problem.inputs(self.points)).reshape(GRID, GRID, -1)
        shade = shading.shade_classes if self.train.task == "multiclass" else shading.shade_probability
        field = outputs if self.train.task == "multiclass" else outputs[..., 0]
        image = Image.fromarray(shade(field, (TILE, TILE), 1.6))
        draw = ImageDraw.Draw(image)
        self._examples(draw)
        share = shares(network.predict(result.problem.inputs(self.test.X)), self.test.Y, self.test.task)
        draw.rectangle((TILE - 46, TILE - 22, TILE, TILE), fill="white")
        draw.text((TILE - 23, TILE - 11), f"{share:.2f}", fill=INK, font=letters(16), anchor="mm")
        return image

    def _examples(self, draw: ImageDraw.ImageDraw) -> None:
        """The training examples, circles and squares: shape and colour tell classes apart."""
        places = (self.plane.project(self.train.X) - self.low) / (self.high - self.low) * TILE
        classes = self.train.Y.argmax(1) if self.train.task == "multiclass" else (self.train.Y[:, 0] > 0.5).astype(int)
        size = 3.4 if len(places) <= 64 else 2.6
        for (x, y), label in list(zip(places, classes, strict=True))[:EXAMPLES]:
            colour = shading.class_colour(label) if self.train.task == "multiclass" else shading.BINARY_COLOURS[label]
            box = (x - size, TILE - y - size, x + size, TILE - y + size)
            (draw.rectangle if label % 2 else draw.ellipse)(box, fill=colour, outline=shading.edge(colour))
