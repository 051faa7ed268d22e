"""Does the trainer reproduce what others published?

    make published                    .venv/bin/python -m studies.published_results --no-track

Re-runs every published result that the trainer claims, prints the texts' figures beside ours, the texts' own errors, and
what the book's finite differences cost in time, and logs itself to MLflow (experiment `published_results`) with the
pictures that the texts show. The figures, with their sources, are data: studies/published/gates.py and
studies/published/book.py. Exits with 1 when one of them does not match.
"""

import json
import math
import textwrap
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import click
import numpy as np

from sandbox.logged import signed
from sandbox.nn import Run
from sandbox.options import RUNS, main, store_options, to_look
from sandbox.tracking import Record, Store
from studies.published.book import BOOK, BY_DIFFERENCES, CHAIN_RULE, FORWARD_PASS, LINES, TOY
from studies.published.claims import Case, Figure, check
from studies.published.differences import Times, measure_times
from studies.published.gates import BLOG, GATES, NOTEBOOKS

EXPERIMENT = "published_results"
SOURCES = (BLOG, NOTEBOOKS, BOOK)
CASES = (*GATES, FORWARD_PASS, TOY, CHAIN_RULE, BY_DIFFERENCES, *LINES)
HEAD = f"{'result':<16}{'text':>21}{'ours':>21}{'difference':>13}{'allowed':>10}   {'verdict':<12}published"
LEGEND = """\
quantity@n: of the parameters after n updates. dW, db: derivatives of the cost by weights and biases; Z, A: a unit's sum
and output, example by example; 1, 2: the layer. difference: relative to the text's figure (absolute where that is 0).
published: "printed [n]" is a figure that source n prints. "recomputed [n]" is of a network of source n, which does not
print it, or rounds it: it was computed in float64 by other code than the trainer's. *: the source errs, see above."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--no-track", is_flag=True, help="Log nothing.")
@store_options
def command(no_track: bool, store: Store, as_json: bool) -> int:
    """Re-run every published result that the trainer claims; 1 is the exit code of a mismatch."""
    if not no_track:
        store.check()
    started = time.time()
    runs: dict[Case, Run] = {}
    figures: list[Figure] = []
    for case in CASES:
        runs[case], found = check(case)
        figures += found
    times = measure_times()
    summary = summarize(figures, times)
    if not no_track:
        experiment = store.experiment(EXPERIMENT, "Every published result that the trainer claims, re-run.")
        summary["run_id"] = store.log(
            signed(make_record(runs, figures, times, summary, started), store, RUNS), experiment
        )
    if as_json:
        sources = {source.number: {**vars(source)} for source in SOURCES}
        click.echo(json.dumps({**summary, "figures": [row(figure) for figure in figures], "sources": sources}))
    else:
        click.echo(f"{table(figures)}\n\n{times}")
        click.echo(f"\n{conclusion(summary)}" + ("" if no_track else f"\nnext: {to_look(store)}"))
    for figure in figures:
        if not figure.matches:
            text = f"{full_name(figure)} is published as {figure.value:.12g}, ours is {figure.ours:.12g}"
            click.echo(f"mismatch: {text}", err=True)
    return 1 if summary["mismatches"] else 0


def summarize(figures: Sequence[Figure], times: Times) -> dict[str, Any]:
    """How many figures match, the largest relative difference among the finite ones, and what differences cost."""
    mismatches = sum(not figure.matches for figure in figures)
    finite = [figure for figure in figures if math.isfinite(figure.difference)]
    largest = max(finite, key=lambda figure: figure.difference)
    return {
        "matches": len(figures) - mismatches,
        "mismatches": mismatches,
        "printed": sum(figure.claim.published == "printed" for figure in figures),
        "largest_relative_difference": largest.difference,
        "largest_at": full_name(largest),
        "differences_over_backpropagation": times.ratio,
        **{f"{way}_seconds": seconds for way, seconds in times._asdict().items()},
    }


def conclusion(summary: Mapping[str, Any]) -> str:
    """The summary in a sentence."""
    return (
        f"{summary['matches']} figures match, {summary['mismatches']} do not; {summary['printed']} of them are printed in "
        f"the sources\nLargest relative difference {summary['largest_relative_difference']:.1e} ({summary['largest_at']})"
    )


def full_name(figure: Figure) -> str:
    """A figure's name with that of its case, as far as it takes to tell the cases apart."""
    same = sum(case.title == figure.case.title for case in CASES) > 1
    rate = f" at rate {figure.case.learning_rate:g}" if same else ""
    return f"{figure.case.title}{rate}: {figure.name}"


def row(figure: Figure) -> dict[str, Any]:
    """A figure as JSON and a table have it; what is not finite is None there."""
    numbers = {"text": figure.value, "ours": figure.ours, "relative_difference": figure.difference}
    misprint = figure.claim.misprint
    return {
        "result": full_name(figure),
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
        "tolerance": figure.claim.tolerance,
        "verdict": "match" if figure.matches else "mismatch",
        "published": figure.published,
        "source": figure.case.source.number,
        "source_shows": misprint.shown if misprint else None,
        "source_retraced": misprint.retraced() if misprint else None,
        "source_errs": misprint.reason if misprint else None,
    }


def table(figures: Sequence[Figure]) -> str:
    """Everything that was found out, as text."""
    lines = [HEAD]
    for case, group in groupby(figures, key=lambda figure: figure.case):
        lines += ["", case.name]
        for figure in group:
            difference = f"{figure.difference:.1e}" if figure.difference else "0"
            verdict = ("match" if figure.matches else "MISMATCH") + ("*" if figure.claim.misprint else "")
            lines.append(
                f"  {figure.name:<14}{figure.value:>21.12g}{figure.ours:>21.12g}{difference:>13}"
                f"{figure.claim.tolerance:>10.0e}   {verdict:<12}{figure.published}"
            )
    lines += ["", "* Known errors of the sources: the exact figure is what must match."]
    for figure in figures:
        if misprint := figure.claim.misprint:
            lines += [
                f"  {full_name(figure)} [{figure.case.source.number}]: exactly {figure.value:.12g}, "
                f"shown as {misprint.shown}; retraced: {misprint.retraced():.7g}",
                textwrap.fill(misprint.reason, 120, initial_indent="    ", subsequent_indent="    "),
            ]
    for source in SOURCES:
        lines += ["", f"[{source.number}] {source.title}", f"    {source.note}", f"    {source.address}"]
    lines += ["", LEGEND]
    return "\n".join(lines)


def make_record(
    runs: Mapping[Case, Run], figures: Sequence[Figure], times: Times, summary: Mapping[str, Any], started: float
) -> Record:
    """The MLflow run of this study: counts, pictures and the table. It is FAILED when something does not match."""
    import pandas as pd

    from sandbox.provenance import origin
    from studies.published.pictures import pictures

    names = ("matches", "mismatches", "printed", "largest_relative_difference", "differences_over_backpropagation")
    return Record(
        name="published results",
        status="FAILED" if summary["mismatches"] else "FINISHED",
        start_time=int(started * 1000),
        end_time=int(time.time() * 1000),
        params={"cases": str(len(runs)), "figures": str(len(figures)), "numpy": np.__version__},
        metrics=[(name, float(summary[name]), 0) for name in names],
        tags={"mlflow.note.content": conclusion(summary), **origin()},
        images=pictures(runs),
        files={
            "published_results.csv": pd.DataFrame(map(row, figures)).to_csv(index=False).encode(),
            "published_results.txt": f"{table(figures)}\n\n{times}\n".encode(),
        },
    )


if __name__ == "__main__":
    main(command)
