"""Ours beside Ray Tune with MLflow, on the same work: `make bench-cluster`, or `python -m studies.bench.cluster --ways d,e`.

Every way trains the same configs on two cores and logs the same content to an empty MLflow store. It is a process of its
own, from its start to its end; what it needs before training can begin is shown apart as its start-up.
"""

import json
import logging
import os
import platform
import statistics
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
import pandas as pd

from studies.bench.cluster.trial import struck, timed
from studies.bench.cluster.ways import WAYS
from studies.bench.race import Row

AT_MOST = {200: 1 / 3, 2000: 1 / 10}  # of the time that Ray Tune takes carefully
HIDDEN = ["struck", "words", "turn"]  # in the table


def _letters(context: click.Context, option: click.Parameter, text: str) -> list[str]:
    letters = text.split(",")
    for letter in letters:
        if letter not in WAYS:
            raise click.BadParameter(f"unknown way {letter!r}: {', '.join(WAYS)}")
        if not WAYS[letter].here:
            raise click.BadParameter(f"way {letter} needs {WAYS[letter].needs}: make bench-cluster installs it")
    return letters


def _numbers(context: click.Context, option: click.Parameter, text: str) -> list[int]:
    numbers = [int(word) for word in text.split(",") if word.strip().isdecimal()]
    if len(numbers) != len(text.split(",")) or 0 in numbers:
        raise click.BadParameter(f"{text!r}: whole numbers with commas between them are needed")
    return numbers


ways_help = "; ".join(f"{letter}: {way.name}" for letter, way in WAYS.items())


@click.command(help=__doc__)
@click.option("--sizes", default="200,2000", show_default=True, callback=_numbers, help="How many configs.")
@click.option("--ways", default=",".join(WAYS), show_default=True, callback=_letters, help=ways_help)
@click.option("--repeats", default=1, show_default=True, help="Turns of each way; the median counts.")
@click.option("--cap", default=900.0, show_default=True, help="Seconds after which a way is cut short.")
@click.option("--kills/--no-kills", default=True, show_default=True, help="Kill drivers and workers on the way.")
@click.option("--kill-size", type=int, help="How many configs then. Default: as many as a way trains in some minutes.")
@click.option("--server/--no-server", default=False, show_default=True, help="Log to an `mlflow server`.")
@click.option("--json", "target", type=Path, default=Path("runs/cluster.json"), show_default=True)
def main(
    sizes: list[int],
    ways: list[str],
    repeats: int,
    cap: float,
    kills: bool,
    kill_size: int | None,
    server: bool,
    target: Path,
) -> None:
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it says of every new database what it does
    report: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {name: _version(name) for name in ("ray", "distributed", "mlflow", "numpy")},
        "store": "mlflow server" if server else "SQLite",
        "timed": [],
        "killed": [],
    }
    for size in sizes:
        for turn in range(repeats):
            for letter in ways:  # by turns: what else the machine does is everybody's
                _add(report, "timed", {"turn": turn} | timed(letter, size, cap, server), target)
    for letter in ways if kills else []:
        for whom in ("driver", "worker"):
            _add(report, "killed", struck(letter, kill_size or WAYS[letter].runs, whom, cap, server), target)
    report["verdicts"] = [row.as_dict() for row in verdicts(report["timed"])]
    _write(report, target)
    for part in ("timed", "killed", "verdicts"):
        if report[part]:
            frame = pd.DataFrame(report[part]).drop(columns=HIDDEN, errors="ignore")
            text = frame.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.4g}")
            click.echo(f"\n{part}, {report['store']}\n\n{text}")
    click.echo(f"\nwritten to {target}")


def verdicts(rows: list[dict[str, Any]]) -> Iterator[Row]:
    """Ours against Ray's, of each number of runs: until all runs are there, and until the end, which for ours comes after
    the answer. Medians; of what was cut, what it would have been."""
    for until, note in (("all there", "until all runs are there"), ("seconds", "until the end")):
        seconds: dict[tuple[int, str], list[float]] = {}
        for row in rows:
            if value := row["estimate"] or row[until]:
                seconds.setdefault((row["runs"], row["way"][0]), []).append(value)
        median = {one: statistics.median(values) for one, values in seconds.items()}
        for size, ours in [one for one in median if one[1] in "de"]:
            for peer, at_most in (("a", None), ("b", AT_MOST.get(size)), ("c", 1.0)):
                if theirs := median.get((size, peer)):
                    work = f"{size} configs, {WAYS[ours].name}"
                    yield Row(work, WAYS[peer].name, median[size, ours], theirs, "s", at_most, note)


def _add(report: dict[str, Any], part: str, row: dict[str, Any], target: Path) -> None:
    """Note a row and say it; what is measured so far is in the file."""
    report[part].append(row)
    _write(report, target)
    shown = {
        key: f"{value:.4g}" if isinstance(value, float) else value for key, value in row.items() if key not in HIDDEN
    }
    click.echo(", ".join(f"{name} {value}" for name, value in shown.items() if value is not None))


def _write(report: dict[str, Any], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=1))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
