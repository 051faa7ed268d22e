"""Where do the figures and pictures of FINDINGS.md come from?

    make findings                     .venv/bin/python -m studies.findings --help

Runs the six experiments (only what is not done yet), prints of every point the median, lowest and highest of its seeds,
for the figures that FINDINGS.md quotes, and draws the pictures in studies/pictures/ from what MLflow holds. The pictures
of the comparison are those of its report: `make compare-full` first, and they are copied.
"""

import io
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pandas as pd
from PIL import Image

from experiments import batch_size, depth, feature_crosses, initializers, learning_rate, schedules
from sandbox import Config, train
from sandbox.comparison.protocol import FULL
from sandbox.nn import Snapshots
from sandbox.options import RUNS, main, uri_option
from sandbox.plots import boundary_frames, curves_png
from sandbox.sweeps import Outcome, Sweep, run_sweep
from sandbox.table import render
from sandbox.tracking import Store

PICTURES = Path(__file__).parent / "pictures"
HEALTH = ("health/gradient_variance/layer1", "health/gradient_variance/layer3")
FIGURES = {  # what FINDINGS.md quotes of each experiment
    "learning_rate": ("test_accuracy", "final_cost", "diverged"),
    "initializers": ("test_accuracy", "final_cost", *HEALTH),
    "depth": ("test_accuracy", "validation_accuracy"),
    "feature_crosses": ("test_accuracy", "parameters"),
    "batch_size": ("gradient_noise", "time_to_cost/updates", "time_to_cost/examples", "final_cost"),
    "schedules": ("final_cost", "diverged", "sharpness", "sharpness_times_rate"),
}
SWEEPS = (learning_rate, initializers, depth, feature_crosses, batch_size, schedules)
TWO = (  # the README's picture: one neuron that is given the cross, and two hidden layers
    Config(dataset="quadrants", n_examples=200, hidden=(), crosses=("x1*x2",), epochs=1000),
    Config(dataset="spiral", n_examples=300, hidden=(8, 8), activation="tanh", epochs=1000),
)
EPOCHS = (0, 10, 50, 200, 1000)


def figures(outcome: Outcome) -> pd.DataFrame:
    """A row for each point: the median, and the lowest and highest, over the seeds; a time that never came is infinite."""
    rows = []
    for arm, runs in outcome.arms.items():
        row: dict[str, object] = {"point": arm}
        for name in FIGURES[outcome.sweep.name]:
            values = [run.metrics[name] for run in runs if name in run.metrics]
            if name.startswith("time_to_cost"):
                values += [np.inf] * (len(runs) - len(values))
            row[name] = f"{np.median(values):.4g} ({min(values):.4g} to {max(values):.4g})" if values else "-"
        rows.append(row)
    return pd.DataFrame(rows)


class Evidence:
    """What MLflow holds of a sweep's runs of seed 0, by arm."""

    def __init__(self, sweep: Sweep, store: Store) -> None:
        self.client = store.client
        experiment = self.client.get_experiment_by_name(sweep.name)
        assert experiment is not None
        text = f"tags.sweep = '{sweep.id}' AND tags.seed = '0'"
        found = self.client.search_runs([experiment.experiment_id], text, max_results=1000)
        self.runs = {run.data.tags["arm"]: run.info.run_id for run in found if "arm" in run.data.tags}

    def costs(self, arm: str) -> tuple[list[int], list[float]]:
        """Epochs and costs of a run."""
        points = self.client.get_metric_history(self.runs[arm], "cost")
        return [point.step for point in points], [point.value for point in points]

    def boundary(self, arm: str) -> Image.Image:
        """The final boundary of a run."""
        with TemporaryDirectory() as directory:
            path = self.client.download_artifacts(self.runs[arm], "boundary.png", directory)
            return Image.open(io.BytesIO(Path(path).read_bytes())).convert("RGB")


def cost_picture(sweep: Sweep, store: Store, arms: dict[str, str], title: str, highest: float) -> None:
    """The cost curves of some arms, by the names that the legend has for them."""
    evidence = Evidence(sweep, store)
    curves = {name: evidence.costs(arm) for name, arm in arms.items()}
    size = (560, 360)
    png = curves_png(curves, title=title, y_label="cost", y_limits=(0.0, highest), size=size)
    (PICTURES / f"{sweep.name}.png").write_bytes(png)


def draw(outcomes: dict[str, Outcome], store: Store) -> None:
    """The pictures of the experiments."""
    rates = {f"rate {rate}": f"learning_rate={rate}" for rate in ("0.001", "0.01", "0.1", "0.316", "3.16")}
    cost_picture(learning_rate.SWEEP, store, rates, "two moons: cost by learning rate", 0.3)
    names = {name: f"initializer={name}, activation=sigmoid" for name in ("zeros", "plain", "xavier", "he")}
    cost_picture(initializers.SWEEP, store, names, "circle, sigmoid: cost by initializer", 0.2)
    best: dict[str, str] = {}
    for arm in outcomes["depth"].points()["point"]:  # the best first
        best.setdefault(arm.partition(", learning_rate")[0], arm)
    depths = {f"hidden {layers}": best[f"hidden={layers}"] for layers in ("none", "8", "8,8", "8,8,8")}
    cost_picture(depth.SWEEP, store, depths, "spiral: cost by depth, best rate of each", 0.75)
    evidence = Evidence(feature_crosses.SWEEP, store)
    arms = ("raw", "cross x1*x2", "crosses, second degree", "hidden 8-8")
    tiles = [evidence.boundary(f"dataset=circle, {arm}").resize((300, 300)) for arm in arms]
    paste([tiles]).save(PICTURES / "feature_crosses.png")


def two_networks() -> Image.Image:
    """The README's picture: a row for each network, a column for each epoch."""
    rows = []
    for config in TWO:
        config = config.replace(cost="binary_cross_entropy", optimizer="adam", learning_rate=0.05)
        result = train(config, [Snapshots(EPOCHS)])
        predicts = {
            epoch: lambda X, network=network, inputs=result.problem.inputs: network.predict(inputs(X))
            for epoch, network in result.snapshots.items()
        }
        frames = boundary_frames(predicts, result.problem.train, size=(240, 240))
        rows.append([Image.open(io.BytesIO(frames[epoch])).convert("RGB") for epoch in EPOCHS])
    return paste(rows)


def paste(rows: list[list[Image.Image]]) -> Image.Image:
    """Pictures of one size side by side."""
    width, height = rows[0][0].size
    sheet = Image.new("RGB", (width * len(rows[0]), height * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, image in enumerate(row):
            sheet.paste(image, (x * width, y * height))
    return sheet


@click.command(help=__doc__)
@uri_option
def command(tracking_uri: str | None) -> int:
    store, outcomes = Store(tracking_uri, RUNS), {}
    for sweep in (script.SWEEP for script in SWEEPS):
        outcome = outcomes[sweep.name] = run_sweep(sweep, store, RUNS)
        if outcome.status != "FINISHED":
            click.echo(f"error: {sweep.name}: {outcome.why}", err=True)
            return 1
        click.echo(f"\n{sweep.name}: {sweep.question} Median (lowest to highest) of {sweep.seeds} seeds.\n")
        click.echo(render(figures(outcome)))
    draw(outcomes, store)
    two_networks().save(PICTURES / "boundaries.png")
    for dataset in ("circle", "spiral"):
        drawn = RUNS / "comparisons" / FULL.id / "figures" / f"{dataset}_accuracy.png"
        if drawn.exists():
            shutil.copy(drawn, PICTURES / f"compare_{dataset}.png")
        else:
            click.echo(f"compare_{dataset}.png stays as it is: there is no {drawn} (make compare-full)")
    click.echo(f"\ndrawn: {PICTURES}. next: set the figures into studies/FINDINGS.md")
    return 0


if __name__ == "__main__":
    main(command)
