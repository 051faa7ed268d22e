"""What a notebook shows of things that are tables and pictures, as HTML."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Any

from sandbox.table import show

if TYPE_CHECKING:
    import pandas as pd


def table(columns: "Mapping[str, Sequence[Any]] | pd.DataFrame") -> str:
    """A table, columns by name, with the figures that `sandbox.table.render` would write.

    >>> table({"name": ["<a>"], "value": [1 / 3]}).partition("<tbody>")[2]
    '<tr><td style="text-align:left">&lt;a&gt;</td><td style="text-align:right">0.3333</td></tr></tbody></table>'
    """
    names, cells = [], []
    for name in columns:
        values = list(columns[name])
        side = "right" if all(isinstance(value, Real) for value in values) else "left"
        names.append(f'<th style="text-align:{side}">{escape(str(name))}</th>')
        cells.append([f'<td style="text-align:{side}">{escape(show(value))}</td>' for value in values])
    rows = [f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True)]
    return f"<table><thead><tr>{''.join(names)}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def picture(png: bytes, what: str) -> str:
    """A picture within the page."""
    return f'<img alt="{escape(what)}" src="data:image/png;base64,{b64encode(png).decode()}">'


def beside(*parts: str) -> str:
    """Parts beside each other, as far as there is room."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">{"".join(parts)}</div>'


def lines(*texts: str) -> str:
    """Texts, each a paragraph."""
    return "".join(f"<p>{escape(text)}</p>" for text in texts if text)
