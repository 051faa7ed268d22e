"""A palette of 256 colours for one kind of picture, chosen before anything is drawn, so that no picture is quantized.

A picture is an array of indices into it from the start. Where something covers a pixel in part, the mixture's index is
looked up in a table of the nearest colours.
"""

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sandbox.plots import colours
from sandbox.plots.colours import Pixels, ramp, rgb

RAMP = 24  # steps from the paper's white to a colour of letters
_WEIGHTS = (0.2, 0.4, 0.6, 0.8)  # of a mixture
_WHITE = np.full((1, 3), 255, np.uint8)


class Palette:
    """Ramps from white to each colour of `inks`, then `shades`, then mixtures of those with `inks` and `marks`.

    Index 0 is white; ramp k ends at `ink(k)`, the first shade is at `first`. `colours` is (256, 3) uint8.
    """

    def __init__(self, inks: Sequence[str], shades: Pixels, marks: Sequence[str] = ()) -> None:
        self.inks = tuple(inks)
        self.first = RAMP * len(inks)
        self.shades = len(shades)
        self.scale = np.arange(self.first, self.first + len(shades))
        ramps = [ramp(["#FFFFFF", ink], RAMP) for ink in inks]
        plain = np.concatenate([*ramps, shades, *(ramp([mark], 1) for mark in marks)])
        self.colours = np.concatenate([plain, _mixtures(plain, shades, (*inks, *marks), 256 - len(plain))])
        self._under = self.colours.astype(np.float32)
        self._nearest = _nearest(self.colours)
        self._chunk = _chunk(b"PLTE", self.colours.tobytes())

    def ink(self, number: int = 0) -> int:
        """The index of a colour of letters."""
        return RAMP * (number + 1) - 1

    def nearest(self, colour: str) -> int:
        """The index of the colour most like "#RRGGBB"."""
        return int(self.indices(rgb(colour)[None])[0])

    def indices(self, colours: NDArray[np.floating] | Pixels) -> Pixels:
        """The indices (count,) of the colours most like these (count, 3)."""
        steps = colours.astype(np.uint16) >> 3
        return self._nearest.take((steps[:, 0] << 10) | (steps[:, 1] << 5) | steps[:, 2])

    def blend(self, flat: Pixels, where: NDArray[np.intp], over: NDArray[np.float32], weight: NDArray) -> None:
        """Cover flat pixels `where` (count,) by colours `over` (count, 3) or (3,), `weight` (count, 1) of each."""
        mixed = self._under.take(flat.take(where), axis=0)
        mixed += weight * (over - mixed)
        flat[where] = self.indices(mixed)

    def png(self, indices: Pixels) -> bytes:
        """A picture (height, width) of indices as PNG bytes."""
        height, width = indices.shape
        rows = np.zeros((height, width + 1), np.uint8)  # a row starts with its filter: none
        rows[:, 1:] = indices
        packer = zlib.compressobj(2, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL)
        body = packer.compress(rows.data) + packer.flush()
        header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
        parts = (_chunk(b"IHDR", header), self._chunk, _chunk(b"IDAT", body), _chunk(b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@lru_cache(maxsize=32)
def palette_of(task: str, classes: int, flat: bool) -> Palette:
    """The palette of a boundary's pictures: of a plane where `flat`, else of curves."""
    if task != "multiclass":
        shades = colours.PROBABILITY_SHADES if task == "binary" else colours.VALUE_SHADES
        return Palette([colours.INK], shades if flat else _WHITE, colours.BINARY_COLOURS)
    distinct = min(classes, len(colours.CLASS_COLOURS))
    parts = [colours.class_shades(k, min(21, 120 // distinct)) for k in range(distinct)]
    marks = [colours.class_colour(k) for k in range(distinct)]
    return Palette([colours.INK], np.concatenate(parts) if flat else _WHITE, marks)


def _mixtures(plain: Pixels, shades: Pixels, over: Sequence[str], count: int) -> Pixels:
    """The `count` colours that stand best for marks and lines that cover shades in part."""
    bases = np.concatenate([shades[:: max(1, len(shades) // 60)], plain[:1], *(rgb(colour)[None] for colour in over)])
    tops = np.array([rgb(colour) for colour in (*over, "#FFFFFF")])
    weights = np.array(_WEIGHTS)[:, None, None, None]
    mixed = bases[None, :, None] + weights * (tops[None, None] - bases[None, :, None])
    image = Image.fromarray(mixed.reshape(1, -1, 3).round().astype(np.uint8))
    chosen = image.quantize(count, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).getpalette() or []
    found = np.array(chosen, np.uint8).reshape(-1, 3)[:count]
    return np.concatenate([found, np.zeros((count - len(found), 3), np.uint8)])


def _nearest(colours: Pixels) -> Pixels:
    """The index of the nearest of 256 colours for each of 32 x 32 x 32, red first."""
    steps = np.arange(32, dtype=np.float32) * 8 + 4
    steps[-1] = 255  # white is white
    squares = [np.square(steps[:, None] - part) for part in colours.T.astype(np.float32)]
    blue = squares[1][:, None] + squares[2]
    return np.concatenate([(red + blue).argmin(-1).ravel() for red in squares[0]]).astype(np.uint8)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
