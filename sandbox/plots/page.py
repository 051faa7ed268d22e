"""A page: how large a picture and its letters are, and what fits where. Everything is in whole pixels from the top left."""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from PIL import ImageFont

_FONT_FILE = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
_THREAD = threading.local()

Floats = NDArray[np.float64]
Box = tuple[int, int, int, int]  # of axes: left, top, width, height


class Axis(NamedTuple):
    """One of a frame's two axes: its ends, its ticks with their labels, and its name."""

    limits: tuple[float, float]
    ticks: Sequence[float] | Floats
    labels: Sequence[str]
    name: str
    logarithmic: bool = False

    def place(self, values: ArrayLike) -> Floats:
        """Where values lie along the axis, from 0 to 1."""
        low, high = self.limits
        values = np.asarray(values, np.float64)
        if self.logarithmic:
            low, high, values = np.log10(low), np.log10(high), np.log10(values)
        return (values - low) / (high - low)


class Frame(NamedTuple):
    """Axes in their place; with a grid, lines run across at the ticks of y."""

    box: Box
    x: Axis
    y: Axis
    grid: bool = False

    def places(self, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        """Pixels, from the picture's top left, of data."""
        left, top, across, down = self.box
        return left + across * self.x.place(x), top + down * (1 - self.y.place(y))


class Word(NamedTuple):
    """A line of text at a place in pixels from the top left; `anchor` as Pillow has it, `ink` a colour."""

    text: str
    x: float
    y: float
    anchor: str
    scale: float = 1.0
    ink: str = ""
    upwards: bool = False
    halo: bool = False


@dataclass(frozen=True)
class Page:
    """A picture's size (width, height), and its letters, to be read where MLflow's UI shows it at 256 pixels."""

    size: tuple[int, int]

    @property
    def font(self) -> float:
        """The height of the letters in pixels."""
        return max(11.0, 0.04 * max(self.size))

    def place(self, left: float, right: float, top: float, bottom: float) -> Box:
        """The box of axes with these margins."""
        width, height = self.size
        left, right, top, bottom = (round(margin) for margin in (left, right, top, bottom))
        return left, top, max(width - left - right, 8), max(height - top - bottom, 8)

    def names(self, box: Box, x: Sequence[str], y: Sequence[str]) -> tuple[str, str]:
        """Of the wordings for each axis the first that fits along the picture's edge."""
        left, top, across, down = box
        width, height = self.size
        centre, middle = left + across / 2, top + down / 2
        return (
            self.fit(x, 2 * min(centre, width - centre) - self.font, 0.95),
            self.fit(y, 2 * min(middle, height - middle) - self.font, 0.95),
        )

    def margins(self, x: Sequence[str], y: Sequence[str], headline: bool) -> Box:
        """The box of axes with room for their ticks' labels, their names and, above, a headline."""
        widest_x, widest_y = (max((self.width(text, 0.9) for text in labels), default=0.0) for labels in (x, y))
        return self.place(
            left=2.0 * self.font + widest_y,
            right=0.4 * self.font + 0.5 * widest_x,
            top=1.8 * self.font if headline else 0.7 * self.font,
            bottom=3.0 * self.font,
        )

    def width(self, text: str, scale: float = 1.0) -> float:
        """The width of a line of text in pixels."""
        return length(text, scale * self.font)

    def fit(self, wordings: Sequence[str], width: float, scale: float = 1.0) -> str:
        """The first wording that is no wider than `width` pixels, or the last one shortened."""
        for wording in wordings:
            if self.width(wording, scale) <= width:
                return wording
        text = wordings[-1]
        kept = bisect_right(range(1, len(text)), width, key=lambda count: self.width(text[:count] + "…", scale))
        return text[:kept].rstrip() + "…" if kept else ""


@lru_cache(maxsize=2048)
def length(text: str, height: float) -> float:
    """How long a line of text is in pixels."""
    return font(height).getlength(text)


@lru_cache(maxsize=64)
def metrics(height: float) -> tuple[int, int]:
    """How far letters reach above and below their baseline, in pixels."""
    return font(height).getmetrics()


def font(height: float) -> ImageFont.FreeTypeFont:
    """This thread's font of a height in pixels."""
    fonts: dict[int, ImageFont.FreeTypeFont] = _THREAD.__dict__.setdefault("fonts", {})
    height = round(height)
    if height not in fonts:
        fonts[height] = ImageFont.truetype(_FONT_FILE, height, layout_engine=ImageFont.Layout.BASIC)
    return fonts[height]


@lru_cache(maxsize=256)
def steps(low: float, high: float, count: int = 4) -> Floats:
    """At most about `count` round values between low and high."""
    values = np.asarray(_locator(count).tick_values(low, high))
    slack = 1e-9 * (high - low)
    return values[(values >= low - slack) & (values <= high + slack)]


@lru_cache(maxsize=8)
def _locator(count: int) -> MaxNLocator:
    return MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10])


def numbers(values: Sequence[float] | Floats) -> list[str]:
    """Short decimal labels, with as many digits as it takes to tell the values apart."""
    distinct = len(set(map(float, values)))
    labels: list[str] = []
    for digits in range(3, 13):
        labels = [number(value, digits) for value in values]
        if len(set(labels)) == distinct:
            break
    return labels


def number(value: float, digits: int = 3) -> str:
    """A number in as few letters as possible: 0.25, 1500, 2e5, −3e−7."""
    digits = max(digits, 5) if 1000 <= abs(value) < 1e5 else digits
    text = f"{float(value):.{digits}g}"
    if value != 0 and ("e" in text or abs(value) < 1e-3):
        mantissa, exponent = f"{float(value):.{digits - 1}e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "\N{MINUS SIGN}")
