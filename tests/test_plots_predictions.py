"""How the test part is predicted: shades by shares, counts in their cells, points at their places."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from sandbox.errors import RequestError
from sandbox.plots import colours, confusion_png, predictions_png
from sandbox.plots.confusion import RIGHT, WRONG
from sandbox.plots.cost import CURVE, WARNING

NAMES = ["benign", "malignant"]
TABLE = np.array([[86, 4], [2, 51]])


def decoded(png):
    with Image.open(io.BytesIO(png)) as image:
        assert image.mode == "P"
        return np.asarray(image.convert("RGB")).astype(int)


def box_of(pixels):
    """The frame's place: left, top, right, bottom."""
    dark = (np.abs(pixels - colours.rgb(colours.SPINE)).max(2) < 12).astype(float)
    rows, columns = np.flatnonzero(dark.mean(1) > 0.5), np.flatnonzero(dark.mean(0) > 0.5)
    return columns[0], rows[0], columns[-1], rows[-1]


def cells_of(pixels, classes):
    """The colour of each cell, in a corner where no count is: (classes, classes, 3)."""
    left, top, right, bottom = box_of(pixels)
    places = (np.arange(classes) + 0.1) / classes
    rows, columns = (top + places * (bottom - top)).astype(int), (left + places * (right - left)).astype(int)
    return pixels[rows + 1][:, columns + 1]


def distance(pixels, colour):
    return np.abs(pixels - colours.rgb(colour)).max(-1)


@pytest.mark.parametrize("classes", [2, 3, 5, 10, 11, 40])
def test_a_cell_is_as_strong_as_its_share_of_the_true_class_and_errors_have_a_colour_of_their_own(classes):
    counts = np.random.default_rng(classes).integers(1, 50, (classes, classes)) + 40 * np.eye(classes, dtype=int)
    counts[0] = 0
    counts[0, 0] = 7  # all right
    counts[1] = 0
    counts[1, 0] = 7  # all wrong
    cells = cells_of(decoded(confusion_png(counts)), classes)
    assert distance(cells[0, 0], RIGHT) < 8
    assert distance(cells[1, 0], WRONG) < 8
    assert distance(cells[:2, 1:][np.where(counts[:2, 1:] == 0)], "#FFFFFF").max() == 0
    for row, (counted, shown) in enumerate(zip(counts, cells, strict=True)):
        wrong = np.delete(np.arange(classes), row)
        order = wrong[np.argsort(counted[wrong], kind="stable")]
        assert (np.diff(shown[order].sum(1)) <= 0).all()  # the more, the darker
        for column in wrong[counted[wrong] > 0]:
            assert shown[column, 0] > shown[column, 2] + 8  # orange, however few
        if counted[row]:
            assert shown[row, 2] > shown[row, 0] + 8


def test_counts_are_written_up_to_ten_classes():
    """A table with the same shares, and other counts, is another picture where counts are written, and only there."""
    for classes, written in ((2, True), (10, True), (11, False)):
        counts = np.random.default_rng(0).integers(0, 9, (classes, classes))
        assert (confusion_png(counts) != confusion_png(3 * counts)) == written


def test_a_count_is_in_the_middle_of_its_cell():
    pixels = decoded(confusion_png(TABLE))
    left, top, right, bottom = box_of(pixels)
    width, height = (right - left) / 2, (bottom - top) / 2
    for row, column in np.ndindex(2, 2):
        y, x = round(top + row * height), round(left + column * width)
        cell = pixels[y + 3 : y + int(height) - 3, x + 3 : x + int(width) - 3]
        letters = np.argwhere(distance(cell, colours.INK) < 60)
        assert len(letters) > 20
        assert (letters.min(0) + letters.max(0)) / 2 == pytest.approx(np.array(cell.shape[:2]) / 2, abs=3)


def test_names_and_titles_are_written():
    plain = confusion_png(TABLE)
    assert confusion_png(TABLE, ["0", "1"]) == plain
    assert confusion_png(TABLE, ["too", "many", "names"]) == plain
    assert confusion_png(TABLE, NAMES) != plain
    long, short = "a title that does not fit on a page of this size, whatever it says", "a title"
    assert confusion_png(TABLE, titles=[long, short]) == confusion_png(TABLE, titles=[short]) != plain


def test_long_names_that_begin_alike_are_told_apart():
    pictures = {confusion_png(np.eye(3), [f"{'very ' * 9}long {k}" for k in order]) for order in ([0, 1, 2], [2, 1, 0])}
    assert len(pictures) == 2


@pytest.mark.parametrize("size", [(384, 384), (350, 350), (256, 256)])
@pytest.mark.parametrize("classes", [1, 2, 3, 7, 10, 11, 30, 500])
@pytest.mark.parametrize("word", ["{}", "a class with a long name, number {}", "Größe {} 中"])
@pytest.mark.filterwarnings("error")
def test_any_table_is_a_picture_of_the_size_asked_for(size, classes, word):
    counts = np.random.default_rng(classes).integers(0, 12_000, (classes, classes))
    names = [word.format(k) for k in range(classes)]
    pixels = decoded(confusion_png(counts, names, titles=["recall 0.962"], size=size))
    assert pixels.shape == (size[1], size[0], 3)
    left, top, right, bottom = box_of(pixels)
    assert min(right - left, bottom - top) > 0.45 * min(size)


@pytest.mark.filterwarnings("error")
def test_of_nothing_there_are_white_cells():
    assert (cells_of(decoded(confusion_png(np.zeros((3, 3), int))), 3) == 255).all()


@pytest.mark.parametrize("table", [[[1, 2, 3], [4, 5, 6]], [1, 2], [], [[]]])
def test_what_is_no_table_is_one_line(table):
    with pytest.raises(RequestError, match=r"a confusion table has shape \(classes, classes\), got"):
        confusion_png(table)


def points_of(pixels, colour, reach=40):
    """Where such pixels are, as shares of the axes (x, y)."""
    left, top, right, bottom = box_of(pixels)
    rows, columns = np.nonzero(distance(pixels, colour) < reach)
    return (columns - left + 0.5) / (right - left), (bottom - rows + 0.5) / (bottom - top)


def test_a_point_is_at_its_true_and_its_predicted_value():
    true = np.array([0.0, 1.0, 0.5])
    pixels = decoded(predictions_png(np.repeat(true, 9), np.repeat([0.0, 1.0, 0.9], 9)))  # nine of each: opaque
    x, y = points_of(pixels, CURVE)
    for at in ((0.0, 0.0), (1.0, 1.0), (0.5, 0.9)):
        place = [(value + 0.12) / 1.24 for value in at]  # a margin of 0.12 on either side
        near = np.hypot(x - place[0], y - place[1]) < 0.03
        assert near.sum() > 15
        assert (x[near].mean(), y[near].mean()) == pytest.approx(place, abs=0.006)
        x, y = x[~near], y[~near]
    assert x.size == 0
    assert points_of(pixels, WARNING)[0].size == 0


def test_what_is_predicted_beyond_the_axes_lies_on_their_edge_and_they_stay():
    true = np.linspace(0, 1, 50)
    within, beyond = true.copy(), true.copy()
    beyond[25] = -1e300
    pictures = [decoded(predictions_png(true, predicted)) for predicted in (within, beyond)]
    x, y = points_of(pictures[1], WARNING)
    assert (x.mean(), y.mean()) == pytest.approx(((true[25] + 0.12) / 1.24, 0), abs=0.02)
    left, top, right, bottom = box_of(pictures[0])
    assert box_of(pictures[1]) == (left, top, right, bottom)
    assert (pictures[0][bottom + 6 :] == pictures[1][bottom + 6 :]).all()


def test_the_diagonal_is_where_predictions_would_be_right():
    pixels = decoded(predictions_png([0.0, 1.0], [-9.0, -9.0]))
    left, top, right, bottom = box_of(pixels)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        row = round(bottom - share * (bottom - top))
        line = np.flatnonzero(distance(pixels[row, left + 2 : right - 2], colours.DASH) < 60) + left + 2
        assert line.mean() == pytest.approx(left + share * (right - left), abs=1.5)


@pytest.mark.parametrize("size", [(384, 384), (256, 256), (480, 320)])
@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        ([3.0], [3.0]),
        ([3.0] * 5, [1.0, 2, 3, 4, 5]),
        ([0.0, 0.0], [0.0, 1e300]),
        ([-1e300, 1e300], [0.0, 0.0]),
        ([1e-300, 2e-300], [0.0, 1e-300]),
        (np.arange(5000.0), np.arange(5000.0) ** 2),
    ],
)
@pytest.mark.filterwarnings("error")
def test_any_values_are_a_picture(true, predicted, size):
    pixels = decoded(predictions_png(true, predicted, titles=["R2 0.97, RMSE 0.1"], size=size))
    assert pixels.shape == (size[1], size[0], 3)


@pytest.mark.parametrize(("true", "predicted"), [([1.0, 2.0], [1.0]), ([], []), ([[1.0]], [[1.0]])])
def test_what_does_not_belong_together_is_one_line(true, predicted):
    with pytest.raises(RequestError, match="a prediction for each true value is needed, got shapes"):
        predictions_png(true, predicted)


def test_the_order_of_pictures_does_not_matter():
    values = np.random.default_rng(0).normal(size=(2, 40))
    renders = [
        lambda: confusion_png(TABLE, NAMES, titles=["recall 0.962"]),
        lambda: predictions_png(*values, titles=["R2 0.97"]),
        lambda: confusion_png(TABLE.T, NAMES),
        lambda: predictions_png(*values[::-1]),
        lambda: confusion_png(np.arange(9).reshape(3, 3)),
    ]
    with ThreadPoolExecutor(1) as first_thread:
        first = list(first_thread.map(lambda render: render(), renders))
    with ThreadPoolExecutor(3) as others:
        assert list(others.map(lambda render: render(), renders[::-1])) == first[::-1]
