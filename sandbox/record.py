"""From Result to Record: what an MLflow run says about a trained config, pictures included."""

import io
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from sandbox.config import Config
from sandbox.description import PLAYGROUND, description, page_of
from sandbox.nn.network import Network
from sandbox.provenance import dataset_of, origin
from sandbox.result import Result, prepare
from sandbox.tracking.entry import LARGEST, NOTE, Record

CURVE_POINTS = 199  # with the final cost, 200 points of the cost curve are logged
FRAMES = 6  # pictures of the boundary, from the first epoch to the last
FRAME = (256, 256)  # pixels: as large as MLflow's UI shows them
NETWORK = "network.npz"  # the file of a run with its Model
HUGE = 1e4  # a parameter beyond which single precision might show

Plane = tuple[str, str]
Picture = Callable[[Result], Any]  # gives a matplotlib Figure, or PNG bytes


@lru_cache
def snapshot_epochs(epochs: int) -> tuple[int, ...]:
    """Epochs at which to look at the boundary: the first, then evenly on a log scale up to the last."""
    later = np.geomspace(max(1, epochs / 500), epochs, FRAMES - 1).round().astype(int)
    return tuple(np.unique([0, *later]).tolist())


def plane_named(text: str, config: Config) -> Plane:
    """The two features named, with a comma between, once it is sure that the data have them. Raises RequestError."""
    from sandbox.plots.plane import plane_of

    names: Any = tuple(name.strip() for name in text.split(","))
    plane_of(prepare(config).train, names)
    return names


def make_record(
    result: Result,
    name: str,
    tags: Mapping[str, str],
    *,
    pictures: Sequence[Picture] = (),
    plane: Plane | None = None,
    shown: bool = True,
    blind: bool = False,
) -> Record:
    """Everything that the run of this result holds: params, curves, final metrics, tags, pictures and the network.

    `pictures` are functions of the result that give a Figure or PNG bytes, each an artifact of its name. `plane` names
    the two features that the boundary's pictures show (default: see plots.boundary_figure). Without `shown`, cost,
    boundary and predictions are not drawn, the network is not kept, and there is no description; a `blind` run says nothing
    about the test part. A pruned run is KILLED.
    """
    end = int(time.time() * 1000)
    slider, images = draw(result, name, plane, blind=blind) if shown else ({}, {})
    images |= {f"{_name_of(picture)}.png": png_of(picture, result) for picture in pictures}
    return Record(
        name=name,
        status="KILLED" if result.pruned else "FINISHED",
        start_time=end - int(result.seconds * 1000),
        end_time=end,
        params=result.params,
        metrics=[one for one in metrics(result) if not (blind and one[0].startswith("test_"))],
        tags={
            **result.tags,
            **origin(),
            **({"pruned": "1"} if result.pruned else {}),
            **_on_the_page(result.config),
            **({NOTE: description(result, images, tags)} if shown else {}),
            **tags,
        },
        images=images,
        files={NETWORK: result.model.to_bytes()} if shown else {},
        slider=slider,
        dataset=dataset_of(result) if result.problem else None,  # examples may be of no task that there is
    )


def _on_the_page(config: Any) -> dict[str, str]:
    """The tag of a run that is just what TensorFlow Playground shows behind a link."""
    link, differences = page_of(config) if isinstance(config, Config) else ("", [])
    return {PLAYGROUND: link} if link and not differences else {}


def metrics(result: Result) -> list[tuple[str, float, int]]:
    """The metrics of a run, finite ones only: curves by epoch, and final figures.

    A curve has at most 200 points, the first and the last among them. The final figure of what has a curve is the curve's
    last point; the others are at step 0, where MLflow's UI draws bars, a chart for each.

    So a figure that says nothing is left out: `best_cost` where training ended at it, for it is `final_cost` then, and
    `diverged` where it is 0. MLflow makes a section of metrics called `a/b`: hooks' curves have sections (`health/...`), and
    final figures have not, whose names the objective, MLflow's filters and people's own code know.
    """
    last = result.epochs_run
    finals: dict[str, Any] = {
        "final_cost": result.cost,
        "best_cost": result.best_cost if result.best_cost != result.cost else None,
        **{
            name: getattr(result, name)
            for name in ("train_accuracy", "validation_accuracy", "test_accuracy", "validation_cost", "test_cost")
        },
        **result.scores,
        "epochs_run": last,
        "parameters": result.network.parameters.size,
        "train_seconds": result.seconds,
        "converged": int(result.converged),
        "diverged": 1 if result.diverged_at is not None else None,
        "diverged_at": result.diverged_at,
    }
    if result.config.l1 or result.config.l2:
        finals["penalty"] = result.penalty
    curves = {"cost": (result.cost_epochs, result.costs), **result.curves}
    ends = {"cost": result.cost, **{name: finals.pop(name) for name in curves.keys() & finals.keys()}}
    points = [(name, value, 0) for name, value in finals.items()]
    for name, (epochs, values) in curves.items():
        steps = dict(zip(epochs.tolist(), values.tolist(), strict=True))
        if ends.get(name) is not None:
            steps[last] = ends[name]
        ordered = sorted(steps.items())
        points += [(name, ordered[place][1], ordered[place][0]) for place in _kept(len(steps))]
    return [(name, float(value), int(step)) for name, value, step in points if value is not None and _sound(value)]


@lru_cache
def _kept(points: int) -> list[int]:
    """Which of so many points of a curve are kept."""
    return np.unique(np.linspace(0, points - 1, min(points, CURVE_POINTS + 1)).round().astype(int)).tolist()


def _sound(value: float) -> bool:
    return bool(np.isfinite(value)) and abs(value) <= LARGEST


def draw(
    result: Result, title: str = "", plane: Plane | None = None, *, blind: bool = False
) -> tuple[dict[str, dict[int, bytes]], dict[str, bytes]]:
    """The boundary at the epochs of the result's snapshots, for the slider; and the final boundary, the cost curve and,
    unless it is `blind`, how the test part is predicted.

    Of a network that diverged the final boundary is the last that was seen while its parameters were finite; of examples
    that are of no task there is none. Where training ended before its last epoch, the epochs that are left show where it
    stood, and say so: beside other runs the slider finds a picture at each of its steps.
    """
    from sandbox import plots  # brings in matplotlib: not where nothing is left to draw

    problem = result.problem
    images = {"cost.png": result.cost_png(title), **({} if blind or problem is None else _draw_test(result))}
    if problem is None:
        return {}, images
    sound = {epoch: net for epoch, net in result.snapshots.items() if np.isfinite(net.parameters).all()}
    last = result.network
    if not np.isfinite(last.parameters).all():  # it diverged: the last network that was seen before
        if not sound:
            return {}, images
        last, title = sound[max(sound)], f"epoch {max(sound)}: {title}"
    boundary = plots.boundary_of(problem.train, problem.test, plane)
    asked = quick(problem.inputs(boundary.points()))

    def outputs(network: Network) -> np.ndarray:
        return problem.unsigned(asked(network))

    frames = {
        epoch: boundary.png(outputs(network), f"epoch {epoch}", FRAME, test=False) for epoch, network in sound.items()
    }
    if frames and (left := [epoch for epoch in snapshot_epochs(result.config.epochs) if epoch > max(result.snapshots)]):
        ended = f"diverged at epoch {result.diverged_at}"
        if result.diverged_at is None:
            ended = f"stopped at epoch {result.epochs_run}"
        still = boundary.png(outputs(sound[max(sound)]), ended, FRAME, test=False)
        frames |= dict.fromkeys(left, still)
    images["boundary.png"] = boundary.png(outputs(last), title)
    return {"boundary": frames} if frames else {}, images


def _draw_test(result: Result) -> dict[str, bytes]:
    """The confusion table of the test part, or its predictions against the true values; nothing where there is no such
    part, or where outputs are not finite."""
    from sandbox import plots
    from sandbox.plots.page import number

    problem, scores = result.problem, {name: number(value) for name, value in result.scores.items()}
    if result.confusion is not None:
        names = problem.train.class_names
        said = f"recall {scores['test_recall']}, precision {scores['test_precision']}"
        of = names[1] if names else "class 1"
        titles = [f"{said} of {of}", said] if problem.train.task == "binary" else [f"macro {said}"]
        return {"confusion.png": plots.confusion_png(result.confusion, names, titles=titles)}
    if problem.test is not None and "test_rmse" in scores:
        outputs = result.network.predict(problem.inputs(problem.test.X))
        said = [f"{word} {scores[name]}" for word, name in (("R2", "test_r2"), ("RMSE", "test_rmse")) if name in scores]
        title = ", ".join(said)  # of a single example there is no R2
        return {"predictions.png": plots.predictions_png(problem.test.Y[:, 0], outputs[:, 0], titles=[title])}
    return {}


def quick(inputs: np.ndarray) -> Callable[[Network], np.ndarray]:
    """A function: what a network says at these inputs (points, inputs), as exactly as a pixel tells."""
    if np.abs(inputs).max() <= np.finfo(np.float32).max:  # and is a number
        inputs = np.asfortranarray(inputs, np.float32)
    seen: dict[bytes, np.ndarray] = {}  # the last snapshot is the final network

    def outputs(network: Network) -> np.ndarray:
        key = network.parameters.tobytes()
        if key not in seen:
            seen[key] = _light(network).predict(inputs)
        return seen[key]

    return outputs


def _light(network: Network) -> Network:
    """The network in single precision: four times as fast, and no pixel tells, unless its parameters are huge."""
    if np.abs(network.parameters).max() > HUGE:
        return network
    return Network(network.sizes, network.activations, network.parameters.astype(np.float32))


def _name_of(picture: Picture) -> str:
    return getattr(picture, "__name__", type(picture).__name__)


def png_of(picture: Picture, result: Result) -> bytes:
    """What a picture gives, as PNG bytes. Raises TypeError for what is neither a Figure nor PNG bytes."""
    from matplotlib.figure import Figure

    drawn = picture(result)
    if isinstance(drawn, Figure):
        buffer = io.BytesIO()
        drawn.savefig(buffer, format="png")
        return buffer.getvalue()
    if isinstance(drawn, bytes) and drawn.startswith(b"\x89PNG"):
        return drawn
    raise TypeError(f"picture {_name_of(picture)} gave {type(drawn).__name__}: a Figure or PNG bytes are needed")
