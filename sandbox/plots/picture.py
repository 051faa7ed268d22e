"""A matplotlib figure laid out in whole pixels, and its way into PNG bytes."""

import io
from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import withStroke
from PIL import Image

from sandbox.plots.colours import GRID_LINE, INK, SPINE
from sandbox.plots.figure import Figure
from sandbox.plots.page import Frame, Page, Word
from sandbox.plots.sheet import DPI

FAMILY = "DejaVu Sans"  # ships with matplotlib
_ACROSS = {"l": "left", "m": "center", "r": "right"}
_DOWN = {"a": "top", "t": "top", "m": "center_baseline", "s": "baseline", "b": "bottom", "d": "bottom"}
# written upwards, the letters' top is on the left
_ACROSS_UPWARDS = {"l": "bottom", "m": "center", "r": "top"}
_DOWN_UPWARDS = {"a": "left", "m": "center", "d": "right"}


class Picture:
    """A page as a figure with one pair of axes."""

    def __init__(self, page: Page) -> None:
        self.page = page
        width, height = page.size
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.figure)
        self.axes: Axes = self.figure.add_axes((0.1, 0.1, 0.8, 0.8))
        style = {"labelsize": 0.9 * page.font, "labelfontfamily": FAMILY, "width": 1}
        self.axes.tick_params(length=0.25 * page.font, pad=0.2 * page.font, **style)
        self.axes.tick_params(which="minor", length=0)
        for spine in self.axes.spines.values():
            spine.set(linewidth=1, color=SPINE)

    def show(self, frame: Frame) -> None:
        """Give the axes their place, limits, ticks and names."""
        font, (width, height) = self.page.font, self.page.size
        left, top, across, down = frame.box
        axes = self.axes
        axes.set_position((left / width, (height - top - down) / height, across / width, down / height))
        if frame.y.logarithmic:
            axes.set_yscale("log")
        axes.set(xlim=frame.x.limits, ylim=frame.y.limits)
        for axis, shown in ((axes.xaxis, frame.x), (axes.yaxis, frame.y)):
            axis.set_ticks(list(shown.ticks), labels=list(shown.labels))
            axis.set_ticks([], minor=True)
        if frame.grid:
            axes.grid(True, axis="y", color=GRID_LINE, linewidth=1)
        axes.set_axisbelow(True)
        style = {"fontsize": 0.95 * font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
        margin, centre, middle = 0.15 * font, left + across / 2, height - top - down / 2
        axes.set_xlabel(frame.x.name, va="bottom", **style)
        axes.xaxis.set_label_coords(centre / width, margin / height, transform=self.figure.transFigure)
        axes.set_ylabel(frame.y.name, va="top", **style)
        axes.yaxis.set_label_coords(margin / width, middle / height, transform=self.figure.transFigure)

    def write(self, words: Iterable[Word]) -> None:
        """Words at their places."""
        width, height = self.page.size
        for word in words:
            text = self.axes.text(
                word.x / width,
                1 - word.y / height,
                word.text,
                transform=self.figure.transFigure,
                ha=_ACROSS[word.anchor[0]],
                va=_DOWN[word.anchor[1]],
                fontsize=word.scale * self.page.font,
                fontfamily=FAMILY,
                color=word.ink or INK,
                parse_math=False,
            )
            if word.upwards:
                text.set(rotation=90, ha=_DOWN_UPWARDS[word.anchor[1]], va=_ACROSS_UPWARDS[word.anchor[0]])
            if word.halo:
                text.set_path_effects([withStroke(linewidth=0.2 * self.page.font, foreground="white")])

    def pixels(self) -> Image.Image:
        """Draw the figure: an RGBA image."""
        self.canvas.draw()
        return Image.fromarray(np.asarray(self.canvas.buffer_rgba()))


def encode(image: Image.Image) -> bytes:
    """An RGB image as PNG bytes.

    A palette of 256 colours looks the same, and takes a third of the bytes and half the time.
    """
    palette = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
