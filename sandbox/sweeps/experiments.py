"""The command `sandbox experiment`: the questions of `experiments/`, from any folder and without a clone.

An installed sandbox has the scripts as `sandbox.experiments`; in a clone the same files are run as `experiments.NAME`.
"""

import importlib
import pkgutil

import click

from sandbox.errors import choose
from sandbox.sweeps.command import experiment_command

SCRIPTS = "sandbox.experiments"


class _Scripts(click.Group):
    """Every script is a command; a misspelt name is answered with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = pkgutil.iter_modules(importlib.import_module(SCRIPTS).__path__)
        return sorted(module.name for module in found if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        choose("experiment", cmd_name, dict.fromkeys(self.list_commands(ctx)))
        sweep = importlib.import_module(f"{SCRIPTS}.{cmd_name}").SWEEP
        command = experiment_command([sweep])
        command.name, command.short_help = cmd_name, sweep.question
        return command


@click.group(cls=_Scripts)
def experiment() -> None:
    """Run one of the experiments: each answers a question with a sweep."""
