"""The commands `sandbox sweep`, `doctor` and `sync`, and the command line of every experiment script."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from sandbox.cli import main
from sandbox.config import Config
from sandbox.errors import RequestError
from sandbox.options import RUNS, config_options, store_options
from sandbox.sweeps import Choice, Sweep, parse_dimension, run_sweep
from sandbox.sweeps.doctor import examine
from sandbox.sweeps.doctor import sync as drain
from sandbox.sweeps.space import fields_of
from sandbox.sweeps.table import outcome_frame, render
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers


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


@click.command()
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


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without training.")
@store_options
def doctor(repair: bool, tracking_uri: str | None, as_json: bool) -> int:
    """Compare the plan, Optuna's store, MLflow and the spool; exit 1 if anything disagrees."""
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


@click.command()
@store_options
def sync(tracking_uri: str | None, as_json: bool) -> int:
    """Log the runs that wait in the spool, now that their store is back."""
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
    for sweep in sweeps:
        _ = sweep.total  # what does not fit is found before anything is trained
    store = Store(tracking_uri, RUNS)
    spool = Spool(store.uri, RUNS)
    outcomes = []
    with Writers(spool, writers) as crew:
        for sweep in sweeps:
            outcomes.append(run_sweep(sweep, store, RUNS, quiet=as_json, writers=crew, **options))
            if outcomes[-1].status in ("KILLED", "FAILED") or outcomes[-1].why == "interrupted":
                break
        frame, last = outcome_frame(outcomes), outcomes[-1]
        waiting = spool.count() if any(outcome.waiting for outcome in outcomes) else 0
        if waiting:
            crew.stop()
    finished = not waiting and last.status in ("FINISHED", "SPOOLED") and len(outcomes) == len(sweeps)
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
    elif not finished:
        click.echo("interrupted: everything done so far is logged; the same command goes on from here", err=True)
    elif not as_json and all(outcome.done == outcome.before for outcome in outcomes):
        click.echo("nothing left to do: every trial was logged before. next: make ui, make compare")
    elif not as_json:
        click.echo("next: make ui, make compare")
    return 0 if finished else 1
