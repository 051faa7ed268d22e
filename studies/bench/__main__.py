"""Every benchmark, as a table and as JSON: `make bench`, or `.venv-bench/bin/python -m studies.bench --only single`."""

import json
import os
import platform
from pathlib import Path

import click
import numpy as np
import pandas as pd

from studies.bench import apart, pipeline, population, single, winners
from studies.bench.picture import draw
from studies.bench.race import Row

PARTS = {
    "single": lambda repeats: single.rows(repeats),
    "population": lambda repeats: population.rows(repeats),
    "small": lambda repeats: population.small(repeats),
    "scaling": lambda repeats: population.scaling(repeats),
    "mixed": lambda repeats: population.mixed(),
    "winners": lambda repeats: winners.rows(repeats),
    "pipeline": lambda repeats: pipeline.rows(),
    "apart": lambda repeats: apart.rows(min(repeats, 3)),
}


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(list(PARTS)), multiple=True, help="One part (may be given again).")
@click.option("--repeats", default=5, show_default=True, help="Turns of each contestant; the median counts.")
@click.option("--picture/--no-picture", default=True, show_default=True, help="Draw the README's picture anew.")
@click.option("--json", "target", type=Path, default=Path("runs/bench.json"), show_default=True)
def main(only: tuple[str, ...], repeats: int, picture: bool, target: Path) -> None:
    rows: list[Row] = []
    cores = _cores()
    for name in only or PARTS:
        _stay_on(cores if name in ("pipeline", "apart") else {max(cores)})  # elsewhere one core for everybody
        for row in PARTS[name](repeats):
            rows.append(row)
            click.echo(
                f"{row.work:36} {row.ours:10.4g} {row.unit:9} {row.peer:22} {row.theirs:10.4g}  ratio {row.ratio:.4f}"
                + (f" (at most {row.at_most})" if row.at_most else "")
                + (f"  {row.note}" if row.note else "")
            )
    _stay_on({max(cores)})
    if picture and not only:
        click.echo(f"drawn: {draw(repeats)}")
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "numpy": np.__version__,
        "rows": [row.as_dict() for row in rows],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=1))
    frame = pd.DataFrame(report["rows"]).drop(columns="note")
    click.echo(
        f"\n{frame.to_string(index=False, na_rep='', float_format=lambda value: f'{value:.4g}')}\n\nwritten to {target}"
    )


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}


def _stay_on(cores: set[int]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main()
