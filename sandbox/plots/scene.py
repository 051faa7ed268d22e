"""What the pictures of one data set share, whatever the network says: plane, limits, axes, key and examples."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sandbox.errors import RequestError
from sandbox.plots import colours, shading
from sandbox.plots.colours import Pixels
from sandbox.plots.examples import Marks, marks_of
from sandbox.plots.page import Axis, Box, Floats, Frame, Page, Word, number, numbers, steps
from sandbox.plots.palette import palette_of
from sandbox.plots.plane import plane_of

if TYPE_CHECKING:
    from sandbox.data import Dataset

Predict = Callable[[Floats], NDArray[np.floating]]

GRID = 80  # points a side at which the network is asked
TASKS = ("binary", "multiclass", "regression")


class View:
    """The part of a data set's plane that all of its pictures show, and what a network says there.

    x_limits, y_limits: of the axes. values: the lowest and the highest value of a regression's colours.
    """

    def __init__(self, dataset: "Dataset", test: "Dataset | None", plane: tuple[str, str] | None) -> None:
        if dataset.task not in TASKS:
            raise RequestError(f"unknown task {dataset.task!r}. Valid: {', '.join(TASKS)}")
        self.task: str = dataset.task
        self.plane = plane_of(dataset, plane)
        self.flat = len(self.plane.wordings) == 2  # a plane, not a curve
        self.names = _class_names(dataset)
        self.values = widened(dataset.Y[:, 0], 0.0)
        self.palette = palette_of(self.task, len(self.names), self.flat)
        self.train = self.plane.project(dataset.X), dataset.Y
        self.test = None if test is None else (self.plane.project(test.X), test.Y)
        everything = self.train[0] if self.test is None else np.concatenate([self.train[0], self.test[0]])
        margin = 0.25 if len(everything) <= 10 else 0.08
        self.x_limits = widened(everything[:, 0], margin)
        if self.flat:
            self.y_limits = widened(everything[:, 1], margin)
        else:
            self.y_limits = widened(dataset.Y[:, 0], 0.12) if self.task == "regression" else (-0.12, 1.12)

    def points(self) -> Floats:
        """The raw features (points, features) at which to ask a network."""
        if not self.flat:
            return self.plane.points(_centres(self.x_limits, 5 * GRID)[:, None])
        across, down = np.zeros((2, GRID, 2))
        across[:, 0], down[:, 1] = _centres(self.x_limits, GRID), _centres(self.y_limits, GRID)[::-1]
        grid = self.plane.points(down)[:, None] + (self.plane.points(across) - self.plane.origin)
        return grid.reshape(GRID * GRID, -1)

    def shade(self, outputs: NDArray[np.floating], shape: tuple[int, int], line: float) -> Pixels:
        """The outputs at `points` as palette indices (height, width) with lines of `line` pixels."""
        if not self.flat:
            outputs = np.asarray(outputs, np.float64).reshape(5 * GRID, -1)
            count = outputs.shape[1]
            inks = [colours.class_colour(k) for k in range(count)] if self.task == "multiclass" else [colours.INK]
            return shading.shade_curves(outputs, shape, 1.2 * line, self.y_limits, inks, self.palette)
        outputs = np.asarray(outputs).reshape(GRID, GRID, -1)
        if self.task == "multiclass":
            return shading.shade_classes(outputs, shape, line, self.palette)
        if self.task == "binary":
            return shading.shade_probability(outputs[..., 0], shape, line, self.palette)
        contours = steps(*self.values, count=8)
        step = float(contours[1] - contours[0]) if len(contours) > 1 else 1.0
        return shading.shade_values(outputs[..., 0], shape, 0.6 * line, self.values, step, self.palette)


class Scene:
    """A view laid out on a page: its frame, its key and its examples.

    `bar` is the box of the shades' key, None where classes are named instead; `key` are the marks in it, in pixels of
    the page, and `words` what is written there.
    """

    def __init__(self, page: Page, view: View, *, titled: bool) -> None:
        self.page, self.view = page, view
        self.line = 0.13 * page.font
        self.frame = self._frame(titled)
        self.bar: Box | None = None
        self.key: list[Marks] = []
        self.words: list[Word] = []
        if view.task == "multiclass":
            self._name_classes()
        elif view.flat:
            self._explain_shades()

    @property
    def dashed(self) -> bool:
        """Whether a line at one half helps to read curves of probabilities."""
        return not self.view.flat and self.view.task != "regression"

    def examples(self, part: tuple[Floats, Floats] | None, *, faint: bool) -> list[Marks]:
        """The marks of the view's train or test part, in its coordinates."""
        if part is None:
            return []
        return marks_of(*part, self.view.task, self.view.values, self.page.font, faint=faint)

    def title(self, text: str) -> Word:
        """A title as far as it fits, above the axes' middle."""
        left, _, across, _ = self.frame.box
        centre = left + across / 2
        room = 2 * min(centre, self.page.size[0] - centre) - 0.5 * self.page.font
        return Word(self.page.fit([text], room), centre, 0.25 * self.page.font, "ma")

    def _frame(self, titled: bool) -> Frame:
        page, font, view = self.page, self.page.font, self.view
        x_ticks = steps(*view.x_limits)
        y_ticks = np.array([0, 0.5, 1]) if self.dashed else steps(*view.y_limits)
        x_labels, y_labels = numbers(x_ticks), numbers(y_ticks)
        if view.task == "multiclass":
            right = 1.7 * font + max(page.width(name, 0.85) for name in self._key_names())
        else:
            right = 2.4 * font if view.flat else 0.8 * font
        box = page.place(
            left=1.9 * font + max((page.width(text, 0.9) for text in y_labels), default=0.0),
            right=right,
            top=1.75 * font if titled else 0.6 * font,
            bottom=2.9 * font,
        )
        wordings = view.plane.wordings
        x_name, y_name = page.names(box, wordings[0], wordings[1] if view.flat else self._output_wordings())
        x = Axis(view.x_limits, x_ticks, x_labels, x_name)
        return Frame(box, x, Axis(view.y_limits, y_ticks, y_labels, y_name))

    def _name_classes(self) -> None:
        """The classes' marks and names, one under the other."""
        font, names = self.page.font, self._key_names()
        left, top, across, down = self.frame.box
        edge = round(left + across + 0.3 * font)
        pitch = min(1.5 * font, down / len(names))
        for k, name in enumerate(names):
            y = top + (k + 0.5) * pitch
            self.key.append(Marks([edge + 0.45 * font], [y], k, colours.class_colour(k), 0.62 * font))
            self.words.append(Word(name, edge + 1.05 * font, y, "lm", 0.85))

    def _explain_shades(self) -> None:
        """A bar of the shades, with what they mean written along it."""
        font, view = self.page.font, self.view
        left, top, across, down = self.frame.box
        edge, width = round(left + across + 0.35 * font), round(0.6 * font)
        self.bar = edge, top, width, down
        binary = view.task == "binary"
        if binary:
            inset = 0.5 * font
            for k, y in enumerate((top + down - inset, top + inset)):
                self.key.append(Marks([edge + width / 2], [y], k, colours.BINARY_COLOURS[k], 0.5 * font))
        low, high = ("0", "1") if binary else (number(value, 2) for value in view.values)
        room = down - self.page.width(low, 0.85) - self.page.width(high, 0.85) - 1.2 * font
        meaning = self.page.fit(self._output_wordings(), room, 0.85)
        for text, y, align in ((low, top + down, "l"), (meaning, top + down / 2, "m"), (high, top, "r")):
            self.words.append(Word(text, edge + 1.35 * width, y, f"{align}a", 0.85, upwards=True))

    def _key_names(self) -> list[str]:
        """The classes' names, short enough for the key."""
        return [self.page.fit([name], 5 * self.page.font, 0.85) for name in self.view.names]

    def _output_wordings(self) -> tuple[str, ...]:
        """What the network's output is called, the most telling wording first."""
        names = self.view.names
        if self.view.task == "binary":
            return (f"probability of {names[1]}", f"P({names[1]})")
        return ("probability",) if self.view.task == "multiclass" else ("prediction",)


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
