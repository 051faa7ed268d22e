"""From Result to Record: what an MLflow run says about a trial, pictures included."""

import json
import subprocess
import time
from functools import lru_cache, partial

import numpy as np

from sandbox import plots
from sandbox.nn.network import Network
from sandbox.sweeps.sweep import Sweep, Trial
from sandbox.tracking import Record
from sandbox.tracking.record import LARGEST
from sandbox.train import Result

CURVE_POINTS = 199  # with the final cost, 200 points of the cost curve are logged
FRAMES = 6  # pictures of the boundary, from the first epoch to the last


def snapshot_epochs(epochs: int) -> tuple[int, ...]:
    """Epochs at which to look at the boundary: the first, then evenly on a log scale up to the last."""
    later = np.geomspace(max(1, epochs / 500), epochs, FRAMES - 1).round().astype(int)
    return tuple(np.unique([0, *later]).tolist())


Plane = tuple[str, str]


def make_record(
    result: Result, name: str, tags: dict[str, str], status: str = "FINISHED", plane: Plane | None = None
) -> Record:
    """Everything that the run of this result holds: params, curves, final metrics, tags and pictures.

    `plane` names the two features that the boundary's pictures show (default: see plots.boundary_figure).
    """
    end = int(time.time() * 1000)
    config = result.config
    slider, images = pictures(result, name, plane)
    return Record(
        name=name,
        status=status,
        start_time=end - int(result.seconds * 1000),
        end_time=end,
        params=config.params(),
        metrics=metrics(result),
        tags={"config_key": config.key, "seed": str(config.seed), **git_commit(), **tags},
        images=images,
        slider=slider,
    )


def trial_tags(sweep: Sweep, trial: Trial, number: int) -> dict[str, str]:
    """The tags by which a sweep's runs are found; `arm` is the point in words."""
    tags = {"sweep": sweep.id, "arm": describe(trial), "trial": str(number), "point": json.dumps(trial.point)}
    return {**tags, **sweep.tags}


def describe(trial: Trial) -> str:
    """A trial's point in words: the name of its arm, and the other values."""
    words = {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in trial.point.items()}
    return ", ".join(word if name == "arm" else f"{name}={word}" for name, word in words.items())


def metrics(result: Result) -> list[tuple[str, float, int]]:
    """The metrics of a run: curves by epoch, and final figures at step 0, where the UI draws bars. Finite ones only."""
    last = result.epochs_run
    finals = {
        "final_cost": result.cost,
        "best_cost": result.best_cost,
        "train_accuracy": result.train_accuracy,
        "test_accuracy": result.test_accuracy,
        "epochs_run": last,
        "parameters": result.network.parameters.size,
        "train_seconds": result.seconds,
        "diverged": int(result.diverged_at is not None),
        "diverged_at": result.diverged_at,
    }
    if result.config.l1 or result.config.l2:
        finals["penalty"] = result.penalty
    curves = {"cost": (np.append(result.cost_epochs, last), np.append(result.costs, result.cost)), **result.curves}
    return [
        *(
            (name, float(value), int(epoch))
            for name, (epochs, values) in curves.items()
            for epoch, value in zip(epochs, values, strict=True)
            if _sound(value)
        ),
        *((name, float(value), 0) for name, value in finals.items() if value is not None and _sound(value)),
    ]


def _sound(value: float) -> bool:
    return bool(np.isfinite(value)) and abs(value) <= LARGEST


def pictures(
    result: Result, title: str = "", plane: Plane | None = None
) -> tuple[dict[str, dict[int, bytes]], dict[str, bytes]]:
    """The boundary at the epochs of the result's snapshots, for the slider; and the final boundary and cost curve.

    Of a network that diverged the final boundary is the last that was seen while its parameters were finite.
    """
    problem = result.problem
    sound = {epoch: net for epoch, net in result.snapshots.items() if np.isfinite(net.parameters).all()}
    predicts = {epoch: partial(_predict, network, problem.inputs) for epoch, network in sound.items()}
    cost = plots.cost_png(
        np.append(result.cost_epochs, result.epochs_run),
        np.append(result.costs, result.cost),
        title=title,
        diverged_at=result.diverged_at,
        label=result.config.cost.replace("_", " "),
    )
    images = {"cost.png": cost}
    if np.isfinite(result.network.parameters).all():
        last = partial(_predict, result.network, problem.inputs)
    elif sound:  # it diverged: the last network that was seen before
        epoch = max(sound)
        last, title = predicts[epoch], f"epoch {epoch}: {title}"
    else:
        return {}, images
    images["boundary.png"] = plots.boundary_png(last, problem.train, test=problem.test, title=title, plane=plane)
    return {"boundary": plots.boundary_frames(predicts, problem.train, plane=plane)} if predicts else {}, images


def _predict(network: Network, inputs, X: np.ndarray) -> np.ndarray:
    return network.predict(inputs(X))


@lru_cache(maxsize=1)
def git_commit() -> dict[str, str]:
    """The tag that names the commit which trained, where there is one."""
    try:
        asked = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"git_commit": found.stdout.strip()}
