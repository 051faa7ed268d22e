"""The commands `sandbox predict`, `export`, `register` and `animate`: what to do with the network of a run."""

import json
import os
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import click

from sandbox.errors import RequestError, one_line
from sandbox.export import export as export_model
from sandbox.interrupt import getting_ready
from sandbox.kept.loading import load
from sandbox.kept.serving import logged_model
from sandbox.names import is_safe
from sandbox.options import RUNS, check_place, json_option, save, to_look, uri_option
from sandbox.tracking import Store
from sandbox.tracking.address import near, resolve, shown
from sandbox.tracking.linked import LoggedModel
from sandbox.typed import near as near_file
from sandbox.typed import next_commands, program, typed

PORT = 5001  # that `sandbox ui` leaves free


@click.command()
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--csv", "as_csv", is_flag=True, help="Print a CSV, with a line of names.")
@json_option
@uri_option
def predict(run: str, file: Path, as_csv: bool, as_json: bool, tracking_uri: str | None) -> None:
    """Predict the rows of FILE, a CSV or a Parquet file in raw units, with the network of RUN.

    RUN is the id of a run, or the file network.npz that it keeps. One line for each row: the class and its probability, or
    the value.
    """
    with getting_ready():
        import pandas as pd

        from sandbox.data.frame import read_frame

    model = load(run, tracking_uri, RUNS)
    frame = read_frame(file)
    if frame.empty:
        raise RequestError(f"{file} has no rows")
    answers = pd.DataFrame(model.answers(frame))
    if as_json:
        click.echo(json.dumps({"run": run, "predictions": answers.to_dict("records")}))
    else:
        click.echo(answers.to_csv(index=False, header=as_csv, sep="," if as_csv else " "), nl=False)


@click.command()
@click.argument("run")
@click.option("--as", "kind", default="numpy", show_default=True, help="numpy: a script of NumPy alone; json.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Where to [standard output]."
)
@uri_option
def export(run: str, kind: str, out: Path | None, tracking_uri: str | None) -> None:
    """Write the network of RUN as a script of NumPy alone, or as JSON: for where there is no sandbox."""
    model = load(run, tracking_uri, RUNS)
    about = f"Run {run}, trained on {model.params.get('dataset', 'data')}."
    text = export_model(model, kind, about, out.name if out else "model.py")
    if out is None:
        click.echo(text, nl=False)
        return
    save(out, text.encode(), "--out")
    click.echo(f"written: {out}" + (f"\nnext: python {out} new.csv" if kind == "numpy" else ""))


@click.command()
@click.argument("run")
@click.option("--name", metavar="NAME", help="What the model is called [as the data set is].")
@json_option
@uri_option
def register(run: str, name: str | None, as_json: bool, tracking_uri: str | None) -> None:
    """Make RUN a model of MLflow's registry, which `mlflow models serve` serves: raw rows in, out what predict says.

    It has a signature, an example, its metrics, and all the code that it needs: no sandbox, and no pickle. A run that is
    registered already stays as it is.
    """
    if name is not None and not (is_safe(name) and "." not in name and len(name) <= 100):
        raise RequestError(f"name is {one_line(name)}: up to 100 letters, digits, _ and - are needed")
    if run.endswith(".npz"):
        raise RequestError(f"run is {one_line(run)}: the id of a run is needed, for a model has its metrics too")
    with getting_ready():
        from sandbox.tracking import models

    model = logged_model(load(run, tracking_uri, RUNS), run)
    store, name = Store(tracking_uri, RUNS), name or model.name
    model_id, _ = models.log_model(store, model, RUNS)
    version, new = models.register(store, model_id, name, RUNS)
    told = {"run": run, "model": model_id, "name": name, "version": version, "uri": f"models:/{name}/{version}"}
    if as_json:
        click.echo(json.dumps({**told, "new": new}))
        return
    was = "is now" if new else "was registered before: it is"
    click.echo(f"run {run} {was} version {version} of the model {name} in {shown(store.uri)}\n")
    for line in _next(model, told["uri"], store):
        click.echo(line)


def _next(model: LoggedModel, uri: str, store: Store) -> Iterator[str]:
    """How it is served and asked, typed from here."""
    mlflow, own = program("mlflow"), os.environ.get("MLFLOW_TRACKING_URI") and resolve(None, RUNS) == store.uri
    place = os.path.dirname(*shlex.split(mlflow))
    here = f"PATH={shlex.quote(place)}:$PATH " if place else ""  # it looks there for uvicorn
    where = "" if own else f"MLFLOW_TRACKING_URI={shlex.quote(shown(near(store.uri)))} "
    yield f"serve it:\n  {here}{where}{mlflow} models serve -m {uri} --env-manager local --port {PORT}"
    rows = {"dataframe_split": {"columns": [name for name, _, _ in model.inputs], "data": model.example[:1]}}
    header = "-H 'Content-Type: application/json'"
    yield f"ask it:\n  curl {header} -d {shlex.quote(json.dumps(rows))} http://127.0.0.1:{PORT}/invocations"
    yield f"or predict without a server:\n  {typed('predict', model.run_id, 'FILE.csv', *store.words)}"


@click.command()
@click.argument("run")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A film by its suffix: .gif, .webp, or .mp4 where ffmpeg is [RUN.gif].",
)
@click.option("--frames", type=click.IntRange(2, 1000), default=60, show_default=True)
@click.option("--width", type=click.IntRange(200, 4000), default=1000, show_default=True, help="In pixels.")
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=6, show_default=True, help="How long it plays.")
@click.option("--plane", metavar="A,B", help="Two features for the boundary, such as x3,x7.")
@json_option
@uri_option
def animate(
    run: str,
    out: Path | None,
    frames: int,
    width: int,
    seconds: float,
    plane: str | None,
    as_json: bool,
    tracking_uri: str | None,
) -> None:
    """Watch RUN learn, in a film: its boundary, and its cost so far, from the first epoch to the last.

    RUN is the id of a run. Its network is trained once more, to the same bits: any run of a config can be watched.

    \b
      sandbox animate RUN --out xor.gif
      sandbox animate RUN --out xor.mp4 --seconds 12 --width 1600
    """
    with getting_ready():
        from tqdm import tqdm

        from sandbox.kept.film import encoder, film, kept_config
        from sandbox.nn.hooks import Progress
        from sandbox.record import plane_named

    out = out or Path(f"{run}.gif")
    check_place(out, "--out")
    encode = encoder(out.suffix)
    store = Store(tracking_uri, RUNS)
    config, end = kept_config(run, store, RUNS)
    shown = None if plane is None else plane_named(plane, config)
    options = {"end": end, "frames": frames, "width": width, "seconds": seconds, "plane": shown}
    bar = partial(tqdm, disable=as_json, leave=False)
    with bar(total=config.epochs, desc="train", unit="epoch") as epochs, bar(total=frames, desc="draw") as drawn:
        watched = film(config, hooks=[Progress(epochs, max(1, config.epochs // 100))], drawn=drawn.update, **options)
        content = encode(watched)
    save(out, content, "--out")
    told = {"run": run, "out": str(out), "frames": len(watched.frames), "bytes": len(content)}
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(f"{near_file(out)}: {len(watched.frames)} frames, {len(content) / 1e6:.2g} MB, of {run}")
    click.echo(next_commands(to_look(store)))
