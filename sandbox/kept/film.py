"""A film of a run: its network is trained once more, to the same bits, and watched on the way."""

import io
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from sandbox.blas import one_thread
from sandbox.config import Config
from sandbox.data.storage import recall
from sandbox.description import START
from sandbox.effort import check_effort
from sandbox.errors import RequestError, choose, one_line
from sandbox.names import is_safe
from sandbox.nn.hooks import Hook, Snapshots
from sandbox.plots.animation import Animation, spaced
from sandbox.plots.plane import plane_of
from sandbox.record import Plane, quick
from sandbox.result import Result, prepare
from sandbox.tracking import Store
from sandbox.tracking.address import shown
from sandbox.train import train

FRAMES, WIDTH, SECONDS = 60, 1000, 6.0
LARGEST = 200_000_000  # pixels of a film
LAST = 1 / 6  # of a film's time for which the last frame stays


class Film(NamedTuple):
    """Frames (height, width) of indices into a palette (256, 3), the epochs that they show, and how long they play."""

    frames: list[np.ndarray]
    colours: np.ndarray
    epochs: list[int]
    seconds: float

    @property
    def times(self) -> list[int]:
        """How long each frame stays, in milliseconds: hundredths of a second, as a GIF has them."""
        few = len(self.frames)
        if few == 1:
            return [round(self.seconds * 100) * 10]
        each = max(2, round(self.seconds * (1 - LAST) * 100 / (few - 1)))
        return [10 * each] * (few - 1) + [max(10 * each, round(self.seconds * LAST * 100) * 10)]


def kept_config(run_id: str, store: Store, root: Path) -> tuple[Config, int]:
    """The config of a run, and after how many epochs it ended.

    Raises RequestError where there is no such run, or where it cannot be trained again from its config alone.
    """
    if not is_safe(run_id):
        raise RequestError(f"run is {one_line(run_id)}: the id of a run is needed")
    run = store.run(run_id) if store.exists() else None
    if run is None:
        raise RequestError(f"run {run_id} is not in {shown(store.uri)}")
    tags, params = run.data.tags, run.data.params
    if any(tag.startswith(START) for tag in tags):
        raise RequestError(f"run {run_id} started with weights of its own, and cannot be trained again from its config")
    if "config_key" not in tags:
        raise RequestError(
            f"run {run_id} is not one network that was trained from a config: nothing can be trained again"
        )
    held = recall(params.get("dataset", ""), root)  # for as long as its config is made
    try:
        config = Config.from_params(params)
    except RequestError as error:
        raise RequestError(f"run {run_id} cannot be trained again here: {error}") from None
    del held
    if config.key != tags["config_key"]:
        raise RequestError(f"run {run_id} was trained with functions or data that are others by now")
    return config, int(run.data.metrics.get("epochs_run", config.epochs))


def film(
    config: Config,
    *,
    end: int | None = None,
    frames: int = FRAMES,
    width: int = WIDTH,
    seconds: float = SECONDS,
    plane: Plane | None = None,
    hooks: Sequence[Hook] = (),
    drawn: Callable[[int], object] = lambda count: None,
) -> Film:
    """Train a config, and draw at most so many frames of it, evenly spread on a log scale of epochs, up to epoch `end`.

    `hooks` watch the training; `drawn` is told how many frames were drawn. Raises RequestError for a plane that does not
    exist.

    >>> short = film(Config(dataset="or", hidden=(), epochs=50), frames=4, width=200)
    >>> short.epochs, short.frames[0].shape, short.times
    ([0, 1, 7, 50], (100, 200), [1670, 1670, 1670, 1670])
    """
    check_effort([config])
    if (pixels := frames * width * width // 2) > LARGEST:
        raise RequestError(f"frames is {frames} and width {width}: {pixels:,} pixels, and {LARGEST:,} are the most")
    plane_of(prepare(config).train, plane)
    result = train(config, [Snapshots(spaced(end or config.epochs, frames)), *hooks])
    animation = animation_of(result, width, plane)
    networks = {
        epoch: network
        for epoch, network in result.snapshots.items()
        if epoch <= (end or epoch) and np.isfinite(network.parameters).all()
    }
    asked, unsigned, pictures = quick(result.problem.inputs(animation.points())), result.problem.unsigned, []
    with one_thread():  # matrices are small: BLAS's threads would wait for one another
        for frame in animation.frames({epoch: unsigned(asked(network)) for epoch, network in networks.items()}):
            pictures.append(frame)
            drawn(1)
    return Film(pictures, animation.colours, list(networks), seconds)


def animation_of(result: Result, width: int, plane: Plane | None) -> Animation:
    """What the frames of a result share."""
    epochs, costs = np.append(result.cost_epochs, result.epochs_run), np.append(result.costs, result.cost)
    label = result.config.cost.replace("_", " ")
    return Animation(epochs, costs, result.problem.train, width=width, label=label, plane=plane)


def encoder(suffix: str) -> Callable[[Film], bytes]:
    """What makes a file of a film: .gif, .webp or .mp4. Raises RequestError for another, and where there is no ffmpeg."""
    found = choose("kind of film", suffix.lower(), {".gif": _gif, ".webp": _webp, ".mp4": _mp4})
    if found is _mp4 and shutil.which("ffmpeg") is None:
        raise RequestError("an MP4 is made by ffmpeg, which is not installed: --out FILE.gif or FILE.webp needs none")
    return found


def _gif(film: Film) -> bytes:
    images = [Image.fromarray(frame) for frame in film.frames]
    for image in images:
        image.putpalette(film.colours.tobytes())
    return _together(images, "GIF", film, optimize=False)


def _webp(film: Film) -> bytes:
    images = [Image.fromarray(film.colours[frame]) for frame in film.frames]
    return _together(images, "WEBP", film, quality=80, method=2)


def _together(images: list[Image.Image], kind: str, film: Film, **options: Any) -> bytes:
    content = io.BytesIO()
    images[0].save(content, kind, save_all=True, append_images=images[1:], duration=film.times, loop=0, **options)
    return content.getvalue()


def _mp4(film: Film) -> bytes:
    """By ffmpeg, which takes raw pixels; sides must be even there."""
    height, width = film.frames[0].shape
    each, last = film.times[0] / 1000, film.times[-1] / 1000
    frames = [*film.frames, *[film.frames[-1]] * (round(last / each) - 1)]
    with TemporaryDirectory(prefix="sandbox-") as directory:
        path = Path(directory) / "film.mp4"
        words = ["ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        words += ["-r", f"{1 / each:.6f}", "-i", "-", "-an", "-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2"]
        words += ["-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)]
        raw = b"".join(film.colours[frame].tobytes() for frame in frames)
        made = subprocess.run(words, input=raw, capture_output=True)
        if made.returncode or not path.is_file():
            *_, why = ["", *made.stderr.decode(errors="replace").splitlines()]
            raise OSError(f"ffmpeg made no film: {why or f'exit code {made.returncode}'}")
        return path.read_bytes()
