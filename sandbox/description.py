"""A run's description: what one sees first on its page in MLflow, in Markdown.

It says what the run came to, which command trains it again, and shows its pictures: in this order, for the page folds a
description after some lines.
"""

import shlex
from collections.abc import Collection, Iterator, Mapping

from sandbox.config import Config
from sandbox.errors import RequestError
from sandbox.link import EPOCHS, link_of
from sandbox.result import Result
from sandbox.tracking.entry import LONGEST_NOTE, THIS_RUN
from sandbox.typed import NAME

PICTURES = {"boundary.png": "boundary", "cost.png": "cost"}
START = "start."  # before the names of tags: with which weights and biases it began, where they were given
PLAYGROUND = "playground"  # the tag with the link that a run was made from
LONGEST_START = 500  # characters of these tags


def description(result: Result, images: Collection[str], tags: Mapping[str, str]) -> str:
    """What the run of a result with these `images` and `tags` says of itself.

    There is no command of what `fit` came to, nor one that is longer than what MLflow keeps.
    """
    seen, again = [*_pictures([name for name in PICTURES if name in images])], []
    if isinstance(result.config, Config):
        again = [f"`{command(result.config, tags)}`", *_wanted(result.config, tags), *_on_the_page(result.config, tags)]
    text = "\n\n".join([figures(result), *again, *seen])
    return text if len(text) <= LONGEST_NOTE else "\n\n".join([figures(result), *seen])


def figures(result: Result) -> str:
    """What it came to, in a line.

    >>> from sandbox import Config, train
    >>> figures(train(Config(dataset="or", hidden=(), epochs=1000)))
    'train accuracy 1, cost 0.003196 after 1,000 epochs, 3 parameters'
    """
    names = ("test_accuracy", "train_accuracy", "test_cost")
    best = next((name for name in names if getattr(result, name) is not None), None)
    parts = [f"{best.replace('_', ' ')} {getattr(result, best):.4g}"] if best else []
    epochs = f"{result.epochs_run:,} epochs"
    if result.diverged_at is not None:
        parts.append(f"diverged at epoch {result.diverged_at:,}")
    else:
        parts.append(f"cost {result.cost:.4g} after {epochs}" + (", when it was given up" if result.pruned else ""))
    return ", ".join([*parts, f"{result.network.parameters.size:,} parameters"])


def _pictures(names: list[str]) -> Iterator[str]:
    """The pictures side by side, if there are any."""
    shown = [f"![{PICTURES[name]}](get-artifact?path={name}&run_uuid={THIS_RUN})" for name in names]
    rows = [[PICTURES[name] for name in names], ["---"] * len(names), shown]
    if names:
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def command(config: Config, tags: Mapping[str, str]) -> str:
    """The command that trains it again: from its link, where it was made from one.

    With FILE and COLUMN for data of one's own, and NUMBERS for very many weights.

    >>> command(Config(dataset="moons", hidden=(8, 8), learning_rate=0.3), {})
    'sandbox train --dataset moons --hidden 8,8 --learning-rate 0.3'
    """
    if link := tags.get(PLAYGROUND):
        epochs = [] if config.epochs == EPOCHS else ["--epochs", str(config.epochs)]
        return shlex.join([NAME, "playground", link, *epochs])
    words = config.words
    if config.data.digest:
        place = words.index("--dataset")
        words[place : place + 2] = ["--dataset", "FILE", "--target", "COLUMN"]
    for option, name in _start(tags).items():
        words += [option, tags[name] if len(tags[name]) < LONGEST_START else "NUMBERS"]
    return shlex.join([NAME, "train", *words])


def page_of(config: Config) -> tuple[str, list[str]]:
    """The link that opens it in TensorFlow Playground, and what is otherwise there; ("", []) where the page has none."""
    try:
        return link_of(config)
    except RequestError:
        return "", []


def _on_the_page(config: Config, tags: Mapping[str, str]) -> Iterator[str]:
    link, differences = (tags[PLAYGROUND], []) if tags.get(PLAYGROUND) else page_of(config)
    if link:
        there = f"; there it has {', '.join(differences)}" if differences else ""
        yield f"[In TensorFlow Playground]({link}){there}."


def _start(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"--{name.removeprefix(START)}": name for name in tags if name.startswith(START)}


def _wanted(config: Config, tags: Mapping[str, str]) -> Iterator[str]:
    """What the command needs, where it cannot be typed as it is."""
    if config.data.digest:
        yield f"FILE and COLUMN: the file of `{config.dataset}` and its target, with the options that it was read with."
    if config.functions:
        modules = sorted({name.partition(":")[0] for name in config.functions})
        yield f"It is to be typed where {' and '.join(f'`{module}`' for module in modules)} can be imported."
    if any(len(tags[name]) >= LONGEST_START for name in _start(tags).values()):
        yield "NUMBERS: those that it began with."
