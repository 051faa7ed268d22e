"""The commands `sandbox draw` and `landscape`: the pictures that the texts draw, of a run or of a network of one's own."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from sandbox.config import Config
from sandbox.effort import check_effort
from sandbox.errors import RequestError, choose, one_line
from sandbox.graph.expression import expression_graph, values_of, variables
from sandbox.interrupt import getting_ready
from sandbox.kept.film import kept_config
from sandbox.nn.hooks import Hook, Snapshots
from sandbox.options import RUNS, check_place, config_options, json_option, png_of, save, uri_option
from sandbox.result import Result, prepare
from sandbox.tracking import Store
from sandbox.train import build, train

KINDS = ("activations", "boundary", "cost", "data", "network")
RATES = "0.5,5,5e-10,50"
POINTS = 100  # of a path


@click.command()
@click.argument("kind", metavar="|".join(KINDS))
@click.argument("run", required=False)
@click.option("--style", default="shaded", show_default=True, help="Of a boundary: shaded, or line: no more than that.")
@click.option("--scale", default="auto", show_default=True, help="Of a cost: linear, log, or auto.")
@click.option("--line", metavar="W1,W2,B", help="Of data: also the line w1*x1 + w2*x2 + b = 0.")
@click.option("--plane", metavar="A,B", help="Two features for data and boundary, such as x3,x7.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to [KIND.png].")
@config_options()
@json_option
@uri_option
def draw(
    kind: str,
    run: str | None,
    style: str,
    scale: str,
    line: str | None,
    plane: str | None,
    out: Path | None,
    changes: dict[str, Any],
    as_json: bool,
    tracking_uri: str | None,
) -> None:
    """Draw one picture: activations with their slopes, the data, a boundary, a cost curve, or a network.

    Of RUN, the id of a run, which is trained once more to the same bits; or of what the options of `sandbox train` say.
    Nothing is logged.

    \b
      sandbox draw activations
      sandbox draw data --dataset or --line 1,1,-0.5
      sandbox draw boundary --dataset xor --hidden 3 --style line
      sandbox draw cost RUN --scale linear
      sandbox draw network --dataset xor --hidden 3
    """
    choose("picture", kind, dict.fromkeys(KINDS))
    only = {
        "style": ("boundary", style != "shaded"),
        "scale": ("cost", scale != "auto"),
        "line": ("data", line is not None),
    }
    for name, (of, given) in only.items():
        if given and kind != of:
            raise RequestError(f"--{name} is for {of}, and this draws {kind}")
    if plane is not None and kind not in ("data", "boundary"):
        raise RequestError(f"--plane is for data and boundary, and this draws {kind}")
    out = _place(out, f"{kind}.png")
    config, _ = _config(run, changes, tracking_uri)
    with getting_ready():
        from sandbox.plots.boundary import STYLES
        from sandbox.plots.cost import SCALES
        from sandbox.record import plane_named

    choose("style", style, dict.fromkeys(STYLES))  # before anything trains
    choose("scale", scale, dict.fromkeys(SCALES))
    shown = None if plane is None else plane_named(plane, config)
    if kind == "activations":
        figure = _activations(config, changes)
    elif kind == "data":
        figure = _data(config, line, shown)
    else:
        figure = _trained(kind, _train(config), {"style": style, "scale": scale, "plane": shown})
    save(out, png_of(figure), "--out")
    click.echo(json.dumps({"kind": kind, "out": str(out)}) if as_json else f"picture: {out}")


@click.command()
@click.argument("what", metavar="[RUN|EXPRESSION]", required=False)
@click.option("--over", metavar="NAMES", help="One parameter or two, such as W1[1,2],b1[1] (layer, unit, input).")
@click.option("--directions", default="path", show_default=True, help="Without --over: path, or random.")
@click.option("--at", metavar="NAME=NUMBER,...", help="What is drawn is an expression of one or two names, from here.")
@click.option("--rates", metavar="NUMBERS", help=f"Learning rates along one parameter, or of an expression [{RATES}].")
@click.option("--steps", type=click.IntRange(1, 10_000), default=12, show_default=True, help="Of descent at each rate.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to [landscape.png]."
)
@config_options()
@json_option
@uri_option
def landscape(
    what: str | None,
    over: str | None,
    directions: str,
    at: str | None,
    rates: str | None,
    steps: int,
    out: Path | None,
    changes: dict[str, Any],
    as_json: bool,
    tracking_uri: str | None,
) -> None:
    """Draw the cost as a landscape: a surface and its contours with the path of training, or a curve with steps of descent.

    Of RUN, the id of a run, or of what the options of `sandbox train` say: over the plane in which the path is longest, over
    two parameters, or over two random directions; along one parameter for each learning rate. Or of an expression:

    \b
      sandbox landscape --dataset xor --hidden 3
      sandbox landscape --dataset or --hidden none --over "W1[1,1],W1[1,2]"
      sandbox landscape --dataset or --hidden none --over "W1[1,1]" --rates 1,10,100
      sandbox landscape "0.15*w^2" --at w=4 --rates 0.5,5,5e-10,50
      sandbox landscape "sin(3*x)*cos(3*y) + x^2 + y^2" --at x=1.4,y=1.2 --rates 0.03
    """
    with getting_ready():
        from sandbox.landscape import DIRECTIONS, TRAINING, of_one, of_result, places_of
        from sandbox.plots.landscape import descent_figure, landscape_figure

    out = _place(out, "landscape.png")
    names = [part for part in (over or "").replace("],", "] ").split() if part]
    if at is not None:
        given = {"over": over, "directions": directions if directions != "path" else None, **changes}
        if others := [name for name, value in given.items() if value is not None]:
            raise RequestError(f"--{others[0].replace('_', '-')} is for a network, and --at for an expression")
        title, found = what or "", _of_expression(what, at, _rates(rates or RATES), steps)
    else:
        if over and directions != "path":
            raise RequestError("--over chooses parameters, --directions a plane: give one of the two")
        if len(names) > 2:
            raise RequestError(f"--over names {len(names)} parameters: one is a line, two are a plane")
        if rates is not None and len(names) != 1:
            raise RequestError("--rates is for one parameter (--over), or for an expression (--at)")
        choose("directions", directions, DIRECTIONS)
        config, end = _config(what, changes, tracking_uri)
        places_of(names, build(config))  # before anything trains
        result = _train(config, [Snapshots(_epochs(end))])
        title = result.title
        if len(names) == 1:
            found = of_one(result, names[0], _rates(rates or RATES), steps)
        else:
            found = of_result(result, names, directions)
    figure = landscape_figure(found, title=title) if found.flat else descent_figure(found)
    save(out, png_of(figure), "--out")
    if as_json:
        paths = {name: _ended(found, name, None if found.flat else found.ending(name)) for name in found.paths}
        click.echo(json.dumps({"names": found.names, "paths": paths, "out": str(out)}))
        return
    for name, path in found.paths.items():
        place = ", ".join(f"{axis} = {value:.6g}" for axis, value in zip(found.names, path[-1], strict=True))
        first, last = found.heights[name][[0, -1]]
        if name == TRAINING:
            click.echo(f"training: {found.label} from {first:.6g} to {last:.6g}" + (f", at {place}" if names else ""))
            continue
        how = "" if found.flat else f": {found.ending(name)}"
        click.echo(f"rate {name}{how}, after {len(path) - 1} steps {place}, {found.label} {last:.6g}")
    click.echo(f"picture: {out}")


def _ended(found: Any, name: str, how: str | None) -> dict[str, Any]:
    """How a path ends, as primitives."""
    path = found.paths[name]
    told = {"steps": len(path) - 1, "at": path[-1].tolist(), "cost": _finite(found.heights[name][-1])}
    return told | ({"ending": how} if how else {})


def _of_expression(text: str | None, at: str, rates: Sequence[float], steps: int) -> Any:
    """The landscape of an expression of one name or two, with descent from a point at each rate."""
    from sandbox.landscape import around, descend

    if text is None:
        raise RequestError('--at says where an expression is: sandbox landscape "x^2" --at x=3')
    values, names = values_of(at), variables(text)
    expression_graph(text, values)
    if len(names) > 2:
        raise RequestError(f"{one_line(text)} has {len(names)} variables: a landscape is of one or two")

    def objective(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        graph = expression_graph(text, dict(zip(names, points.T, strict=True)))
        slopes = [np.broadcast_to(np.asarray(graph[name].gradient), len(points)) for name in names]
        return np.broadcast_to(graph.loss.value, len(points)), np.stack(slopes, axis=-1)

    paths = {f"{rate:g}": descend(objective, [values[name] for name in names], rate, steps) for rate in rates}
    span = 0.75 if len(names) == 2 else 0.25
    return around(objective, names, paths, span=span, label=expression_graph(text, values).loss.name)


def _config(run: str | None, changes: dict[str, Any], tracking_uri: str | None) -> tuple[Config, int]:
    """The config that is meant, and how many epochs of it."""
    if run is None:
        config = Config().replace(**changes)
        return config, config.epochs
    if changes:
        raise RequestError(
            f"--{next(iter(changes)).replace('_', '-')} is for a network to train, and RUN is one that was"
        )
    return kept_config(run, Store(tracking_uri, RUNS), RUNS)


def _train(config: Config, hooks: Sequence[Hook] = ()) -> Result:
    check_effort([config])
    return train(config, hooks)


def _trained(kind: str, result: Result, how: dict[str, Any]) -> Any:
    with getting_ready():
        from sandbox.graph.explanation import features
        from sandbox.plots import boundary_figure, cost_figure
        from sandbox.plots.network import network_figure

    problem, network, config = result.problem, result.network, result.config
    if kind == "network":
        names = [name or f"x{at}" for at, name in enumerate(features(config), 1)]
        return network_figure(network, names, title=result.title)
    if kind == "cost":
        epochs, costs = np.append(result.cost_epochs, result.epochs_run), np.append(result.costs, result.cost)
        told = {"title": result.title, "diverged_at": result.diverged_at, "label": config.cost.replace("_", " ")}
        return cost_figure(epochs, costs, scale=how["scale"], **told)
    options = {"title": result.title, "plane": how["plane"], "style": how["style"]}
    return boundary_figure(lambda X: problem.unsigned(network.predict(problem.inputs(X))), problem.train, **options)


def _data(config: Config, line: str | None, plane: Any) -> Any:
    with getting_ready():
        from sandbox.plots import boundary_figure

    data, says = prepare(config).train, _side(line) if line is not None else None
    if says is not None and (data.X.shape[1] != 2 or data.task != "binary"):
        raise RequestError(f"--line is for two features and two classes, and {config.dataset} has others")
    return boundary_figure(says, data, title=data.name, plane=plane, style="line")


def _side(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """What is 1 on one side of a line, 0 on the other, and in between where they meet."""
    numbers = [_number(part) for part in text.split(",")]
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)) or not any(numbers[:2]):
        raise RequestError(f"--line is {one_line(text)}: three numbers, w1,w2,b, are needed, such as 1,1,-0.5")
    w, b = np.array(numbers[:2]), numbers[2]
    return lambda X: 1 / (1 + np.exp(-np.clip((X @ w + b) / np.linalg.norm(w), -30, 30)))[:, None]


def _activations(config: Config, changes: dict[str, Any]) -> Any:
    with getting_ready():
        from sandbox.plots.activations import activations_figure

    if others := changes.keys() - {"activation"}:
        raise RequestError(f"--{min(others).replace('_', '-')} changes no activation: --activation NAME chooses one")
    names = [config.activation] if changes else []
    return activations_figure(names)


def _rates(text: str) -> list[float]:
    rates = [_number(part) for part in text.split(",")]
    if not all(math.isfinite(rate) and rate > 0 for rate in rates) or len({*rates}) != len(rates) or len(rates) > 8:
        raise RequestError(f"--rates is {one_line(text)}: up to 8 numbers above 0 are needed, such as {RATES}")
    return rates


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _epochs(end: int) -> list[int]:
    """About so many epochs as a path has points, close together where it begins."""
    from sandbox.plots.animation import spaced

    return spaced(end, POINTS)


def _place(out: Path | None, usual: str) -> Path:
    place = out or Path(usual)
    check_place(place, "--out")
    if place.suffix.lower() != ".png":
        raise RequestError(f"--out is {str(place)!r}: a picture is a PNG, such as {usual}")
    return place
