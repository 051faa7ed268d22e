"""A matplotlib figure laid out in whole pixels, kept warm between pictures, and its way into PNG bytes."""

import io
import threading
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

DPI = 72  # one point is one pixel, so that every length below is in pixels
INK = "#222222"
FAMILY = "DejaVu Sans"  # ships with matplotlib
_FONT_FILE = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
_THREAD = threading.local()
Box = tuple[int, int, int, int]  # of axes: left, top, width, height in pixels


class Picture:
    """One figure of `size` (width, height) pixels with one pair of axes and room beside it for a key.

    `font` is the height of the letters in pixels: large enough to be read where the MLflow UI shows the
    picture at 256 pixels. Whatever is drawn on a picture goes with `clear`; ticks, limits, labels and place
    are always set anew.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.font = max(11.0, 0.04 * max(size))
        self.figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes: Axes = self.figure.add_axes((0.1, 0.1, 0.8, 0.8))
        self.axes.tick_params(
            labelsize=0.9 * self.font,
            labelfontfamily=FAMILY,
            length=0.25 * self.font,
            width=1,
            pad=0.2 * self.font,
        )
        self.axes.tick_params(which="minor", length=0)
        self.key: Axes = self.figure.add_axes((0.9, 0.1, 0.1, 0.8))
        self.key.set_axis_off()
        self.key.set_visible(False)
        for spine in self.axes.spines.values():
            spine.set(linewidth=1, color="#555555")

    def clear(self) -> None:
        """Remove what the previous picture drew."""
        for axes in (self.axes, self.key):
            for artist in (*axes.lines, *axes.images, *axes.texts, *axes.patches):
                artist.remove()
        self.key.set_visible(False)

    def place(self, left: float, right: float, top: float, bottom: float) -> Box:
        """Give the axes these margins; returns their box as (left, top, width, height) in pixels."""
        width, height = self.size
        left, right, top, bottom = (round(margin) for margin in (left, right, top, bottom))
        box = left, top, max(width - left - right, 8), max(height - top - bottom, 8)
        self.place_box(box)
        return box

    def place_box(self, box: Box) -> None:
        """Give the axes this box."""
        left, top, across, down = box
        width, height = self.size
        self.axes.set_position((left / width, (height - top - down) / height, across / width, down / height))

    def place_key(self, box: Box, gap: float, width: float) -> None:
        """Show the key, `width` pixels wide, beside the axes' box; its coordinates run from 0 to 1."""
        left, top, across, down = box
        bottom = self.size[1] - top - down
        edge = round(left + across + gap)
        self.key.set_position(
            (edge / self.size[0], bottom / self.size[1], round(width) / self.size[0], down / self.size[1])
        )
        self.key.set(xlim=(0, 1), ylim=(0, 1), visible=True)

    def label(self, box: Box, x: Sequence[str], y: Sequence[str]) -> None:
        """Name the axes: of each the first wording that fits, along the picture's edges."""
        left, top, across, down = box
        width, height = self.size
        margin = 0.15 * self.font
        centre, middle = left + across / 2, height - top - down / 2
        style = {"fontsize": 0.95 * self.font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
        x_text = self.fit(x, 2 * min(centre, width - centre) - self.font, 0.95)
        y_text = self.fit(y, 2 * min(middle, height - middle) - self.font, 0.95)
        self.axes.set_xlabel(x_text, va="bottom", **style)
        self.axes.xaxis.set_label_coords(centre / width, margin / height, transform=self.figure.transFigure)
        self.axes.set_ylabel(y_text, va="top", **style)
        self.axes.yaxis.set_label_coords(margin / width, middle / height, transform=self.figure.transFigure)

    def ticks(self, axis: str, values: NDArray[np.float64], labels: Sequence[str]) -> None:
        """Set the ticks of axis "x" or "y"."""
        target = self.axes.xaxis if axis == "x" else self.axes.yaxis
        target.set_ticks(list(values), labels=list(labels))
        target.set_ticks([], minor=True)

    def frame(
        self,
        x: tuple[NDArray[np.float64], Sequence[str]],
        y: tuple[NDArray[np.float64], Sequence[str]],
        names: tuple[str, str],
        headline: bool,
    ) -> Box:
        """Ticks with their labels, a grid across, the axes' names and, above, room for a headline; the axes' box."""
        self.ticks("x", *x)
        self.ticks("y", *y)
        self.axes.grid(True, axis="y", color="#dddddd", linewidth=1)
        self.axes.set_axisbelow(True)
        widest_x, widest_y = (max((self.width(text, 0.9) for text in labels), default=0.0) for _, labels in (x, y))
        box = self.place(
            left=2.0 * self.font + widest_y,
            right=0.4 * self.font + 0.5 * widest_x,
            top=1.8 * self.font if headline else 0.7 * self.font,
            bottom=3.0 * self.font,
        )
        self.label(box, [names[0]], [names[1]])
        return box

    def width(self, text: str, scale: float = 1.0) -> float:
        """The width of a line of text in pixels."""
        return letters(scale * self.font).getlength(text)

    def fit(self, wordings: Sequence[str], width: float, scale: float = 1.0) -> str:
        """The first wording that is no wider than `width` pixels, or the last one shortened."""
        for wording in wordings:
            if self.width(wording, scale) <= width:
                return wording
        text = wordings[-1]
        while text and self.width(text + "…", scale) > width:
            text = text[:-1]
        return text.rstrip() + "…" if text else ""

    def pixels(self) -> Image.Image:
        """Draw the figure: an RGBA image."""
        self.canvas.draw()
        return self.drawn()

    def drawn(self) -> Image.Image:
        """What has been drawn so far: an RGBA image."""
        return Image.fromarray(np.asarray(self.canvas.buffer_rgba()))


def warm(kind: str, size: tuple[int, int]) -> Picture:
    """This thread's picture of a kind and size, cleared for the next use."""
    pictures: dict[tuple[str, int, int], Picture] = _THREAD.__dict__.setdefault("pictures", {})
    key = (kind, int(size[0]), int(size[1]))
    if key not in pictures:
        pictures[key] = Picture(key[1:])
    pictures[key].clear()
    return pictures[key]


def letters(height: float) -> ImageFont.FreeTypeFont:
    """This thread's font of a height in pixels."""
    fonts: dict[int, ImageFont.FreeTypeFont] = _THREAD.__dict__.setdefault("fonts", {})
    height = round(height)
    if height not in fonts:
        fonts[height] = ImageFont.truetype(_FONT_FILE, height, layout_engine=ImageFont.Layout.BASIC)
    return fonts[height]


def write(image: Image.Image, text: str, centre: float, top: float, height: float) -> None:
    """Write one centred line of text on an image, its letters `height` pixels high."""
    ImageDraw.Draw(image).text((centre, top), text, fill=INK, font=letters(height), anchor="ma")


def encode(image: Image.Image) -> bytes:
    """An RGB image as PNG bytes.

    A palette of 256 colours looks the same, and takes a third of the bytes and half the time.
    """
    palette = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def steps(low: float, high: float, count: int = 4) -> NDArray[np.float64]:
    """At most about `count` round values between low and high."""
    values = np.asarray(MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
    slack = 1e-9 * (high - low)
    return values[(values >= low - slack) & (values <= high + slack)]


def numbers(values: Sequence[float] | NDArray[np.float64]) -> list[str]:
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
