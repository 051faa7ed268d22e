"""Pictures beside an answer: what stands in them is what pandas says of the same trials, and none is drawn of nothing."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from sandbox.answers.diagnosis import FOLDER, PAGE, Diagnosis
from sandbox.answers.importance import sentence
from sandbox.answers.isolation import draw_isolation, isolated
from sandbox.answers.learning import Learning, band, draw_learning
from sandbox.answers.panels import Scale
from sandbox.answers.response import draw_response
from sandbox.answers.statistics import Estimate, median
from sandbox.answers.trials import Part, Trial

RATES, KINDS = (0.01, 0.1, 1.0), ("a", "b")
SCALES = {"rate": Scale(RATES, (0.01, 1.0), log=True), "kind": Scale(KINDS)}


def table(seeds=9, lost=(), seed=0):
    """Accuracies of a grid, one row a run, and the same as trials; rates in `lost` diverge."""
    rng = np.random.default_rng(seed)
    rows = [
        {"rate": rate, "kind": kind, "seed": seed, "accuracy": rng.uniform(0.3, 1.0), "lost": rate in lost}
        for rate in RATES
        for kind in KINDS
        for seed in range(seeds)
    ]
    trials = [
        Trial(
            {"rate": row["rate"], "kind": row["kind"]},
            row["seed"],
            1e9 if row["lost"] else -row["accuracy"],
            None if row["lost"] else row["accuracy"],
            lost=row["lost"],
        )
        for row in rows
    ]
    return pd.DataFrame(rows), trials


def diagnosis(trials, scales=SCALES, **more):
    return Diagnosis("validation_accuracy", True, trials, scales, **more)


def is_drawn(content):
    """Whether a PNG shows something."""
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels.shape[1] >= 600 and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize("seed", range(5))
def test_isolation_is_the_best_over_the_others(seed):
    frame, trials = table(seed=seed)
    parts = diagnosis(trials).parts
    for name in ("rate", "kind"):
        best = np.asarray(frame.groupby(["rate", "kind"])["accuracy"].median().groupby(name).max())
        line = isolated(parts[Part(name)], SCALES[name], name, larger=True)
        assert [one.objective.value for one in line] == pytest.approx(best.tolist())
        axes = draw_isolation({Part(name): parts[Part(name)]}, SCALES, "validation_accuracy", larger=True).axes[0]
        drawn = max((one for one in axes.lines if one.get_marker() == "o"), key=lambda one: one.get_zorder())
        assert np.asarray(drawn.get_ydata()).tolist() == pytest.approx(best.tolist())
        assert (axes.get_xscale() == "log") is (name == "rate")


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    """2,000 samples of 20 from a lopsided distribution; its median is known. At least 95 % are wanted, 95.9 exact."""
    rng = np.random.default_rng(0)
    found = [median(rng.exponential(size=20)) for _ in range(2000)]
    held = np.mean([one.low <= np.log(2) <= one.high for one in found])
    exact = 1 - 2 * stats.binom.cdf(5, 20, 0.5)
    assert exact > 0.95
    assert abs(held - exact) < 3 * np.sqrt(exact * (1 - exact) / 2000)
    assert median([3.0, 1.0, 2.0]) == Estimate(2.0, 1.0, 3.0)


def test_what_diverged_is_marked_at_the_edge_and_not_joined():
    _, trials = table(lost=(1.0,))
    parts = diagnosis(trials).parts
    assert [one.label for one in isolated(parts[Part("rate")], SCALES["rate"], "rate", larger=True)] == ["0.01", "0.1"]
    for larger in (True, False):
        axes = draw_isolation(parts, SCALES, "cost", larger=larger).axes[0]
        (crosses,) = (line for line in axes.lines if line.get_marker() == "x")
        assert np.asarray(crosses.get_xdata()).tolist() == [1.0, 1.0]
        assert (np.asarray(crosses.get_ydata()) < 0.5).all() == larger


def test_the_response_has_the_median_of_each_cell_and_a_cross_where_it_diverged():
    frame, trials = table(lost=(1.0,))
    axes = draw_response(diagnosis(trials).points, ("rate", "kind"), SCALES, "accuracy", larger=True).axes[0]
    medians = frame[~frame["lost"]].groupby(["rate", "kind"])["accuracy"].median()
    assert sorted(text.get_text() for text in axes.texts) == sorted(f"{value:.3g}" for value in medians)
    assert len([line for line in axes.lines if line.get_marker() == "x"]) == 2


def test_the_response_of_two_ranges_is_dots_and_shades_between_them():
    rng = np.random.default_rng(0)
    scales = {"a": Scale(None, (1.0, 100.0), log=True), "b": Scale(None, (0.0, 1.0))}
    places = [{"a": float(10 ** (2 * u)), "b": float(v)} for u, v in rng.random((40, 2))]
    for some in (places, [{"a": 10.0, "b": one["b"]} for one in places], places[:2]):
        trials = [Trial(at, seed, at["b"], 0.5) for at in some for seed in range(2)]
        axes = draw_response(diagnosis(trials, scales).points, ("a", "b"), scales, "cost", larger=False).axes[0]
        assert np.sort(np.asarray(axes.collections[-1].get_array())) == pytest.approx(sorted(one["b"] for one in some))


def test_a_band_is_the_median_and_the_quartiles_and_ends_where_half_have_ended():
    values = np.random.default_rng(0).random((5, 4))
    curves = [([0, 10, 20, 30][:length], row[:length]) for row, length in zip(values, (4, 4, 3, 2, 2), strict=True)]
    found = band(curves)
    assert found.steps.tolist() == [0, 10, 20]
    frame = pd.concat([pd.Series(row, steps) for steps, row in curves], axis=1)
    expected = frame.quantile([0.25, 0.5, 0.75], axis=1).T[:3]
    assert np.column_stack([found.low, found.middle, found.high]) == pytest.approx(expected.to_numpy())
    assert len(band([]).steps) == 0
    huge = band([([0, 1], [0.5, 1e300]), ([0, 1], [0.4, np.inf])])
    assert draw_learning([Learning("rates", "cost", {"1": huge}, True)]).axes[0].get_ylim()[1] < 100


def test_all_pictures_are_there_and_the_page_shows_each_of_them():
    _, trials = table()
    whole = diagnosis(
        trials, shares={"rate": Estimate(0.8, 0.6, 0.9), "kind": Estimate(0.2, 0.1, 0.4)}, warnings=["Widen."]
    )
    files = {path.removeprefix(f"{FOLDER}/"): content for path, content in whole.files.items()}
    assert [*files] == ["isolation.png", "importance.png", "importance.csv", "response.png", PAGE]
    assert all(is_drawn(content) for name, content in files.items() if name.endswith(".png"))
    page = files[PAGE].decode()
    assert all(f"]({name})" in page for name in files if name.endswith(".png"))
    assert "Widen." in page
    assert pd.read_csv(io.BytesIO(files["importance.csv"])).to_numpy().tolist() == [
        ["rate", 0.8, 0.6, 0.9],
        ["kind", 0.2, 0.1, 0.4],
    ]
    short = whole.section(files, "x{}", 250)
    assert len(short) <= 250
    assert whole.section(files, "x{}", 4000).count("![") == 3
    assert whole.section(files, "x{}", 50) == ""


@pytest.mark.parametrize(
    ("scales", "pictures"),
    [
        ({"rate": SCALES["rate"]}, ["isolation.png"]),
        (SCALES, ["isolation.png", "response.png"]),
    ],
)
def test_what_cannot_be_drawn_is_left_out(scales, pictures):
    for seeds in (1, 2, 9):
        trials = [one._replace(point={name: one.point[name] for name in scales}) for one in table(seeds)[1]]
        files = diagnosis(trials, scales).files
        assert [*files] == [f"{FOLDER}/{name}" for name in (*pictures, PAGE)]
    gone = diagnosis(table(lost=RATES)[1], scales)
    assert [*gone.files] == [f"{FOLDER}/{PAGE}"]
    half = diagnosis([one._replace(lost=one.seed == 0, rank=1e9 * (one.seed == 0)) for one in table(2)[1]], scales)
    assert len(half.files) == len(pictures) + 1


def test_problems_have_panels_of_their_own():
    _, trials = table()
    whole = diagnosis(trials, problems=["kind"])
    assert [part.words for part in whole.parts] == ["kind a: rate", "kind b: rate"]
    assert whole.pair is None


def test_importance_says_what_its_intervals_say():
    clear = {"a": Estimate(0.8, 0.6, 0.9), "b": Estimate(0.2, 0.1, 0.4)}
    assert sentence(clear) == "Share of the importance: a 0.80 [0.60, 0.90], b 0.20 [0.10, 0.40]."
    open_one = {"a": Estimate(0.6, 0.3, 0.9), "b": Estimate(0.4, 0.1, 0.7)}
    assert sentence(open_one).endswith("; which of them matters most cannot be told.")
    bare = {"a": Estimate(0.6, np.nan, np.nan), "b": Estimate(0.4, np.nan, np.nan)}
    assert sentence(bare) == "Share of the importance: a 0.60, b 0.40; which of them matters most cannot be told."
