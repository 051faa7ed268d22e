"""The options that commands share, and where runs are kept."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sandbox.config import FIELDS, format_value, parse_value

RUNS = Path("runs")


def config_options(command: Callable) -> Callable:
    """An option for every field of Config, --learning-rate for learning_rate, collected in `changes`."""

    @wraps(command)
    def collected(**options: Any) -> Any:
        changes = {name: parse_value(name, text) for name in FIELDS if (text := options.pop(name)) is not None}
        return command(changes=changes, **options)

    for name, field in reversed(FIELDS.items()):
        shown = format_value(list(field.default) if isinstance(field.default, tuple) else field.default)
        collected = click.option(f"--{name.replace('_', '-')}", name, metavar="VALUE", help=f"[{shown}]")(collected)
    return collected


def store_options(command: Callable) -> Callable:
    """--tracking-uri and --json, which every command that reads or writes runs has."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")(command)
    return click.option(
        "--tracking-uri", metavar="URI", help="MLflow store [MLFLOW_TRACKING_URI, else SQLite under runs/]."
    )(command)
