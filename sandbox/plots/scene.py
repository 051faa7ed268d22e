"""What the pictures of one data set share, whatever the network says: axes, scale, key and examples."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sandbox.errors import RequestError
from sandbox.plots import shading
from sandbox.plots.examples import draw_examples, mark
from sandbox.plots.picture import FAMILY, INK, Picture, number, numbers, steps
from sandbox.plots.plane import Floats, plane_of

if TYPE_CHECKING:
    from sandbox.data import Dataset

Predict = Callable[[Floats], NDArray[np.floating]]

GRID = 100  # points a side at which the network is asked
TASKS = ("binary", "multiclass", "regression")


class Scene:
    """Axes, key and examples drawn on a picture, and how to shade the box between the axes.

    box: (left, top, width, height) of the axes in pixels. x_limits, y_limits: of the axes. values: the lowest
    and the highest value of a regression's colours.
    """

    def __init__(
        self,
        picture: Picture,
        dataset: "Dataset",
        test: "Dataset | None" = None,
        plane: tuple[str, str] | None = None,
        *,
        titled: bool,
    ) -> None:
        if dataset.task not in TASKS:
            raise RequestError(f"unknown task {dataset.task!r}. Valid: {', '.join(TASKS)}")
        self.picture = picture
        self.task: str = dataset.task
        self.plane = plane_of(dataset, plane)
        self.flat = len(self.plane.wordings) == 2  # a plane, not a curve
        self.names = _class_names(dataset)
        self.values = widened(dataset.Y[:, 0], 0.0)

        places = self.plane.project(dataset.X)
        rest = None if test is None else (self.plane.project(test.X), test.Y)
        everything = places if rest is None else np.concatenate([places, rest[0]])
        margin = 0.25 if len(everything) <= 10 else 0.08
        self.x_limits = widened(everything[:, 0], margin)
        if self.flat:
            self.y_limits = widened(everything[:, 1], margin)
        else:
            self.y_limits = widened(dataset.Y[:, 0], 0.12) if self.task == "regression" else (-0.12, 1.12)

        self.box = self._draw_axes(titled)
        self._draw_key()
        for marks, faint in ((rest, True), ((places, dataset.Y), False)):
            if marks is not None:
                draw_examples(picture.axes, *marks, self.task, self.values, picture.font, faint=faint)

    def shade(self, predict: Predict, scale: int = 1) -> shading.Pixels:
        """A network's outputs as colours of the box, `scale` pixels for one of the picture's."""
        _, _, across, down = self.box
        shape = (scale * down, scale * across)
        line = scale * 0.13 * self.picture.font
        if not self.flat:
            outputs = self._ask(predict, _centres(self.x_limits, 4 * GRID)[:, None])
            count = outputs.shape[1]
            colours = [shading.class_colour(k) for k in range(count)] if self.task == "multiclass" else [INK]
            return shading.shade_curves(outputs, shape, 1.2 * line, self.y_limits, colours)
        x, y = np.meshgrid(_centres(self.x_limits, GRID), _centres(self.y_limits, GRID)[::-1])
        outputs = self._ask(predict, np.column_stack([x.ravel(), y.ravel()])).reshape(GRID, GRID, -1)
        if self.task == "multiclass":
            return shading.shade_classes(outputs, shape, line)
        if self.task == "binary":
            return shading.shade_probability(outputs[..., 0], shape, line)
        contours = steps(*self.values, count=8)
        step = float(contours[1] - contours[0]) if len(contours) > 1 else 1.0
        return shading.shade_values(outputs[..., 0], shape, 0.6 * line, self.values, step)

    def _ask(self, predict: Predict, coordinates: Floats) -> Floats:
        return np.asarray(predict(self.plane.points(coordinates)), np.float64).reshape(len(coordinates), -1)

    def _draw_axes(self, titled: bool) -> tuple[int, int, int, int]:
        picture, font = self.picture, self.picture.font
        picture.axes.set(xlim=self.x_limits, ylim=self.y_limits)
        probability = not self.flat and self.task != "regression"
        x_ticks = steps(*self.x_limits)
        y_ticks = np.array([0, 0.5, 1]) if probability else steps(*self.y_limits)
        x_labels, y_labels = numbers(x_ticks), numbers(y_ticks)
        picture.ticks("x", x_ticks, x_labels)
        picture.ticks("y", y_ticks, y_labels)
        if self.task == "multiclass":
            right = 1.7 * font + max(picture.width(name, 0.85) for name in self._key_names())
        else:
            right = 2.4 * font if self.flat else 0.8 * font
        box = picture.place(
            left=1.9 * font + max((picture.width(text, 0.9) for text in y_labels), default=0.0),
            right=right,
            top=1.75 * font if titled else 0.6 * font,
            bottom=2.9 * font,
        )
        wordings = self.plane.wordings
        picture.label(box, wordings[0], wordings[1] if self.flat else self._output_wordings())
        if probability:
            picture.axes.axhline(0.5, color="#999999", linewidth=1, linestyle=(0, (3, 3)), zorder=1)
        return box

    def _draw_key(self) -> None:
        if self.task == "multiclass":
            self._draw_classes()
        elif self.flat:
            self._draw_bar()

    def _draw_classes(self) -> None:
        """The classes' marks and names, one under the other."""
        picture, font, names = self.picture, self.picture.font, self._key_names()
        picture.place_key(self.box, 0.3 * font, font)
        pitch = min(1.5 * font / self.box[3], 1.0 / len(names))
        style = {"fontsize": 0.85 * font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
        for k, name in enumerate(names):
            y = 1 - (k + 0.5) * pitch
            mark(picture.key, [0.45], [y], k, shading.class_colour(k), 0.62 * font)
            picture.key.text(1.05, y, name, ha="left", va="center_baseline", **style)

    def _draw_bar(self) -> None:
        """A bar of the shades, with what they mean written along it."""
        picture, font, key = self.picture, self.picture.font, self.picture.key
        picture.place_key(self.box, 0.35 * font, 0.6 * font)
        binary = self.task == "binary"
        shades = shading.PROBABILITY_SHADES if binary else shading.VALUE_SHADES
        key.imshow(shades[::-1, None], extent=(0, 1, 0, 1), aspect="auto", interpolation="nearest")
        key.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="#555555", linewidth=1, clip_on=False))
        if binary:
            inset = 0.5 * font / self.box[3]
            for k, y in enumerate((inset, 1 - inset)):
                mark(key, [0.5], [y], k, shading.BINARY_COLOURS[k], 0.5 * font)
        low, high = ("0", "1") if binary else (number(value, 2) for value in self.values)
        room = self.box[3] - picture.width(low, 0.85) - picture.width(high, 0.85) - 1.2 * font
        meaning = picture.fit(self._output_wordings(), room, 0.85)
        style = {"fontsize": 0.85 * font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
        for text, y, align in ((low, 0.0, "bottom"), (meaning, 0.5, "center"), (high, 1.0, "top")):
            key.text(1.35, y, text, rotation=90, ha="left", va=align, **style)

    def _key_names(self) -> list[str]:
        """The classes' names, short enough for the key."""
        return [self.picture.fit([name], 5 * self.picture.font, 0.85) for name in self.names]

    def _output_wordings(self) -> tuple[str, ...]:
        """What the network's output is called, the most telling wording first."""
        if self.task == "binary":
            return (f"probability of {self.names[1]}", f"P({self.names[1]})")
        return ("probability",) if self.task == "multiclass" else ("prediction",)


def widened(values: Floats, margin: float) -> tuple[float, float]:
    """The range of values with a margin relative to it; never empty."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        return low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    return low - margin * (high - low), high + margin * (high - low)


def _class_names(dataset: "Dataset") -> list[str]:
    if dataset.task == "regression":
        return []
    names = [str(name) for name in dataset.class_names or ()]
    return [names[k] if k < len(names) else str(k) for k in range(max(2, dataset.Y.shape[1]))]


def _centres(limits: tuple[float, float], count: int) -> Floats:
    """The centres of `count` equal cells between two limits."""
    low, high = limits
    return low + (np.arange(count) + 0.5) * (high - low) / count
