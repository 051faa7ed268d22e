"""The command `sandbox compare`, which `make compare` runs by way of studies/features_vs_layers.py."""

import json
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sandbox.errors import RequestError, one_line
from sandbox.interrupt import getting_ready
from sandbox.names import is_text
from sandbox.options import RUNS, data_options, own_options, store_options, study_option, to_look, workers_option
from sandbox.tracking import Store
from sandbox.typed import next_commands
from sandbox.workers import opened


@click.command()
@click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="May be given again [a few].")
@click.option("--n", "sizes", metavar="16,64,...", help="Numbers of training examples [a few].")
@click.option(
    "--arm", "arms", multiple=True, metavar="TEXT", help='"NAME: FIELD=VALUE; ..."; give two or more [standard].'
)
@click.option("--repetitions", type=int, help="How often every arm is tuned, on draws of its own [8, with --full 12].")
@click.option("--trials", type=int, help="Trials of each tuning [8, with --full 12].")
@click.option("--seeds", type=int, help="Fresh seeds that the winner of each is measured on [8, with --full 10].")
@click.option("--margin", type=float, help="The smallest difference of accuracy that is of interest [0.01].")
@click.option(
    "--validation", metavar="SIZE", help="plenty, or same: as many validation examples as are trained on [plenty]."
)
@click.option("--first-seed", type=int, help="The first of the fresh seeds; all that is drawn follows from it [0].")
@click.option("--epochs", type=int, help="Epochs of every run [2000].")
@click.option("--full", is_flag=True, help="All arms, data sets and sizes: about half an hour on two cores.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Directory [runs/comparisons/ID].")
@workers_option
@study_option
@own_options
@data_options
@store_options
def compare(
    datasets: tuple[str, ...],
    sizes: str | None,
    arms: tuple[str, ...],
    full: bool,
    out: Path | None,
    hooks: list[Any],
    pictures: list[Any],
    read: Callable[[str], Any],
    workers: str | None,
    shared: str,
    store: Store,
    as_json: bool,
    **counts: Any,
) -> int:
    """Feature engineering or hidden layers? Or any arms of your own, compared fairly.

    Every arm is tuned with the same effort, several times over, each winner measured on fresh seeds and fresh data; a
    verdict is "larger", "smaller", "equivalent" or "inconclusive". Stopped and run again, it goes on where it was. Writes a
    report (HTML), figures and tables.

    \b
      sandbox compare                                                      three data sets, one or two minutes
      sandbox compare --dataset spiral --arm "crosses: crosses=x1*x2" --arm "deep: hidden=8,8"
      sandbox compare --dataset circle --n 16,64 --arm "sgd: optimizer=gd" --arm "adam: optimizer=adam"
    """
    with getting_ready():
        from sandbox.comparison.arms import parse_arm
        from sandbox.comparison.protocol import FULL, SMALL

    if out is not None and not is_text(str(out)):  # the report says by which command it was made
        raise RequestError(f"out is {one_line(str(out))}: a path that can be written as text is needed")
    given: dict[str, Any] = {name: value for name, value in counts.items() if value is not None}
    if datasets:
        given["datasets"] = tuple(map(read, datasets))
    if sizes is not None:
        given["sizes"] = _whole_numbers(sizes)
    if arms:
        given["arms"] = tuple(map(parse_arm, arms))
    comparison = (FULL if full else SMALL).replace(**given)
    words = (
        sys.argv[2:] if sys.argv[1:2] == ["compare"] else sys.argv[1:]
    )  # as a study's script it has a name of its own
    with opened(workers) as executor:
        return _run(
            comparison, words, out, store, as_json, executor=executor, shared=shared, hooks=hooks, pictures=pictures
        )


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise RequestError(f"n is {text!r}: whole numbers with commas between are needed, such as 16,64,256") from None


def _run(comparison: Any, words: list[str], out: Path | None, store: Store, as_json: bool, **own: Any) -> int:
    with getting_ready():
        from sandbox.answers.pages import write_files
        from sandbox.comparison.driver import Outcome, run_comparison
        from sandbox.comparison.findings import Findings
        from sandbox.comparison.publish import parent_fields
        from sandbox.comparison.report import Facts, report_files
        from sandbox.tracking.address import hide, shown

    started = time.perf_counter()
    command = shlex.join(["sandbox", "compare", *(hide(hide(word, store.uri), own["shared"]) for word in words)])
    comparison = comparison.replace(owner=store.owner)
    directory = out or RUNS / "comparisons" / comparison.id
    found: list[Findings] = []

    def publish(outcome: Outcome) -> dict[str, Any]:
        when, seconds = time.strftime("%Y-%m-%d %H:%M"), time.perf_counter() - started
        facts = Facts(command, when, shown(store.uri), seconds)
        findings, files = report_files(outcome, facts)
        write_files(directory, files)
        found.append(findings)
        return parent_fields(findings, files)

    outcome = run_comparison(comparison, store, RUNS, publish=publish, quiet=as_json, **own)
    if as_json:
        click.echo(json.dumps(_report(outcome, found, directory)))
    elif found:
        _print(outcome, found[0], directory, store)
    if outcome.trouble:
        click.echo(outcome.trouble, err=True)
    return 1 if outcome.trouble or not found else 0


def _report(outcome: Any, found: list[Any], directory: Path) -> dict[str, Any]:
    runs, waiting = len(outcome.runs), outcome.waiting
    report = {"comparison": outcome.comparison.id, "finished": bool(found), "runs": runs, "waiting": waiting}
    if found:
        frames = {"averages": found[0].averages_frame(), "pairs": found[0].pairs_frame()}
        report |= {name: json.loads(str(frame.to_json(orient="records"))) for name, frame in frames.items()}
        report |= {"answer": found[0].answer, "report": str(directory / "report.html")}
    return report


def _print(outcome: Any, findings: Any, directory: Path, store: Store) -> None:
    """The table of means, the verdicts in words, and where the report is."""
    from sandbox.comparison.report import caution_counts
    from sandbox.comparison.summary import sentences, summary
    from sandbox.table import render

    counted, *answer = sentences(findings)
    click.echo(f"\n{render(summary(findings))}\n\n{counted}\n")
    for line in answer:
        click.echo(line)
    for kind, count in caution_counts(findings).items():
        click.echo(f"caution: {kind} in {count} of {len(findings.comparison.cells)} cells, see the report")
    if outcome.before == len(outcome.runs):
        click.echo("\nnothing left to do: every run was logged before; the report is written anew")
    click.echo(f"\nreport, for a browser: {directory / 'report.html'}\n{next_commands(to_look(store))}")
