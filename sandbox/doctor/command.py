"""The commands `sandbox doctor`, `sandbox sync` and `sandbox reset`."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from sandbox.doctor.examination import examine
from sandbox.errors import RequestError
from sandbox.options import RUNS, json_option, store_options, uri_option, user_option
from sandbox.tracking import Store
from sandbox.typed import next_commands, typed


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without training.")
@click.option("--gone", metavar="HOST", default="", help="A host that is at work no more: mend what it left, too.")
@click.option("--forget", "forgotten", metavar="ID", help="Forget a sweep or comparison that nobody wants to finish.")
@store_options
def doctor(repair: bool, gone: str, forgotten: str | None, store: Store, as_json: bool) -> int:
    """Compare the plan, Optuna's store, MLflow and the spool; exit 1 if anything disagrees."""
    if forgotten is not None:
        from sandbox.doctor.mending import forget

        forget(forgotten, RUNS)
    seen = examine(store, RUNS, repair=repair, gone=gone)
    if as_json:
        click.echo(json.dumps({**asdict(seen), "hosts": sorted(seen.hosts)}))
    else:
        for finding in seen.findings:
            click.echo(f"{finding.campaign}: {finding.what}" + (f". next: {finding.remedy}" if finding.remedy else ""))
        for name in seen.alive:
            click.echo(f"{name}: runs in another process, left alone")
        for name, host in seen.elsewhere:
            mending = typed("doctor", "--repair", "--gone", host, *store.words)
            click.echo(f"{name}: runs on {host}, left alone. If that host is at work no more: {mending}")
        if not seen.findings:
            click.echo(f"{len(seen.campaigns)} sweeps and comparisons examined: nothing disagrees")
    return 1 if seen.findings else 0


@click.command()
@uri_option
@json_option
def sync(tracking_uri: str | None, as_json: bool) -> int:
    """Log the runs that wait in the spool, now that their store is back."""
    from sandbox.doctor.draining import drain_all

    reports = drain_all(RUNS, tracking_uri)
    failed = any(why or rejected for _, rejected, why in reports.values())
    if as_json:
        words = ("logged", "rejected", "why")
        click.echo(json.dumps({uri: dict(zip(words, report, strict=True)) for uri, report in reports.items()}))
        return int(failed)
    for uri, (logged, rejected, why) in reports.items():
        if logged or rejected or not why:
            aside = f", {rejected} files set aside ({typed('doctor')})" if rejected else ""
            click.echo(f"{logged} runs logged to {uri}{aside}")
        if why:
            click.echo(f"error: {why}", err=True)
    if not reports:
        click.echo("the spool is empty")
    return int(failed)


@click.command()
@click.argument("experiment", required=False)
@click.option(
    "--back", type=click.Path(path_type=Path), metavar="DIR", help="Bring back what was set aside in this directory."
)
@uri_option
@user_option
@json_option
def reset(experiment: str | None, back: Path | None, tracking_uri: str | None, user: str | None, as_json: bool) -> None:
    """Start anew: set all runs aside, or those of EXPERIMENT. Nothing is deleted.

    All of runs/ goes to runs-aside/; an experiment gets another name in MLflow, with the time, and its sweeps start from
    nothing. It prints the command that brings them back.

    \b
      sandbox reset
      sandbox reset depth
      sandbox reset --back runs-aside/2026-11-27T22-05-12
    """
    from sandbox.doctor.reset import bring_back, reset_all, reset_experiment

    if experiment is not None and back is not None:
        raise RequestError("an experiment is set aside, and --back brings one back: give one of the two")
    store = Store(tracking_uri, RUNS, user=user)
    if back is not None:
        moved = bring_back(back, store, RUNS)
    elif experiment is not None:
        moved = reset_experiment(experiment, store, RUNS)
    else:
        moved = reset_all(store, RUNS)
    if as_json:
        click.echo(json.dumps(asdict(moved)))
        return
    what = experiment or f"{RUNS}/"
    click.echo(f"back again: {moved.place}" if back else f"{what} is set aside in {moved.place}")
    for note in moved.notes:
        click.echo(f"note: {note}")
    click.echo(f"to bring it back: {moved.back}" if moved.back else next_commands(typed("ui", *store.words)))
