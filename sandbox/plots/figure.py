"""A matplotlib figure that shows itself in a notebook, without pyplot and without any magic."""

import io

from matplotlib import figure


class Figure(figure.Figure):
    """matplotlib's own. As the last value of a notebook's cell it is a picture.

    >>> Figure(figsize=(1, 1))._repr_png_()[:4]
    b'\\x89PNG'
    """

    def _repr_png_(self) -> bytes:
        drawn = io.BytesIO()
        self.savefig(drawn, format="png")
        return drawn.getvalue()
