"""The commands `sandbox doctor` and `sandbox sync`."""

import json
from dataclasses import asdict

import click

from sandbox.doctor.examination import examine
from sandbox.options import RUNS, json_option, store_options, uri_option
from sandbox.tracking import Store
from sandbox.typed import typed


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended without training.")
@click.option("--forget", "forgotten", metavar="ID", help="Forget a sweep or comparison that nobody wants to finish.")
@store_options
def doctor(repair: bool, forgotten: str | None, store: Store, as_json: bool) -> int:
    """Compare the plan, Optuna's store, MLflow and the spool; exit 1 if anything disagrees."""
    if forgotten is not None:
        from sandbox.doctor.mending import forget

        forget(forgotten, RUNS)
    seen = examine(store, RUNS, repair=repair)
    if as_json:
        click.echo(json.dumps(asdict(seen)))
    else:
        for finding in seen.findings:
            click.echo(f"{finding.campaign}: {finding.what}" + (f". next: {finding.remedy}" if finding.remedy else ""))
        for name in seen.alive:
            click.echo(f"{name}: runs in another process, left alone")
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
