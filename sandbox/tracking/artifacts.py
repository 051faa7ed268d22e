"""A record's pictures and files, as the files that MLflow's UI looks for."""

import io
import uuid
from pathlib import Path

from sandbox.tracking.entry import Record

THUMBNAIL = 256  # pixels along the longer side, as in mlflow.tracking.multimedia


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
