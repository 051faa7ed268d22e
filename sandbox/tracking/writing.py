"""Writing runs: numbers in as few requests as MLflow allows, pictures as the files that its UI looks for."""

import io
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.tracking.record import Record

if TYPE_CHECKING:
    from mlflow import MlflowClient

THUMBNAIL = 256  # pixels along the longer side, as in mlflow.tracking.multimedia


def log_batch(
    client: "MlflowClient",
    run_id: str,
    metrics: Sequence[tuple[str, float, int]] = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    times: tuple[int, int] | None = None,
) -> None:
    """One request, or a few where MLflow's limits of 1000 metrics and 100 params and tags make it so.

    A step's time is interpolated within `times`, as if all steps had taken equally long.
    """
    from mlflow.entities import Metric, Param, RunTag

    now = round(time.time() * 1000)
    start, end = times or (now, now)
    pace = (end - start) / max((step for _, _, step in metrics if step > 0), default=1)
    client.log_batch(
        run_id,
        [Metric(key, value, round(start + pace * step), step) for key, value, step in metrics],
        [Param(key, value) for key, value in (params or {}).items()],
        [RunTag(key, value) for key, value in (tags or {}).items()],
    )


def write_artifacts(record: Record, directory: Path) -> None:
    """Writes images and files at their paths, and slider images as ``MlflowClient.log_image(key=, step=)`` names them.

    The UI's slider needs two files a step: the PNG, and a WebP thumbnail that it shows in the grid.
    """
    for path, content in (*record.images.items(), *record.files.items()):
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    folder = directory / "images"
    for key, steps in record.slider.items():
        folder.mkdir(exist_ok=True)
        for step, png in steps.items():
            name = f"{key.replace('/', '~')}+step+{step}+timestamp+{record.end_time}+{uuid.uuid4()}"
            (folder / f"{name}.png").write_bytes(png)
            (folder / f"{name}+compressed.webp").write_bytes(thumbnail(png))


def thumbnail(png: bytes) -> bytes:
    """The picture as WebP, at most 256 pixels wide and high. Raises ValueError for what is no PNG."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            small = image.convert("RGB")
    except Exception as error:  # Pillow raises a dozen kinds
        raise ValueError(f"a slider's picture is no PNG: {error}") from error
    if max(small.size) > THUMBNAIL:
        small.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", method=0)
    return buffer.getvalue()
