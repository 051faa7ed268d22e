"""What a notebook is given to show: by the methods that IPython asks for, HTML and PNG."""

import io
import re
from base64 import b64decode
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sandbox import Config, load_dataset, train
from sandbox.graph.explanation import explain
from sandbox.graph.picture import draw_explanation
from sandbox.notebook import table
from sandbox.plots import boundary_figure, cost_figure, curves_figure
from sandbox.plots.thumbnails import thumbnails

MOONS = train(Config(dataset="moons", n_examples=60, hidden=(4,), epochs=120))


def cells(html):
    """The rows of all tables of a page, their texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [[unescape(text) for text in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]


def pictures(html):
    """The pictures of a page, by their names."""
    found = re.findall(r'<img alt="(\w+)" src="data:image/png;base64,([^"]+)">', html)
    return {name: Image.open(io.BytesIO(b64decode(text))) for name, text in found}


def test_a_table_has_the_figures_of_a_terminals_and_no_markup_of_its_cells():
    frame = pd.DataFrame({"<b>name</b>": ["a & b", "c"], "runs": [5, 1000], "cost": [0.123456, np.nan]})
    html = table(frame)
    assert cells(html) == [["<b>name</b>", "runs", "cost"], ["a & b", "5", "0.1235"], ["c", "1000", "-"]]
    assert "<b>" not in html
    assert cells(table({"alone": []})) == [["alone"]]


def test_a_result_is_its_figures_beside_its_pictures():
    html = MOONS._repr_html_()
    rows = dict(cells(html)[1:])
    assert cells(html)[0][0] == "moons 2-4-1, rate 1, seed 0"
    X, Y = MOONS.problem.train.X, MOONS.problem.train.Y
    outputs = MOONS.predict(X)
    assert float(rows["cost"]) == pytest.approx(((Y - outputs) ** 2).mean() / 2, rel=1e-5)
    assert float(rows["train_accuracy"]) == pytest.approx(((outputs > 0.5) == Y).mean(), rel=1e-5)
    assert (rows["parameters"], rows["epochs_run"]) == ("17", "120")
    assert "diverged_at" not in rows
    shown = pictures(html)
    assert list(shown) == ["boundary", "cost"]
    for picture in shown.values():
        picture.load()
        assert min(picture.size) >= 320


@pytest.mark.parametrize(
    "config",
    [
        Config(dataset="linear", hidden=(2,), epochs=20),
        Config(dataset="breast_cancer", hidden=(), epochs=20),
        Config(dataset="iris", hidden=(3,), crosses=("x1*x2",), epochs=20),
        Config(dataset="moons", activation="relu", output="linear", learning_rate=1e6, epochs=50),
    ],
    ids=["values", "many features", "classes", "diverged"],
)
def test_every_kind_of_result_shows_itself(config):
    result = train(config)
    assert set(pictures(result._repr_html_())) == {"boundary", "cost"}
    assert len(repr(result)) < 200
    assert "\n" not in repr(result)


def test_a_network_that_is_no_number_shows_itself():
    broken = replace(MOONS, network=MOONS.network.copy())
    broken.network.parameters[...] = np.nan
    assert set(pictures(broken._repr_html_())) == {"boundary", "cost"}


FIGURES = {
    "boundary": lambda: boundary_figure(MOONS.predict, MOONS.problem.train),
    "cost": lambda: cost_figure([0, 1, 2], [0.5, 0.2, 0.1]),
    "curves": lambda: curves_figure({"w": ([0, 1, 2], [0.0, 2.0, 2.9])}),
    "thumbnails": lambda: thumbnails([load_dataset("xor")]),
    "graph": lambda: draw_explanation(explain(Config(dataset="or", hidden=())))[0],
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_picture_as_large_as_it_was_laid_out(name):
    figure = FIGURES[name]()
    with Image.open(io.BytesIO(figure._repr_png_())) as image:
        across, down = figure.get_size_inches() * figure.dpi
        assert image.size == pytest.approx((across, down), abs=1)
        assert len(np.unique(np.asarray(image.convert("L")))) > 10  # something is drawn
