"""The pictures say what the numbers say: colours on the right sides, lines and labels where they belong."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from sandbox.data import Dataset
from sandbox.errors import RequestError
from sandbox.plots import boundary_figure, boundary_frames, boundary_png, cost_figure, cost_png
from sandbox.plots.page import number, numbers
from sandbox.plots.plane import plane_of


def made_up(X, Y, task="binary", feature_names=("x1", "x2"), class_names=()):
    return Dataset("made up", X, Y, feature_names, task, class_names)


SQUARE = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
AND = made_up(SQUARE, np.array([[0.0], [0], [0], [1]]))


def sigmoid(z):
    return 0.5 + 0.5 * np.tanh(z / 2)


def upright(X):
    """A boundary at x1 = 0.5."""
    return sigmoid(12 * (X[:, :1] - 0.5))


def three_classes(X):
    scores = np.exp(-np.stack([(X[:, 0] - k) ** 2 for k in range(3)], axis=1) * 4)
    return scores / scores.sum(1, keepdims=True)


def many_features(count=30, examples=80, seed=0):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(examples, count)) * np.logspace(-3, 3, count) + 5
    names = ("mean radius", "mean texture", "mean area", *(f"feature {k}" for k in range(4, count + 1)))
    return made_up(X, (X[:, :1] > 5).astype(float), feature_names=names)


def regression(columns=2):
    X = np.random.default_rng(1).uniform(-1, 1, (40, columns))
    return made_up(X, X[:, :1] * 2, "regression", tuple(f"x{k + 1}" for k in range(columns)))


def classes(columns=2):
    X = np.random.default_rng(2).uniform(0, 2, (60, columns))
    names = tuple(f"x{k + 1}" for k in range(columns))
    return made_up(X, np.eye(3)[np.rint(X[:, 0]).astype(int)], "multiclass", names, ("low", "middle", "high"))


def decoded(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def box_of(figure, size):
    """The axes' place in pixels: left, top, right, bottom."""
    place = figure.axes[0].get_position()
    width, height = size
    return [round(v) for v in (place.x0 * width, (1 - place.y1) * height, place.x1 * width, (1 - place.y0) * height)]


def test_the_two_shades_lie_on_their_sides_of_a_known_boundary():
    pixels = decoded(boundary_png(upright, AND))
    left, top, right, bottom = box_of(boundary_figure(upright, AND), (384, 384))
    row = round(top + 0.4 * (bottom - top))
    blue, orange = pixels[row, left + 20], pixels[row, right - 20]
    assert blue[2] > blue[0] + 80
    assert orange[0] > orange[2] + 80


def test_the_half_line_lies_at_one_half():
    pixels = decoded(boundary_png(upright, AND))
    left, top, right, bottom = box_of(boundary_figure(upright, AND), (384, 384))
    row = round(top + 0.4 * (bottom - top))
    dark = np.flatnonzero(pixels[row, left + 3 : right - 3].max(1) < 90) + left + 3
    assert 1 <= len(dark) <= 4
    assert dark.mean() + 0.5 == pytest.approx((left + right) / 2, abs=1.0)  # limits are symmetric about 0.5


def test_a_line_at_an_angle_follows_the_contour():
    pixels = decoded(boundary_png(lambda X: sigmoid(8 * (X[:, 1:] - 2 * X[:, :1] + 0.3)), AND))
    left, top, right, bottom = box_of(boundary_figure(upright, AND), (384, 384))
    for x2 in (0.2, 0.4, 0.6, 0.8):
        row = round(bottom - (x2 + 0.25) / 1.5 * (bottom - top))
        dark = np.flatnonzero(pixels[row, left + 3 : right - 3].max(1) < 90) + left + 3.5
        expected = left + ((x2 + 0.3) / 2 + 0.25) / 1.5 * (right - left)
        assert dark.mean() == pytest.approx(expected, abs=2.0)


def test_an_undecided_network_has_no_line():
    pixels = decoded(boundary_png(lambda X: np.full((len(X), 1), 0.5), AND))
    left, top, right, bottom = box_of(boundary_figure(upright, AND), (384, 384))
    middle = pixels[top + 90 : bottom - 90, left + 90 : right - 90]
    assert middle.min() > 225


def test_outputs_that_are_not_finite_are_grey():
    pixels = decoded(boundary_png(lambda X: np.where(X[:, :1] > 0.5, np.nan, 0.1), AND))
    left, top, right, bottom = box_of(boundary_figure(upright, AND), (384, 384))
    middle = (top + bottom) // 2
    assert np.ptp(pixels[middle, right - 20]) <= 8
    assert np.ptp(pixels[middle, left + 20]) > 80


def test_each_class_has_its_colour_and_a_line_between():
    data = classes()
    pixels = decoded(boundary_png(three_classes, data))
    left, top, right, _ = box_of(boundary_figure(three_classes, data), (384, 384))
    strip = pixels[top + 3 : top + 12, left + 3 : right - 3]
    assert (strip.max(2) < 90).any()
    ends = [strip[:, 5].mean(0), strip[:, strip.shape[1] // 2].mean(0), strip[:, -5].mean(0)]
    assert min(np.abs(a - b).max() for a, b in zip(ends, ends[1:] + ends[:1], strict=True)) > 40


@pytest.mark.parametrize("size", [(384, 384), (256, 256), (300, 200)])
@pytest.mark.parametrize(
    ("predict", "data"),
    [
        (upright, AND),
        (three_classes, classes()),
        (three_classes, classes(1)),
        (lambda X: X[:, :1] * 2, regression()),
        (lambda X: X[:, :1] * 1e30, regression()),
        (lambda X: X[:, :1] * 2, regression(1)),
        (lambda X: X[:, :1] * np.nan, regression(1)),
        (upright, made_up(SQUARE[:, :1], AND.Y, feature_names=("x1",))),
        (upright, many_features()),
        (upright, made_up(SQUARE[:1], AND.Y[:1])),
        (upright, made_up(SQUARE * 1e9, AND.Y)),
        (upright, made_up(np.ones((5, 3)), np.ones((5, 1)), feature_names=("x1", "x2", "x3"))),
    ],
)
def test_every_task_makes_a_png_of_the_size_asked_for(predict, data, size):
    png = boundary_png(predict, data, test=data, title="price $5 and $6", size=size)
    assert Image.open(io.BytesIO(png)).size == size
    assert len(png) < 60_000


def test_a_test_set_is_drawn_and_may_be_empty():
    nobody = made_up(SQUARE[:0], AND.Y[:0])
    somebody = made_up(SQUARE + 0.1, AND.Y)
    assert boundary_png(upright, AND, test=nobody) == boundary_png(upright, AND)
    assert boundary_png(upright, AND, test=somebody) != boundary_png(upright, AND)


def test_many_examples_are_thinned():
    generator = np.random.default_rng(0)
    many = made_up(generator.normal(size=(5000, 2)), generator.integers(0, 2, (5000, 1)).astype(float))
    shown = sum(len(np.asarray(line.get_xdata())) for line in boundary_figure(upright, many).axes[0].lines)
    assert shown == 300


def test_warm_pictures_leave_nothing_behind():
    def render():
        return [
            boundary_png(upright, AND, title="and"),
            cost_png([0, 1, 2], [3, 2, 1]),
            boundary_png(three_classes, classes()),
            cost_png(range(50), np.logspace(0, -5, 50), title="wide", diverged_at=50),
            boundary_png(lambda X: X[:, :1], regression(1), title="curve"),
            boundary_png(lambda X: X[:, :1], regression(), test=regression()),
        ]

    first = render()
    assert render() == first
    with ThreadPoolExecutor(4) as pool:  # threads have figures of their own
        assert all(later == first for later in pool.map(lambda _: render(), range(8)))


def test_the_order_of_pictures_does_not_matter():
    curve = {"title": "wide", "diverged_at": 50}
    renders = [
        lambda: boundary_png(upright, AND, title="and"),
        lambda: boundary_png(three_classes, classes()),
        lambda: boundary_png(three_classes, classes(1), title="curves"),
        lambda: boundary_png(lambda X: X[:, :1], regression(), test=regression()),
        lambda: cost_png([0, 1, 2], [3, 2, 1]),
        lambda: cost_png(range(50), np.logspace(0, -5, 50), **curve),
        lambda: cost_png([0], [np.nan], title="nothing"),
    ]
    with ThreadPoolExecutor(1) as first_thread:
        first = list(first_thread.map(lambda render: render(), renders))
    with ThreadPoolExecutor(1) as second_thread:
        second = list(second_thread.map(lambda render: render(), renders[::-1]))
    assert second == first[::-1]


def test_examples_changed_in_place_are_drawn_anew():
    data = made_up(SQUARE.copy(), AND.Y.copy())
    before = boundary_png(upright, data)
    data.Y[:] = 1 - data.Y
    assert boundary_png(upright, data) != before


def test_a_figure_looks_like_its_png():
    figure = boundary_figure(upright, AND)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    difference = np.abs(decoded(buffer.getvalue()) - decoded(boundary_png(upright, AND)))
    assert difference.mean() < 4


def test_frames_differ_only_inside_the_axes_and_in_their_title():
    predicts = {epoch: lambda X, e=epoch: sigmoid(8 * (X[:, :1] - e / 100)) for epoch in (20, 50)}
    frames = boundary_frames(predicts, AND)
    assert list(frames) == [20, 50]
    first, last = (decoded(frames[epoch]) for epoch in (20, 50))
    assert first.shape == (256, 256, 3)
    left, _, _, bottom = box_of(boundary_figure(upright, AND), (256, 256))
    changed = np.argwhere(np.abs(first - last).max(2) > 40)
    assert len(changed) > 100
    assert changed[:, 0].max() <= bottom
    assert changed[:, 1].min() >= left - 10
    assert boundary_frames({}, AND) == {}


def test_a_plane_of_many_features_is_named_on_its_axes():
    data = many_features()
    axes = boundary_figure(upright, data).axes[0]
    assert axes.get_xlabel().startswith("principal component 1 (")
    assert axes.get_ylabel().startswith("principal component 2 (")
    assert axes.get_xlabel().endswith(" % of variance)")
    axes = boundary_figure(upright, data, plane=("x3", "mean texture")).axes[0]
    assert axes.get_xlabel() == "x3: mean area; others at their median"
    assert axes.get_ylabel() == "x2: mean texture"
    axes = boundary_figure(upright, AND).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x1", "x2")


def test_principal_components_agree_with_the_examples_own_singular_vectors():
    X = np.random.default_rng(3).normal(size=(50, 6)) @ np.random.default_rng(4).normal(size=(6, 6))
    plane = plane_of(made_up(X, X[:, :1], feature_names=tuple(f"x{k}" for k in range(1, 7))))
    standard = (X - X.mean(0)) / X.std(0)
    left, scale, _ = np.linalg.svd(standard, full_matrices=False)
    np.testing.assert_allclose(np.abs(plane.project(X)), np.abs(left[:, :2] * scale[:2]), atol=1e-9)
    share = 100 * scale[0] ** 2 / (scale**2).sum()
    assert plane.wordings[0][0] == f"principal component 1 ({share:.0f} % of variance)"
    places = np.array([[0.0, 0.0], [1.0, -2.0]])
    np.testing.assert_allclose(plane.project(plane.points(places)), places, atol=1e-12)


def test_a_plane_of_two_features_holds_the_others_at_their_median():
    data = many_features(5)
    points = plane_of(data, ("x4", "x2")).points(np.array([[10.0, 20.0]]))
    expected = np.median(data.X, axis=0)
    expected[[3, 1]] = 10.0, 20.0
    np.testing.assert_allclose(points, expected[None])


@pytest.mark.parametrize(
    ("plane", "message"),
    [
        (("x3", "mean radios"), "did you mean 'mean radius'"),
        (("x0", "x1"), "unknown feature of data set 'made up' 'x0'"),
        (("x1", "mean radius"), "two different features"),
        (("x1",), "needs two features"),
        ("x1", "needs two features"),
    ],
)
def test_a_wrong_plane_is_one_clear_line(plane, message):
    with pytest.raises(RequestError, match=message) as caught:
        boundary_png(upright, many_features(5), plane=plane)
    assert "\n" not in str(caught.value)


def test_other_wrong_requests():
    with pytest.raises(RequestError, match="has one feature"):
        boundary_png(upright, made_up(SQUARE[:, :1], AND.Y, feature_names=("x1",)), plane=("x1", "x2"))
    with pytest.raises(RequestError, match="unknown task 'ranking'"):
        boundary_figure(upright, made_up(SQUARE, AND.Y, "ranking"))
    with pytest.raises(RequestError, match="one cost per epoch"):
        cost_png([0, 1], [1.0])


@pytest.mark.parametrize(
    ("costs", "scale"),
    [([1, 0.1, 0.01], "log"), ([1, 0.5, 0.2], "linear"), ([1, 0.01, 0], "linear"), ([-1, 5, 300], "linear")],
)
def test_the_cost_axis_is_logarithmic_where_that_helps(costs, scale):
    axes = cost_figure([0, 1, 2], costs).axes[0]
    assert axes.get_yscale() == scale
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "cost")
    low, high = axes.get_ylim()
    assert all(low <= tick <= high for tick in axes.get_yticks())
    assert len(axes.get_yticks()) >= 2


def test_the_last_cost_is_written_and_divergence_marked():
    axes = cost_figure(range(4), [0.5, 0.25, 0.3, 0.125], title="slow", diverged_at=4, label="loss").axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert "0.125" in texts
    assert "diverged at epoch 4" in texts
    assert "slow" in texts
    assert axes.get_ylabel() == "loss"
    assert axes.get_xlim()[1] >= 4


@pytest.mark.parametrize(
    "costs",
    [
        [1, np.nan, 0.5, np.inf],
        [np.nan, np.inf, np.nan, -np.inf],
        [1e308, -1e308, 1e300, 0],
        [1e308, 1e-308, 1e-320, 1],
        [0.125, 0.125, 0.125, 0.125],
        [0, 0, 0, 0],
        [0.1, 0.1 + 1e-15, 0.1, 0.1],
        [-3, -2, -1, -2],
    ],
)
@pytest.mark.filterwarnings("error")
def test_no_cost_breaks_the_picture(costs):
    for size in ((480, 320), (256, 256)):
        png = cost_png(range(4), costs, title="a title that goes on and on and on", diverged_at=3, size=size)
        assert Image.open(io.BytesIO(png)).size == size


@pytest.mark.parametrize("count", [0, 1, 2, 100_000])
def test_any_number_of_points_makes_a_curve(count):
    costs = 1.5 + np.sin(np.arange(count) / 300)
    assert Image.open(io.BytesIO(cost_png(np.arange(count), costs))).size == (480, 320)


def test_thinning_keeps_the_extremes():
    costs = np.full(100_000, 0.5)
    costs[54_321], costs[77_777] = 0.9, 0.1
    heights = np.asarray(cost_figure(np.arange(100_000), costs).axes[0].lines[0].get_ydata())
    assert len(heights) < 2000
    assert (heights.min(), heights.max()) == (0.1, 0.9)


def test_numbers_are_short_and_distinct():
    minus = "\N{MINUS SIGN}"
    assert [number(v) for v in (0, 0.25, -2, 1500, 200_000, 3e-7)] == [
        "0",
        "0.25",
        f"{minus}2",
        "1500",
        "2e5",
        f"3e{minus}7",
    ]
    assert numbers([0.25001, 0.25002]) == ["0.25001", "0.25002"]
    assert number(99_999.7) == "1e5"
