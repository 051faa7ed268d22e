"""The command `sandbox explain`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sandbox.config import Config
from sandbox.errors import RequestError, one_line
from sandbox.graph.expression import expression_graph, is_expression, values_of
from sandbox.graph.format import number
from sandbox.interrupt import getting_ready
from sandbox.options import config_options, png_of, save

BASE = Config(hidden=(), crosses=(), cost="squared_error", learning_rate=1.0)
MEANINGLESS = {
    "dataset": "give the data set first, as in explain or",
    "n_validation": "a pass is over training examples",
    "batch_size": "a pass is over one example, or with --batch over all, or over the --first so many",
    "dtype": "the graph is computed in float64",
    **dict.fromkeys(("patience", "min_delta", "monitor"), "it shows the first updates, and stops after --updates"),
}


@click.command()
@click.argument("data", metavar="DATASET|EXPRESSION")
@click.option("--at", metavar="NAME=NUMBER,...", help="DATASET is an expression instead, with these values.")
@click.option(
    "--weights", metavar="NUMBERS", help="Inputs with , between, units with |, layers with ; [initializer's]."
)
@click.option("--bias", metavar="NUMBERS", help="Units with , between, layers with ; [0].")
@click.option("--example", type=int, metavar="INDEX", help="Which example, counted from 0 [0].")
@click.option("--batch", is_flag=True, help="The vectorised pass over all examples, an array a node.")
@click.option("--first", type=int, metavar="N", help="With --batch: only the first N examples.")
@click.option("--updates", type=click.IntRange(0, 1000), default=1, show_default=True, help="How many updates to show.")
@click.option("--png", type=click.Path(path_type=Path), metavar="FILE", help="Draw the graph into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
@config_options(BASE, MEANINGLESS)
def explain(
    data: str,
    at: str | None,
    weights: str | None,
    bias: str | None,
    example: int | None,
    batch: bool,
    first: int | None,
    updates: int,
    png: Path | None,
    as_json: bool,
    changes: dict[str, Any],
    read: Callable[[str], Any],
) -> None:
    """The graph of one forward and backward pass, node by node, and the update that follows.

    Each node with its value, its local gradients and its upstream gradient, as one would do it by hand:

    \b
      sandbox explain or --weights 0.1,0.6 --bias 0 --example 0
      sandbox explain xor --crosses "x1*x2" --batch --updates 3
      sandbox explain xor --hidden 3 --weights "1,2|3,4|5,6 ; 7,8,9" --bias "0,0,0 ; 1" --png xor.png
      sandbox explain "(x^2+1)^3" --at x=3
      sandbox explain "a = x^2; b = 3*x; y = a*b" --at x=2 --png sum.png

    The third has two layers: three units of two weights each, and one unit of three. The last two are expressions: of
    several equations the last is differentiated, and gradients add up where ways meet. Weights that are not given are
    drawn by --initializer with --seed. All the options of `sandbox train` that matter here are there too; by default
    there are no hidden layers.
    """
    with getting_ready():
        from sandbox.graph.explanation import explain as explain_config

    if at is not None:
        given = {
            "weights": weights,
            "bias": bias,
            "example": example,
            "batch": batch or None,
            "first": first,
            **changes,
        }
        if others := [name for name, value in given.items() if value is not None]:
            raise RequestError(f"--{others[0].replace('_', '-')} is for a network: of an expression only --at is asked")
        _expression(data, at, png, as_json)
        return
    for name, instead in MEANINGLESS.items():
        if name in changes:
            raise RequestError(f"--{name.replace('_', '-')} is no option of explain: {instead}")
    try:
        config = BASE.replace(**{**changes, "dataset": read(data)})
    except RequestError:
        if names := is_expression(data):
            values = ",".join(f"{name}=1" for name in names)
            raise RequestError(f"{one_line(data)} is an expression: say where, such as --at {values}") from None
        raise
    choices = {"example": example, "batch": batch, "first": first}
    explanation = explain_config(config, weights=weights, biases=bias, updates=updates, **choices)
    picture = write_picture(explanation, png) if png else ""
    if as_json:
        from sandbox.graph.report import report

        click.echo(json.dumps({**report(explanation), "png": str(png) if png else None}, allow_nan=False))
    else:
        from sandbox.graph.text import render

        click.echo(render(explanation) + picture)


def _expression(text: str, at: str, png: Path | None, as_json: bool) -> None:
    """Print the graph of an expression at some values."""
    with getting_ready():
        from sandbox.graph.report import graph_report, plain
        from sandbox.graph.text import passes

    values = values_of(at)
    graph = expression_graph(text, values)
    title = f"{text}, at {', '.join(f'{name} = {value:.6g}' for name, value in values.items())}"
    picture = write_picture(graph, png, title) if png else ""
    slopes = {name: graph[name].gradient for name in values}
    if as_json:
        told = {"expression": text, "at": values, "value": plain(graph.loss.value), "png": str(png) if png else None}
        told |= {"gradients": {name: plain(slope) for name, slope in slopes.items()}, "nodes": graph_report(graph)}
        click.echo(json.dumps(told, allow_nan=False))
        return
    answers = [f"{graph.loss.name} = {number(graph.loss.value)}"]
    answers += [f"d{graph.loss.name}/d{name} = {number(slope)}" for name, slope in slopes.items() if slope is not None]
    click.echo("\n".join([title, *passes(graph), f"\n{', '.join(answers)}"]) + picture)


def write_picture(what: Any, png: Path, title: str = "") -> str:
    """Draw an explanation, as arrays where single numbers would be too many to see, or a graph, into a file; what to say."""
    with getting_ready():
        from sandbox.graph.picture import draw, draw_explanation

    figure, note = (draw(what, title), "") if title else draw_explanation(what)
    save(png, png_of(figure), "--png")
    return f"\n\npicture: {png}{note}"
