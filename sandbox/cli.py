"""The `sandbox` command: `train` and `ui` here, the others in the rooms that they are about."""

import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from sandbox.config import Config
from sandbox.data import Dataset
from sandbox.effort import check_effort
from sandbox.errors import choose
from sandbox.interrupt import getting_ready
from sandbox.names import check_name
from sandbox.nn.hooks.measures import SCORES
from sandbox.options import (
    RUNS,
    config_options,
    own_options,
    png_of,
    save,
    store_options,
    to_look,
    to_open,
    uri_option,
)
from sandbox.options import main as run_command
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.typed import NAME, next_commands, typed

FEW_PARAMETERS, FEW_EXAMPLES = 20, 8  # that are printed
ELSEWHERE = {  # imported when they are asked for: they bring in MLflow's or Optuna's half of the house
    "animate": "sandbox.kept.command",
    "compare": "sandbox.comparison.command",
    "doctor": "sandbox.doctor.command",
    "draw": "sandbox.kept.drawing",
    "experiment": "sandbox.sweeps.experiments",
    "explain": "sandbox.graph.command",
    "export": "sandbox.kept.command",
    "landscape": "sandbox.kept.drawing",
    "playground": "sandbox.sweeps.playground",
    "predict": "sandbox.kept.command",
    "register": "sandbox.kept.command",
    "reset": "sandbox.doctor.command",
    "sweep": "sandbox.sweeps.command",
    "sync": "sandbox.doctor.command",
}


class _Group(click.Group):
    """Commands by name; a misspelt one is answered with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, *ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in ELSEWHERE:
            with getting_ready():
                found = getattr(importlib.import_module(ELSEWHERE[cmd_name]), cmd_name)
        else:
            found = super().get_command(ctx, cmd_name)
        if found and found.help:  # its examples as they are typed here
            found.help = inspect.cleandoc(found.help).replace(f"\n  {NAME} ", f"\n  {typed()} ")
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and not args[0].startswith("-"):
            choose("command", args[0], dict.fromkeys(self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


def main() -> None:
    """The `sandbox` command as a process."""
    run_command(cli)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train small neural networks from scratch, log every one of them, and compare."""


@cli.command()
@config_options()
@own_options
@click.option(
    "--weights", metavar="NUMBERS", help="Those to start with, as `sandbox explain` has them [initializer's]."
)
@click.option("--bias", metavar="NUMBERS", help="Likewise: units with , between, layers with ; [0].")
@click.option("--health", is_flag=True, help="Log means and variances of every layer's activations and gradients.")
@click.option("--checkpoint", metavar="FILE", help="Keep the network in this file (.npz) while it trains.")
@click.option(
    "--print-every",
    type=click.IntRange(1),
    metavar="N",
    help="Print a line every N epochs and at the end (with --json on standard error).",
)
@click.option("--plane", metavar="A,B", help="Two features for the boundary's pictures, such as x3,x7.")
@click.option("--name", metavar="TEXT", help="What the run is called [what it is: xor 2-3-1, rate 1, seed 0].")
@click.option("--no-track", is_flag=True, help="Log nothing.")
@store_options
def train(
    changes: dict[str, Any],
    hooks: list[Any],
    pictures: list[Any],
    weights: str | None,
    bias: str | None,
    health: bool,
    checkpoint: str | None,
    print_every: int | None,
    plane: str | None,
    name: str | None,
    no_track: bool,
    store: Store,
    as_json: bool,
) -> None:
    """Train one network and log it as a run of the experiment `train`."""
    config = Config().replace(**changes)
    with getting_ready():
        from tqdm import tqdm

        from sandbox.advice import advice_on
        from sandbox.description import LONGEST_START, START
        from sandbox.logged import TRAIN, announce, log
        from sandbox.nn.hooks import Checkpoint, InitializerHealth, Measures, PrintEvery, Progress, Snapshots
        from sandbox.record import CURVE_POINTS, make_record, plane_named, snapshot_epochs
        from sandbox.train import train as train_one

    check_effort([config])
    if name is not None:
        check_name("name", name)
    start = None if weights is None and bias is None else _start(config, weights, bias)
    shown = None if plane is None else plane_named(plane, config)
    kept = [Checkpoint(checkpoint)] if checkpoint else []
    spool = Spool(store.uri, RUNS, store.chosen)
    if not no_track:
        store.check()
        announce(store, spool)
    with tqdm(total=config.epochs, desc="train", unit="epoch", disable=as_json, leave=False) as bar:
        watching = [Snapshots(snapshot_epochs), Measures(snapshot_epochs), Progress(bar, max(1, config.epochs // 100))]
        if print_every:
            say = partial(tqdm.write, file=sys.stderr if as_json else sys.stdout)  # beside the bar
            watching.append(PrintEvery(print_every, say))
        if health:
            watching.append(InitializerHealth(snapshot_epochs(config.epochs)))
        result = train_one(config, [*watching, *kept, *hooks], curve_points=CURVE_POINTS, start=start)
    report: dict[str, Any] = {
        "config": config.to_dict(),
        "cost": _finite(result.cost),
        "train_accuracy": result.train_accuracy,
        "validation_accuracy": result.validation_accuracy,
        "test_accuracy": result.test_accuracy,
        "validation_cost": result.validation_cost,
        "test_cost": result.test_cost,
        **{name: result.scores.get(name) for name in SCORES},
        "diverged_at": result.diverged_at,
        "epochs_run": result.epochs_run,
        "parameters": result.network.parameters.size,
        "seconds": round(result.seconds, 4),
    }
    advice = advice_on(result) if start is None else None  # which speaks of the initializer's weights
    record = None
    if not no_track:
        told = {"weights": weights, "bias": bias}
        given = {f"{START}{name}": text[:LONGEST_START] for name, text in told.items() if text}
        record = make_record(result, name or result.title, given, pictures=pictures, plane=shown)
        report["run_id"] = log(record, TRAIN, store, spool)
    health_curves = {name: values for name, (_, values) in result.curves.items() if name.startswith("health/")}
    at_start = {name: _finite(values[0].item()) for name, values in health_curves.items()}
    if as_json:
        report["advice"] = advice and {"seen": advice.sentence, "try": advice.words}
        click.echo(json.dumps({**report, "health": at_start} if health else report))
        return
    width = max(map(len, [*report, *at_start]))
    for name, value in {**report, **at_start}.items():
        if name != "config" and value is not None:
            click.echo(f"{name:{width}} {value:.6g}" if isinstance(value, float) else f"{name:{width}} {value}")
    for name, text in _small(result):
        click.echo(f"{name:{width}} {text}")
    better: list[str] = []
    if advice is not None:
        click.echo(f"\n{advice.sentence}; try {' '.join(advice.words)}")
        if not config.data.digest:  # else the command would need a file
            better = [
                typed("train", *config.replace(**advice.changes).words, *(["--no-track"] if no_track else store.words))
            ]
    if record is None and better:
        click.echo(f"\n{next_commands(*better)}")
    if record is not None:
        run = store.run(report["run_id"])
        assert run is not None
        info = run.info
        for name, where in to_open(str(info.artifact_uri), record.images):
            click.echo(f"{name:{width}} {where}")
        own = isinstance(changes.get("dataset"), Dataset)  # a file, which has the columns that the network takes
        file = click.get_current_context().params["dataset"]
        predict = [typed("predict", info.run_id, file, *store.words)] if own else []
        click.echo(f"\n{next_commands(*better, *predict, to_look(store, info.experiment_id, info.run_id))}")


def _small(result: Any) -> Iterator[tuple[str, str]]:
    """Weights and predictions in numbers, where they are few enough to be read."""
    if result.network.parameters.size <= FEW_PARAMETERS:
        for layer, (W, b) in enumerate(zip(result.network.weights, result.network.biases, strict=True), 1):
            units = " | ".join(", ".join(f"{weight:.6g}" for weight in unit) for unit in W)
            yield f"layer {layer}", f"weights {units}; bias {', '.join(f'{one:.6g}' for one in b[:, 0])}"
    train = result.problem.train
    if len(train) <= FEW_EXAMPLES:
        outputs = result.network.predict(result.problem.inputs(train.X))
        for x, y, output in zip(train.X, result.problem.targets(train.Y), outputs, strict=True):
            numbers = [", ".join(f"{one:.6g}" for one in group) for group in (x, output, y)]
            yield f"at {numbers[0]}", f"{numbers[1]} (target {numbers[2]})"


def _start(config: Config, weights: str | None, bias: str | None) -> Any:
    """The network to start with. Raises RequestError where numbers do not fit its layers."""
    from sandbox.graph.parameters import with_numbers
    from sandbox.train import build

    return with_numbers(build(config), weights, bias)


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


@cli.command()
@click.option(
    "--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw them all into this file."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
def datasets(png: Path | None, as_json: bool) -> None:
    """List the data sets that come with the sandbox.

    Your own is a file, CSV or Parquet: --dataset FILE.csv --target COLUMN. A formula is one too: --dataset "y > sin(x1)".
    """
    from sandbox.data import DATASETS, load_dataset
    from sandbox.table import render

    columns = ("name", "task", "features", "examples", "summary")
    rows = [
        (
            entry.name,
            entry.task,
            entry.n_features,
            getattr(entry, "examples", 0) or len(load_dataset(name)),
            entry.summary,
        )
        for name, entry in DATASETS.items()
    ]
    if png is not None:
        with getting_ready():
            from sandbox.plots.thumbnails import thumbnails

        save(png, png_of(thumbnails([load_dataset(name) for name in DATASETS])), "--png")
    if as_json:
        told = {"datasets": [dict(zip(columns, row, strict=True)) for row in rows], "png": str(png) if png else None}
        click.echo(json.dumps(told))
        return
    click.echo(render({name: [row[place] for row in rows] for place, name in enumerate(columns)}))
    click.echo(f"\npicture: {png}" if png else "")
    click.echo(f"next: {typed('train', '--dataset', 'circle', '--hidden', '8')}")


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other machines look, too.")
@click.option("--allow", multiple=True, metavar="NAME", help="A name by which others reach this machine.")
@uri_option
def ui(port: int, host: str, allow: tuple[str, ...], tracking_uri: str | None) -> None:
    """Serve MLflow's UI, with a page in front that says what every experiment found, until Ctrl-C.

    \b
      sandbox ui
      sandbox ui --host 0.0.0.0 --allow lab-1.school.example
    """
    from sandbox.tracking.ui import serve

    serve(Store(tracking_uri, RUNS), host, port, click.echo, allow)
