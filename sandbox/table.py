"""Tables as people read them in a terminal."""

import numpy as np
import pandas as pd


def render(frame: pd.DataFrame) -> str:
    """A table as aligned text: words to the left, numbers to the right."""
    shown = frame.copy()
    for column in frame:
        words = not pd.api.types.is_numeric_dtype(frame[column])
        cells = [_show(value) for value in frame[column]]
        width = max(map(len, [str(column), *cells]))
        align = str.ljust if words else str.rjust
        shown[column] = [align(cell, width) for cell in cells]
        shown = shown.rename(columns={column: align(str(column), width)})
    return shown.to_string(index=False)


def _show(value: object) -> str:
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.4g}"
    return str(value)
