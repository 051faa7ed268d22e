"""The command `sandbox playground`: links to TensorFlow Playground, trained as the page trains them, and from there on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from sandbox.config import Config
from sandbox.description import PLAYGROUND
from sandbox.effort import check_effort
from sandbox.errors import RequestError, one_line
from sandbox.interrupt import getting_ready
from sandbox.link import EPOCHS, fields_of_link
from sandbox.logged import announce, log
from sandbox.options import RUNS, own_options, store_options, to_look, to_open
from sandbox.result import Result
from sandbox.space import arms, fields_of
from sandbox.sweeps import Sweep
from sandbox.sweeps.command import run_sweeps, sampling, space_of, sweep_options
from sandbox.table import render
from sandbox.tracking import Destination, Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.ui import ranked_by
from sandbox.train import spread, train
from sandbox.typed import next_commands, typed

NAME = "playground"
SHOWN = (0, 1, 2, 10, 100, 300)  # epochs whose losses are printed
OBJECTIVE = "min:test_cost"  # all that the page shows beside the training loss
ABOUT = "Networks of TensorFlow Playground, from links to it."


@click.command()
@click.argument("links", nargs=-1, required=True, metavar="LINK|FILE...")
@click.option("--epochs", type=int, default=EPOCHS, show_default=True, help="How long to train: a link does not say.")
@click.option(
    "--vary", "varied", multiple=True, metavar="FIELD=VALUES", help="learning_rate=0.003,0.03,0.3, hidden=4,2|8|none."
)
@click.option("--name", default=NAME, show_default=True, help="The experiment that the runs go to.")
@sweep_options
@own_options
@store_options
def playground(
    links: tuple[str, ...],
    epochs: int,
    varied: tuple[str, ...],
    name: str,
    store: Store,
    as_json: bool,
    hooks: list[Any],
    pictures: list[Any],
    **parts: Any,
) -> int:
    """Train what LINK shows in TensorFlow Playground: the same points, weights, order and losses, to the last bit.

    LINK is the page's address, in quotes; FILE holds links, one a line. With --seeds it is the same network from so many
    seeds, with --vary what else it could be.

    \b
      sandbox playground 'https://playground.tensorflow.org/#dataset=xor&networkShape=4,2&seed=0.5'
      sandbox playground 'https://playground.tensorflow.org/#dataset=spiral&seed=0.5' --seeds 1000
      sandbox playground LINK --vary learning_rate=0.003,0.03,0.3 --vary 'hidden=4,2|8|none'
    """
    given = read_links(links)
    configs = {link: Config(**fields_of_link(link)).replace(epochs=epochs) for link in given}
    options = {key: parts.pop(key) for key in ("pruner", "writers", "batch", "workers", "shared")}
    asked = {key: value for key, value in parts.items() if value is not None}
    own: dict[str, Any] = {"hooks": hooks, "pictures": pictures}
    if len(configs) > 1 or varied or asked.keys() - {"objective"}:
        sweep = sweep_of(configs, varied, name, {**own, "objective": OBJECTIVE, **asked})
        return run_sweeps([sweep], store, as_json, **options)
    ((link, config),) = configs.items()
    _train(link, config, name, store, as_json, **own)
    return 0


def read_links(given: Sequence[str]) -> list[str]:
    """The links that were given, those in files as well, each once. Raises RequestError."""
    links: list[str] = []
    for text in given:
        if "://" in text:
            links.append(text.strip())
            continue
        try:
            lines = Path(text).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            raise RequestError(f"{one_line(text)} is no link to TensorFlow Playground, and no file of links") from None
        found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
        if not found:
            raise RequestError(f"{text} holds no link")
        links += found
    return list(dict.fromkeys(links))


def sweep_of(configs: dict[str, Config], varied: Sequence[str], name: str, parts: dict[str, Any]) -> Sweep:
    """The sweep over links, over what varies, and over seeds; side by side where there is more than the links themselves.

    Raises RequestError.
    """
    from sandbox.nn.hooks import Measures

    space = space_of(varied)
    if space or parts.get("seeds", 1) > 1 or parts.get("trials", 1) > len(configs):
        configs = {link: config.replace(arithmetic="matrix") for link, config in configs.items()}
    base = next(iter(configs.values()))
    if len(configs) > 1 or not space:
        taken = {field for key, one in space.items() for field in fields_of(key, one)}
        space = {"link": arms(_labelled(list(configs.values()), taken)), **space}
    parts = {"seeds": 1, **sampling(space), **parts}
    what = " and ".join(key.replace("_", " ") for key in space)
    question = f"What does the {what} do?" if "link" not in space else "What do these links come to?"
    if len(configs) == 1 and "link" in space:
        question = "What does the seed do?"
    curves = Measures(spread(base.epochs, 100).tolist(), ("test_cost",))
    hooks = [*parts.pop("hooks"), curves]
    reading = "\n".join(f"[{label}]({link})" for label, link in zip(_labels([*configs.values()]), configs, strict=True))
    return Sweep(name, base, space, question=question, reading=reading[:3000], hooks=hooks, **parts)


def _labels(configs: Sequence[Config]) -> list[str]:
    """A word for each link: its data, its layers and its seed; with its number where they are alike."""
    labels: list[str] = []
    for config in configs:
        layers = ",".join(map(str, config.hidden)) or "no layers"
        label = f"{str(config.dataset).removeprefix('playground_')} {layers} seed {config.data_stream}"[:60]
        labels.append(f"{label} ({len(labels) + 1})" if label in labels else label)
    return labels


def _labelled(configs: Sequence[Config], taken: set[str]) -> dict[str, dict[str, Any]]:
    fields = [{key: getattr(config, key) for key in fields_of_config() if key not in taken} for config in configs]
    return dict(zip(_labels(configs), fields, strict=True))


def fields_of_config() -> list[str]:
    """The fields that a link sets."""
    return [*fields_of_link("https://playground.tensorflow.org/#seed=0")]


def _train(
    link: str, config: Config, name: str, store: Store, as_json: bool, hooks: list[Any], pictures: list[Any]
) -> None:
    """Train what one link shows, log it, and say what it came to."""
    with getting_ready():
        from tqdm import tqdm

        from sandbox.nn.hooks import Measures, Progress, Snapshots
        from sandbox.record import CURVE_POINTS, make_record, snapshot_epochs

    check_effort([config])
    store.check()
    spool = Spool(store.uri, RUNS, store.chosen)
    announce(store, spool)
    measured = [*spread(config.epochs, CURVE_POINTS).tolist(), config.epochs]
    with tqdm(total=config.epochs, desc="train", unit="epoch", disable=as_json, leave=False) as bar:
        watching = [Snapshots(snapshot_epochs), Measures(measured, ("test_cost",)), Measures(snapshot_epochs)]
        progress = Progress(bar, max(1, config.epochs // 100))
        result = train(config, [*watching, progress, *hooks], curve_points=CURVE_POINTS)
    record = make_record(result, result.title, {PLAYGROUND: link}, pictures=pictures)
    new = store.client.get_experiment_by_name(name) is None  # a sweep has said more of one that is there
    to = Destination(name, ABOUT if new else "", experiment_tags=ranked_by(OBJECTIVE))
    run_id = log(record, to, store, spool)
    losses = losses_of(result)
    if as_json:
        told = {"link": link, "config": config.to_dict(), "losses": losses, "diverged_at": result.diverged_at}
        click.echo(json.dumps({**told, "run_id": run_id}))
        return
    table = {"epoch": [row[0] for row in losses]}
    table |= {
        word: [f"{row[place]:.12g}" for row in losses] for place, word in ((1, "training loss"), (2, "test loss"))
    }
    click.echo(f"{result.title}\n\n{render(table)}\n")
    if result.diverged_at is not None:
        click.echo(f"it diverged at epoch {result.diverged_at}\n")
    run = store.run(run_id)
    assert run is not None
    for picture, where in to_open(str(run.info.artifact_uri), record.images):
        click.echo(f"{picture}  {where}")
    more = [typed("playground", link, "--seeds", "1000", *store.words)]
    click.echo(f"\n{next_commands(to_look(store, run.info.experiment_id, run_id), *more)}")


def losses_of(result: Result) -> list[list[float]]:
    """Epoch, training and test loss of the epochs that are shown, and of the last one."""
    epochs, costs = np.append(result.cost_epochs, result.epochs_run), np.append(result.costs, result.cost)
    found = dict(zip(epochs.tolist(), costs.tolist(), strict=True))
    tests = dict(zip(*(part.tolist() for part in result.curves["test_cost"]), strict=True))
    wanted = sorted({epoch for epoch in (*SHOWN, result.epochs_run) if epoch in found and epoch in tests})
    return [[epoch, found[epoch], tests[epoch]] for epoch in wanted]
