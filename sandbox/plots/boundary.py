"""The decision boundary: what a network says all over the plane in which its examples lie."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from sandbox.errors import choose
from sandbox.plots.colours import DASH, INK, Pixels
from sandbox.plots.figure import Figure
from sandbox.plots.page import Floats, Page
from sandbox.plots.picture import FAMILY, Picture
from sandbox.plots.scene import Predict, Scene, View
from sandbox.plots.sheet import Cover, Sheet

if TYPE_CHECKING:
    from sandbox.data import Dataset

_THREAD = threading.local()
_KEPT = 48  # boundaries a thread remembers, of about half a megabyte each
_DASHES = (0, (3, 3))

Size = tuple[int, int]
Style = Literal["shaded", "line"]
STYLES = get_args(Style)


class Boundary:
    """The pictures of what networks say in the plane of the same examples; what is alike in them is drawn once.

    `plane` and errors are those of `boundary_figure`.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="circle", hidden=(4,), epochs=100))
    >>> boundary = Boundary(result.problem.train)
    >>> boundary.png(result.network.predict(boundary.points()), "a circle")[:4]
    b'\\x89PNG'
    """

    def __init__(self, dataset: "Dataset", test: "Dataset | None" = None, plane: tuple[str, str] | None = None) -> None:
        self.view = View(dataset, test, plane)
        self._backgrounds: dict[tuple[Size, bool, bool], _Background] = {}

    def points(self) -> Floats:
        """The raw features (points, features) at which a network is asked."""
        return self.view.points()

    def png(
        self, outputs: NDArray[np.floating], title: str = "", size: Size = (384, 384), *, test: bool = True
    ) -> bytes:
        """The picture of a network's outputs (points, outputs) as PNG bytes; without `test`, only of train examples."""
        return self.view.palette.png(self.indices(outputs, title, size, test=test))

    def indices(self, outputs: NDArray[np.floating], title: str, size: Size, *, test: bool) -> Pixels:
        """The same as indices (height, width) into the palette of its view."""
        key = (size, bool(title), test)
        if key not in self._backgrounds:
            self._backgrounds[key] = _background(Page(size), self.view, bool(title), test)
        scene, paper, examples = self._backgrounds[key]
        left, top, across, down = scene.frame.box
        sheet = Sheet(scene.page, self.view.palette, paper)
        if title:
            sheet.write(scene.title(title))
        box = sheet.indices[top + 1 : top + down, left + 1 : left + across]  # the axes' lines stay
        shades = self.view.shade(outputs, (down, across), scene.line)[1:, 1:]
        box[...] = shades if self.view.flat else np.where(shades, shades, box)
        sheet.cover(examples)
        return sheet.indices


def boundary_figure(
    predict: Predict | None,
    dataset: "Dataset",
    *,
    test: "Dataset | None" = None,
    title: str = "",
    plane: tuple[str, str] | None = None,
    style: Style = "shaded",
) -> Figure:
    """The decision boundary as a figure of its own, or with a `style` of "line" no more of it than the line.

    `predict` takes raw features (points, features) and returns outputs (points, outputs): the probability of
    the second class, the probabilities of all classes, or values, as the data set's task has it; None shows the
    examples alone. Shown are
    the examples of `dataset` and, fainter, those of `test`. With more than two features the picture is a
    plane: the first two principal components of the standardized features, or the two features named by
    `plane` ("x3" or the data set's own names), the others at their median. With one feature it is the curve
    of the outputs. Where the outputs are not finite it is grey.

    Raises RequestError for a plane, a task or a style that does not exist.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="iris", hidden=(4,), epochs=100))
    >>> data = result.problem.train
    >>> boundary_figure(result.network.predict, data, title="iris", plane=("x3", "x4")).axes[0].get_ylabel()
    'x4: petal width (cm)'
    """
    choose("style", style, dict.fromkeys(STYLES))
    view = View(dataset, test, plane)
    scene = Scene(Page((384, 384)), view, titled=bool(title))
    shaded = style == "shaded" and predict is not None
    picture, frame = Picture(scene.page), scene.frame
    picture.show(frame)
    axes, (width, height) = picture.axes, scene.page.size
    _, _, across, down = frame.box
    if scene.dashed and predict:
        axes.axhline(0.5, color=DASH, linewidth=1, linestyle=_DASHES, zorder=1)
    colours = view.palette.colours.copy()
    if not shaded:
        colours[view.palette.scale] = 255
    if predict:
        shades = view.shade(predict(view.points()), (2 * down, 2 * across), 2 * scene.line)
        axes.imshow(colours[shades], extent=(*frame.x.limits, *frame.y.limits), aspect="auto", zorder=0)
    for marks in (*scene.examples(view.test, faint=True), *scene.examples(view.train, faint=False)):
        axes.add_line(marks.line())
    page = Affine2D().scale(1 / width, -1 / height).translate(0, 1) + picture.figure.transFigure
    if scene.bar is not None and shaded:
        left, top, across, down = scene.bar
        key = picture.figure.add_axes((left / width, 1 - (top + down) / height, across / width, down / height))
        key.imshow(colours[view.palette.scale][::-1, None], aspect="auto", interpolation="nearest")
        key.set(xticks=[], yticks=[])
    for marks in scene.key if shaded or scene.bar is None else ():
        line = marks.line()
        line.set_transform(page)
        picture.figure.add_artist(line)
    picture.write(scene.words if shaded or scene.bar is None else [])
    if title:
        word = scene.title(title)
        letters = {"fontsize": scene.page.font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
        axes.set_title(word.text, pad=0.35 * scene.page.font, **letters)
    return picture.figure


def boundary_png(
    predict: Predict,
    dataset: "Dataset",
    *,
    test: "Dataset | None" = None,
    title: str = "",
    plane: tuple[str, str] | None = None,
    size: Size = (384, 384),
) -> bytes:
    """The picture of `boundary_figure` as PNG bytes, `size` (width, height) in pixels.

    `predict`, `plane` and errors are those of `boundary_figure`.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="circle", hidden=(4,), epochs=100))
    >>> boundary_png(result.network.predict, result.problem.train)[:4]
    b'\\x89PNG'
    """
    boundary = boundary_of(dataset, test, plane)
    return boundary.png(predict(boundary.points()), title, size)


def boundary_frames(
    predicts: Mapping[int, Predict],
    dataset: "Dataset",
    *,
    test: "Dataset | None" = None,
    plane: tuple[str, str] | None = None,
    size: Size = (256, 256),
) -> dict[int, bytes]:
    """One PNG per epoch, {epoch: bytes}, of a boundary that moves as the network learns.

    Axes, scale and examples stay where they are from frame to frame, and are drawn once. `plane` and errors are those
    of `boundary_figure`.

    >>> from sandbox import Config, train
    >>> from sandbox.nn import Snapshots
    >>> result = train(Config(dataset="circle", hidden=(4,), epochs=100), [Snapshots([0, 50])])
    >>> predicts = {epoch: network.predict for epoch, network in result.snapshots.items()}
    >>> list(boundary_frames(predicts, result.problem.train))
    [0, 50, 100]
    """
    boundary = boundary_of(dataset, test, plane)
    points = boundary.points()
    return {epoch: boundary.png(predict(points), f"epoch {epoch}", size) for epoch, predict in predicts.items()}


def boundary_of(dataset: "Dataset", test: "Dataset | None" = None, plane: tuple[str, str] | None = None) -> Boundary:
    """The boundary of these examples. This thread's latest few are kept.

    >>> from sandbox.data import load_dataset
    >>> boundary_of(load_dataset("xor")) is boundary_of(load_dataset("xor"))
    True
    """
    kept: OrderedDict[object, Boundary] = _THREAD.__dict__.setdefault("boundaries", OrderedDict())
    key = (*map(_fingerprint, (dataset, test)), str(plane))
    if key not in kept:
        kept[key] = Boundary(dataset, test, plane)
        if len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


class _Background(NamedTuple):
    """A scene, what lies below what the network says, and the examples that lie above."""

    scene: Scene
    paper: Pixels
    examples: Cover


def _background(page: Page, view: View, titled: bool, test: bool) -> _Background:
    scene = Scene(page, view, titled=titled)
    sheet, frame = Sheet(page, view.palette), scene.frame
    sheet.frame(frame)
    if scene.bar is not None:
        left, top, across, down = scene.bar
        rows = ((down - 0.5 - np.arange(down)) * view.palette.shades / down).astype(int)
        sheet.indices[top : top + down, left : left + across] = view.palette.scale[rows, None]
        sheet.outline(scene.bar)
    if scene.dashed:
        across = Line2D(*frame.places(frame.x.limits, [0.5, 0.5]), color=DASH, linewidth=1, linestyle=_DASHES)
        sheet.draw([across], frame.box)
    sheet.draw([marks.line() for marks in scene.key])
    for word in scene.words:
        sheet.write(word)
    shown = [*scene.examples(view.test if test else None, faint=True), *scene.examples(view.train, faint=False)]
    lines = [marks.at(*frame.places(marks.x, marks.y)).line() for marks in shown]
    return _Background(scene, sheet.indices, sheet.covering(lines, frame.box))


def _fingerprint(dataset: "Dataset | None") -> bytes:
    """Everything about a data set that its picture shows."""
    if dataset is None:
        return b""
    names = (dataset.name, dataset.task, dataset.X.shape, dataset.Y.shape)
    digest = hashlib.blake2b(repr((*names, dataset.feature_names, dataset.class_names)).encode())
    digest.update(np.ascontiguousarray(dataset.X).data)
    digest.update(np.ascontiguousarray(dataset.Y).data)
    return digest.digest()
