"""What commands share: their options, where runs are kept, and how a command ends.

Exit codes: 0 done, 1 something failed, 2 the request was wrong. Errors are one line on standard error.
"""

import csv
import io
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click

from sandbox import interrupt
from sandbox.config import FIELDS, FUNCTIONS, KINDS, Config, parse_value
from sandbox.data import Dataset
from sandbox.data.checks import FILES
from sandbox.errors import RequestError, choose, one_line
from sandbox.fields import NONE
from sandbox.own import find
from sandbox.tracking import Store, StoreError
from sandbox.tracking.address import local_path, shown
from sandbox.tracking.claims import VARIABLE as STUDY
from sandbox.tracking.claims import check_uri
from sandbox.tracking.ui import is_server, url
from sandbox.tracking.user import VARIABLE
from sandbox.typed import near, typed
from sandbox.workers import check

RUNS = Path("runs")
WORKERS = "SANDBOX_WORKERS"


def main(command: click.Command) -> None:
    """Run a command, turning what went wrong into one line and an exit code.

    What the user's own hook or picture raised has a note that names the run, and comes out with its traceback.
    """
    try:
        interrupt.raise_again()
        sys.exit(command.main(standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message())
        sys.exit(0)
    except click.NoSuchOption as error:
        _fail(_unknown_option(error), 2)
    except click.ClickException as error:
        _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        interrupt.all_done()  # whoever presses once more has been heard
        _fail("interrupted", 1)
    except RequestError as error:
        if notes := getattr(error, "__notes__", None):  # it comes out of a hook or a picture, in the midst of the work
            _fail(f"{error} ({notes[0]})", 1)
        _fail(str(error), 2)
    except MemoryError as error:
        _fail(f"this machine has not enough memory: {error or 'none is left'}", 1)
    except (StoreError, OSError) as error:
        if getattr(error, "__notes__", None):
            raise
        _fail(str(error), 1)
    finally:
        interrupt.all_done()


def _unknown_option(error: click.NoSuchOption) -> str:
    options = {name: 0 for one in (error.ctx.command.params if error.ctx else []) for name in one.opts}
    try:
        choose("option", error.option_name, options)
    except RequestError as wrong:
        return str(wrong)
    return error.format_message()


def _fail(message: str, code: int) -> None:
    click.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)


def check_place(path: Path, option: str) -> None:
    """Raises RequestError where there is no place for a file that was asked for."""
    if not path.parent.is_dir() or path.is_dir():
        raise RequestError(f"{option} is {str(path)!r}: a file in a directory that exists is needed")


def save(path: Path, content: bytes, option: str) -> None:
    """Write a file that was asked for. Raises RequestError where there is no place for it."""
    check_place(path, option)
    path.write_bytes(content)


def png_of(figure: Any) -> bytes:
    """A figure as PNG bytes, so that its file comes whole or not at all."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()


def to_look(store: Store, experiment_id: str | None = None, run_id: str | None = None) -> str:
    """What to type, or to open, to look at a store: at a run, an experiment, or all."""
    if is_server(store.uri):
        return url(shown(store.uri), experiment_id, run_id)
    return typed("ui", *store.words)


def to_open(place: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """A run's pictures and what to open to see them: files of this machine, or addresses; not what a server keeps."""
    directory = local_path(place)
    for name in names:
        if directory is None and not place.startswith("mlflow-artifacts:"):
            yield name, f"{place}/{name}"
        elif directory is not None and (directory / name).is_file():
            yield name, near(directory / name)


def config_options(base: Config | None = None, hidden: Collection[str] = ()) -> Callable[[Callable], Callable]:
    """An option for every field of Config, --learning-rate for learning_rate, collected in `changes`.

    The help shows the values of `base` (default: Config's own), and not the options that are `hidden`.
    """
    values = (base or Config()).params()

    def decorate(command: Callable) -> Callable:
        @wraps(command)
        def collected(read: Callable[[str], Any], **options: Any) -> Any:
            changes = {name: parse_value(name, text) for name in FIELDS if (text := options.pop(name)) is not None}
            changes |= {name: read(changes[name]) for name in changes if name == "dataset"}
            return command(changes=changes, **({"read": read} if "dataset" in hidden else {}), **options)

        with_options = data_options(collected)
        for name in reversed(FIELDS):
            shown = {"help": f"[{values[name]}]", "hidden": name in hidden, "metavar": _metavar(name)}
            with_options = click.option(f"--{name.replace('_', '-')}", name, **shown)(with_options)
        return with_options

    return decorate


def _metavar(name: str) -> str:
    """What the help says that a field takes: the names that are possible, where there are some."""
    if name == "dataset":
        return "NAME|FILE|FORMULA"  # sandbox datasets lists the names
    names = [*KINDS[name].names, *(["MODULE:NAME"] if name in FUNCTIONS else [])]
    return f"[{'|'.join((*names, NONE) if KINDS[name].optional else names)}]" if names else "VALUE"


def data_options(command: Callable) -> Callable:
    """The options of a data set of one's own; `read` makes one of a file's name, and leaves any other as it is."""

    @wraps(command)
    def collected(
        target: str | None,
        task: str | None,
        gaps: str | None,
        scaling: str | None,
        leave_out: str | None,
        **options: Any,
    ) -> Any:
        parts = leave_out and {"leave_out": tuple(next(csv.reader([leave_out], skipinitialspace=True)))}
        how = {"task": task, "gaps": gaps, "scaling": scaling, **(parts or {})}
        given = {name: value for name, value in how.items() if value is not None}
        return command(read=partial(_read, target, given), **options)

    for name, what in (
        ("--leave-out", "Columns of a file that are no features, with commas between."),
        ("--scaling", "What is done to a file's numbers: standard, minmax or none [standard]."),
        ("--gaps", "A file's rows with gaps: drop, or fill (by the mean, the most frequent text) [drop]."),
        ("--task", "What is learnt from a file: binary, multiclass or regression [by its target]."),
        ("--target", "The column of a file that is to be learnt: --dataset FILE.csv (or .parquet) --target COLUMN."),
    ):
        collected = click.option(name, metavar="VALUE" if name != "--target" else "COLUMN", help=what)(collected)
    return collected


def _read(target: str | None, given: dict[str, Any], text: str) -> Any:
    """The data set in the file of this name, and a line that says what was done; or the name, of another data set."""
    if text.lower().endswith(FILES):
        dataset = Dataset.from_file(text, target, **given)
        click.echo(f"{text}: {dataset.summary}", err=True)
        return dataset
    if target is not None or given:
        name = "target" if target is not None else next(iter(given)).replace("_", "-")
        raise RequestError(
            f"--{name} is for a file of your own, and {one_line(text)} is none: --dataset FILE.csv --target COLUMN"
        )
    return text


def store_options(command: Callable) -> Callable:
    """--tracking-uri, --artifacts and --as, which come to a `store`, and --json: what every command that logs runs has."""

    @wraps(command)
    def collected(tracking_uri: str | None, artifacts: str, user: str | None, **options: Any) -> Any:
        return command(store=Store(tracking_uri, RUNS, artifacts, user), **options)

    where = "Where new experiments keep their artifacts, such as s3://BUCKET/PATH [beside the database]."
    placed = click.option("--artifacts", metavar="URI", default="", help=where)
    return uri_option(placed(user_option(json_option(collected))))


def workers_option(command: Callable) -> Callable:
    """--workers, where runs are trained if not in this process; opened by whoever runs them (sandbox.workers)."""

    @wraps(command)
    def checked(workers: str | None, **options: Any) -> Any:
        check(workers)
        return command(workers=workers, **options)

    where = f"Processes to train in, or a Dask scheduler such as tcp://HOST:8786 [{WORKERS}, else this process]."
    return click.option("--workers", metavar="N|ADDRESS", envvar=WORKERS, help=where)(checked)


def study_option(command: Callable) -> Callable:
    """--study-uri, the database by which hosts share a sweep, as `shared`."""

    @wraps(command)
    def checked(shared: str | None, **options: Any) -> Any:
        if shared:
            check_uri(shared, options["tracking_uri"] or os.environ.get("MLFLOW_TRACKING_URI", ""))
        return command(shared=shared or "", **options)

    what = (
        f"PostgreSQL by which several hosts share a sweep, and for Optuna's study [{STUDY}, else runs/optuna.journal]."
    )
    return click.option("--study-uri", "shared", metavar="URI", envvar=STUDY, help=what)(checked)


def user_option(command: Callable) -> Callable:
    """--as."""
    who = f"Whose runs these are, where several people share a store [{VARIABLE}, else the name of the account]."
    return click.option("--as", "user", metavar="NAME", help=who)(command)


def uri_option(command: Callable) -> Callable:
    """--tracking-uri."""
    what = "MLflow store [MLFLOW_TRACKING_URI, else SQLite under runs/]."
    return click.option("--tracking-uri", metavar="URI", help=what)(command)


def json_option(command: Callable) -> Callable:
    """--json."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")(command)


def own_options(command: Callable) -> Callable:
    """--hook and --picture, which bring code of the user's own into every run; collected in `hooks` and `pictures`."""

    @wraps(command)
    def collected(own_hooks: tuple[str, ...], own_pictures: tuple[str, ...], **options: Any) -> Any:
        return command(hooks=list(map(load_hook, own_hooks)), pictures=list(map(load_picture, own_pictures)), **options)

    for name, target, what in (
        ("--picture", "own_pictures", "A function of a Result that gives a Figure or PNG bytes (may be given again)."),
        ("--hook", "own_hooks", "A hook that watches every run, MODULE:NAME, or one of the sandbox's: NAME."),
    ):
        collected = click.option(name, target, multiple=True, metavar="MODULE:NAME", help=what)(collected)
    return collected


def load_hook(text: str) -> Any:
    """The hook that `text` names: "module:Name", a class (then made without arguments) or an instance; or a built-in.

    Raises RequestError.
    """
    import sandbox.nn.hooks as built_in

    found = find("hook", text) if ":" in text else choose("hook", text, _hooks_of(built_in))
    if isinstance(found, type) and issubclass(found, built_in.Hook):
        try:
            return found()
        except TypeError as error:
            raise RequestError(f"hook {text} cannot be made without arguments: {error}") from None
    if not isinstance(found, built_in.Hook):
        raise RequestError(f"{text} is no hook: a class derived from sandbox.Hook, or an instance of one, is needed")
    return found


def _hooks_of(module: Any) -> dict[str, type]:
    return {name: one for name, one in vars(module).items() if isinstance(one, type) and issubclass(one, module.Hook)}


def load_picture(text: str) -> Callable:
    """The function of a Result that `text` names, "module:name". Raises RequestError."""
    found = find("picture", text)
    if not callable(found) or isinstance(found, type):
        raise RequestError(f"{text} is no picture: a function of a Result is needed")
    return found
