"""Every data set by its name."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal
from weakref import WeakValueDictionary

import numpy as np

from sandbox.data import clouds, gates, playground, regression
from sandbox.data.checks import FILES
from sandbox.data.dataset import Dataset
from sandbox.data.formula import formula
from sandbox.data.generated import Draw, Generated
from sandbox.data.parts import Parts
from sandbox.data.playground import Page
from sandbox.data.pool import Pool
from sandbox.data.tables import Table
from sandbox.errors import RequestError, choose, one_line

PLAYGROUND_N = 500  # as many as TensorFlow Playground draws
PLAYGROUND_VALUES = 1200  # and for regression
GATE_N = 100  # 25 noisy copies of each row


def _gate(name: str) -> Generated:
    draw = partial(gates.gate, name)
    return Generated(
        name,
        f"the four rows of {name.upper()}; with n or noise, n of them in turn with Gaussian noise on x1, x2",
        task="binary",
        n_features=2,
        default_n=GATE_N,
        draw=draw,
        exactly=lambda: draw(4, 0.0, np.random.default_rng(0)),
    )


def _cloud(name: str, summary: str, draw: Draw) -> Generated:
    return Generated(name, summary, "binary", 2, PLAYGROUND_N, draw)


def _page(name: str, summary: str, task: str, points: int, draw: Callable[..., Any]) -> Page:
    return Page(f"playground_{name}", summary, task, 2, points, points // 2, points - 1, draw)


Entry = Generated | Pool | Table
_ENTRIES: list[Entry] = [
    *(_gate(name) for name in gates.TRUTH),
    _cloud("quadrants", "XOR with a Gaussian cloud in each quadrant", clouds.quadrants),
    _cloud("circle", "Playground's disc in a ring", clouds.circle),
    _cloud("gauss", "Playground's two Gaussian clouds", clouds.gauss),
    _cloud("spiral", "Playground's two spiral arms, with points anywhere along them", clouds.spiral),
    Pool(
        "spiral_playground",
        "the 500 points of Playground's own spiral, at even steps; those that do not train are for the other parts",
        task="binary",
        n_features=2,
        points=PLAYGROUND_N,
        default_n=PLAYGROUND_N // 2,
        largest_n=PLAYGROUND_N * 9 // 10,
        draw=clouds.spiral_playground,
    ),
    _cloud("xor_cloud", "Playground's xor: a square in four quadrants", clouds.xor_cloud),
    _cloud("moons", "two half circles that reach into each other", clouds.moons),
    Generated(
        "linear",
        "y = 3 x at x = 1, 2, 3, 4; with n or noise, x in U(1, 4) and Gaussian noise on y",
        task="regression",
        n_features=1,
        default_n=GATE_N,
        draw=regression.line,
        exactly=regression.line_exactly,
    ),
    Generated("reg_plane", "Playground's plane", "regression", 2, PLAYGROUND_N, regression.plane),
    Generated("reg_gauss", "Playground's six bumps", "regression", 2, PLAYGROUND_N, regression.bumps),
    _page("circle", "the page's own disc in a ring, to the bit", "binary", PLAYGROUND_N, playground.circle),
    _page("xor", "the page's own square in four quadrants", "binary", PLAYGROUND_N, playground.xor),
    _page("gauss", "the page's own two clouds", "binary", PLAYGROUND_N, playground.gauss),
    _page("spiral", "the page's own two spiral arms", "binary", PLAYGROUND_N, playground.spiral),
    _page("reg_plane", "the page's own plane", "regression", PLAYGROUND_VALUES, playground.plane),
    _page("reg_gauss", "the page's own six bumps", "regression", PLAYGROUND_VALUES, playground.bumps),
    Table("iris", "three kinds of iris by their petals and sepals", "multiclass", 4, 150, 3, "load_iris"),
    Table(
        "breast_cancer",
        "malignant (1) or benign (0) tumours",
        task="binary",
        n_features=30,
        examples=569,
        classes=2,
        reader="load_breast_cancer",
        positive=0,  # what a physician looks for; scikit-learn has it as 0
        edition=2,
    ),
    Table("digits", "handwritten digits of 8 by 8 pixels", "multiclass", 64, 1797, 10, "load_digits"),
    Table("wine", "three growers' wines by chemical analysis", "multiclass", 13, 178, 3, "load_wine"),
]

DatasetName = Literal[
    "and",
    "or",
    "nand",
    "nor",
    "xor",
    "xnor",
    "quadrants",
    "circle",
    "gauss",
    "spiral",
    "spiral_playground",
    "xor_cloud",
    "moons",
    "linear",
    "reg_plane",
    "reg_gauss",
    "playground_circle",
    "playground_xor",
    "playground_gauss",
    "playground_spiral",
    "playground_reg_plane",
    "playground_reg_gauss",
    "iris",
    "breast_cancer",
    "digits",
    "wine",
]

DATASETS: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
"""Name -> entry with .summary, .task, .n_features, .default_n (None: the whole table), .smallest_n and .largest_n."""

OWN: WeakValueDictionary[str, Table] = WeakValueDictionary()
"""The data sets that were given, by their digest: as long as a config has them."""

OWN_NAME = re.compile(r"[A-Za-z0-9_.]*-([0-9a-f]{12})")  # as Table.of names them
PLAYGROUND_SPELLING = {"reg-plane": "reg_plane", "reg-gauss": "reg_gauss"}


def load_dataset(name: str, *, n: int | None = None, noise: float = 0.0, seed: int | str = 0) -> Dataset:
    """The examples of a data set of `DATASETS`: same arguments, same bits.

    Generated data: exactly n examples (default 500; gates and "linear": their four, or 100 when there is
    noise; "spiral_playground": 250), the training part of `load_parts`. What noise means is written at each recipe
    in gates, clouds and regression.
    Tables: all examples as scikit-learn has them, or a stratified sample of n; noise must be 0.
    "playground_...": the first n (default: half) of the points that the page draws with this seed, which may be text there.

    Raises RequestError for an unknown name, an n that is no positive whole number or that a table cannot give
    (more than it has, fewer than its classes), a noise that is negative or not finite, a seed outside
    0..2**32 - 1.

    >>> load_dataset("xor").Y.ravel()
    array([0., 1., 1., 0.])
    >>> load_dataset("circle", n=8, seed=1).X.shape
    (8, 2)
    """
    return entry_of(name).load(n, noise, seed)


def load_parts(
    name: str,
    *,
    n: int | None = None,
    noise: float = 0.0,
    seed: int | str = 0,
    n_test: int = 1000,
    n_validation: int | None = None,
) -> Parts:
    """Examples to train with, to choose hyperparameters by and to test on, so that sizes n share a test part.

    Generated data: the training part is `load_dataset(...)`; validation and test part are fresh draws of n_validation
    (default: n_test) and n_test examples, with the same noise, from random streams of their own that do not depend on
    n. A gate or "linear" with neither n nor noise is all there is: its other parts are None.
    "spiral_playground": those of its 500 points that do not train, half of them each, whatever n_test.
    "playground_...": the page's own points; those that do not train are the test part, and there is no validation part.
    Tables: the test part is a stratified quarter, whatever n and n_test. The other three quarters stand in an order
    whose every beginning is stratified: the first n (default: four fifths) are the training part, and the rest is the
    validation part, None where it is fewer than ten examples or one of each class; with n_validation only the first so
    many of it. All are standardised by the training part; `scaling` says how.

    Raises RequestError as `load_dataset` does, for an n_test that is no positive whole number, and for an n_validation
    that is none, or more than there is.

    >>> parts = load_parts("iris")
    >>> len(parts.train), len(parts.validation), len(parts.test), parts.train.Y.sum(axis=0)
    (89, 23, 38, array([30., 29., 30.]))
    """
    return entry_of(name).parts(n, noise, seed, n_test, n_validation)


def entry_of(data: str | Path | Dataset, target: str | None = None) -> Entry:
    """The entry of a data set: by its name or formula; or given, as it is or in a file whose `target` is to be learnt.

    Raises RequestError.
    """
    if isinstance(data, Dataset):
        return adopt(Table.of(data))
    if not isinstance(data, str | Path):
        return choose("dataset", data, DATASETS)
    text = str(data)
    if text.lower().endswith(FILES):
        return adopt(Table.of(Dataset.from_file(text, target)))
    if target is not None:
        raise RequestError(f"target is {one_line(target)}: {one_line(text)} is no file, and has its target already")
    if any(sign in text for sign in "<>="):
        return formula(text)
    if named := OWN_NAME.fullmatch(text):
        if (own := OWN.get(named[1])) is not None:
            return own
        raise RequestError(f"data set {one_line(text)} is of somebody's own, and not here: give its file, or its frame")
    return choose("dataset", PLAYGROUND_SPELLING.get(text, text), DATASETS)


def adopt(table: Table) -> Table:
    """The given table, or the one of its digest that is here; to be found by its name while anybody has it."""
    return OWN.setdefault(table.digest, table)
