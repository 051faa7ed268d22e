"""The confusion table: how often each true class was called what."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sandbox.errors import RequestError
from sandbox.plots.colours import INK, Pixels, ramp
from sandbox.plots.page import Box, Page, Word
from sandbox.plots.palette import Palette
from sandbox.plots.sheet import Sheet

IN_NUMBERS = 10  # of more classes the shades alone are shown
RIGHT, WRONG = "#5FA3D3", "#F0A04B"  # blue and orange, light enough for dark letters
_SHADES = 20  # of each: white where there is none, and what is little is seen
_NAMES = 0.85  # the size of the classes' names, of the page's letters


def confusion_png(
    table: ArrayLike, names: Sequence[str] = (), *, titles: Sequence[str] = (), size: tuple[int, int] = (384, 384)
) -> bytes:
    """Counts (classes, classes), a row for each true class and a column for each predicted one, as PNG bytes.

    The stronger a cell the larger its share of the true class: blue where the prediction is right, orange where it is
    wrong. Of more than ten classes there are shades alone. Classes are called by `names`, or 0, 1, ...; of the `titles` the
    first that fits is written above. `size` is (width, height) in pixels. Raises RequestError where the table is not square.

    >>> confusion_png([[86, 4], [2, 51]], ["benign", "malignant"], titles=["recall 0.962"])[:4]
    b'\\x89PNG'
    """
    counts = np.asarray(table)
    if counts.ndim != 2 or len(counts) != counts.shape[-1] or not counts.size:
        raise RequestError(f"a confusion table has shape (classes, classes), got {counts.shape}")
    page, classes = Page(size), len(counts)
    called = tuple(map(str, names)) if len(names) == classes else tuple(map(str, range(classes)))
    box, paper = _paper(page, called)
    left, top, across, down = box
    sheet = Sheet(page, _palette(), paper)
    inside = _shades(counts)[_cells(classes, down)][:, _cells(classes, across)]
    sheet.indices[top + 1 : top + down, left + 1 : left + across] = inside[1:, 1:]  # the frame stays
    if classes <= IN_NUMBERS:
        sheet.overlay(_numbers(page, box, counts))
    if titles:
        centre = page.size[0] / 2
        sheet.write(Word(page.fit(titles, page.size[0] - page.font), centre, 0.25 * page.font, "ma"))
    return _palette().png(sheet.indices)


@lru_cache(maxsize=1)
def _palette() -> Palette:
    """White, then ever more of blue; the same of orange."""
    chosen = [0, *np.linspace(22, 100, _SHADES - 1).astype(int)]
    return Palette([INK], np.concatenate([ramp(["#FFFFFF", colour], 101)[chosen] for colour in (RIGHT, WRONG)]))


def _shades(counts: NDArray) -> Pixels:
    """The index of each cell's shade, by its share of its row."""
    shares = counts / np.maximum(counts.sum(-1, keepdims=True), 1)
    steps = np.ceil(shares * (_SHADES - 1)).astype(np.uint8)
    return (_palette().first + steps + _SHADES * ~np.eye(len(counts), dtype=bool)).astype(np.uint8)


def _cells(classes: int, pixels: int) -> NDArray[np.intp]:
    """Which class each pixel of a side belongs to."""
    return np.arange(pixels) * classes // pixels


def _numbers(page: Page, box: Box, counts: NDArray) -> list[Word]:
    """The counts in the middle of their cells, as large as the widest allows; nought only where classes are few."""
    left, top, across, down = box
    classes = len(counts)
    width, height = across / classes, down / classes
    scale = min(1.4, 0.5 * height / page.font, (width - 4) / page.width(str(counts.max())))
    return [
        Word(str(count), left + (column + 0.5) * width, top + (row + 0.5) * height, "mm", scale)
        for row, counted in enumerate(counts.tolist())
        for column, count in enumerate(counted)
        if count or classes <= 4
    ]


@lru_cache(maxsize=64)
def _paper(page: Page, names: tuple[str, ...]) -> tuple[Box, Pixels]:
    """The frame of the cells, the names of classes and axes; and the box of the cells."""
    font, classes = page.font, len(names)
    widest = max(page.width(name, _NAMES) for name in names)
    room = min(widest, 5.5 * font)
    right = 0.6 * font
    width = (page.size[0] - 2.1 * font - room - right) / classes
    upright = widest > width - 0.5 * font and width < 5 * font
    below = room if upright else font
    box = page.place(left=2.1 * font + room, right=right, top=1.75 * font, bottom=2.1 * font + below)
    left, top, across, down = box
    sheet = Sheet(page, _palette())
    width, height = across / classes, down / classes
    gap, some = 0.4 * font, [max(1, int(np.ceil(font / side))) for side in (height, width)]
    beside = _short(page, names, room)
    beneath = beside if upright else _short(page, names, width - 0.5 * font)
    for k in range(0, classes, some[0]):
        sheet.write(Word(beside[k], left - gap, top + (k + 0.5) * height, "rm", _NAMES))
    for k in range(0, classes, some[1]):
        anchor = "rm" if upright else "ma"
        sheet.write(Word(beneath[k], left + (k + 0.5) * width, top + down + gap, anchor, _NAMES, upwards=upright))
    margin = 0.15 * font
    sheet.write(Word("predicted", left + across / 2, page.size[1] - margin, "md", 0.95))
    sheet.write(Word("true (test part)", margin, top + down / 2, "ma", 0.95, upwards=True))
    sheet.outline(box)
    return box, sheet.indices


def _short(page: Page, names: Sequence[str], room: float) -> list[str]:
    """Names as far as there is room: their beginnings, or their ends where they would begin alike."""
    heads = [page.fit([name], room, _NAMES) for name in names]
    if len(set(heads)) == len(set(names)):
        return heads
    return [page.fit([name[::-1]], room, _NAMES)[::-1] for name in names]
