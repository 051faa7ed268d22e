"""Records to log: whole ones, without training anything."""

import io
import math

import pytest
from PIL import Image, ImageDraw

from sandbox.tracking import Record
from sandbox.tracking.linked import LoggedDataset

MOONS = LoggedDataset(
    name="moons",
    digest="0123456789ab",
    source='{"tags": {"mlflow.source.name": "load_dataset(\'moons\')"}}',
    schema='{"mlflow_colspec": [{"type": "double", "name": "x1", "required": true}]}',
    profile='{"num_rows": 500, "num_elements": 500}',
)


@pytest.fixture(scope="session")
def png():
    """A function: a PNG whose colours and disc tell one step from another."""

    def draw(step=0):
        image = Image.new("RGB", (320, 240), (20, 60, 40 * step))
        ImageDraw.Draw(image).ellipse((10 + 30 * step, 60, 90 + 30 * step, 140), fill=(250, 180, 0))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    return draw


@pytest.fixture(scope="session")
def make_record(png):
    """A function: a whole record (200 costs, two images, a slider of six), changed by keywords."""

    def make(name="lr=0.1", rate=0.1, **changes):
        steps = range(0, 5000, 25)
        metrics = [("cost", 0.5 * math.exp(-rate * step / 500), step) for step in steps]
        fields = {
            "name": name,
            "status": "FINISHED",
            "start_time": 1_790_000_000_000,
            "end_time": 1_790_000_002_500,
            "params": {"learning_rate": str(rate), "hidden": "[8, 8]"},
            "metrics": [*metrics, ("final_cost", metrics[-1][1], 0), ("test_accuracy", 0.75, 0)],
            "tags": {"sweep": "s1", "config_key": name, "seed": "3"},
            "images": {"cost.png": png(0), "boundary.png": png(5)},
            "slider": {"boundary": {1000 * i: png(i) for i in range(6)}},
            "dataset": MOONS,
        }
        return Record(**{**fields, **changes})

    return make
