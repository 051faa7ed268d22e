"""Data sets of one's own as files of the root that runs are kept in: for whoever has only the runs, as the doctor has.

A file is a NumPy archive of X and Y and a text in JSON, no pickle, called by the digest of what it holds.
"""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sandbox import disk
from sandbox.data.dataset import Dataset
from sandbox.data.datasets import OWN_NAME, Entry, adopt
from sandbox.data.encoding import Encoding
from sandbox.data.tables import Table

FIELDS = ("name", "feature_names", "task", "class_names", "named", "scaling", "summary")


def keep(entries: Iterable[Entry], root: Path) -> None:
    """Keep those that were given under `root`, each once. Raises OSError."""
    for entry in {entry.digest: entry for entry in entries if entry.digest}.values():
        path = _path(entry.digest, root)
        if isinstance(entry, Table) and entry.given is not None and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            told = {"name": entry.name.removesuffix(f"-{entry.digest}"), **describe(entry.given)}
            content = io.BytesIO()
            np.savez_compressed(
                content, allow_pickle=False, X=entry.given.X, Y=entry.given.Y, told=np.array(json.dumps(told))
            )
            disk.replace(path, content.getvalue())


def recall(name: str, root: Path) -> Entry | None:
    """The data set of this name that was kept under `root`; None where it is no such name, not there, or damaged."""
    if not (named := OWN_NAME.fullmatch(name)):
        return None
    try:
        with np.load(io.BytesIO(_path(named[1], root).read_bytes()), allow_pickle=False) as file:
            return adopt(Table.of(Dataset(X=file["X"], Y=file["Y"], **restore(json.loads(file["told"].item())))))
    except Exception:  # whatever zipfile, zlib, NumPy and json raise for bytes that they did not expect
        return None


def describe(dataset: Dataset) -> dict[str, Any]:
    """All of a data set but its examples, as JSON has it."""
    told = {name: getattr(dataset, name) for name in FIELDS[1:]}
    return {**told, "encoding": dataset.encoding.describe() if dataset.encoding else None}


def restore(told: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Dataset that `describe` told."""
    fields = {name: tuple(value) if isinstance(value := told[name], list) else value for name in FIELDS}
    return {**fields, "encoding": Encoding.restore(told["encoding"]) if told["encoding"] else None}


def _path(digest: str, root: Path) -> Path:
    return root / "data" / f"{digest}.npz"
