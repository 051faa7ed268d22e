"""A network learning: frames with the boundary on the left, and the cost so far on the right, all in one palette."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from sandbox.plots.boundary import Boundary, boundary_of
from sandbox.plots.colours import Pixels
from sandbox.plots.cost import CURVE, Curve, curve_palette, log_ticks, powers
from sandbox.plots.page import Axis, Frame, Page, Word, number, numbers, steps
from sandbox.plots.sheet import Sheet

if TYPE_CHECKING:
    from sandbox.data import Dataset

FIRST = 0.5  # where a logarithmic axis has epoch 0
POINTS = 400  # of a long curve that are drawn


class Animation:
    """The frames of a network that learns, drawn one by one; axes, scale and examples stay where they are.

    `epochs` and `costs` (points,) are the whole curve, whose axis of epochs is logarithmic; `width` is that of a frame in
    pixels, twice its height. `plane` and errors are those of `boundary_figure`.

    >>> from sandbox import Config, train
    >>> from sandbox.nn import Snapshots
    >>> result = train(Config(dataset="circle", hidden=(4,), epochs=100), [Snapshots(spaced(100, 5))])
    >>> film = Animation(result.cost_epochs, result.costs, result.problem.train, width=400)
    >>> outputs = {epoch: net.predict(film.points()) for epoch, net in result.snapshots.items()}
    >>> [(frame.shape, frame.dtype.name) for frame in film.frames(outputs)][-1], list(outputs)
    (((200, 400), 'uint8'), [0, 1, 5, 22, 100])
    """

    def __init__(
        self,
        epochs: ArrayLike,
        costs: ArrayLike,
        train: "Dataset",
        *,
        width: int = 1000,
        label: str = "cost",
        plane: tuple[str, str] | None = None,
    ) -> None:
        self.side = width // 2
        self.boundary: Boundary = boundary_of(train, None, plane)
        self.curve = Curve(epochs, costs, None)
        self.page = Page((self.side, self.side))
        self.frame = self._axes(label)
        paper = Sheet(self.page, curve_palette())
        paper.frame(self.frame)
        self._paper = paper.indices
        self._as_boundary = self.boundary.view.palette.indices(curve_palette().colours)

    @property
    def colours(self) -> Pixels:
        """The palette (256, 3) that frames are indices into."""
        return self.boundary.view.palette.colours

    def points(self) -> NDArray[np.float64]:
        """The raw features (points, features) at which a network is asked."""
        return self.boundary.points()

    def frames(self, outputs: Mapping[int, NDArray[np.floating]]) -> Iterator[Pixels]:
        """A frame (height, width) of palette indices for the outputs (points, outputs) of each epoch."""
        size = (self.side, self.side)
        for epoch, values in outputs.items():
            left = self.boundary.indices(values, f"epoch {epoch}", size, test=False)
            yield np.hstack([left, self._as_boundary[self._cost_until(epoch)]])

    def _cost_until(self, epoch: int) -> Pixels:
        """The curve up to an epoch, with a mark at its end and the cost there."""
        sheet, curve, frame, font = (
            Sheet(self.page, curve_palette(), self._paper),
            self.curve,
            self.frame,
            self.page.font,
        )
        count = int(np.searchsorted(curve.x, epoch, side="right"))
        if count:
            kept = np.unique([0, count - 1, *np.geomspace(1, max(count - 1, 1), POINTS).astype(int)])
            kept = np.arange(count) if count <= POINTS else kept
            x, y = frame.places(_shifted(curve.x[kept]), curve.y[kept])
            style = {"color": CURVE, "linewidth": 0.13 * font, "solid_joinstyle": "round"}
            mark = {"color": CURVE, "linestyle": "none", "marker": "o", "markersize": 0.5 * font}
            left, top, across, down = frame.box
            rim = round(0.5 * font)
            box = (left - rim, top - rim, across + 2 * rim, down + 2 * rim)
            sheet.draw([Line2D(x, y, **style), Line2D(x[-1:], y[-1:], **mark)], box)
            text = f"{frame.y.name} {number(curve.y[count - 1])}"
            sheet.write(Word(text, left + across / 2, 0.25 * font, "ma"))
        return sheet.indices

    def _axes(self, label: str) -> Frame:
        curve, page = self.curve, self.page
        last = max(float(curve.x[-1]) if curve.x.size else 1.0, 1.0)
        tens = 10.0 ** np.arange(0, np.floor(np.log10(last)) + 1)
        x_ticks, x_labels = np.array([FIRST, *tens]), ["0", *powers(tens)]
        y_ticks = log_ticks(*curve.y_limits) if curve.logarithmic else steps(*curve.y_limits)
        y_labels = powers(y_ticks) if curve.logarithmic else numbers(y_ticks)
        return Frame(
            page.margins(x_labels, y_labels, headline=True),
            Axis((0.9 * FIRST, 1.05 * last), x_ticks, x_labels, "epoch", logarithmic=True),
            Axis(curve.y_limits, y_ticks, y_labels, label, curve.logarithmic),
            grid=True,
        )


def _shifted(epochs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(epochs, FIRST)


def spaced(last: int, count: int) -> list[int]:
    """`count` epochs from 0 to `last`, evenly on a log scale as far as whole numbers allow; all, where there are fewer.

    >>> spaced(5000, 6), spaced(3, 60)
    ([0, 1, 8, 68, 583, 5000], [0, 1, 2, 3])
    """
    count = min(count, last + 1)
    epochs = [0, 1 if count > 2 else last][:count]
    while (left := count - len(epochs)) > 0:
        now = epochs[-1]
        epochs.append(max(now + 1, round(now * (last / now) ** (1 / left))))
    return epochs
