"""The command: torment, repair, run to the end, look."""

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from studies.chaos.torment import Torment, Work, apart, findings, run_here, store_of, writers_of, wrong_with


def finish(work: Work, root: Path) -> list[str]:
    """Run it to its end; what is wrong with how it ended."""
    outcome: Any = run_here(work, store_of(root), root)
    return [] if outcome.status == "FINISHED" else [f"{work.id}: {outcome.status}, {outcome.why}"]


@click.command()
@click.option("--rounds", default=30, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(rounds: int, seed: int) -> None:
    """Torment two sweeps and comparisons, repair, run them to their end, and print one JSON object."""
    with TemporaryDirectory() as directory:
        torment = Torment(Path(directory), random.Random(seed))
        for number in range(rounds):
            click.echo(f"{number + 1}: {torment.round(number)}", err=True)
        root, works = torment.root, [*torment.sweeps, *torment.comparisons]
        named = apart(findings, root, True)
        wrong = [*torment.wrong, *(fault for work in works for fault in apart(finish, work, root))]
        while writers_of(root):
            pass
        wrong += [f"the doctor, after all: {campaign}: {what}" for campaign, what in apart(findings, root)]
        wrong += [fault for work in works for fault in apart(wrong_with, work, root, True)]
    runs = sum(work.total for work in works)
    report = {
        "rounds": rounds,
        "done": dict(torment.done),
        "runs": runs,
        "left to their commands": named,
        "wrong": wrong,
    }
    click.echo(json.dumps(report, indent=1))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
