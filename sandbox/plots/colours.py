"""The colours of the pictures: of classes, of examples and of shades, apart even for the colour-blind."""

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

INK, SPINE, GRID_LINE, DASH = "#222222", "#555555", "#dddddd", "#999999"
# Okabe and Ito's seven colours, then three of Tol's muted ones
CLASS_COLOURS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"),
    *("#882255", "#888888", "#332288"),
)
BINARY_COLOURS = ("#0B4F8A", "#A84300")  # of the examples: darker than the shades they lie on
UNKNOWN = "#AAAAAA"  # where the output is not a number


def class_colour(k: int) -> str:
    """The colour of class k; an eleventh class shares that of the first."""
    return CLASS_COLOURS[k % len(CLASS_COLOURS)]


def rgb(colour: str) -> NDArray[np.float32]:
    """The three components, from 0 to 255, of "#RRGGBB"."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float32)


def edge(colour: str) -> str:
    """White around dark marks, dark around light ones."""
    return "#FFFFFF" if rgb(colour) @ (0.299, 0.587, 0.114) < 140 else INK


def ramp(colours: list[str], count: int) -> Pixels:
    """`count` colours evenly spaced along a chain of colours."""
    chain = np.array([rgb(colour) for colour in colours])
    places = np.linspace(0, len(colours) - 1, count)
    return np.column_stack([np.interp(places, range(len(colours)), part) for part in chain.T]).round().astype(np.uint8)


def class_shades(k: int, count: int) -> Pixels:
    """From unsure to sure of class k; never as strong as the examples."""
    return ramp(["#FFFFFF", class_colour(k)], 101)[np.linspace(18, 78, count).astype(int)]


# few enough shades to keep the files small, enough to look smooth; the middle is not quite the paper's white
PROBABILITY_SHADES = ramp(["#3F8BC4", "#A3C9E4", "#EDECEA", "#F6C08A", "#E5852A"], 41)
VALUE_SHADES = (np.asarray(colormaps["cividis"](np.linspace(0.0, 1.0, 41)))[:, :3] * 255).round().astype(np.uint8)
