"""Figures that others published, reproduced through the public names. All have been recomputed in float64."""

import numpy as np
import pytest

from sandbox import Network, fit, load_dataset
from sandbox.data import add_crosses, parse_crosses
from sandbox.nn import Curves, StopOnDivergence, gradients
from sandbox.nn.costs import CostName

OR, XOR = load_dataset("or"), load_dataset("xor")
XOR_WITH_CROSS = add_crosses(XOR.X, parse_crosses(["x1*x2"], 2))


def near(value, rel=1e-9):
    return pytest.approx(value, rel=rel, abs=1e-15)


def accuracy(network, X, Y):
    return np.mean((network.predict(X) > 0.5) == (Y > 0.5))


class TestOneNeuronByHand:
    """Rafay Khan, "Nothing but NumPy: Understanding and Creating Neural Networks ... from Scratch", 2019.

    With slides by Dhaval Lunagariya, which print 0.10998 for the last loss, from a rounded prediction.
    """

    X, Y = [[0, 0]], [0]
    network = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])

    def test_loss_and_gradients(self):
        loss, slopes = gradients(self.network, self.X, self.Y)
        assert self.network.predict(self.X) == near(0.5)
        assert loss == near(0.125)
        assert slopes.weights[0] == near(np.zeros((1, 2)))
        assert slopes.biases[0] == near(0.125)

    def test_one_update(self):
        run = fit(self.network, self.X, self.Y, learning_rate=1, epochs=1)
        assert run.network.biases[0] == near(-0.125)
        assert run.network.predict(self.X) == near(0.46879062662624377)
        assert run.cost == near(0.10988232580631314)


class TestOrGate:
    """The same text: one neuron, full batch, learning rate 1."""

    network = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])

    def test_predictions_at_the_start(self):
        predicted = [0.5, 0.6456563062257954, 0.52497918747894, 0.6681877721681662]
        assert self.network.predict(OR.X).ravel() == near(np.array(predicted))

    def test_gradients_at_the_start(self):
        cost, slopes = gradients(self.network, OR.X, OR.Y)
        assert cost == near(0.08891294752305501)
        assert slopes.weights[0] == near(np.array([[-0.04800646291552392, -0.03865882381678035]]))
        assert slopes.biases[0] == near(-0.03702352612570836)

    def test_first_update_and_the_gradients_after_it(self):
        run = fit(self.network, OR.X, OR.Y, learning_rate=1, epochs=1)
        assert run.network.weights[0] == near(np.array([[0.14800646291552394, 0.6386588238167803]]))
        assert run.network.biases[0] == near(0.03702352612570836)
        cost, slopes = gradients(run.network, OR.X, OR.Y)
        assert cost == near(0.08400959542290769)
        assert slopes.weights[0] == near(np.array([[-0.044287247858509474, -0.0350043999524106]]))
        assert slopes.biases[0] == near(-0.03131258844480393)

    def test_costs(self):
        run = fit(self.network, OR.X, OR.Y, learning_rate=1, epochs=5000)
        assert run.costs[0] == near(0.08891294752305501)
        assert run.costs[1] == near(0.08400959542290769)
        assert run.costs[[100, 1000, 4900]] == near(np.array([0.030480094849327, 0.003143999463260, 0.000539201045295]))
        assert run.cost == near(0.000527569180280)

    def test_parameters_at_the_end(self):
        run = fit(self.network, OR.X, OR.Y, learning_rate=1, epochs=5000)
        assert run.network.weights[0] == near(np.array([[6.434191156278, 6.434236133706]]))
        assert run.network.biases[0] == near(-2.973036090576)
        assert accuracy(run.network, OR.X, OR.Y) == 1


class TestLargeRates:
    """The text says that a rate of 50 diverges. On its own OR neuron it does not, and 1000 only saturates."""

    network = Network.from_parameters([[[0.1, 0.6]]], [[0.0]], ["sigmoid"])

    def test_50_overshoots_once_and_learns(self):
        run = fit(self.network, OR.X, OR.Y, learning_rate=50, epochs=5000, hooks=[StopOnDivergence()])
        assert run.diverged_at is None
        assert (np.diff(run.costs) > 0).tolist() == [True, *[False] * 4998]
        assert run.costs[1] == near(0.09340862249346712)
        assert run.cost == near(9.187894024328552e-06, rel=1e-8)
        assert accuracy(run.network, OR.X, OR.Y) == 1

    def test_1000_saturates(self):
        run = fit(self.network, OR.X, OR.Y, learning_rate=1000, epochs=5000, hooks=[StopOnDivergence()])
        assert run.diverged_at is None
        assert run.costs[1:] == near(np.full(4999, 0.125))
        assert run.network.weights[0] == near(np.array([[48.10646291552392, 39.25882381678035]]))
        assert accuracy(run.network, OR.X, OR.Y) == 0.75


class TestXorWithCross:
    """The same text: one neuron learns XOR when it is given x1*x2."""

    network = Network.from_parameters([[[0.1, 0.6, 0.2]]], [[0.0]], ["sigmoid"])

    def test_gradients_at_the_start(self):
        _, slopes = gradients(self.network, XOR_WITH_CROSS, XOR.Y)
        assert slopes.weights[0] == near(np.array([[0.0069103830146389, 0.01625802211338, 0.03652508532357]]))
        assert slopes.biases[0] == near(0.01789331980445)

    def test_costs(self):
        run = fit(self.network, XOR_WITH_CROSS, XOR.Y, learning_rate=1, epochs=5000)
        assert run.costs[:2] == near(np.array([0.13833167761605697, 0.136371292808928]))
        later = [0.07232905283627, 0.00991791887674, 0.00160213168658]
        assert run.costs[[100, 1000, 4900]] == near(np.array(later), rel=1e-8)
        assert run.cost == near(0.00156650350243, rel=1e-8)
        assert accuracy(run.network, XOR_WITH_CROSS, XOR.Y) == 1


class TestNotebooks:
    """Notebooks of github.com/RafayAK/NothingButNumPy: numpy.random.RandomState(48), learning rate 1, 5000 updates."""

    EPOCHS = (0, 100, 1000, 4900)

    def train(self, X, sizes, initializer):
        network = Network.initialize(sizes, ["sigmoid"] * (len(sizes) - 1), initializer, np.random.RandomState(48))
        return fit(network, X, XOR.Y, learning_rate=1, epochs=5000, cost_epochs=self.EPOCHS)

    def test_one_neuron_with_cross_plain(self):
        run = self.train(XOR_WITH_CROSS, [3, 1], "plain")
        costs = [0.12480797532784463, 0.07434908897603773, 0.010006868961998287, 0.0016049339955154555]
        assert run.costs == near(np.array(costs))
        assert run.cost == near(0.0015691861911342464)
        assert accuracy(run.network, XOR_WITH_CROSS, XOR.Y) == 1

    def test_hidden_layer_xavier(self):
        run = self.train(XOR.X, [2, 3, 1], "xavier")
        costs = [0.12926510193084198, 0.12345825692804888, 0.0718884940923021, 0.0009210166430616655]
        assert run.costs == near(np.array(costs))
        assert run.cost == near(0.00089241038164557)
        assert accuracy(run.network, XOR.X, XOR.Y) == 1
        outputs = [0.0363362, 0.9626850, 0.9570659, 0.0508254]
        assert run.network.predict(XOR.X).ravel() == pytest.approx(outputs, abs=1e-6)

    def test_two_hidden_layers_xavier(self):
        run = self.train(XOR.X, [2, 5, 3, 1], "xavier")
        costs = [0.12580048583996017, 0.12488800620460391, 0.12349798488056588, 0.00030237818967873963]
        assert run.costs == near(np.array(costs), rel=1e-6)
        assert accuracy(run.network, XOR.X, XOR.Y) == 1

    def test_hidden_layer_he(self):
        run = self.train(XOR.X, [2, 3, 1], "he")
        assert run.cost == near(0.00083632645041285)
        assert accuracy(run.network, XOR.X, XOR.Y) == 1

    def test_hidden_layer_plain_is_stuck(self):
        run = self.train(XOR.X, [2, 3, 1], "plain")
        assert run.cost == near(0.12500000003652661)
        assert accuracy(run.network, XOR.X, XOR.Y) == 0.5


class TestToyNetwork:
    """Modern Computer Vision with PyTorch (Packt), chapter 1: 2-3-1, mean squared error, learning rate 0.01."""

    X, Y = [[1, 1]], [0]
    cost: CostName = "mean_squared_error"
    network = Network.from_parameters(
        [[[-0.0053, 0.3793], [-0.5820, -0.5204], [-0.2723, 0.1896]], [[0.1528, -0.1745, -0.1135]]],
        [[-0.0140, 0.5607, -0.0628], [-0.5516]],
        ["sigmoid", "linear"],
    )

    def test_prediction_loss_and_gradients(self):
        loss, slopes = gradients(self.network, self.X, self.Y, self.cost)
        assert self.network.predict(self.X) == near(-0.5784030675787641)
        assert loss == near(0.3345501085845244)
        hidden = np.array([[-0.0427886061], [0.0469373301], [0.0326512602]])
        assert slopes.weights[0] == near(np.hstack([hidden, hidden]), rel=2e-9)  # printed to ten digits
        assert slopes.biases[0] == near(hidden, rel=2e-9)
        assert slopes.weights[1] == near(np.array([[-0.6814055880, -0.4254642822, -0.5363983225]]))
        assert slopes.biases[1] == near(-1.1568061352)

    def test_prediction_after_100_updates(self):
        run = fit(self.network, self.X, self.Y, cost=self.cost, learning_rate=0.01, epochs=100)
        assert run.network.predict(self.X) == near(-0.01743615813492)


class TestNotebooksOfTheBook:
    """The same chapter's Feed_forward_propagation and Chain_rule, as printed there."""

    X, Y = [[1, 1]], [0]
    cost: CostName = "mean_squared_error"

    def test_forward_pass(self):
        Ws = [[[0.8, 0.2], [0.4, 0.9], [0.3, 0.5]], [[0.3, 0.5, 0.9]]]
        network = Network.from_parameters(Ws, [[0, 0, 0], [0]], ["sigmoid", "linear"])
        assert network.predict(self.X) == near(1.2332121, rel=5e-8)
        assert gradients(network, self.X, self.Y, self.cost)[0] == near(1.5208120789621902)

    def test_one_update_at_rate_1(self):
        """The notebook's numbers start as float32 and go on as float64."""
        toy = TestToyNetwork.network
        network = Network(toy.sizes, toy.activations, toy.parameters.astype(np.float32).astype(np.float64))
        run = fit(network, self.X, self.Y, cost=self.cost, learning_rate=1, epochs=1)
        assert run.costs[0] == near(0.33455008989960927)
        hidden = [
            [0.03748860333147175, 0.42208860145914084],
            [-0.6289373468565382, -0.5673373173880019],
            [-0.304951263947996, 0.15694874675699821],
        ]
        assert run.network.weights[0] == near(np.array(hidden))
        assert run.network.biases[0].ravel() == near(
            np.array([0.028788602743620932, 0.5137626696420274, -0.0954512566166247])
        )
        assert run.network.weights[1] == near(np.array([[0.8342055621416937, 0.2509642654210383, 0.422898309408289]]))
        assert run.network.biases[1] == near(0.6052061234525776)


class TestLine:
    """The same chapter: y = 3x at x = 1, 2, 3, 4, one linear neuron from zero, mean squared error."""

    X, Y = [[1], [2], [3], [4]], [3, 6, 9, 12]
    cost: CostName = "mean_squared_error"
    network = Network.from_parameters([[[0.0]]], [[0.0]], ["linear"])

    def weights_after_each_update(self, rate, epochs):
        recorder = Curves(w=lambda run: run.network.weights[0][0, 0])
        run = fit(self.network, self.X, self.Y, cost=self.cost, learning_rate=rate, epochs=epochs, hooks=[recorder])
        return np.array([w for _, w in run.curves["w"]])[1:]

    def test_first_loss_and_gradients(self):
        loss, slopes = gradients(self.network, self.X, self.Y, self.cost)
        assert loss == near(67.5)
        assert slopes.weights[0] == near(-45)
        assert slopes.biases[0] == near(-15)

    @pytest.mark.parametrize(
        ("rate", "weights"),
        [
            (0.01, [0.45, 0.825, 1.137525, 1.39800825, 1.615140585]),
            (0.1, [4.5, 1.5, 3.525, 2.1825, 3.096]),
            (1, [45, -660, 10410, -163395]),
        ],
    )
    def test_first_weights(self, rate, weights):
        assert self.weights_after_each_update(rate, len(weights)) == near(np.array(weights))

    @pytest.mark.parametrize(("rate", "weight"), [(0.01, 2.9844881), (0.1, 3.0)])
    def test_weight_after_1000_updates(self, rate, weight):
        assert self.weights_after_each_update(rate, 1000)[-1] == near(weight, rel=2e-8)  # printed to eight digits

    def test_rate_1_diverges(self):
        run = fit(
            self.network, self.X, self.Y, cost=self.cost, learning_rate=1, epochs=1000, hooks=[StopOnDivergence()]
        )
        assert run.diverged_at is not None

    def test_stable_up_to_2_over_the_largest_eigenvalue(self):
        limit = 2 / 16.70061  # of the Hessian [[15, 5], [5, 2]]
        pair = Network(self.network.sizes, self.network.activations, np.zeros((2, 2)))
        rates = [0.99 * limit, 1.01 * limit]
        run = fit(pair, self.X, self.Y, cost=self.cost, learning_rate=rates, epochs=2000)
        assert run.cost[0] < 1e-9 * 67.5
        assert run.cost[1] > 1e9 * 67.5
