"""Graphs: their figures against published ones, their gradients against the trainer's own backpropagation."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sandbox import Network, RequestError
from sandbox.graph import batch_graph, example_graph
from sandbox.graph.explanation import explain, graph_of
from sandbox.nn import gradients
from sandbox.nn.costs import COSTS
from sandbox.train import Config, build, prepare

OUTPUTS = {"binary_cross_entropy": ["sigmoid"], "categorical_cross_entropy": ["softmax"]}
ACTIVATIONS = ["sigmoid", "tanh", "relu", "leaky_relu", "linear"]
OR_X, OR_Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1]
NEURON = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])


def number(gradient: np.ndarray | None) -> float:
    assert gradient is not None
    return gradient.item()


class TestPublished:
    """Rafay Khan, "Nothing but NumPy: Understanding and Creating Neural Networks ... from Scratch", 2019.

    The second network is from "Modern Computer Vision with PyTorch", chapter 1 (Packt). Recomputed in float64.
    """

    def test_one_example_by_hand(self):
        graph = example_graph(NEURON, [0, 0], 0)
        values = {name: graph[name].value.item() for name in ("z", "yhat", "L")}
        slopes = {name: number(graph[name].gradient) for name in ("yhat", "z", "w1", "w2", "b")}
        assert values == {"z": 0, "yhat": 0.5, "L": 0.125}
        assert slopes == {"yhat": 0.5, "z": 0.125, "w1": 0, "w2": 0, "b": 0.125}
        (edge,) = graph["yhat"].edges
        assert (number(edge.local), number(edge.gradient)) == (0.25, 0.125)

    def test_the_update_by_hand(self):
        (update,) = explain(Config(dataset="or", hidden=()), weights="0.1,0.6", biases="0").updates
        assert update.after.network.parameters.tolist() == [0.1, 0.6, -0.125]
        assert update.after["yhat"].value == pytest.approx(0.46879062662624377, rel=1e-12)
        assert update.after.loss.value == pytest.approx(0.10988232580631314, rel=1e-12)

    def test_or_vectorised(self):
        explanation = explain(
            Config(dataset="or", hidden=(), learning_rate=1), weights="0.1,0.6", biases="0", batch=True
        )
        graph, (update,) = explanation.graph, explanation.updates
        predicted = [[0.5, 0.6456563062257954, 0.52497918747894, 0.6681877721681662]]
        assert graph["Yhat"].value == pytest.approx(np.array(predicted), rel=1e-12)
        assert graph.loss.value == pytest.approx(0.08891294752305501, rel=1e-12)
        dW = np.array([[-0.04800646291552392, -0.03865882381678035]])
        assert graph["W1"].gradient == pytest.approx(dW, rel=1e-12)
        assert number(graph["b1"].gradient) == pytest.approx(-0.03702352612570836, rel=1e-12)
        assert update.after.loss.value == pytest.approx(0.08400959542290769, rel=1e-12)
        assert number(update.after["b1"].gradient) == pytest.approx(-0.03131258844480393, rel=1e-12)

    def test_hidden_layer(self):
        network = Network.from_parameters(
            [[[-0.0053, 0.3793], [-0.5820, -0.5204], [-0.2723, 0.1896]], [[0.1528, -0.1745, -0.1135]]],
            [[-0.0140, 0.5607, -0.0628], [-0.5516]],
            ["sigmoid", "linear"],
        )
        graph = example_graph(network, [1, 1], 0, "mean_squared_error")
        assert graph["yhat"].value == pytest.approx(-0.5784030675787641, rel=1e-12)
        assert graph.loss.value == pytest.approx(0.3345501085845244, rel=1e-12)
        for name, value in {
            "b1[1]": -0.0427886061,
            "w1[2,1]": 0.0469373301,
            "w1[3,2]": 0.0326512602,
            "w2[1,1]": -0.6814055880,
            "w2[1,3]": -0.5363983225,
            "b2": -1.1568061352,
        }.items():
            assert graph[name].gradient == pytest.approx(value, abs=1e-10)


@st.composite
def problems(draw):
    """A network, data, a cost and penalties, none of it at a kink."""
    cost = draw(st.sampled_from(sorted(COSTS)))
    hidden = draw(st.lists(st.integers(1, 4), max_size=2))
    sizes = [draw(st.integers(1, 4)), *hidden, draw(st.integers(1, 3))]
    activations = [draw(st.sampled_from(ACTIVATIONS)) for _ in hidden]
    activations.append(draw(st.sampled_from(OUTPUTS.get(cost, [*ACTIVATIONS, "softmax"]))))
    l1, l2 = draw(st.sampled_from([0.0, 0.02])), draw(st.sampled_from([0.0, 0.3]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    network = Network(sizes, activations, rng.normal(size=Network.count(sizes)))
    count = draw(st.integers(1, 5))
    X, Y = rng.normal(size=(count, sizes[0])), rng.normal(size=(count, sizes[-1]))
    if cost == "binary_cross_entropy":
        Y = rng.uniform(size=Y.shape)
    elif cost == "categorical_cross_entropy":
        Y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=count)]
    return network, X, Y, cost, {"l1": l1, "l2": l2}


def away_from_kinks(graph):
    return all(abs(node.value).min() > 1e-9 for node in graph.nodes if node.kind in ("sum", "error"))


def agree(graph, value, slopes):
    assert graph.loss.value == pytest.approx(value, rel=1e-12, abs=1e-12)
    assert graph.gradients.parameters == pytest.approx(slopes.parameters, rel=1e-12, abs=1e-12)


@given(problems())
@settings(max_examples=80, deadline=None)
def test_a_batch_agrees_with_backpropagation(problem):
    network, X, Y, cost, penalties = problem
    graph = batch_graph(network, X, Y, cost, **penalties)
    assume(away_from_kinks(graph))
    agree(graph, *gradients(network, X, Y, cost, **penalties))
    predicted = network.predict(X)
    assert pytest.approx(predicted, rel=1e-12, abs=1e-15) == graph.predictions.T


@given(problems())
@settings(max_examples=80, deadline=None)
def test_one_example_agrees_with_backpropagation(problem):
    network, X, Y, cost, penalties = problem
    graph = example_graph(network, X[0], Y[0], cost, **penalties)
    assume(away_from_kinks(graph))
    agree(graph, *gradients(network, X[:1], Y[:1], cost, **penalties))


@pytest.mark.parametrize(
    "config",
    [
        Config(dataset="xor", hidden=(), crosses=("x1*x2", "sin(x1)")),
        Config(dataset="circle", hidden=(5, 3), activation="tanh", cost="binary_cross_entropy", crosses=("x1^2",)),
        Config(dataset="iris", hidden=(4,), activation="relu", cost="categorical_cross_entropy", initializer="he"),
        Config(dataset="reg_gauss", hidden=(4,), activation="leaky_relu", cost="mean_absolute_error"),
        Config(dataset="linear", hidden=(), cost="mean_squared_error"),
        Config(dataset="breast_cancer", hidden=(3,), cost="squared_error", l2=0.01),
    ],
    ids=lambda config: config.dataset,
)
def test_agrees_over_data_sets_and_crosses(config):
    network, problem = build(config), prepare(config)
    X, Y, penalties = problem.inputs(problem.train.X), problem.train.Y, {"l1": config.l1, "l2": config.l2}
    rows = range(len(X))
    agree(graph_of(config, network, rows, True), *gradients(network, X, Y, config.cost, **penalties))
    one = slice(2, 3)
    agree(graph_of(config, network, rows[one], False), *gradients(network, X[one], Y[one], config.cost, **penalties))


@pytest.mark.parametrize("z", [-1000.0, -600.0, -40.0, 40.0, 600.0, 1000.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_cross_entropy_of_saturated_outputs(z, y):
    """The derivative by the logit is yhat - y, however far the logit; by hand it is 0 times infinity."""
    network = Network.from_parameters([[[z]]], [[0.0]], ["sigmoid"])
    graph = example_graph(network, [1], y, "binary_cross_entropy")
    assert graph["z"].gradient == pytest.approx(float(z > 0) - y, abs=1e-12)
    assert graph.loss.value == pytest.approx(abs(z) if (z > 0) != y else 0, abs=1e-12)
    two = Network.from_parameters([[[z], [0.0]]], [[0.0, 0.0]], ["softmax"])
    graph = batch_graph(two, [[1]], [[y, 1 - y]], "categorical_cross_entropy")
    slopes = graph["Z1"].gradient
    assert slopes is not None
    assert slopes[0] == pytest.approx(float(z > 0) - y, abs=1e-12)


def test_every_gradient_is_the_sum_of_what_flows_in():
    graph = explain(Config(dataset="iris", hidden=(3, 2)), example=5).graph
    for node in graph.nodes[:-1]:
        flows = [edge.gradient for _, edge in graph.consumers[node] if edge.gradient is not None]
        assert node.constant == (not flows)
        for user, edge in graph.consumers[node]:
            assert node.constant or edge.gradient == pytest.approx(np.asarray(user.gradient) * np.asarray(edge.local))
        assert node.constant or node.gradient == pytest.approx(sum(flows))


def test_updates_are_those_of_the_trainer():
    from sandbox import train

    config = Config(dataset="xor", hidden=(3,), optimizer="adam", learning_rate=0.1, schedule="cosine", epochs=4)
    updates = explain(config, batch=True, updates=4).updates
    result = train(config)
    costs = [update.before.loss.value.item() for update in updates]
    assert costs == pytest.approx(result.costs, rel=1e-12)
    (step,) = explain(config.replace(optimizer="gd", schedule="constant", l1=0.1), example=2).updates
    by_hand = step.before.network.parameters - 0.1 * step.before.gradients.parameters
    assert step.after.network.parameters == pytest.approx(by_hand, rel=1e-12, abs=1e-15)
    assert updates[-1].after.network.parameters == pytest.approx(result.network.parameters, rel=1e-10)


def test_a_population_is_refused():
    with pytest.raises(RequestError, match="a graph is of one network"):
        batch_graph(Network([2, 1], ["sigmoid"], np.zeros((5, 3))), OR_X, OR_Y)
    with pytest.raises(RequestError, match=r"\(examples, 2\)"):
        example_graph(NEURON, [0, 0, 0], 0)
