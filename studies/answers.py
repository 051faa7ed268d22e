"""What do the experiments answer, and does FINDINGS.md say so?

    make answers                      .venv/bin/python -m studies.answers --help

Everything here is read from MLflow. The six experiments are run first, what is not done of them yet; then each of their
answers is told and written anew, and of every point the median, lowest and highest of its seeds; the pictures in
studies/pictures/ are drawn; and the texts of FINDINGS.md that quote figures are computed (studies/quoted.py): one that does
not stand there is named, and the exit code is 1. A comparison is told as well, and its pictures are drawn, where all of
its runs are logged: `make compare`, `make compare-full`.
"""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pandas as pd
from PIL import Image

from experiments import (
    approximation,
    batch_size,
    depth,
    feature_crosses,
    initializers,
    learning_rate,
    neurons,
    schedules,
)
from sandbox import Config, train
from sandbox.comparison import figures as comparison_figures
from sandbox.comparison.driver import destination_of, run_comparison
from sandbox.comparison.protocol import FULL, SMALL, Comparison
from sandbox.comparison.summary import sentences, summary
from sandbox.job import Ended
from sandbox.nn import Snapshots
from sandbox.options import RUNS, main, uri_option
from sandbox.plots import boundary_frames, curves_png
from sandbox.sweeps import Outcome, Sweep, run_sweep
from sandbox.table import render
from sandbox.tracking import Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import read_state, whereabouts
from sandbox.typed import near
from studies.quoted import QUOTED, missing

FINDINGS = Path(__file__).parent / "FINDINGS.md"
PICTURES = Path(__file__).parent / "pictures"
HEALTH = ("health/gradient_variance/layer1", "health/gradient_variance/layer3")
FIGURES = {  # what FINDINGS.md quotes of each experiment
    "learning_rate": ("test_accuracy", "final_cost", "diverged"),
    "initializers": ("test_accuracy", "final_cost", *HEALTH),
    "depth": ("test_accuracy", "validation_accuracy"),
    "feature_crosses": ("test_accuracy", "parameters"),
    "batch_size": (
        *("gradient_noise", "gradient_noise/against", "jaggedness", "jaggedness/rises"),
        *("time_to_cost/updates", "time_to_cost/examples", "final_cost"),
    ),
    "schedules": ("final_cost", "diverged", "sharpness", "sharpness_times_rate"),
    "neurons": ("solved", "final_cost"),
    "approximation": ("test_rmse", "test_cost", "final_cost"),
}
UNBOUNDED = ("time_to_cost", "jaggedness")  # what has no number is larger than any
SWEEPS = (learning_rate, initializers, depth, feature_crosses, batch_size, schedules, neurons, approximation)
TWO = (  # the README's picture: one neuron that is given the cross, and two hidden layers
    Config(dataset="quadrants", n_examples=200, hidden=(), crosses=("x1*x2",), epochs=1000),
    Config(dataset="spiral", n_examples=300, hidden=(8, 8), activation="tanh", epochs=1000),
)
EPOCHS = (0, 10, 50, 200, 1000)
BATCHES = {"batches of 1": "1", "4": "4", "16": "16", "all 64": "none"}


def figures(outcome: Outcome) -> pd.DataFrame:
    """A row for each point: the median, and the lowest and highest, over the seeds; a time that never came is infinite,
    as is how jagged a curve is that did not fall."""
    rows = []
    for arm, runs in outcome.arms.items():
        row: dict[str, object] = {"point": arm}
        for name in FIGURES[outcome.sweep.name]:
            values = [run.metrics[name] for run in runs if name in run.metrics]
            if name.startswith(UNBOUNDED):
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
    png = curves_png(curves, title=title, y_label="cost", y_limits=(0.0, highest), size=(560, 360))
    (PICTURES / f"{sweep.name}.png").write_bytes(png)


def batches_picture(sweep: Sweep, store: Store, start: int = 10) -> None:
    """The cost curves of each batch size at 0.2 from epoch `start` on, with all labels right, and below with some wrong."""
    evidence, tiles = Evidence(sweep, store), []
    for share, title in (("0", "all labels right"), ("0.03125", "two of 64 wrong")):
        arms = {name: f"batch_size={size}, learning_rate=0.2, mislabelled={share}" for name, size in BATCHES.items()}
        points = {name: np.array(evidence.costs(arm)) for name, arm in arms.items()}
        curves = {name: (epochs[epochs >= start], costs[epochs >= start]) for name, (epochs, costs) in points.items()}
        png = curves_png(curves, title=f"{title}, rate 0.2", y_label="cost", y_limits=(0.0, 0.25), size=(480, 320))
        tiles.append([Image.open(io.BytesIO(png)).convert("RGB")])
    paste(tiles).save(PICTURES / f"{sweep.name}.png")


def draw(outcomes: dict[str, Outcome], store: Store) -> None:
    """The pictures of the experiments."""
    rates = {f"rate {rate}": f"learning_rate={rate}" for rate in ("0.001", "0.01", "0.1", "0.316", "3.16")}
    cost_picture(outcomes["learning_rate"].sweep, store, rates, "two moons: cost by learning rate", 0.3)
    names = {name: f"initializer={name}, activation=sigmoid" for name in ("zeros", "plain", "xavier", "he")}
    cost_picture(outcomes["initializers"].sweep, store, names, "circle, sigmoid: cost by initializer", 0.2)
    best: dict[str, str] = {}
    for arm in outcomes["depth"].points()["point"]:  # the best first
        best.setdefault(arm.partition(", learning_rate")[0], arm)
    depths = {f"hidden {layers}": best[f"hidden={layers}"] for layers in ("none", "8", "8,8", "8,8,8")}
    cost_picture(outcomes["depth"].sweep, store, depths, "spiral: cost by depth, best rate of each", 0.75)
    batches_picture(outcomes["batch_size"].sweep, store)
    evidence = Evidence(outcomes["feature_crosses"].sweep, store)
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


def read_back(sweep: Sweep, store: Store) -> Outcome:
    """What MLflow holds of a sweep, once all of its trials are logged; whatever else it came to where they are not."""
    outcome = run_sweep(sweep, store, RUNS)
    return run_sweep(sweep, store, RUNS) if outcome.status == "FINISHED" and outcome.before < outcome.done else outcome


def quoted(outcome: Outcome, store: Store) -> list[str]:
    """The texts of FINDINGS.md with a sweep's figures."""
    keys = [ended.job.key for ended in outcome.runs]
    runs = whereabouts(outcome.sweep.destination, store, Spool(store.uri, RUNS), keys).runs

    def first(ended: Ended, metric: str) -> float:
        return min(store.client.get_metric_history(runs[ended.job.key], metric), key=lambda point: point.step).value

    return list(QUOTED[outcome.sweep.name](outcome, first))


def tell_comparison(comparison: Comparison, store: Store) -> None:
    """What a comparison came to, and the pictures of the full one, if all of its runs are there."""
    full = comparison == FULL
    comparison = comparison.replace(owner=store.owner)
    logged = read_state(destination_of(comparison), store, Spool(store.uri, RUNS)).logged
    if len(logged) < comparison.total:
        click.echo(f"\n{comparison.id}: {len(logged)} of {comparison.total} runs are logged, too few to tell anything")
        return
    findings = run_comparison(comparison, store, RUNS, quiet=True).findings
    click.echo(f"\n{comparison.id}\n\n{render(summary(findings))}\n")
    click.echo("\n".join(sentences(findings)))
    for dataset in ("circle", "spiral") if full else ():
        drawn = comparison_figures.png(comparison_figures.learning_curves(findings, dataset))
        (PICTURES / f"compare_{dataset}.png").write_bytes(drawn)


@click.command(help=__doc__)
@uri_option
def command(tracking_uri: str | None) -> int:
    store, outcomes, moved = Store(tracking_uri, RUNS), {}, 0
    findings = FINDINGS.read_text()
    for sweep in (script.SWEEP for script in SWEEPS):
        outcome = outcomes[sweep.name] = read_back(sweep, store)
        if outcome.status != "FINISHED":
            click.echo(f"error: {sweep.name}: {outcome.why}", err=True)
            return 1
        click.echo(f"\n{outcome.said()}\n\nMedian (lowest to highest) of {sweep.seeds} seeds.\n")
        click.echo(f"{render(figures(outcome))}\n")
        texts = quoted(outcome, store)
        elsewhere = missing(texts, findings)
        moved += len(elsewhere)
        for text in texts:
            click.echo(f"{'NOT THERE' if text in elsewhere else 'FINDINGS'}: {text}")
    draw(outcomes, store)
    two_networks().save(PICTURES / "boundaries.png")
    for comparison in (SMALL, FULL):
        tell_comparison(comparison, store)
    click.echo(f"\ndrawn: {near(PICTURES)}")
    if moved:
        click.echo(
            f"error: {moved} texts with figures do not stand in {near(FINDINGS)}: they are marked above", err=True
        )
    return 1 if moved else 0


if __name__ == "__main__":
    main(command)
