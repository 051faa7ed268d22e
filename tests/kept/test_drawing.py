"""`sandbox draw` and `landscape`: what they draw is the network that they name, and what they refuse."""

import json

import numpy as np
import pytest
from PIL import Image

from sandbox import Config, RequestError, train
from sandbox.nn.activations import ACTIVATIONS
from sandbox.plots import activations_figure, boundary_figure, cost_figure, network_figure


def drawn(here, *words):
    code, output, errors = here(*words)  # MLflow says on standard error that it makes its tables
    assert code == 0, errors
    return output


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["draw", "activations"], "activations.png"),
        (["draw", "activations", "--activation", "gelu"], "activations.png"),
        (["draw", "data", "--dataset", "or", "--line", "1,1,-0.5"], "data.png"),
        (["draw", "data", "--dataset", "iris", "--plane", "x3,x4"], "data.png"),
        (
            ["draw", "boundary", "--dataset", "xor", "--hidden", "3", "--epochs", "50", "--style", "line"],
            "boundary.png",
        ),
        (["draw", "cost", "--epochs", "50", "--scale", "linear"], "cost.png"),
        (["draw", "network", "--dataset", "breast_cancer", "--hidden", "12,3", "--epochs", "5"], "network.png"),
        (["landscape", "--dataset", "xor", "--hidden", "3", "--epochs", "200"], "landscape.png"),
        (["landscape", "--dataset", "moons", "--epochs", "20", "--directions", "random"], "landscape.png"),
        (["landscape", "--dataset", "or", "--hidden", "none", "--over", "W1[1,1],W1[1,2]"], "landscape.png"),
        (
            ["landscape", "--dataset", "or", "--hidden", "none", "--over", "W1[1,1]", "--rates", "1,100"],
            "landscape.png",
        ),
        (["landscape", "0.15*w^2", "--at", "w=4"], "landscape.png"),
        (["landscape", "sin(3*x)*cos(3*y) + x^2 + y^2", "--at", "x=1.4,y=1.2", "--rates", "0.03"], "landscape.png"),
    ],
)
def test_pictures_come_as_they_are_asked_for(here, tmp_path, words, name):
    assert f"picture: {name}" in drawn(here, *words)
    with Image.open(tmp_path / name) as picture:
        assert min(picture.size) >= 200
        assert len({*np.asarray(picture.convert("L")).ravel()}) > 20
    assert {path.name for path in tmp_path.iterdir()} == {name}  # nothing is logged


def test_descent_says_how_each_rate_ends(here):
    """The texts' four rates on a parabola that is stable below 2 / 0.3."""
    output = drawn(here, "landscape", "0.15*w^2", "--at", "w=4", "--rates", "0.5,5,5e-10,50", "--json")
    ends = {name: path["ending"] for name, path in json.loads(output)["paths"].items()}
    assert ends == {"0.5": "comes down", "5": "overshoots", "5e-10": "hardly moves", "50": "leaves"}


def test_a_run_is_trained_once_more(here, tmp_path):
    told = json.loads(drawn(here, "train", "--dataset", "xor", "--hidden", 2, "--epochs", 300, "--json"))
    for kind in ("boundary", "cost", "network"):
        drawn(here, "draw", kind, told["run_id"], "--out", f"{kind}.png")
    found = json.loads(drawn(here, "landscape", told["run_id"], "--json"))["paths"]["training"]
    assert found["cost"] == pytest.approx(told["cost"], rel=1e-12)
    again = train(Config(dataset="xor", hidden=(2,), epochs=300))
    own = network_figure(again.network, ["x1", "x2"], title=again.title)
    own.savefig(tmp_path / "own.png")
    assert (tmp_path / "own.png").read_bytes() == (tmp_path / "network.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["draw", "portrait"], "unknown picture 'portrait'"),
        (["draw", "cost", "--style", "line"], "--style is for boundary"),
        (["draw", "boundary", "--style", "dots"], "unknown style 'dots'"),
        (["draw", "cost", "--scale", "square"], "unknown scale 'square'"),
        (["draw", "cost", "--plane", "x1,x2"], "--plane is for data and boundary"),
        (["draw", "data", "--dataset", "iris", "--line", "1,1,1"], "two features and two classes"),
        (["draw", "data", "--dataset", "or", "--line", "1,1"], "three numbers"),
        (["draw", "data", "--dataset", "or", "--line", "0,0,1"], "three numbers"),
        (["draw", "activations", "--hidden", "3"], "--hidden changes no activation"),
        (["draw", "activations", "--activation", "softmax"], "is for the output"),
        (["draw", "cost", "--out", "cost.gif"], "a picture is a PNG"),
        (["draw", "cost", "--out", "nowhere/cost.png"], "a directory that exists"),
        (["draw", "cost", "0123"], "is not in"),
        (["draw", "cost", "0123", "--hidden", "3"], "--hidden is for a network to train"),
        (["landscape", "--over", "W1[9,9],b1[1]"], "no parameter of the network"),
        (["landscape", "--over", "W1[1,1],W1[1,2],b1[1]"], "names 3 parameters"),
        (["landscape", "--rates", "1"], "--rates is for one parameter"),
        (["landscape", "--over", "b1[1]", "--rates", "0,1"], "numbers above 0"),
        (["landscape", "--over", "b1[1]", "--directions", "random"], "give one of the two"),
        (["landscape", "--directions", "up"], "unknown directions"),
        (["landscape", "x*y*z", "--at", "x=1,y=1,z=1"], "has 3 variables"),
        (["landscape", "x^2", "--at", "y=1"], "x has no value"),
        (["landscape", "--at", "x=1"], "--at says where an expression is"),
        (["landscape", "x^2", "--at", "x=1", "--hidden", "3"], "--hidden is for a network"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(here, tmp_path, words, error):
    code, output, errors = here(*words)
    assert (code, output) == (2, ""), errors
    assert error in errors
    assert errors.count("\n") == 1
    assert not list(tmp_path.glob("*.png"))


def test_slopes_are_those_of_differences():
    with pytest.raises(RequestError, match="no curve"):
        activations_figure(["softmax"])
    for axes in activations_figure().axes:
        name, (value, slope) = axes.get_title(), axes.lines[:2]
        z, step = np.asarray(value.get_xdata()), 1e-6
        smooth = np.abs(z) > 0.01  # a kink has no slope
        function = ACTIVATIONS[name]
        ahead, behind = function((z + step)[None])[0], function((z - step)[None])[0]
        assert np.allclose(np.asarray(slope.get_ydata())[smooth], ((ahead - behind) / (2 * step))[smooth], atol=1e-6)


def test_a_line_is_black_on_white_and_where_the_shades_meet():
    result = train(Config(dataset="moons", n_examples=40, hidden=(6,), activation="tanh", epochs=300))

    def pixels(style):
        figure = boundary_figure(result.network.predict, result.problem.train, style=style)
        return np.asarray(figure.axes[0].images[0].get_array())

    line, shaded = pixels("line"), pixels("shaded")
    dark = line.max(-1) < 80
    assert 0.003 < dark.mean() < 0.05
    assert (line.min(-1) > 250).mean() > 0.9
    assert np.array_equal(dark, shaded.max(-1) < 80)  # the same line
    assert not boundary_figure(None, result.problem.train).axes[0].images  # the examples alone


def test_a_network_shows_its_numbers():
    result = train(Config(dataset="xor", hidden=(3,), epochs=100))
    texts = [text.get_text() for text in network_figure(result.network).axes[0].texts]
    numbers = [
        *result.network.weights[0].ravel(),
        *result.network.weights[1].ravel(),
        *result.network.biases[0].ravel(),
    ]
    for number in numbers:
        assert f"{number:.2g}".replace("-", "\N{MINUS SIGN}") in texts
    with pytest.raises(RequestError, match="one network is needed"):
        network_figure(type(result.network)((2, 1), ["sigmoid"], np.zeros((4, 3))))


def test_the_cost_axis_is_as_asked():
    costs = [0.5, 0.01, 0.001]
    scales = [cost_figure([0, 1, 2], costs, scale=scale).axes[0].get_yscale() for scale in ("auto", "linear", "log")]
    assert scales == ["log", "linear", "log"]
    assert cost_figure([0, 1], [0.5, 0.4], scale="log").axes[0].get_yscale() == "log"
    with pytest.raises(RequestError, match="not positive"):
        cost_figure([0, 1], [0.5, 0.0], scale="log")
