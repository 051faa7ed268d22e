"""Where a run comes from, in MLflow's own words: the data that it learnt from, by which program and commit."""

import hashlib
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.config import Config
from sandbox.data.features import Features
from sandbox.result import Result
from sandbox.tracking.linked import LoggedDataset

MOST_COLUMNS = 1000  # that are listed
SOURCE, KIND = "mlflow.source.name", "mlflow.source.type"
COMMIT, DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"


@cache
def origin() -> dict[str, str]:
    """The tags that say by which program this is run, and of which commit, where there is one."""
    tags = {SOURCE: Path(sys.argv[0]).name or "python", KIND: "LOCAL"}
    try:
        asked = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return tags
    commit = found.removesuffix("-dirty")
    return {**tags, COMMIT: commit, **({DIRTY: "true"} if commit != found else {})}


def dataset_of(result: Result) -> LoggedDataset:
    """The data set of a result.

    One of one's own goes by its digest, any other by one of what decides its examples; what `fit` was given by its bits.

    >>> from sandbox import Config, train
    >>> dataset_of(train(Config(dataset="moons", n_examples=50, epochs=1))).profile
    '{"num_rows": 50, "num_elements": 100}'
    """
    config, features, train = result.config, result.problem.features, result.problem.train
    if not isinstance(config, Config):
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in (train.X, train.Y)))
        return _told(
            train.name, digest.hexdigest()[:12], len(train), f"{train.name}: arrays of {train.X.shape}", features
        )
    data, name = config.data, str(config.dataset)
    if data.digest:  # whatever part of it was the training part
        name, digest = name.removesuffix(f"-{data.digest}"), data.digest
        rows, made = getattr(data, "examples", 0), f"{name}: {data.summary}"
    else:
        seed = config.data_stream if data.drawn(config.n_examples, config.noise) else 0
        decides = {"n": config.n_examples, "noise": config.noise, "seed": seed}
        text = json.dumps([name, data.edition, decides], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        rows = len(train)
        made = f"load_dataset({', '.join([repr(name), *(f'{key}={value!r}' for key, value in decides.items())])})"
    if config.mislabelled:
        wrong = f"{config.mislabelled!r} mislabelled with the seed {config.data_seed}"
        digest, made = hashlib.sha256(f"{digest}, {wrong}".encode()).hexdigest()[:12], f"{made}, {wrong}"
    return _told(name, digest, rows, made, features)


def _told(name: str, digest: str, rows: int, made: str, features: Features) -> LoggedDataset:
    columns: list[dict[str, Any]] = [
        {"type": "string" if one.categories else "double", "name": one.name, "required": not features.has_gaps}
        for one in features.raw
    ]
    return LoggedDataset(
        name=name,
        digest=digest,
        source=json.dumps({"tags": {"mlflow.source.name": made}}),
        schema=json.dumps({"mlflow_colspec": columns[:MOST_COLUMNS]}),
        profile=json.dumps({"num_rows": rows, "num_elements": rows * len(columns)}),
    )
