"""The `sandbox` command, and the command line of every experiment script.

Exit codes: 0 done, 1 something failed, 2 the request was wrong. Errors are one line on standard error.
"""

import json
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sandbox.config import FIELDS, Config, format_value, parse_value
from sandbox.errors import RequestError, choose

RUNS = Path("runs")


class _Group(click.Group):
    """Commands by name; a misspelt one is answered with the nearest."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and not args[0].startswith("-"):
            choose("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


def main(command: click.Command | None = None) -> None:
    """Run a command, turning what went wrong into one line and an exit code."""
    from sandbox.tracking import StoreError

    try:
        sys.exit((command or cli).main(standalone_mode=False) or 0)
    except RequestError as error:
        _fail(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message())
        sys.exit(0)
    except click.NoSuchOption as error:
        _fail(_unknown_option(error), 2)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever presses once more has been heard
        _fail("interrupted", 1)
    except (StoreError, OSError) as error:
        _fail(str(error), 1)


def _unknown_option(error: click.NoSuchOption) -> str:
    options = {name: 0 for one in (error.ctx.command.params if error.ctx else []) for name in one.opts}
    try:
        choose("option", error.option_name, options)
    except RequestError as wrong:
        return str(wrong)
    return error.format_message()


def _fail(message: str, code: int) -> None:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train small neural networks from scratch, log every one of them, and compare."""


def config_options(command: Callable) -> Callable:
    """An option for every field of Config, --learning-rate for learning_rate, collected in `changes`."""

    @wraps(command)
    def collected(**options: Any) -> Any:
        changes = {name: parse_value(name, text) for name in FIELDS if (text := options.pop(name)) is not None}
        return command(changes=changes, **options)

    for name, field in reversed(FIELDS.items()):
        shown = format_value(list(field.default) if isinstance(field.default, tuple) else field.default)
        collected = click.option(f"--{name.replace('_', '-')}", name, metavar="VALUE", help=f"[{shown}]")(collected)
    return collected


def store_options(command: Callable) -> Callable:
    """--tracking-uri and --json, which every command that reads or writes runs has."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")(command)
    return click.option(
        "--tracking-uri", metavar="URI", help="MLflow store [MLFLOW_TRACKING_URI, else SQLite under runs/]."
    )(command)


@cli.command()
@config_options
@click.option("--health", is_flag=True, help="Log means and variances of every layer's activations and gradients.")
@click.option("--plane", metavar="A,B", help="Two features for the boundary's pictures, such as x3,x7.")
@click.option("--no-track", is_flag=True, help="Log nothing.")
@store_options
def train(
    changes: dict[str, Any], health: bool, plane: str | None, no_track: bool, tracking_uri: str | None, as_json: bool
) -> None:
    """Train one network and log it as a run of the experiment `train`."""
    config = Config().replace(**changes)
    from tqdm import tqdm

    from sandbox.nn.hooks import InitializerHealth, Progress, Snapshots
    from sandbox.sweeps.record import CURVE_POINTS, make_record, snapshot_epochs
    from sandbox.tracking import Store
    from sandbox.train import train as train_one

    shown = None if plane is None else _plane(plane, config)
    store = None if no_track else Store(tracking_uri, RUNS)
    if store is not None:
        store.check()
    looks = snapshot_epochs(config.epochs)
    with tqdm(total=config.epochs, desc="train", unit="epoch", disable=as_json, leave=False) as bar:
        hooks = [Snapshots(looks), Progress(bar, max(1, config.epochs // 100))]
        if health:
            hooks.append(InitializerHealth(looks))
        result = train_one(config, hooks, curve_points=CURVE_POINTS)
    report: dict[str, Any] = {
        "config": config.to_dict(),
        "cost": _finite(result.cost),
        "train_accuracy": result.train_accuracy,
        "test_accuracy": result.test_accuracy,
        "diverged_at": result.diverged_at,
        "epochs_run": result.epochs_run,
        "parameters": result.network.parameters.size,
        "seconds": round(result.seconds, 4),
    }
    if store is not None:
        experiment = store.experiment("train", "Single networks, trained by `sandbox train`.")
        report["run_id"] = store.log(make_record(result, str(config.dataset), {}, plane=shown), experiment)
    at_start = {name: _finite(values[0].item()) for name, (_, values) in result.curves.items()}
    if as_json:
        click.echo(json.dumps({**report, "health": at_start} if health else report))
        return
    width = max(15, *map(len, at_start)) if at_start else 15
    for name, value in {**report, **at_start}.items():
        if name != "config" and value is not None:
            click.echo(f"{name:{width}} {value:.6g}" if isinstance(value, float) else f"{name:{width}} {value}")
    if store is not None:
        click.echo("\nnext: sandbox ui")


def _plane(text: str, config: Config) -> tuple[str, str]:
    """The two features named, once it is sure that the data have them. Raises RequestError."""
    from sandbox.plots.plane import plane_of
    from sandbox.train import prepare

    names: Any = tuple(name.strip() for name in text.split(","))
    plane_of(prepare(config).train, names)
    return names


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None


@cli.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--tracking-uri", metavar="URI", help="MLflow store [MLFLOW_TRACKING_URI, else SQLite under runs/].")
def ui(port: int, host: str, tracking_uri: str | None) -> None:
    """Serve the MLflow UI until Ctrl-C."""
    from sandbox.tracking import Store
    from sandbox.tracking.ui import serve

    store = Store(tracking_uri, RUNS)
    store.check()
    sys.exit(serve(store, host, port, click.echo))


def sweep_options(command: Callable) -> Callable:
    """The options of everything that sweeps."""
    for option in (
        click.option("--trials", type=int, help="Trials in all, over points and seeds."),
        click.option("--seeds", type=int, help="Seeds for each point."),
        click.option("--sampler", help="grid, random, sobol or tpe."),
        click.option("--pruner", default="none", show_default=True, help="none, median, halving or hyperband."),
        click.option(
            "--writers", type=click.IntRange(1, 64), help="Processes that log [what the machine has room for]."
        ),
        click.option("--batch", type=click.IntRange(1), help="Trials trained at a time [chosen by their speed]."),
    ):
        command = option(command)
    return command


@cli.command()
@click.option(
    "--vary", "varied", multiple=True, metavar="FIELD=VALUES", help="learning_rate=0.001..10:log, hidden=8|8,8."
)
@click.option("--name", default="sweep", show_default=True, help="The experiment that the runs go to.")
@sweep_options
@config_options
@store_options
def sweep(
    varied: tuple[str, ...], name: str, changes: dict[str, Any], tracking_uri: str | None, as_json: bool, **parts: Any
):
    """Vary fields of Config, train, log and compare: a question asked in passing.

    sandbox sweep --dataset spiral --hidden 8,8 --vary learning_rate=0.001..10:log --vary initializer=plain,xavier,he
    --seeds 5 --trials 200
    """
    from sandbox.sweeps import Sweep
    from sandbox.sweeps.space import Choice, parse_dimension

    if not varied:
        raise RequestError("nothing varies: say what with --vary, such as --vary learning_rate=0.001..10:log")
    space = dict(parse_dimension(text) for text in varied)
    if len(space) < len(varied):
        raise RequestError("a field is varied twice: give all of its values in one --vary")
    options = {key: parts.pop(key) for key in ("pruner", "writers", "batch")}
    given = {key: value for key, value in parts.items() if value is not None}
    if all(isinstance(dimension, Choice) for dimension in space.values()):
        given.setdefault("sampler", "grid")
    else:
        given.setdefault("sampler", "sobol")
        given.setdefault("trials", 60)
    question = f"What do {' and '.join(space)} do?" if len(space) > 1 else f"What does {next(iter(space))} do?"
    asked = Sweep(name, Config().replace(**changes), space, question=question, **given)
    return run_sweeps([asked], tracking_uri, as_json, **options)


@cli.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without training.")
@store_options
def doctor(repair: bool, tracking_uri: str | None, as_json: bool) -> int:
    """Compare the plan, Optuna's store, MLflow and the spool; exit 1 if anything disagrees."""
    from dataclasses import asdict

    from sandbox.sweeps.doctor import examine
    from sandbox.tracking import Store

    seen = examine(Store(tracking_uri, RUNS), RUNS, repair=repair)
    if as_json:
        click.echo(json.dumps(asdict(seen)))
    else:
        for finding in seen.findings:
            click.echo(f"{finding.sweep}: {finding.what}" + (f". next: {finding.remedy}" if finding.remedy else ""))
        for name in seen.alive:
            click.echo(f"{name}: runs in another process, left alone")
        if not seen.findings:
            click.echo(f"{len(seen.sweeps)} sweeps examined: nothing disagrees")
    return 1 if seen.findings else 0


@cli.command()
@store_options
def sync(tracking_uri: str | None, as_json: bool) -> int:
    """Log the runs that wait in the spool, now that their store is back."""
    from sandbox.sweeps.doctor import sync as drain

    reports = drain(RUNS, tracking_uri)
    failed = any(why or rejected for _, rejected, why in reports.values())
    if as_json:
        words = ("logged", "rejected", "why")
        click.echo(json.dumps({uri: dict(zip(words, report, strict=True)) for uri, report in reports.items()}))
        return int(failed)
    for uri, (logged, rejected, why) in reports.items():
        if logged or rejected or not why:
            aside = f", {rejected} files set aside (sandbox doctor)" if rejected else ""
            click.echo(f"{logged} runs logged to {uri}{aside}")
        if why:
            click.echo(
                f"error: {why}. The spool keeps what waits. next: sandbox sync, when the store is back", err=True
            )
    if not reports:
        click.echo("the spool is empty")
    return int(failed)


def experiment(*sweeps: Any) -> None:
    """The command line of an experiment script: run its sweep (or several) and print the closing table."""
    main(_experiment_command(sweeps))


def _experiment_command(sweeps: tuple[Any, ...]) -> click.Command:
    @click.command(help="\n\n".join(f"{sweep.name}: {sweep.question}" for sweep in sweeps))
    @sweep_options
    @config_options
    @store_options
    def command(changes: dict[str, Any], tracking_uri: str | None, as_json: bool, **parts: Any) -> int:
        options = {name: parts.pop(name) for name in ("pruner", "writers", "batch")}
        given = {name: value for name, value in parts.items() if value is not None}
        return run_sweeps([_changed(sweep, changes, given) for sweep in sweeps], tracking_uri, as_json, **options)

    return command


def _changed(sweep: Any, changes: dict[str, Any], given: dict[str, Any]) -> Any:
    """The sweep with another base config; a field that was given is no longer varied."""
    from sandbox.sweeps.space import fields_of

    if not changes and not given:
        return sweep
    for name, dimension in sweep.space.items():
        if name not in changes and (taken := fields_of(name, dimension) & changes.keys()):
            raise RequestError(f"{min(taken)} is what each {name} of {sweep.name} sets for itself: leave it out")
    space = {name: dimension for name, dimension in sweep.space.items() if name not in changes}
    return sweep.replace(base=sweep.base.replace(**changes), space=space, **given)


def run_sweeps(
    sweeps: list[Any], tracking_uri: str | None, as_json: bool, *, writers: int | None = None, **options: Any
) -> int:
    """Run sweeps one after another, print the closing table and the next command; the exit code."""
    from sandbox.sweeps.driver import run_sweep
    from sandbox.sweeps.table import outcome_frame, render
    from sandbox.tracking import Store
    from sandbox.tracking.spool import Spool
    from sandbox.tracking.writers import Writers

    for sweep in sweeps:
        _ = sweep.total  # what does not fit is found before anything is trained
    store = Store(tracking_uri, RUNS)
    spool = Spool(store.uri, RUNS)
    outcomes = []
    with Writers(spool, writers) as crew:
        for sweep in sweeps:
            outcomes.append(run_sweep(sweep, store, RUNS, quiet=as_json, writers=crew, **options))
            if outcomes[-1].status in ("KILLED", "FAILED"):
                break
        frame, last = outcome_frame(outcomes), outcomes[-1]
        waiting = spool.count() if any(outcome.waiting for outcome in outcomes) else 0
        if waiting:
            crew.stop()
    finished = not waiting and last.status in ("FINISHED", "SPOOLED")
    if as_json:
        report = {"finished": finished, "waiting": waiting, "sweeps": json.loads(str(frame.to_json(orient="records")))}
        click.echo(json.dumps(report))
    else:
        click.echo(f"\n{render(frame)}\n")
    if waiting:
        why = next(outcome.why for outcome in outcomes if outcome.waiting)
        click.echo(f"{waiting} runs wait in the spool ({why}). next: sandbox sync, when the store is back", err=True)
    elif last.status == "FAILED":
        click.echo(f"error: {last.why}. next: sandbox doctor, which names them", err=True)
    elif last.status == "KILLED":
        click.echo("interrupted: everything done so far is logged; the same command goes on from here", err=True)
    elif not as_json and all(outcome.done == outcome.before for outcome in outcomes):
        click.echo("nothing left to do: every trial was logged before. next: make ui, make compare")
    elif not as_json:
        click.echo("next: make ui, make compare")
    return 0 if finished else 1


import sandbox.comparison.command  # noqa: E402 - `sandbox compare`, which needs what is above
import sandbox.graph.command  # noqa: E402, F401 - `sandbox explain`, which needs what is above
