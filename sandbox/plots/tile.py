"""A small picture of a decision boundary, without axes: one of many on a sheet."""

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from sandbox.plots import shading
from sandbox.plots.colours import BINARY_COLOURS, INK, class_colour, edge
from sandbox.plots.page import font
from sandbox.plots.palette import palette_of
from sandbox.plots.plane import plane_of
from sandbox.plots.scene import Predict

if TYPE_CHECKING:
    from sandbox.data import Dataset

GRID = 84  # points a side at which a network is asked
EXAMPLES = 120  # at most so many are drawn


class Tile:
    """What the tiles of the same examples share: the plane, the grid of points. `side` is in pixels.

    >>> from sandbox import Config, train
    >>> result = train(Config(dataset="circle", hidden=(4,), epochs=100))
    >>> Tile(result.problem.train, result.problem.test).draw(result.network.predict, "0.97").size
    (168, 168)
    """

    def __init__(self, train: "Dataset", test: "Dataset | None" = None, side: int = 168) -> None:
        self.train, self.side, self.plane = train, side, plane_of(train)
        parts = [self.plane.project(part.X) for part in (test, train) if part is not None]
        low, high = np.quantile(np.concatenate(parts), [0.005, 0.995], axis=0)
        margin = 0.08 * (high - low) + 1e-9
        self.low, self.high = low - margin, high + margin
        places = (np.arange(GRID) + 0.5) / GRID
        x, y = np.meshgrid(places, places[::-1])
        self.points = self.plane.points(self.low + np.column_stack([x.ravel(), y.ravel()]) * (self.high - self.low))

    def draw(self, predict: Predict, caption: str = "") -> Image.Image:
        """What a network says all over the plane, the examples, and the caption in a corner."""
        outputs = predict(self.points).reshape(GRID, GRID, -1)
        shade = shading.shade_classes if self.train.task == "multiclass" else shading.shade_probability
        field = outputs if self.train.task == "multiclass" else outputs[..., 0]
        palette = palette_of(self.train.task, max(2, self.train.Y.shape[1]), flat=True)
        image = Image.fromarray(palette.colours[shade(field, (self.side, self.side), 1.6, palette)])
        draw = ImageDraw.Draw(image)
        self._examples(draw)
        if caption:
            draw.rectangle((self.side - 46, self.side - 22, self.side, self.side), fill="white")
            draw.text((self.side - 23, self.side - 11), caption, fill=INK, font=font(16), anchor="mm")
        return image

    def _examples(self, draw: ImageDraw.ImageDraw) -> None:
        """The training examples, circles and squares: shape and colour tell classes apart."""
        places = (self.plane.project(self.train.X) - self.low) / (self.high - self.low) * self.side
        classes = self.train.Y.argmax(1) if self.train.task == "multiclass" else (self.train.Y[:, 0] > 0.5).astype(int)
        size = 3.4 if len(places) <= 64 else 2.6
        for (x, y), label in list(zip(places, classes, strict=True))[:EXAMPLES]:
            colour = class_colour(label) if self.train.task == "multiclass" else BINARY_COLOURS[label]
            box = (x - size, self.side - y - size, x + size, self.side - y + size)
            (draw.rectangle if label % 2 else draw.ellipse)(box, fill=colour, outline=edge(colour))
