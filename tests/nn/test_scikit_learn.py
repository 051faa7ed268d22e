"""The same training by scikit-learn: plain gradient descent from the same weights, cost by cost."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, make_moons
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from sandbox import Network, fit

EPOCHS, RATE = 50, 0.3
THEIR_NAMES = {"sigmoid": "logistic", "linear": "identity"}


def standardised(loader):
    X, y = loader(return_X_y=True)
    return StandardScaler().fit_transform(X), y


DATA = {"moons": make_moons(200, noise=0.1, random_state=0), "breast_cancer": standardised(load_breast_cancer)}
IRIS = standardised(load_iris)


def train_theirs(kind, network, X, y):
    """Their costs before each update (log loss, or half the squared error, averaged), and the trained model."""
    model = kind(
        hidden_layer_sizes=network.sizes[1:-1],
        activation=THEIR_NAMES.get(network.activations[0], network.activations[0]),
        solver="sgd",
        momentum=0,
        nesterovs_momentum=False,
        alpha=0,
        shuffle=False,
        batch_size=len(X),
        learning_rate_init=RATE,
        random_state=0,
    )
    model.partial_fit(X, y, **({"classes": np.unique(y)} if kind is MLPClassifier else {}))
    model.coefs_ = [W.T.copy() for W in network.weights]
    model.intercepts_ = [b[:, 0].copy() for b in network.biases]
    costs = [model.partial_fit(X, y).loss_ for _ in range(EPOCHS)]
    return np.array(costs), model


def train_ours(network, X, y, cost):
    return fit(network, X, y, cost=cost, learning_rate=RATE, epochs=EPOCHS)


def initial(X, hidden, activation, outputs, output):
    sizes = [X.shape[1], *hidden, outputs]
    return Network.initialize(sizes, [activation] * len(hidden) + [output], "xavier", np.random.default_rng(0))


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("hidden", "activation"), [((5,), "tanh"), ((6, 4), "relu"), ((4,), "sigmoid")])
def test_classifier(data, hidden, activation):
    X, y = DATA[data]
    network = initial(X, hidden, activation, 1, "sigmoid")
    costs, model = train_theirs(MLPClassifier, network, X, y)
    run = train_ours(network, X, y, "binary_cross_entropy")
    assert run.costs == pytest.approx(costs, abs=1e-6)
    assert run.network.predict(X)[:, 0] == pytest.approx(np.asarray(model.predict_proba(X))[:, 1], abs=1e-6)


def test_classifier_of_three_classes():
    X, y = IRIS
    network = initial(X, (5,), "tanh", 3, "softmax")
    costs, model = train_theirs(MLPClassifier, network, X, y)
    run = train_ours(network, X, np.eye(3)[y], "categorical_cross_entropy")
    assert run.costs == pytest.approx(costs, abs=1e-6)
    assert run.network.predict(X) == pytest.approx(model.predict_proba(X), abs=1e-6)


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize(("hidden", "activation"), [((5,), "tanh"), ((6, 4), "relu")])
def test_regressor(data, hidden, activation):
    X, y = DATA[data]
    X, y = (X[:, :1], X[:, 1]) if data == "moons" else (X[:, 1:], X[:, 0])
    network = initial(X, hidden, activation, 1, "linear")
    costs, model = train_theirs(MLPRegressor, network, X, y)
    run = train_ours(network, X, y, "squared_error")
    assert run.costs == pytest.approx(costs, abs=1e-6)
    assert run.network.predict(X)[:, 0] == pytest.approx(model.predict(X), abs=1e-6)
