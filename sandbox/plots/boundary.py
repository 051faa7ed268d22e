"""The decision boundary: what a network says all over the plane in which its examples lie."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from sandbox.plots.picture import FAMILY, INK, Picture, encode, warm, write
from sandbox.plots.scene import Predict, Scene

if TYPE_CHECKING:
    from sandbox.data import Dataset

_THREAD = threading.local()
_KEPT = 8  # scenes a thread remembers


def boundary_figure(
    predict: Predict,
    dataset: "Dataset",
    *,
    test: "Dataset | None" = None,
    title: str = "",
    plane: tuple[str, str] | None = None,
) -> Figure:
    """The decision boundary as a figure of its own.

    `predict` takes raw features (points, features) and returns outputs (points, outputs): the probability of
    the second class, the probabilities of all classes, or values, as the data set's task has it. Shown are
    the examples of `dataset` and, fainter, those of `test`. With more than two features the picture is a
    plane: the first two principal components of the standardized features, or the two features named by
    `plane` ("x3" or the data set's own names), the others at their median. With one feature it is the curve
    of the outputs. Where the outputs are not finite it is grey.

    Raises RequestError for a plane or a task that does not exist.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="iris", hidden=(4,), epochs=100))
    >>> data = result.problem.train
    >>> boundary_figure(result.network.predict, data, title="iris", plane=("x3", "x4")).axes[0].get_ylabel()
    'x4: petal width (cm)'
    """
    scene = Scene(Picture((384, 384)), dataset, test, plane, titled=bool(title))
    picture, axes = scene.picture, scene.picture.axes
    extent = (*scene.x_limits, *scene.y_limits)
    axes.imshow(scene.shade(predict, scale=2), extent=extent, aspect="auto", zorder=0)
    if title:
        style = {"fontsize": picture.font, "fontfamily": FAMILY, "color": INK, "parse_math": False}
        axes.set_title(picture.fit([title], _title_width(scene)), pad=0.35 * picture.font, **style)
    return picture.figure


def boundary_png(
    predict: Predict,
    dataset: "Dataset",
    *,
    test: "Dataset | None" = None,
    title: str = "",
    plane: tuple[str, str] | None = None,
    size: tuple[int, int] = (384, 384),
) -> bytes:
    """The picture of `boundary_figure` as PNG bytes, `size` (width, height) in pixels.

    What the pictures of a data set share is drawn once: the next one of the same examples costs a third. `predict`,
    `plane` and errors are those of `boundary_figure`.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="circle", hidden=(4,), epochs=100))
    >>> boundary_png(result.network.predict, result.problem.train)[:4]
    b'\\x89PNG'
    """
    scene, overlay = _prepared(dataset, test, plane, size, titled=bool(title))
    return _compose(scene, overlay, predict, title)


def boundary_frames(
    predicts: Mapping[int, Predict],
    dataset: "Dataset",
    *,
    test: "Dataset | None" = None,
    plane: tuple[str, str] | None = None,
    size: tuple[int, int] = (256, 256),
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
    scene, overlay = _prepared(dataset, test, plane, size, titled=True)
    return {epoch: _compose(scene, overlay, predict, f"epoch {epoch}") for epoch, predict in predicts.items()}


def _compose(scene: Scene, overlay: Image.Image, predict: Predict, title: str) -> bytes:
    """Shades and lines below, axes and examples above, and the title."""
    picture = scene.picture
    left, top, across, _ = scene.box
    image = Image.new("RGB", picture.size, "white")
    image.paste(Image.fromarray(scene.shade(predict)), (left, top))
    image.paste(overlay, mask=overlay)
    if title:
        text = picture.fit([title], _title_width(scene))
        write(image, text, left + across / 2, 0.25 * picture.font, picture.font)
    return encode(image)


def _title_width(scene: Scene) -> float:
    left, _, across, _ = scene.box
    centre = left + across / 2
    return 2 * min(centre, scene.picture.size[0] - centre) - 0.5 * scene.picture.font


def _prepared(
    dataset: "Dataset",
    test: "Dataset | None",
    plane: tuple[str, str] | None,
    size: tuple[int, int],
    titled: bool,
) -> tuple[Scene, Image.Image]:
    """A scene, and its axes, key and examples drawn on nothing. This thread's latest few are kept."""
    scenes: OrderedDict[object, tuple[Scene, Image.Image]] = _THREAD.__dict__.setdefault("scenes", OrderedDict())
    key = (*map(_fingerprint, (dataset, test)), str(plane), tuple(size), titled)
    if key not in scenes:
        picture = warm("boundary", size)
        picture.figure.patch.set_alpha(0.0)
        picture.axes.patch.set_alpha(0.0)
        scene = Scene(picture, dataset, test, plane, titled=titled)
        scenes[key] = scene, picture.pixels().copy()
        if len(scenes) > _KEPT:
            scenes.popitem(last=False)
    scenes.move_to_end(key)
    return scenes[key]


def _fingerprint(dataset: "Dataset | None") -> bytes:
    """Everything about a data set that its picture shows."""
    if dataset is None:
        return b""
    names = (dataset.name, dataset.task, dataset.X.shape, dataset.Y.shape)
    digest = hashlib.blake2b(repr((*names, dataset.feature_names, dataset.class_names)).encode())
    digest.update(np.ascontiguousarray(dataset.X).data)
    digest.update(np.ascontiguousarray(dataset.Y).data)
    return digest.digest()
