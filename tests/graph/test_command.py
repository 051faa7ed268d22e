"""`sandbox explain`: what it prints, writes and refuses."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from PIL import Image

from sandbox import RequestError
from sandbox.cli import cli, main
from sandbox.graph.costs import cost_nodes
from sandbox.graph.operations import leaf
from sandbox.nn.activations import ACTIVATIONS, Activation

BY_HAND = ["explain", "or", "--weights", "0.1,0.6", "--bias", "0", "--example", "0"]


def run(*arguments):
    outcome = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.stdout


def rows(text):
    """Lines split at their columns."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def test_prints_the_figures_of_the_text():
    """Rafay Khan, "Nothing but NumPy", 2019: forward, local and upstream gradients, update, and the loss after it."""
    found = rows(run(*BY_HAND))
    for row in [
        ["z", "w1*x1 + w2*x2 + b", "0"],
        ["yhat", "sigmoid(z)", "0.5"],
        ["L", "e^2 / 2", "0.125"],
        ["dL/dyhat", "e", "-0.5", "-1", "-1", "0.5"],
        ["dL/dz", "yhat", "0.5", "yhat * (1 - yhat)", "0.25", "0.125"],
        ["dL/db", "z", "0.125", "1", "1", "0.125"],
        ["dL/dw1", "w1*x1", "0.125", "x1", "0", "0"],
        ["dL/dw2", "w2*x2", "0.125", "x2", "0", "0"],
        ["w1", "0.1", "0", "0.1"],
        ["b", "0", "0.125", "-0.125"],
    ]:
        assert row in found
    assert "after it yhat = 0.468790626626243" in run(*BY_HAND)
    assert "L = 0.10988232580631" in run(*BY_HAND)


def test_prints_the_vectorised_pass():
    """The same text's OR gate, all four examples at once."""
    text = run("explain", "or", "--weights", "0.1,0.6", "--batch", "--updates", 2)
    lines = text.splitlines()
    for title, values in [
        ("  Z1 = W1 A0 + b1   (1, 4)", "0  0.6  0.1  0.7"),
        ("  Yhat = sigmoid(Z1)   (1, 4)", "0.5  0.6456563062  0.5249791875  0.6681877722"),
        ("  dC/dW1 = dC/dZ1 @ A0^T   (1, 2)", "-0.04800646292  -0.03865882382"),
        ("  dC/db1 = dC/dZ1 summed over examples   (1, 1)", "-0.03702352613"),
    ]:
        assert lines[lines.index(title) + 1].strip() == values
    assert "C = sum(E^2) / (2 * 4) = 0.08891294752" in text
    assert "after it C = 0.0840095954229" in text
    assert "update 2 of 2" in text


def test_layers_rows_and_crosses():
    text = run("explain", "xor", "--hidden", 3, "--weights", "1,2|3,4|5,6 ; 7,8,-9", "--bias", "0,0,.5;-1")
    assert ["w1[2,1]", "weight", "3"] in rows(text)
    assert ["w2[1,3]", "weight", "-9"] in rows(text)
    assert ["b1[3]", "bias", "0.5"] in rows(text)
    assert ["x3", "input x1*x2", "1"] in rows(run("explain", "xor", "--crosses", "x1*x2", "--example", 3))
    assert "the first 3 of 500 examples" in run("explain", "circle", "--batch", "--first", 3)


def test_json_holds_everything():
    report = json.loads(run(*BY_HAND, "--json"))
    nodes = {node["name"]: node for node in report["nodes"]}
    assert (nodes["yhat"]["value"], nodes["yhat"]["gradient"]) == (0.5, 0.5)
    assert nodes["yhat"]["edges"][0]["local"] == 0.25
    assert nodes["yhat"]["edges"][0]["upstream"] == 0.5
    assert report["gradients"] == {"weights": [[[0, 0]]], "biases": [[[0.125]]]}
    assert report["cost"] == 0.125
    assert report["updates"][0]["biases"] == [[[-0.125]]]
    assert report["updates"][0]["cost"] == pytest.approx(0.10988232580631314, rel=1e-12)
    batch = json.loads(run("explain", "iris", "--batch", "--first", 4, "--hidden", 2, "--json"))
    assert {node["name"]: node["shape"] for node in batch["nodes"]}["Z1"] == [2, 4]


def test_json_of_a_divergence_is_still_json():
    text = run("explain", "linear", "--learning-rate", 1e200, "--updates", 3, "--json")
    report = json.loads(text, parse_constant=pytest.fail)
    assert report["updates"][-1]["cost"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        BY_HAND[1:],
        ["xor", "--hidden", "3"],
        ["xor", "--hidden", "3,2", "--batch"],
        ["iris", "--hidden", "2", "--cost", "categorical_cross_entropy", "--l1", "0.1"],
        ["breast_cancer", "--hidden", "8"],
    ],
    ids=["neuron", "xor", "batch", "softmax", "large"],
)
def test_draws_a_picture(arguments, tmp_path):
    text = run("explain", *arguments, "--png", tmp_path / "graph.png")
    assert f"picture: {tmp_path / 'graph.png'}" in text
    with Image.open(tmp_path / "graph.png") as image:
        picture = image.convert("RGB")
    assert picture.width >= 1000
    assert picture.height >= 400
    colours = {colour for _, colour in picture.getcolors(1 << 24) or []}
    assert {(0x00, 0x5A, 0x9C), (0xB8, 0x4A, 0x00)} <= colours  # values, gradients
    border = [picture.getpixel((x, y)) for x in range(picture.width) for y in (0, picture.height - 1)]
    border += [picture.getpixel((x, y)) for x in (0, picture.width - 1) for y in range(picture.height)]
    assert set(border) == {(255, 255, 255)}  # nothing is cut off


@pytest.mark.parametrize("arguments", [["xor", "--hidden", "4,3"], ["iris", "--hidden", "4"], ["xor", "--batch"]])
def test_boxes_do_not_overlap(arguments):
    from sandbox.config import parse_value
    from sandbox.graph.explanation import Config, explain
    from sandbox.graph.layout import lay_out
    from sandbox.graph.picture import GAP, _size

    hidden = parse_value("hidden", arguments[2]) if "--hidden" in arguments else ()
    config = Config(dataset=arguments[0], hidden=hidden, l2=0.1)
    boxes = list(lay_out(explain(config, batch="--batch" in arguments).graph, _size, GAP).values())
    for at, one in enumerate(boxes):
        for other in boxes[:at]:
            apart = one.right < other.left or other.right < one.left or one.top < other.bottom or other.top < one.bottom
            assert apart, (one.node, other.node)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["or", "--example", "4"], "--example is 4: there are 4 examples, 0 to 3"),
        (["or", "--example", "-1"], "--example is -1: there are 4 examples, 0 to 3"),
        (["or", "--example", "1", "--batch"], "give one of the two"),
        (["or", "--first", "2"], "give --batch with it"),
        (["or", "--batch", "--first", "9"], "--first is 9: there are 4 examples, so 1 to 4"),
        (["or", "--weights", "1,2,3"], "--weights, layer 1: 2 numbers with commas between are needed"),
        (["or", "--weights", "1,a"], "'1,a' is not made of numbers"),
        (["or", "--weights", "1,inf"], "every number must be finite"),
        (["or", "--weights", "1,2;3"], "--weights is for 2 layers: the network 2-1 has 1"),
        (["xor", "--hidden", "2", "--bias", "1;2"], "--bias, layer 1: 2 numbers with commas between are needed"),
        (["orr"], "did you mean 'or'?"),
        (["or", "--dataset", "xor"], "the data set first, as in explain or"),
        (["or", "--batch-size", "2"], "--batch-size is no option of explain"),
        (["or", "--patience", "2"], "--patience is no option of explain"),
        (["circle", "--n-validation", "9"], "--n-validation is no option of explain"),
        (
            ["or", "--activation", "sigmoyd"],
            "unknown activation 'sigmoyd': did you mean 'sigmoid'? Valid: sigmoid, tanh",
        ),
        (["or", "--png", "/nowhere/graph.png"], "a file in a directory that exists"),
        (["or", "--updates", "-1"], "--updates"),
        ([], "DATASET"),
    ],
)
def test_wrong_requests_get_one_line(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sandbox", "explain", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    streams = capsys.readouterr()
    assert stopped.value.code == 2
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    assert message in streams.err


@pytest.mark.parametrize("arguments", [["or", "--hidden", "2"], ["or", "--hidden", "2", "--batch"]])
def test_what_the_graph_does_not_know_is_one_line(arguments, capsys, monkeypatch):
    """Someone adds an activation to the trainer, and not yet its derivative to the graph."""
    monkeypatch.setitem(ACTIVATIONS, "cube", Activation(lambda z: z**3, lambda z: 3 * z**2))
    monkeypatch.setattr(sys, "argv", ["sandbox", "explain", *arguments, "--activation", "cube"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    known = "linear, sigmoid, tanh, relu, leaky_relu, sin, cos, softplus, swish, gelu and, for the output, softmax"
    assert capsys.readouterr() == ("", f"error: the graph of the activation 'cube' is not known. Valid: {known}\n")


def test_a_cost_that_the_graph_does_not_know_is_one_line():
    output, target = leaf("yhat", "activation", 0.5), leaf("y", "target", 1.0)
    with pytest.raises(RequestError, match="the graph of the cost 'focal_cross_entropy' is not known"):
        cost_nodes("focal_cross_entropy", [output], [target], None)


def test_the_command_brings_in_no_matplotlib():
    code = (
        "import sys, sandbox, sandbox.graph.command; print([m for m in ('matplotlib', 'mlflow') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
