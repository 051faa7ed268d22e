"""The sweep's pipeline: 256 trials against the mere handing over of their content, and against a careful script of today."""

import io
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import mlflow
import numpy as np
import optuna
from matplotlib.backends.backend_agg import FigureCanvasAgg
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from PIL import Image

from sandbox import Config
from sandbox.nn.hooks import Snapshots
from sandbox.record import CURVE_POINTS, make_record
from sandbox.sweeps import Range, Sweep, choice, run_sweep
from sandbox.tracking import Record, Store
from sandbox.train import train_many
from studies.bench.networks import xor
from studies.bench.race import Row

TRIALS = 256
FRAMES = (0, 50, 500, 2500, 5000)  # five slider images
SWEEP = Sweep(
    "pipeline",
    Config(epochs=5000),
    {"learning_rate": Range(0.1, 10.0, log=True), "initializer": choice("plain", "xavier", "he")},
    sampler="tpe",
    trials=TRIALS,
    seeds=1,
)


def rows(trials: int = TRIALS) -> Iterator[Row]:
    """Ours, the floor and the careful script, each on an empty store, one after another in one run."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    records = _content(16)
    ours = _timed(lambda store, root: run_sweep(SWEEP.replace(trials=trials), store, root, quiet=True))
    few = min(trials, 48)
    floor = _timed(lambda store, root: _hand_over(store, [records[n % 16] for n in range(few)])) * trials / few
    lean = _timed(lambda store, root: _our_writer(store, [records[n % 16] for n in range(few)])) * trials / few
    script = _timed(lambda store, root: _careful_script(store, few // 2)) * trials / (few // 2)
    name = f"{trials} trials of XOR 2-3-1, logged"
    yield Row(name, "MlflowClient, content alone", ours, floor, "s", 1.0, "create, batch, 5 log_image, 2 files, end")
    yield Row(name, "our writer alone, one process", ours, lean, "s", None, "the same content in the fewest calls")
    yield Row(name, "a careful script of today", ours, script, "s", 0.125)


def _timed(task) -> float:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        store = Store(f"sqlite:///{root}/mlflow.db", root)
        store.check()
        started = time.perf_counter()
        task(store, root)
        return time.perf_counter() - started


def _content(count: int) -> list[Record]:
    """What the runs hold, made beforehand."""
    configs = [Config(epochs=5000, seed=seed) for seed in range(count)]
    results = train_many(configs, [Snapshots(FRAMES)], curve_points=CURVE_POINTS)
    return [make_record(result, "content", {"sweep": "floor"}) for result in results]


def _hand_over(store: Store, records: list[Record]) -> None:
    """One process that has everything ready and hands it to MlflowClient, as its documentation says."""
    client, experiment = MlflowClient(store.uri), store.experiment("floor")
    with tempfile.TemporaryDirectory() as directory:
        for record in records:
            run_id = client.create_run(experiment, record.start_time, dict(record.tags), record.name).info.run_id
            _batch(client, run_id, record.metrics, record.params)
            for step, png in list(record.slider["boundary"].items())[: len(FRAMES)]:
                with Image.open(io.BytesIO(png)) as image:
                    client.log_image(run_id, image.convert("RGB"), key="boundary", step=step)
            for path, content in record.images.items():
                (Path(directory) / path).write_bytes(content)
                client.log_artifact(run_id, str(Path(directory) / path))
            client.set_terminated(run_id)


def _batch(client: MlflowClient, run_id: str, metrics: list, params: dict[str, str]) -> None:
    now = int(time.time() * 1000)
    client.log_batch(
        run_id,
        [Metric(key, value, now, step) for key, value, step in metrics],
        [Param(key, value) for key, value in params.items()],
        [RunTag("role", "floor")],
    )


def _our_writer(store: Store, records: list[Record]) -> None:
    experiment = store.experiment("lean")
    for record in records:
        store.log(record, experiment)


def _careful_script(store: Store, trials: int) -> None:
    """NumPy loop, Optuna, one log_batch per run, pyplot figures: what people write who know their tools."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    mlflow.set_tracking_uri(store.uri)
    client, experiment = MlflowClient(store.uri), store.experiment("script")
    grid = np.stack(np.meshgrid(np.linspace(-0.5, 1.5, 100), np.linspace(-0.5, 1.5, 100)), -1).reshape(-1, 2)

    def boundary(layers, X, Y, title):
        A = grid.T
        for W, b in layers:
            A = 1 / (1 + np.exp(-(W @ A + b)))
        figure, axes = plt.subplots(figsize=(4, 4), dpi=96)
        shape = (100, 100)
        drawn = axes.contourf(
            grid[:, 0].reshape(shape), grid[:, 1].reshape(shape), A.reshape(shape), levels=20, cmap="RdBu_r"
        )
        axes.contour(grid[:, 0].reshape(shape), grid[:, 1].reshape(shape), A.reshape(shape), levels=[0.5], colors="k")
        axes.scatter(X[:, 0], X[:, 1], c=Y[:, 0], cmap="RdBu_r", edgecolors="k")
        axes.set(xlabel="x1", ylabel="x2", title=title)
        figure.colorbar(drawn)
        return figure

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning_rate", 0.1, 10.0, log=True)
        trial.suggest_categorical("initializer", ["plain", "xavier", "he"])
        work = xor(5000)
        run_id = client.create_run(experiment, tags={"mlflow.runName": str(trial.number)}).info.run_id
        (W1, b1), (W2, b2) = work.weights(trial.number)
        X, Y, m, costs, seen = work.X.T, work.Y.T, len(work.X), [], {}
        for epoch in range(work.epochs):
            if epoch in FRAMES:
                seen[epoch] = [(W1.copy(), b1.copy()), (W2.copy(), b2.copy())]
            A1 = 1 / (1 + np.exp(-(W1 @ X + b1)))
            A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
            costs.append(float(np.sum((Y - A2) ** 2) / (2 * m)))
            dZ2 = (A2 - Y) / m * A2 * (1 - A2)
            dZ1 = (W2.T @ dZ2) * A1 * (1 - A1)
            W1, b1 = W1 - rate * dZ1 @ X.T, b1 - rate * dZ1.sum(1, keepdims=True)
            W2, b2 = W2 - rate * dZ2 @ A1.T, b2 - rate * dZ2.sum(1, keepdims=True)
        seen[work.epochs] = [(W1, b1), (W2, b2)]
        steps = np.unique(np.linspace(0, work.epochs - 1, 200).astype(int)).tolist()
        metrics = [("cost", costs[step], step) for step in steps] + [("final_cost", costs[-1], 0)]
        _batch(client, run_id, metrics, Config(learning_rate=rate).params())
        for epoch, layers in seen.items():
            figure = boundary(layers, work.X, work.Y, f"epoch {epoch}")
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            client.log_image(run_id, np.asarray(canvas.buffer_rgba())[..., :3], key="boundary", step=epoch)
            plt.close(figure)
        figure = boundary(seen[work.epochs], work.X, work.Y, "boundary")
        client.log_figure(run_id, figure, "boundary.png")
        plt.close(figure)
        figure, axes = plt.subplots(figsize=(5, 3.3), dpi=96)
        axes.semilogy(costs)
        axes.set(xlabel="epoch", ylabel="cost")
        client.log_figure(run_id, figure, "cost.png")
        plt.close(figure)
        client.set_terminated(run_id)
        return costs[-1]

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials)
