"""The sweep's pipeline: 256 trials against the mere handing over of their content, and against a careful script of today."""

import io
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import mlflow
import numpy as np
import optuna
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from PIL import Image

from sandbox import Config
from sandbox.nn.hooks import Snapshots
from sandbox.record import CURVE_POINTS, make_record, snapshot_epochs
from sandbox.result import Result
from sandbox.sweeps import Range, Sweep, choice, run_sweep
from sandbox.tracking import Record, Store
from sandbox.tracking.row import NewRun
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
    matplotlib.use("Agg")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield from tracking(min(trials, 100))
    ours = _timed(lambda store, root: run_sweep(SWEEP.replace(trials=trials), store, root, quiet=True))
    few = min(trials, 48)
    records = [_record(result) for result in _results(few)]
    floor = _timed(lambda store, root: _hand_over(store, records)) * trials / few
    script = _timed(lambda store, root: _careful_script(store, few // 2)) * trials / (few // 2)
    name = f"{trials} trials of XOR 2-3-1, logged"
    yield Row(name, "MlflowClient, content alone", ours, floor, "s", 1.0, "create, batch, 5 log_image, 2 files, end")
    yield Row(name, "a careful script of today", ours, script, "s", 0.125)


def tracking(count: int) -> Iterator[Row]:
    """What a trial costs beside its training: its rows, and those with its eight pictures, in one process."""
    results = _results(count)
    bare = [replace(_record(result), images={}, slider={}) for result in results]
    few = max(1, count // 4)
    ours = 1e3 * _timed(lambda store, root: _together(store, bare)) / count
    client = 1e3 * _timed(lambda store, root: _hand_over(store, bare[:few])) / few
    yield Row("a trial's rows", "MlflowClient", ours, client, "ms", 0.10, f"{len(bare[0].metrics)} metric values")
    ours = 1e3 * _timed(lambda store, root: _together(store, map(_record, results))) / count
    plain = 1e3 * _timed(lambda store, root: _draw_and_hand_over(store, results[:few])) / few
    yield Row("a trial's rows and 8 pictures", "MlflowClient, matplotlib", ours, plain, "ms", 0.15)


def _timed(task) -> float:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        store = Store(f"sqlite:///{root}/mlflow.db", root)
        store.check()
        started = time.perf_counter()
        task(store, root)
        return time.perf_counter() - started


def _results(count: int) -> list[Result]:
    configs = [Config(epochs=5000, seed=seed) for seed in range(count)]
    return train_many(configs, [Snapshots(snapshot_epochs)], curve_points=CURVE_POINTS)


def _record(result: Result) -> Record:
    return make_record(result, "content", {"sweep": "floor"})


def _together(store: Store, records: Iterable[Record]) -> None:
    """As a writer does."""
    experiment = store.experiment("ours")
    store.log_together([NewRun(f"{number:032x}", experiment, None, one) for number, one in enumerate(records)])


def _hand_over(store: Store, records: list[Record]) -> None:
    """One process that has everything ready and hands it to MlflowClient, as its documentation says."""
    client, experiment = MlflowClient(store.uri), store.experiment("floor")
    with tempfile.TemporaryDirectory() as directory:
        for record in records:
            run_id = client.create_run(experiment, record.start_time, dict(record.tags), record.name).info.run_id
            _batch(client, run_id, record.metrics, record.params)
            for step, png in list(record.slider.get("boundary", {}).items())[: len(FRAMES)]:
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


def _draw_and_hand_over(store: Store, results: list[Result]) -> None:
    """The same, with the pictures drawn by matplotlib as its documentation says."""
    client, experiment = MlflowClient(store.uri), store.experiment("plain")
    grid = _grid()
    for result in results:
        record = make_record(result, "plain", {"sweep": "floor"}, shown=False)
        run_id = client.create_run(experiment, record.start_time, dict(record.tags), record.name).info.run_id
        _batch(client, run_id, record.metrics, record.params)
        data = result.problem.train
        seen = {epoch: network.predict(grid) for epoch, network in result.snapshots.items()}
        _log_pictures(client, run_id, seen, data.X, data.Y, result.costs)
        client.set_terminated(run_id)


def _grid() -> np.ndarray:
    return np.stack(np.meshgrid(np.linspace(-0.5, 1.5, 100), np.linspace(-0.5, 1.5, 100)), -1).reshape(-1, 2)


def _log_pictures(client: MlflowClient, run_id: str, seen: dict, X: np.ndarray, Y: np.ndarray, costs: Any) -> None:
    """A slider of the outputs seen on the grid, the last of them, and the cost curve, by pyplot and MlflowClient."""
    import matplotlib.pyplot as plt

    for epoch, outputs in seen.items():
        figure = _boundary(outputs, X, Y, f"epoch {epoch}")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        client.log_image(run_id, np.asarray(canvas.buffer_rgba())[..., :3], key="boundary", step=epoch)
        plt.close(figure)
    figure = _boundary(seen[max(seen)], X, Y, "boundary")
    client.log_figure(run_id, figure, "boundary.png")
    plt.close(figure)
    figure, axes = plt.subplots(figsize=(5, 3.3), dpi=96)
    axes.semilogy(costs)
    axes.set(xlabel="epoch", ylabel="cost")
    client.log_figure(run_id, figure, "cost.png")
    plt.close(figure)


def _boundary(outputs: np.ndarray, X: np.ndarray, Y: np.ndarray, title: str) -> Figure:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(4, 4), dpi=96)
    x, y, z = (values.reshape(100, 100) for values in (*_grid().T, outputs))
    drawn = axes.contourf(x, y, z, levels=20, cmap="RdBu_r")
    axes.contour(x, y, z, levels=[0.5], colors="k")
    axes.scatter(X[:, 0], X[:, 1], c=Y[:, 0], cmap="RdBu_r", edgecolors="k")
    axes.set(xlabel="x1", ylabel="x2", title=title)
    figure.colorbar(drawn)
    return figure


def _careful_script(store: Store, trials: int) -> None:
    """NumPy loop, Optuna, one log_batch per run, pyplot figures: what people write who know their tools."""
    mlflow.set_tracking_uri(store.uri)
    client, experiment = MlflowClient(store.uri), store.experiment("script")
    grid = _grid().T

    def outputs(layers):
        A = grid
        for W, b in layers:
            A = 1 / (1 + np.exp(-(W @ A + b)))
        return A

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
        _log_pictures(client, run_id, {epoch: outputs(layers) for epoch, layers in seen.items()}, work.X, work.Y, costs)
        client.set_terminated(run_id)
        return costs[-1]

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=trials)
