"""A picture as indices into a palette, drawn without a figure: axes and words by Pillow, marks and lines by Agg alone."""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sandbox.plots.colours import GRID_LINE, INK, SPINE, Pixels, rgb
from sandbox.plots.page import Box, Frame, Page, Word, font, length, metrics
from sandbox.plots.palette import RAMP, Palette

_RIM = 3  # pixels round letters
DPI = 72  # one point is one pixel, so that every length is in pixels


class Cover(NamedTuple):
    """What lies over the pixels of a page, at flat places.

    `hidden` pixels are of an index, `veiled` ones (count,) are covered in part: by colours `over` (count, 3), `weight`
    (count, 1) of each.
    """

    hidden: NDArray[np.intp]
    indices: Pixels
    veiled: NDArray[np.intp]
    over: NDArray[np.float32]
    weight: NDArray[np.float32]


class Sheet:
    """A page on which is drawn in a palette's colours: `indices` (height, width) says where which."""

    def __init__(self, page: Page, palette: Palette, paper: Pixels | None = None) -> None:
        self.page, self.palette = page, palette
        self.indices = np.zeros(page.size[::-1], np.uint8) if paper is None else paper.copy()

    def frame(self, frame: Frame) -> None:
        """Axes, ticks, grid and names."""
        size, indices = self.page.font, self.indices
        left, top, across, down = frame.box
        bottom, right = top + down, left + across
        tick, gap = round(0.25 * size), 0.45 * size
        columns = np.floor(left + across * frame.x.place(frame.x.ticks)).astype(int)
        rows = np.floor(top + down * (1 - frame.y.place(frame.y.ticks))).astype(int)
        for row, label in zip(rows.tolist(), frame.y.labels, strict=True):
            if frame.grid:
                indices[row, left:right] = self.palette.nearest(GRID_LINE)
            indices[row, left - tick : left] = self.palette.ink()
            self.write(Word(label, left - gap, row + 0.33 * size, "rs", 0.9))
        for column, label in zip(columns.tolist(), frame.x.labels, strict=True):
            indices[bottom : bottom + tick + 1, column] = self.palette.ink()
            self.write(Word(label, column, bottom + gap + 0.74 * size, "ms", 0.9))
        self.outline(frame.box)
        margin = 0.15 * size
        self.write(Word(frame.x.name, left + across / 2, self.page.size[1] - margin, "md", 0.95))
        self.write(Word(frame.y.name, margin, top + down / 2, "ma", 0.95, upwards=True))

    def outline(self, box: Box) -> None:
        """A line round a box."""
        left, top, across, down = box
        inside = self.indices[top : top + down + 1, left : left + across + 1]
        inside[[0, -1]] = inside[:, [0, -1]] = self.palette.nearest(SPINE)

    def write(self, word: Word) -> None:
        """A line of text; whatever its letters touch is white paper."""
        if word.text:
            inside, letters, covered = self._letters(word)
            np.copyto(self.indices[inside], letters, where=covered)

    def overlay(self, words: Iterable[Word]) -> None:
        """Lines of text in one colour, on whatever is there."""
        places, steps, ink = [np.empty(0, np.intp)], [np.empty(0, np.uint8)], INK
        flat = np.arange(self.indices.size).reshape(self.indices.shape)
        for word in words:
            inside, letters, covered = self._letters(word)
            places.append(flat[inside][covered])
            steps.append(letters[covered] % RAMP)
            ink = word.ink or INK
        weight = np.concatenate(steps)[:, None] / np.float32(RAMP - 1)
        self.palette.blend(self.indices.reshape(-1), np.concatenate(places), rgb(ink), weight)

    def _letters(self, word: Word) -> tuple[tuple[slice, slice], Pixels, NDArray[np.bool_]]:
        """Where a word lies on the page, its letters there as indices, and which pixels they touch."""
        number = self.palette.inks.index(word.ink or INK)
        height = word.scale * self.page.font
        halo = round(0.1 * self.page.font) if word.halo else 0
        letters, covered, baseline = _lettering(word.text, height, halo, number)
        along = {"l": 0.0, "m": 0.5, "r": 1.0}[word.anchor[0]] * length(word.text, height) + _RIM
        ascent, descent = metrics(height)
        across = {"a": -ascent, "m": (descent - ascent) / 2, "s": 0.0, "d": descent}[word.anchor[1]] + baseline
        if word.upwards:
            letters, covered = np.rot90(letters), np.rot90(covered)
            along, across = across, len(letters) - along
        left, top = round(word.x - along), round(word.y - across)
        inside = (
            slice(max(-top, 0), max(self.page.size[1] - top, 0)),
            slice(max(-left, 0), max(self.page.size[0] - left, 0)),
        )
        letters, covered = letters[inside], covered[inside]
        rows, columns = letters.shape
        left, top = max(left, 0), max(top, 0)
        return (slice(top, top + rows), slice(left, left + columns)), letters, covered

    def draw(self, lines: Iterable[Line2D], box: Box | None = None) -> None:
        """Draw lines, in pixels from the page's top left, within a box or anywhere."""
        self.cover(self.covering(lines, box))

    def cover(self, cover: Cover) -> None:
        """Lay something over the page."""
        flat = self.indices.reshape(-1)
        flat[cover.hidden] = cover.indices
        self.palette.blend(flat, cover.veiled, cover.over, cover.weight)

    def covering(self, lines: Iterable[Line2D], box: Box | None = None) -> Cover:
        """What such lines cover."""
        left, top, across, down = box or (0, 0, *self.page.size)
        renderer = RendererAgg(across, down, DPI)
        drawn = np.asarray(renderer.buffer_rgba()).reshape(-1, 4)
        blank = drawn.view(np.uint32)[0, 0]
        upright = Affine2D().translate(-left, -top - down).scale(1, -1)
        for line in lines:
            line.set_transform(upright)
            line.draw(renderer)
        touched = np.flatnonzero(drawn.view(np.uint32) != blank)
        pixels = drawn[touched]
        rows, columns = np.divmod(touched, across)
        where = (rows + top) * self.page.size[0] + columns + left
        hides = pixels[:, 3] == 255
        veils = pixels[~hides].astype(np.float32)
        hidden = self.palette.indices(pixels[hides, :3])
        return Cover(where[hides], hidden, where[~hides], veils[:, :3], veils[:, 3:] / np.float32(255))


@lru_cache(maxsize=512)
def _lettering(text: str, height: float, halo: int, ink: int) -> tuple[Pixels, NDArray[np.bool_], int]:
    """Letters as indices, the pixels that they touch, and the row of their baseline; `_RIM` columns to the left."""
    ascent, descent = metrics(height)
    size, start = (math.ceil(length(text, height)) + 2 * _RIM, ascent + descent + 2 * _RIM), (_RIM, ascent + _RIM)
    masks = []
    for stroke in (0, halo) if halo else (0,):
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).text(start, text, 255, font(height), "ls", stroke_width=stroke)
        masks.append(np.asarray(mask))
    steps = (masks[0] * ((RAMP - 1) / 255)).round().astype(np.uint8)
    return steps + np.uint8(ink * RAMP), masks[-1] > 5, start[1]
