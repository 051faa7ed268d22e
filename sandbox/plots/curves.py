"""Several curves over the epochs in one picture: the path of a weight, the costs of several runs."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sandbox.errors import RequestError
from sandbox.plots.colours import INK, class_colour
from sandbox.plots.figure import Figure
from sandbox.plots.page import Axis, Frame, Page, numbers, steps
from sandbox.plots.picture import FAMILY, Picture, encode

DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
DOTTED = 20  # a curve of no more points than this has a dot at each
_LARGEST = 1e300  # beyond this, axes overflow

Floats = NDArray[np.float64]
Series = Mapping[str, tuple[ArrayLike, ArrayLike]]


def curves_figure(
    series: Series,
    *,
    title: str = "",
    x_label: str = "epoch",
    y_label: str = "",
    y_linear: float | None = None,
    y_limits: tuple[float, float] | None = None,
) -> Figure:
    """Curves by name, each (x, y) of shape (points,), as a figure of its own; points that are not finite are left out.

    Beyond `y_linear` on either side of 0 the y axis is logarithmic (None: it is linear). A curve that leaves `y_limits`
    ends there, with an arrow. Raises RequestError where x and y differ in shape.

    >>> figure = curves_figure({"rate 0.1": ([0, 1, 2], [0, 2, 3]), "rate 1": ([0, 1, 2], [0, 9, -9])}, y_label="w")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['rate 0.1', 'rate 1']
    """
    return _draw(series, (480, 320), title, (x_label, y_label), y_linear, y_limits).figure


def curves_png(
    series: Series,
    *,
    title: str = "",
    x_label: str = "epoch",
    y_label: str = "",
    y_linear: float | None = None,
    y_limits: tuple[float, float] | None = None,
    size: tuple[int, int] = (480, 320),
) -> bytes:
    """The picture of `curves_figure` as PNG bytes, `size` (width, height) in pixels.

    >>> curves_png({"w": ([0, 1, 2], [0.0, 2.0, 2.9])}, title="a path", size=(320, 240))[:4]
    b'\\x89PNG'
    """
    picture = _draw(series, size, title, (x_label, y_label), y_linear, y_limits)
    return encode(picture.pixels().convert("RGB"))


def _draw(
    series: Series,
    size: tuple[int, int],
    title: str,
    labels: tuple[str, str],
    y_linear: float | None,
    y_limits: tuple[float, float] | None,
) -> Picture:
    curves = {name: _finite(name, *xy) for name, xy in series.items()}
    page = Page(size)
    picture = Picture(page)
    axes, font = picture.axes, page.font
    x_range = _limits([x for x, _ in curves.values()], 0.02)
    y_range = y_limits or _limits([y for _, y in curves.values()], 0.06, y_linear)
    if y_linear is not None:
        axes.set_yscale("symlog", linthresh=y_linear)
    x_ticks, y_ticks = steps(*x_range), steps(*y_range) if y_linear is None else _powers(*y_range, y_linear)
    x_ticks = x_ticks[x_ticks == np.round(x_ticks)]  # epochs
    x, y = Axis(x_range, x_ticks, numbers(x_ticks), labels[0]), Axis(y_range, y_ticks, numbers(y_ticks), labels[1])
    box = page.margins(x.labels, y.labels, headline=bool(title))
    picture.show(Frame(box, x, y, grid=True))
    style = {"fontsize": font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
    shown = page.fit([title], box[2])
    axes.text(0, 1 + 0.35 * font / box[3], shown, transform=axes.transAxes, va="bottom", **style)
    for k, (name, (x, y)) in enumerate(curves.items()):
        inside = (y >= y_range[0]) & (y <= y_range[1])
        end = len(y) if inside.all() else int(inside.argmin()) + 1
        style = {"color": class_colour(k), "linewidth": 0.13 * font, "linestyle": DASHES[k % len(DASHES)]}
        dots = {"marker": "o", "markersize": 0.35 * font} if end <= DOTTED else {}
        axes.plot(x[:end], y[:end], label=name, **style, **dots)
        if end and not inside[end - 1]:
            _arrow(picture, x[:end], y[:end], class_colour(k))
    if len(curves) > 1:
        axes.legend(prop={"family": FAMILY, "size": 0.9 * font}, handlelength=2.2, edgecolor="#bbbbbb", framealpha=0.9)
    return picture


def _arrow(picture: Picture, x: Floats, y: Floats, colour: str) -> None:
    """An arrowhead where the last stretch of a curve, as it is drawn, leaves by the upper or lower edge."""
    axes, up = picture.axes, y[-1] > np.mean(picture.axes.get_ylim())
    size, height = 0.7 * picture.page.font, axes.get_position().height * picture.page.size[1]
    edge = 1 - 0.5 * size / height if up else 0.5 * size / height
    spots = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([x, y])[-2:]))
    across = np.interp(edge, *(spots if up else spots[::-1]).T[::-1])
    style = {"marker": "^" if up else "v", "markersize": size, "color": colour, "linestyle": "none"}
    axes.plot(across, edge, transform=axes.transAxes, **style)


def _finite(name: str, x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise RequestError(f"curve {name!r} needs one y for each x, got shapes {x.shape} and {y.shape}")
    keep = np.isfinite(x) & np.isfinite(y)
    return x[keep], np.clip(y[keep], -_LARGEST, _LARGEST)


def _limits(parts: list[Floats], margin: float, linear: float | None = None) -> tuple[float, float]:
    """From the lowest to the highest value and a margin; where the axis is logarithmic beyond `linear`, half a decade."""
    values = np.concatenate([*parts, np.empty(0)])
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if linear is not None:
        return 3 * min(low, 0.0) - linear, 3 * max(high, 0.0) + linear
    if high == low:
        return low - abs(low or 1.0), high + abs(high or 1.0)
    return low - margin * (high - low), high + margin * (high - low)


def _powers(low: float, high: float, linear: float) -> Floats:
    """0, and up to four values on each side, powers of ten apart; `linear` itself only where there is room."""
    decades = np.log10(max(abs(low), abs(high), linear) / linear)
    stride = max(1, int(np.ceil(decades / 4)))
    powers = linear * 10.0 ** np.arange(stride - 1, decades + 1e-9, stride)
    values = np.concatenate([-powers[::-1], [0.0], powers])
    return values[(values >= low) & (values <= high)]
