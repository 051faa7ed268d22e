"""Picture against picture: what is drawn in a palette's colours is what matplotlib draws of the same numbers."""

import io
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
from PIL import Image

from sandbox import Config, train
from sandbox.nn import Snapshots
from sandbox.plots import Boundary, boundary_figure, boundary_png, colours, cost_figure, cost_png
from sandbox.record import draw, snapshot_epochs
from sandbox.tracking.artifacts import thumbnail

CONFIGS = {
    "moons": Config(dataset="moons", n_examples=100, noise=0.1, hidden=(8,), activation="relu", epochs=200),
    "xor": Config(dataset="xor", epochs=500),
    "iris": Config(dataset="iris", hidden=(4,), cost="categorical_cross_entropy", epochs=100),
    "breast_cancer": Config(dataset="breast_cancer", hidden=(), epochs=50),
    "reg_plane": Config(dataset="reg_plane", n_examples=60, hidden=(6,), learning_rate=0.05, epochs=100),
    "linear": Config(dataset="linear", hidden=(), learning_rate=0.1, epochs=100),
    "diverged": Config(dataset="moons", n_examples=60, hidden=(4,), output="linear", learning_rate=50, epochs=400),
}

# The mean difference, of 255, and the share of pixels that differ by a quarter of it. Before 3.11 matplotlib pushed letters
# to whole pixels in another way.
MEAN, SHARE = (4, 0.02) if matplotlib.__version_info__ >= (3, 11) else (5, 0.035)


@pytest.fixture(scope="module", params=CONFIGS)
def result(request):
    return train(CONFIGS[request.param], [Snapshots(snapshot_epochs)])


def pixels(picture):
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def drawn(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return pixels(buffer.getvalue())


def alike(fast, slow):
    """Nearly everywhere the same colour, in whatever neighbouring pixel letters and edges fall."""
    assert fast.shape == slow.shape
    blurred = [sum(np.roll(one, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9 for one in (fast, slow)]
    difference = np.abs(blurred[0] - blurred[1])
    assert difference.mean() < MEAN
    assert (difference.max(2) > 60).mean() < SHARE


def test_a_boundary_is_matplotlibs(result):
    problem = result.problem
    about = {"test": problem.test, "title": "what a network says"}

    def predict(X):
        return result.network.predict(problem.inputs(X))

    alike(
        pixels(boundary_png(predict, problem.train, **about)), drawn(boundary_figure(predict, problem.train, **about))
    )


def test_a_cost_curve_is_matplotlibs(result):
    about = {"title": "a run", "diverged_at": result.diverged_at, "label": "squared error"}
    curve = result.cost_epochs, result.costs
    alike(pixels(cost_png(*curve, **about)), drawn(cost_figure(*curve, **about)))


@pytest.mark.parametrize("curve", [([0, 1, 2], [3, 2, 1]), ([0], [0.5]), ([0, 1], [np.nan, np.inf]), ([], [])])
def test_so_are_curves_of_few_points(curve):
    alike(pixels(cost_png(*curve, title="few")), drawn(cost_figure(*curve, title="few")))


def test_every_example_is_marked_in_its_colour_at_its_place():
    data = train(CONFIGS["moons"]).problem.train.take(range(12))
    size = 256, 256
    boundary = Boundary(data)
    picture = pixels(boundary.png(np.full((len(boundary.points()), 1), 0.5), "epoch 0", size))
    axes = boundary_figure(lambda X: np.full((len(X), 1), 0.5), data, title="epoch 0").axes[0]
    x_low, x_high, y_low, y_high = *axes.get_xlim(), *axes.get_ylim()
    undecided = np.abs(picture - (237, 236, 234)).max(2) <= 3
    left, *_, right = np.flatnonzero(undecided.mean(0) > 0.5) + 0.5
    top, *_, bottom = np.flatnonzero(undecided.mean(1) > 0.5) + 0.5
    for (x, y), label in zip(data.X, data.Y[:, 0], strict=True):
        column = left + (x - x_low) / (x_high - x_low) * (right - left)
        row = top + (y_high - y) / (y_high - y_low) * (bottom - top)
        near = picture[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2]
        assert np.abs(near - colours.rgb(colours.BINARY_COLOURS[int(label)])).max(-1).min() < 12


def test_pictures_have_a_palette_and_frames_are_small_enough_for_the_grid(result):
    slider, images = draw(result, "a run")
    for picture in (*slider["boundary"].values(), *images.values()):
        with Image.open(io.BytesIO(picture)) as image:
            assert image.mode == "P"
            assert image.format == "PNG"
    assert all(thumbnail(frame) == frame for frame in slider["boundary"].values())


def test_a_run_is_drawn_to_the_byte_alike_whatever_was_drawn_before():
    results = [train(config, [Snapshots(snapshot_epochs)]) for config in CONFIGS.values()]
    alone = []
    for one in results:
        with ThreadPoolExecutor(1) as thread:  # which remembers nothing
            alone.append(thread.submit(draw, one, "a run").result())
    assert [draw(one, "a run") for one in results[::-1]] == alone[::-1]


def test_single_precision_shows_nowhere(result):
    """The boundary of a record is that of the network in double precision, but for pixels beside the edge of a shade."""
    problem, network, title = result.problem, result.network, "a run"
    if not np.isfinite(network.parameters).all():  # then it is that of the last sound network
        epoch = max(epoch for epoch, seen in result.snapshots.items() if np.isfinite(seen.parameters).all())
        network, title = result.snapshots[epoch], f"epoch {epoch}: a run"

    def predict(X):
        return network.predict(problem.inputs(X))

    double = pixels(boundary_png(predict, problem.train, test=problem.test, title=title))
    single = pixels(draw(result, "a run")[1]["boundary.png"])
    assert (double != single).any(2).mean() < 0.001
