"""An answer as people read it: on a terminal, as a page of Markdown, as a table of numbers, and as a picture."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from sandbox.answers.answer import Answer
from sandbox.answers.figure import draw
from sandbox.answers.panels import png
from sandbox.table import render

PICTURE, PAGE, TABLE = "answer.png", "answer.md", "answer.csv"


def plain(answer: Answer) -> str:
    """The sentences, each with its table below."""
    pairs = zip(answer.sentences, answer.parts, strict=True)
    return "\n\n".join(f"{sentence}\n\n{render(answer.table(part))}" for sentence, part in pairs)


def markdown(
    answer: Answer, question: str = "", picture: str = PICTURE, longest: int | None = None, links: str = ""
) -> str:
    """The sentences, `links`, the picture and the tables, as many as `longest` characters have room for; first comes what
    is said."""
    asked = f"*{question}*" if question else ""
    text = "\n\n".join(filter(None, [*answer.sentences, asked, links, f"![the answer]({picture})"])) + "\n"
    for part in answer.parts:
        table = f"\n{part.where}\n\n{_table(answer.table(part))}\n".replace("\n\n\n", "\n")
        if longest is None or len(text + table) <= longest:
            text += table
    return text[:longest]


def _table(columns: dict[str, list]) -> str:
    rows = [[*columns], ["---"] * len(columns), *zip(*columns.values(), strict=True)]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows)


def files_of(answer: Answer, title: str, question: str = "") -> dict[str, bytes]:
    """All of it by the names of files: a page, a table and a picture."""
    picture = png(draw(answer, title))
    return {PAGE: markdown(answer, question).encode(), TABLE: _csv(answer).encode(), PICTURE: picture}


def _csv(answer: Answer) -> str:
    """A line for each value of each dimension, in full precision."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            "where",
            "dimension",
            "value",
            "metric",
            "mean",
            "low",
            "high",
            "runs",
            "diverged",
            "without",
            "best_with",
            "by_seed",
        ]
    )
    for part, rows in answer.parts.items():
        for row in rows:
            means = [*row.mean] if row.told else [""] * 3
            at, by_seed = json.dumps(dict(row.at)), json.dumps({str(seed): one for seed, one in row.figures.items()})
            figures = [answer.figure, *means, row.runs, row.diverged, row.missing, at, by_seed]
            writer.writerow([part.where, part.name, row.label, *figures])
    return text.getvalue()


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their names, in directories that are made. Raises OSError."""
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
