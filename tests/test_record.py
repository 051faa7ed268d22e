"""What a run says about a trial: always finite, and what the MLflow pages need."""

import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from sandbox import Config, train, train_many
from sandbox.config import FIELDS
from sandbox.data import load_parts
from sandbox.nn import Hook
from sandbox.nn.hooks import Curves, Snapshots
from sandbox.provenance import origin
from sandbox.record import CURVE_POINTS, make_record, snapshot_epochs

DIVERGING = Config(
    dataset="moons", n_examples=60, hidden=(4,), activation="relu", output="linear", learning_rate=50, epochs=400
)


def trained(config, *hooks):
    return train(config, [Snapshots(snapshot_epochs(config.epochs)), *hooks], curve_points=CURVE_POINTS)


def curve(record, key="cost"):
    return {step: value for name, value, step in record.metrics if name == key}


def size(png):
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image.size


@pytest.mark.parametrize("epochs", [50, 199, 200, 1000, 3000])
def test_the_cost_has_50_to_200_points_with_the_first_and_the_last(epochs):
    config = Config(dataset="xor", hidden=(2,), epochs=epochs)
    result = trained(config)
    cost = curve(make_record(result, "a run", {}))
    assert 50 <= len(cost) <= 200
    assert list(cost) == sorted(cost)
    assert (min(cost), max(cost)) == (0, epochs)
    assert max(np.diff(list(cost))) <= 2 * epochs / len(cost) + 1  # no gaps
    every = train(config)
    assert cost[0] == every.costs[0]
    assert cost[epochs] == every.cost
    assert all(value == every.costs[step] for step, value in cost.items() if step < epochs)


def test_a_run_holds_its_config_and_its_final_figures():
    config = Config(dataset="moons", n_examples=60, noise=0.1, hidden=(4,), epochs=100, learning_rate=3, l2=0.01)
    result = trained(config)
    record = make_record(result, "a run", {"sweep": "s"})
    assert set(record.params) == set(FIELDS)
    assert Config.from_params(record.params) == config
    final = {name: value for name, value, _ in record.metrics if name != "cost"}
    parts = load_parts("moons", n=60, noise=0.1)
    for part, data in (("validation", parts.validation), ("test", parts.test)):
        assert data is not None
        predicted = result.predict(data.X)
        assert final.pop(f"{part}_cost") == pytest.approx(((data.Y - predicted) ** 2).sum() / (2 * len(data)))
        assert final.pop(f"{part}_accuracy") == ((predicted > 0.5) == data.Y).mean()
        true, called = data.Y[:, 0] == 1, predicted[:, 0] > 0.5
        found = (true & called).sum()
        assert final.pop(f"{part}_precision") == found / called.sum()
        assert final.pop(f"{part}_recall") == found / true.sum()
        assert final.pop(f"{part}_f1") == pytest.approx(2 * found / (true.sum() + called.sum()), rel=1e-12)
    assert final == {
        "final_cost": result.cost,
        "train_accuracy": result.train_accuracy,
        "epochs_run": 100,
        "parameters": 3 * 4 + 5,
        "train_seconds": result.seconds,
        "converged": 1,
        "penalty": result.penalty,
    }
    assert record.tags["config_key"] == config.key
    assert (record.tags["seed"], record.tags["sweep"], record.status) == ("0", "s", "FINISHED")
    assert abs(record.end_time - record.start_time - 1000 * result.seconds) <= 1


def test_the_best_cost_is_told_where_training_ended_above_it():
    moons = Config(dataset="moons", n_examples=60, noise=0.1, hidden=(4,), output="linear", epochs=100)
    for config, ended_above in [(moons.replace(learning_rate=0.1), False), (moons.replace(batch_size=1), True)]:
        result = train(config)
        best = curve(make_record(result, "a run", {}), "best_cost")
        assert best == ({0: min(*result.costs, result.cost)} if ended_above else {})


def test_a_diverged_run_says_so_and_sends_only_finite_values():
    result = trained(DIVERGING)
    assert result.diverged_at is not None
    record = make_record(result, "boom", {})
    final = {name: value for name, value, step in record.metrics}
    assert (final["diverged"], final["diverged_at"]) == (1, result.diverged_at)
    assert all(math.isfinite(value) and abs(value) < 1.7e308 for _, value, _ in record.metrics)
    cost = curve(record)
    assert 0 in cost
    assert max(cost) <= result.epochs_run < DIVERGING.epochs
    assert record.status == "FINISHED"
    assert set(record.images) == {"cost.png", "boundary.png"}


def test_what_is_not_finite_is_left_out_even_if_a_hook_recorded_it():
    hook = Curves(every=50, odd=lambda run: np.where(run.epoch == 50, np.inf, 1.0), huge=lambda run: 1.75e308)
    record = make_record(trained(Config(dataset="or", hidden=(), epochs=100), hook), "odd", {})
    assert set(curve(record, "odd")) == {0, 100}
    assert curve(record, "huge") == {}


class Explode(Hook):
    """Puts NaN into the parameters, as no training should."""

    epochs = (60,)

    def on_epoch(self, run):
        run.network.parameters[...] = np.nan


def test_a_network_that_is_not_a_number_has_a_record_too():
    result = trained(Config(dataset="xor", epochs=100), Explode())
    record = make_record(result, "nan", {})
    assert all(math.isfinite(value) for _, value, _ in record.metrics)
    assert curve(record, "diverged") == {0: 1}
    assert 0 in record.slider["boundary"]
    assert set(record.images) == {"cost.png", "boundary.png"}


@pytest.mark.parametrize("epochs", [1, 2, 7, 50, 1000, 5000])
def test_the_boundary_is_looked_at_from_the_first_epoch_to_the_last(epochs):
    looks = snapshot_epochs(epochs)
    assert (looks[0], looks[-1]) == (0, epochs)
    assert list(looks) == sorted(set(looks))
    assert len(looks) >= min(5, epochs + 1)


@pytest.mark.parametrize(
    ("config", "more"),
    [
        (Config(dataset="xor", epochs=60), set()),
        (
            Config(dataset="circle", n_examples=40, crosses=("x1^2", "x2^2"), hidden=(), epochs=60),
            {"confusion.png"},
        ),
        (Config(dataset="iris", hidden=(4,), cost="categorical_cross_entropy", epochs=60), {"confusion.png"}),
        (
            Config(dataset="reg_plane", n_examples=40, hidden=(), learning_rate=0.01, epochs=60),
            {"predictions.png"},
        ),
    ],
    ids=lambda value: getattr(value, "dataset", ""),
)
def test_pictures_of_every_kind_of_data_can_be_opened(config, more):
    record = make_record(trained(config), "pictures", {})
    assert set(record.images) == {"cost.png", "boundary.png", *more}
    frames = record.slider["boundary"]
    assert len(frames) >= 5
    assert (min(frames), max(frames)) == (0, 60)
    sizes = {size(png) for png in frames.values()}
    assert len(sizes) == 1
    assert all(min(size(png)) >= 256 for png in [*record.images.values(), *frames.values()])
    assert len(set(frames.values())) > 1  # it moves


def test_a_replica_has_the_record_of_its_own_network():
    configs = [Config(dataset="xor", epochs=80, seed=seed) for seed in range(3)]
    together = train_many(configs, [Snapshots(snapshot_epochs(80))], curve_points=CURVE_POINTS)
    for config, result in zip(configs, together, strict=True):
        alone = curve(make_record(trained(config), "alone", {}))
        cost = curve(make_record(result, "together", {}))
        assert cost.keys() == alone.keys()
        assert np.allclose(list(cost.values()), list(alone.values()), rtol=1e-9)


def test_the_tags_that_say_who_trained_with_what():
    origin.cache_clear()  # a test before it may have run a command in this process
    tags = make_record(train(Config(dataset="or", epochs=2)), "a run", {}).tags
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["mlflow.source.name"] == Path(sys.argv[0]).name
    asked = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=Path(__file__).parent).stdout.strip()
    assert tags.get("mlflow.source.git.commit", commit) == commit


def test_a_figure_that_a_hook_records_at_every_epoch_has_200_points_with_the_first_and_the_last():
    hook = Curves(doubled=lambda run: 2 * run.cost)
    result = train(Config(dataset="xor", hidden=(2,), epochs=1000), [hook])
    found = curve(make_record(result, "a run", {}), "doubled")
    assert len(found) == 200
    assert (min(found), max(found)) == (0, 1000)
    assert max(np.diff(list(found))) <= 6  # evenly
    costs = [*result.costs, result.cost]
    assert all(value == 2 * costs[epoch] for epoch, value in found.items())


def test_the_last_point_of_a_curve_is_the_final_figure():
    """What has a curve has no second value at step 0, where figures without a curve are."""
    hook = Curves(every=10, validation_cost=lambda run: 10.0)
    result = train(Config(dataset="moons", n_examples=60, hidden=(), epochs=100), [hook])
    found = curve(make_record(result, "a run", {}), "validation_cost")
    assert list(found) == [*range(0, 100, 10), 100]
    assert (found[0], found[90], found[100]) == (10, 10, result.validation_cost)


def weights(result):
    """A picture: how large the weights are."""
    figure = Figure(figsize=(3, 3))
    figure.add_subplot().hist(result.network.parameters)
    return figure


class Bytes:
    """A picture that is an object, and gives PNG bytes."""

    def __call__(self, result):
        buffer = io.BytesIO()
        Image.new("RGB", (10, 20)).save(buffer, "PNG")
        return buffer.getvalue()


def test_pictures_of_the_users_own_are_images_under_their_names():
    result = trained(Config(dataset="xor", epochs=20))
    record = make_record(result, "own", {}, pictures=[weights, Bytes()])
    assert set(record.images) == {"cost.png", "boundary.png", "weights.png", "Bytes.png"}
    assert size(record.images["weights.png"]) == (300, 300)
    assert size(record.images["Bytes.png"]) == (10, 20)
    unseen = make_record(result, "own", {}, pictures=[weights], shown=False)
    assert (set(unseen.images), unseen.slider) == ({"weights.png"}, {})


@pytest.mark.parametrize("drawn", [None, "picture.png", b"%PDF-1.4", 7])
def test_what_is_neither_a_figure_nor_png_bytes_is_named(drawn):
    def mine(result):
        return drawn

    with pytest.raises(TypeError, match=f"picture mine gave {type(drawn).__name__}: a Figure or PNG bytes are needed"):
        make_record(trained(Config(dataset="or", hidden=(), epochs=20)), "own", {}, pictures=[mine])


def test_a_blind_run_says_nothing_about_the_test_part():
    result = trained(Config(dataset="moons", n_examples=60, hidden=(), epochs=20))
    seen, blind = ({name for name, _, _ in make_record(result, "", {}, blind=one).metrics} for one in (False, True))
    assert seen - blind == {f"test_{kind}" for kind in ("cost", "accuracy", "precision", "recall", "f1")}
    assert {"validation_accuracy", "validation_recall"} <= blind
    assert set(make_record(result, "", {}, blind=True).images) == {"cost.png", "boundary.png"}


class GiveUp(Hook):
    """Stops every network at epoch 10, as a pruner does."""

    epochs = (10,)

    def on_epoch(self, run):
        run.stop(pruned=True)


def test_a_pruned_run_is_killed_and_keeps_its_curve_so_far():
    record = make_record(trained(Config(dataset="xor", epochs=60), GiveUp()), "pruned", {})
    assert (record.status, record.tags["pruned"]) == ("KILLED", "1")
    assert max(curve(record)) == 10


@pytest.mark.parametrize("noise", [1e37, 1e39, 1e200])
def test_examples_beyond_single_precision_are_drawn(noise):
    config = Config(dataset="moons", n_examples=20, noise=noise, hidden=(2,), activation="tanh", epochs=2)
    assert "boundary.png" in make_record(trained(config), "far", {}).images
