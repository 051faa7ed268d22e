"""Films of runs: their frames are those epochs of the very training that was logged."""

import io
import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from sandbox import Config, RequestError, train
from sandbox.kept.film import encoder, film
from sandbox.nn import Snapshots
from sandbox.plots.animation import Animation, spaced
from sandbox.plots.boundary import boundary_of

CIRCLE = Config(dataset="circle", n_examples=60, hidden=(4,), activation="tanh", learning_rate=0.5, epochs=300)


@pytest.mark.parametrize(("last", "count"), [(5000, 60), (300, 60), (59, 60), (61, 60), (10, 60), (1, 60), (9, 2)])
def test_epochs_are_distinct_rising_and_reach_both_ends(last, count):
    epochs = spaced(last, count)
    assert (epochs[0], epochs[-1], len(epochs)) == (0, last, min(count, last + 1))
    assert all(np.diff(epochs) >= 1)
    late = np.log(epochs[len(epochs) // 2 :])
    if last > 50 * count:  # evenly on a log scale, where whole numbers allow it
        assert np.allclose(np.diff(late), np.diff(late)[-1], rtol=0.2)


LINE = CIRCLE.replace(dataset="linear", hidden=(), learning_rate=0.1)


@pytest.mark.parametrize("config", [CIRCLE, CIRCLE.replace(dataset="iris"), LINE])
def test_the_ends_are_what_the_network_says_there(config):
    made = film(config, frames=5, width=400)
    assert made.epochs == spaced(300, 5)
    assert {frame.shape for frame in made.frames} == {(200, 400)}
    result = train(config, [Snapshots([0])])
    train_part, inputs = result.problem.train, result.problem.inputs
    boundary = boundary_of(train_part)
    for frame, epoch in ((made.frames[0], 0), (made.frames[-1], 300)):
        network = result.snapshots[epoch]
        png = boundary.png(network.predict(inputs(boundary.points())), f"epoch {epoch}", (200, 200), test=False)
        own = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
        seen = made.colours[frame[:, :200]].astype(int)
        assert (np.abs(own - seen).max(-1) > 12).mean() < 0.002  # a shade, where single precision tells


def test_a_film_that_no_memory_holds_is_refused():
    with pytest.raises(
        RequestError, match=r"^frames is 1000 and width 4000: 8,000,000,000 pixels, and 200,000,000 are"
    ):
        film(CIRCLE, frames=1000, width=4000)


def test_of_a_network_that_diverges_the_frames_end_where_it_was_last_sound():
    made = film(LINE.replace(learning_rate=5.0), frames=20, width=200)
    end = train(LINE.replace(learning_rate=5.0)).diverged_at
    assert end is not None
    assert made.epochs == [epoch for epoch in spaced(300, 20) if epoch <= end]


def test_colours_are_the_classes_that_the_network_predicts():
    """Independent of how shades are painted: blue where class 0 is more probable, orange where class 1 is."""
    made = film(CIRCLE, frames=3, width=1000)
    result = train(CIRCLE)
    boundary = boundary_of(result.problem.train)
    low, high = zip(boundary.view.x_limits, boundary.view.y_limits, strict=True)
    left, top, across, down = _axes_of(made)
    rng = np.random.default_rng(0)
    places = rng.random((400, 2))
    raw = np.array(low) + places * (np.array(high) - np.array(low))
    said = result.network.predict(result.problem.inputs(raw))[:, 0]
    columns, rows = (left + places[:, 0] * across).astype(int), (top + (1 - places[:, 1]) * down).astype(int)
    red, _, blue = made.colours[made.frames[-1][rows, columns]].astype(int).T
    sure = np.abs(said - 0.5) > 0.1
    agree = (red > blue)[sure] == (said > 0.5)[sure]
    assert sure.sum() > 100
    assert agree.mean() > 0.93  # elsewhere an example lies on the shade


def _axes_of(made):
    """The box of the left axes, by the frame itself: the longest rows and columns of the spine's grey."""
    grey = (np.abs(made.colours[made.frames[-1][:, :500]].astype(int) - 0x55).max(-1) <= 6).astype(int)
    rows, columns = np.flatnonzero(grey.sum(1) > 200), np.flatnonzero(grey.sum(0) > 200)
    return columns[0], rows[0], columns[1] - columns[0], rows[-1] - rows[0]


def test_the_curve_grows_and_ends_where_the_cost_is():
    costs = np.geomspace(1, 0.001, 101)
    animation = Animation(np.arange(101), costs, train(CIRCLE.replace(epochs=1)).problem.train, width=600)
    points = np.zeros((len(animation.points()), 1))
    frames = list(animation.frames(dict.fromkeys((0, 10, 100), points)))
    blue = [np.argwhere(_is_curve(animation.colours[frame[:, 300:]])) for frame in frames]
    assert len(blue[0]) < len(blue[1]) < len(blue[2])
    assert blue[0][:, 1].max() < blue[1][:, 1].max() < blue[2][:, 1].max()
    first, last = blue[0][:, 0].mean(), blue[2][blue[2][:, 1] > blue[2][:, 1].max() - 6][:, 0].mean()
    tenth = animation.frame.places([1.0], [0.01])[1][0]
    assert first < tenth < last  # the axis of costs is logarithmic: a hundredth lies between


def _is_curve(colours):
    red, green, blue = colours.astype(int).transpose(2, 0, 1)
    return (blue - red > 60) & (blue - green > 20)


@pytest.mark.parametrize(("suffix", "kind"), [(".gif", "GIF"), (".webp", "WEBP")])
def test_a_file_has_every_frame_and_plays_as_long_as_asked(suffix, kind):
    made = film(CIRCLE, frames=12, width=300, seconds=3)
    with Image.open(io.BytesIO(encoder(suffix)(made))) as image:
        assert (image.format, getattr(image, "n_frames", 1), image.size) == (kind, 12, (300, 150))
        times = []
        for number in range(12):
            image.seek(number)
            shown = np.asarray(image.convert("RGB")).astype(int)
            times.append(image.info["duration"])
            wrong = np.abs(shown - made.colours[made.frames[number]].astype(int)).max(-1) > (0 if kind == "GIF" else 60)
            assert wrong.mean() < (1e-9 if kind == "GIF" else 0.02)
        assert 2900 <= sum(times) <= 3100
        assert times[-1] == max(times)


def test_ffmpeg_makes_an_mp4(required):
    required(shutil.which("ffprobe"), "ffmpeg is not installed")
    made = film(CIRCLE, frames=12, width=302, seconds=3)  # 151 rows: odd
    asked = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=width,height,nb_read_frames,duration"]
    film_bytes = encoder(".mp4")(made)
    told = subprocess.run([*asked, "-of", "json", "-"], input=film_bytes, capture_output=True, check=True).stdout
    (stream,) = json.loads(told)["streams"]
    assert (stream["width"], stream["height"]) == (302, 150)
    assert int(stream["nb_read_frames"]) >= 12
    assert film_bytes[4:8] == b"ftyp"


def test_without_ffmpeg_it_says_what_needs_none(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RequestError, match=r"ffmpeg, which is not installed: --out FILE\.gif or FILE\.webp needs none"):
        encoder(".mp4")


def test_a_run_of_a_sweep_and_a_single_one_can_be_watched(here, plain_of, tmp_path):
    sweep = ("sweep", "--dataset", "moons", "--vary", "learning_rate=0.1,1", "--seeds", 1, "--epochs", 40)
    assert here(*sweep, "--writers", 1, "--json")[0] == 0
    (parent,) = [run for run in plain_of(tmp_path, "sweep") if "config_key" not in run.data.tags]
    run = next(run for run in plain_of(tmp_path, "sweep") if "config_key" in run.data.tags)
    code, output, errors = here("animate", run.info.run_id, "--out", "film.gif", "--width", 200, "--frames", 6)
    assert code == 0, errors
    assert output.startswith("film.gif: 6 frames, ")
    assert output.endswith(f"of {run.info.run_id}\nnext: sandbox ui\n")
    with Image.open(tmp_path / "film.gif") as image:
        assert getattr(image, "n_frames", 1) == 6
    code, output, errors = here("animate", run.info.run_id, "--width", 200, "--frames", 3, "--json")
    assert (code, json.loads(output)["out"]) == (0, f"{run.info.run_id}.gif")

    begun = here("train", "--dataset", "or", "--hidden", "none", "--weights", "0.1,0.6", "--epochs", 5, "--json")
    own = json.loads(begun[1])["run_id"]
    for run_id, what in (
        (parent.info.run_id, "is not one network that was trained from a config"),
        (own, "started with weights of its own"),
        ("0" * 32, "is not in sqlite:///"),
    ):
        code, output, errors = here("animate", run_id, "--out", "no.gif")
        assert (code, output, errors.count("\n")) == (2, "", 1)
        assert what in errors
    assert not (tmp_path / "no.gif").exists()


def test_own_functions_that_are_others_by_now_are_named(here, own_module, tmp_path):
    text = "from sandbox.nn import Activation\nmine = Activation(lambda z: {0} * z, lambda z: {0} + 0 * z)\n"
    own_module("films", text.format(2.0))
    code, output, _ = here("train", "--activation", "films:mine", "--epochs", 5, "--json")
    run_id = json.loads(output)["run_id"]
    assert here("animate", run_id, "--width", 200, "--frames", 2)[0] == 0
    (tmp_path / "films.py").unlink()
    import sys

    sys.modules.pop("films")
    code, output, errors = here("animate", run_id)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"error: run {run_id} cannot be trained again here: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a b"], "run is 'a b': the id of a run is needed"),
        (["nope", "--out", "film.avi"], "unknown kind of film '.avi': Valid: .gif, .webp, .mp4"),
        (
            ["nope", "--out", "nowhere/film.gif"],
            "--out is 'nowhere/film.gif': a file in a directory that exists is needed",
        ),
        (["nope"], "run nope is not in sqlite:///"),
        (["nope", "--frames", "1"], "Invalid value for '--frames'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(here, tmp_path, words, said):
    code, output, errors = here("animate", *words)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert said in errors
    assert list(tmp_path.iterdir()) == []
