"""The command `sandbox sweep`, and the command line of every experiment script."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from sandbox.config import Config
from sandbox.errors import RequestError
from sandbox.interrupt import getting_ready
from sandbox.nn.hooks import Hook
from sandbox.options import (
    RUNS,
    config_options,
    main,
    own_options,
    store_options,
    study_option,
    to_look,
    workers_option,
)
from sandbox.record import Picture
from sandbox.space import Dimension, fields_of
from sandbox.sweeps import Choice, Sweep, parse_dimension, run_sweep
from sandbox.table import render
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.writers import Writers
from sandbox.typed import next_commands, typed
from sandbox.workers import opened


def sweep_options(command: Callable) -> Callable:
    """The options of everything that sweeps."""
    for option in (
        workers_option,
        study_option,
        click.option("--trials", type=int, help="Trials in all, over points and seeds."),
        click.option("--seeds", type=int, help="Seeds for each point."),
        click.option("--sampler", help="grid, random, sobol or tpe."),
        click.option("--pruner", default="none", show_default=True, help="none, median, halving or hyperband."),
        click.option(
            "--writers", type=click.IntRange(1, 64), help="Processes that log [what the machine has room for]."
        ),
        click.option("--batch", type=click.IntRange(1), help="Trials trained at a time [chosen by their speed]."),
        click.option(
            "--objective",
            metavar="METRIC",
            help="What is best: a metric such as validation_f1, or min:NAME, max:NAME [validation_accuracy].",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.option(
    "--vary", "varied", multiple=True, metavar="FIELD=VALUES", help="learning_rate=0.001..10:log, hidden=8|8,8."
)
@click.option("--name", default="sweep", show_default=True, help="The experiment that the runs go to.")
@sweep_options
@own_options
@config_options()
@store_options
def sweep(varied: tuple[str, ...], name: str, changes: dict[str, Any], store: Store, as_json: bool, **parts: Any):
    """Vary fields of Config, train, log and compare: a question asked in passing.

    \b
      sandbox sweep --vary learning_rate=0.1,1,10
      sandbox sweep --dataset spiral --hidden 8,8 --vary learning_rate=0.001..10:log --seeds 5 --trials 200
    """
    if not varied:
        raise RequestError("nothing varies: say what with --vary, such as --vary learning_rate=0.001..10:log")
    space = space_of(varied)
    options = {key: parts.pop(key) for key in ("pruner", "writers", "batch", "workers", "shared")}
    given = sampling(space) | {key: value for key, value in parts.items() if value is not None}
    question = f"What do {' and '.join(space)} do?" if len(space) > 1 else f"What does {next(iter(space))} do?"
    asked = Sweep(name, Config().replace(**changes), space, question=question, **given)
    return run_sweeps([asked], store, as_json, **options)


def space_of(varied: Sequence[str]) -> dict[str, Dimension]:
    """The space of some --vary. Raises RequestError."""
    space = dict(parse_dimension(text) for text in varied)
    if len(space) < len(varied):
        raise RequestError("a field is varied twice: give all of its values in one --vary")
    return space


def sampling(space: Mapping[str, Dimension]) -> dict[str, Any]:
    """How a space is gone through where nobody says it: all of a grid, or so many points where there is a range."""
    if all(isinstance(dimension, Choice) for dimension in space.values()):
        return {"sampler": "grid"}
    return {"sampler": "sobol", "trials": 60}


def experiment(*sweeps: Sweep, hooks: Sequence[Hook] = (), pictures: Sequence[Picture] = ()) -> None:
    """The command line of an experiment script: run its sweep (or several) and print the closing table.

    `hooks` and `pictures` come to those that the sweeps have.
    """
    main(experiment_command(sweeps, hooks, pictures))


def experiment_command(
    sweeps: Sequence[Sweep], more_hooks: Sequence[Hook] = (), more_pictures: Sequence[Picture] = ()
) -> click.Command:
    """What `experiment` runs, as a command."""

    @click.command(help="\n\n".join(f"{sweep.name}: {sweep.question}" for sweep in sweeps))
    @sweep_options
    @own_options
    @config_options(sweeps[0].base if len(sweeps) == 1 else None)
    @store_options
    def command(
        changes: dict[str, Any],
        hooks: list[Hook],
        pictures: list[Picture],
        store: Store,
        as_json: bool,
        **parts: Any,
    ) -> int:
        options = {name: parts.pop(name) for name in ("pruner", "writers", "batch", "workers", "shared")}
        given = {name: value for name, value in parts.items() if value is not None}
        changed = [
            _changed(sweep, changes, given).replace(
                hooks=[*sweep.hooks, *more_hooks, *hooks], pictures=[*sweep.pictures, *more_pictures, *pictures]
            )
            for sweep in sweeps
        ]
        return run_sweeps(changed, store, as_json, **options)

    return command


def _changed(sweep: Sweep, changes: dict[str, Any], given: dict[str, Any]) -> Sweep:
    """The sweep with another base config; a field that was given is no longer varied."""
    if not changes and not given:
        return sweep
    for name, dimension in sweep.space.items():
        if name not in changes and (taken := fields_of(name, dimension) & changes.keys()):
            raise RequestError(f"{min(taken)} is what each {name} of {sweep.name} sets for itself: leave it out")
    space = {name: dimension for name, dimension in sweep.space.items() if name not in changes}
    return sweep.replace(base=sweep.base.replace(**changes), space=space, **given)


def run_sweeps(
    sweeps: list[Sweep],
    store: Store,
    as_json: bool,
    *,
    writers: int | None = None,
    workers: str | None = None,
    **options: Any,
) -> int:
    """Run sweeps one after another, print the closing table and the next command; the exit code."""
    with getting_ready():  # SciPy, which draws Sobol points, loses a KeyboardInterrupt
        for sweep in sweeps:
            _ = sweep.total  # what does not fit is found before anything is trained
    spool = Spool(store.uri, RUNS, store.chosen)
    outcomes = []
    with opened(workers) as executor, Writers(spool, writers) as crew:
        for sweep in sweeps:
            how: dict[str, Any] = {"quiet": as_json, "writers": crew, "executor": executor, **options}
            outcomes.append(run_sweep(sweep, store, RUNS, **how))
            if outcomes[-1].status in ("KILLED", "FAILED") or outcomes[-1].why == "interrupted":
                break
        trouble = [outcome for outcome in outcomes if outcome.trouble]
        if waiting := spool.count() if any(outcome.waiting for outcome in outcomes) else 0:
            crew.stop()
            trouble[0].waiting = waiting
    finished = not trouble and len(outcomes) == len(sweeps)
    rows = [outcome.row() for outcome in outcomes]
    models = [(f"{one.sweep.name} {arm}", run) for one in outcomes for arm, run in one.models.items()]
    if as_json:
        plain: list[dict[str, Any]] = [
            {name: value if value == value else None for name, value in row.items()} for row in rows
        ]  # no NaN in JSON
        for row, outcome in zip(plain, outcomes, strict=True):
            row["answer"] = outcome.answer.sentences if outcome.answers else []
            row |= {"models": outcome.models, "left": outcome.left}
        click.echo(json.dumps({"finished": finished, "waiting": waiting, "sweeps": plain}))
    else:
        for said in filter(None, [outcome.said() for outcome in outcomes]):
            click.echo(f"\n{said}")
        click.echo(f"\n{render({name: [row[name] for row in rows] for name in rows[0]})}\n")
        if models:
            click.echo(f"{render({'model': [name for name, _ in models], 'run': [run for _, run in models]})}\n")
    if trouble:
        click.echo(trouble[0].trouble, err=True)
    elif not as_json:
        if all(one.done == one.before for one in outcomes):
            click.echo("nothing left to do: every trial was logged before")
        serve = [typed("register", models[0][1], *store.words)] if models else []
        click.echo(next_commands(to_look(store), typed("compare", *store.words, *store.signature), *serve))
    return 0 if finished else 1
