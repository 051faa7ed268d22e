"""Predictions against the truth: where on the diagonal a regression lies, and how far beside it."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from sandbox.errors import RequestError
from sandbox.plots.colours import DASH, Pixels
from sandbox.plots.cost import CURVE, WARNING, curve_palette
from sandbox.plots.page import Axis, Frame, Page, Word, numbers, steps
from sandbox.plots.scene import widened
from sandbox.plots.sheet import Sheet

SHOWN = 500  # more points than these would hide one another
MARGIN = 0.12  # of the true values' range: what is predicted beyond it lies on the edge


def predictions_png(
    true: ArrayLike, predicted: ArrayLike, *, titles: Sequence[str] = (), size: tuple[int, int] = (384, 384)
) -> bytes:
    """Predicted against true values (examples,), finite ones, with the diagonal on which they would be right, as PNG bytes.

    The axes are those of the true values, whatever is predicted, so that pictures of the same examples can be compared: a
    prediction beyond them lies on the edge, in orange. At most 500 examples are shown, always the same ones. Of the `titles`
    the first that fits is written above. `size` is (width, height) in pixels. Raises RequestError where shapes differ.

    >>> predictions_png([0, 1, 2], [0.1, 0.9, 2.2], titles=["R2 0.97"])[:4]
    b'\\x89PNG'
    """
    x, y = np.asarray(true, np.float64), np.asarray(predicted, np.float64)
    if x.shape != y.shape or x.ndim != 1 or not x.size:
        raise RequestError(f"a prediction for each true value is needed, got shapes {y.shape} and {x.shape}")
    page = Page(size)
    low, high = widened(x, MARGIN)
    if len(x) > SHOWN:
        kept = np.sort(np.random.default_rng(0).choice(len(x), SHOWN, replace=False))
        x, y = x[kept], y[kept]
    frame, paper = _paper(page, low, high)
    sheet = Sheet(page, curve_palette(), paper)
    left, top, across, down = frame.box
    beyond = (y < low) | (y > high)
    lines = []
    for chosen, colour, alpha in ((~beyond, CURVE, 0.55), (beyond, WARNING, 1.0)):
        if chosen.any():
            places = frame.places(x[chosen], y[chosen].clip(low, high))
            style = {"marker": "o", "markersize": 0.42 * page.font, "linestyle": "none", "markeredgewidth": 0}
            lines.append(Line2D(*places, color=colour, alpha=alpha, **style))
    rim = round(0.3 * page.font)
    sheet.draw(lines, (left - rim, top - rim, across + 2 * rim, down + 2 * rim))
    if titles:
        room = page.size[0] - left - 0.5 * page.font
        sheet.write(Word(page.fit(titles, room), left, top - 0.35 * page.font, "ld"))
    return curve_palette().png(sheet.indices)


@lru_cache(maxsize=64)
def _paper(page: Page, low: float, high: float) -> tuple[Frame, Pixels]:
    """Axes of these ends, and the diagonal."""
    ticks = steps(low, high)
    labels = numbers(ticks)
    x, y = (Axis((low, high), ticks, labels, name) for name in ("true (test part)", "predicted"))
    frame = Frame(page.margins(labels, labels, True), x, y)
    sheet = Sheet(page, curve_palette())
    sheet.frame(frame)
    ends = frame.places([low, high], [low, high])
    sheet.draw([Line2D(*ends, color=DASH, linewidth=0.1 * page.font)], frame.box)
    return frame, sheet.indices
