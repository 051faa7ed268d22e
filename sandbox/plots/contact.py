"""A contact sheet: many small pictures in one, with names for rows and columns."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from sandbox.plots.colours import INK
from sandbox.plots.page import font
from sandbox.plots.picture import encode

GAP = 8  # pixels between pictures


class ContactSheet:
    """A blank sheet for pictures of `side` pixels, with the names of rows (lines parted by newlines) and columns.

    >>> sheet = ContactSheet(["a", "b"], ["epoch 0", "10"], side=100)
    >>> sheet.put(1, 0, Image.new("RGB", (50, 50), "red"))
    >>> sheet.image.size, sheet.image.getpixel((100, 150))
    ((307, 234), (255, 0, 0))
    """

    def __init__(self, rows: Sequence[str], columns: Sequence[str], side: int = 168) -> None:
        self.side, letters = side, font(0.1 * side)
        self._labels, self._head = round(0.91 * side), round(0.18 * side)
        self.image = Image.new("RGB", self._corner(len(rows), len(columns)), "white")
        draw = ImageDraw.Draw(self.image)
        for column, text in enumerate(columns):
            left, _ = self._corner(0, column)
            draw.text((left + side / 2, self._head / 2), text, fill=INK, font=letters, anchor="mm")
        for row, text in enumerate(rows):
            place = self._labels - 10, self._corner(row, 0)[1] + side / 2
            draw.multiline_text(place, text, fill=INK, font=letters, anchor="rm", align="right")

    def put(self, row: int, column: int, picture: Image.Image) -> None:
        """A picture in its place; one of another size is resized."""
        size = (self.side, self.side)
        self.image.paste(picture if picture.size == size else picture.resize(size), self._corner(row, column))

    def png(self) -> bytes:
        """The sheet as PNG bytes."""
        return encode(self.image)

    def _corner(self, row: int, column: int) -> tuple[int, int]:
        return self._labels + column * (self.side + GAP), self._head + row * (self.side + GAP)
