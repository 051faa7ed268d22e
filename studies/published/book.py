"""The first chapter of "Modern Computer Vision with PyTorch": a toy network, and y = 3x at three learning rates.

The book takes every derivative as the difference of two losses, 0.0001 apart; the figures here are those of exact
derivatives. Where that makes a difference one can see, the book's own way is retraced by `forward_differences`.
"""

from collections.abc import Callable

import numpy as np

from sandbox import Dataset, Network
from studies.published.claims import Case, Claim, Misprint, Source, costs

BOOK = Source(
    3,
    "V Kishore Ayyadevara, Yeshwanth Reddy, Modern Computer Vision with PyTorch (Packt 2020), chapter 1",
    "Back_propagation and Learning_rate; with exact derivatives, recomputed independently in float64",
    "https://github.com/PacktPublishing/Modern-Computer-Vision-with-PyTorch/tree/master/Chapter01",
)

HIDDEN = [[-0.0053, 0.3793], [-0.5820, -0.5204], [-0.2723, 0.1896]]
HIDDEN_BIASES = [-0.0140, 0.5607, -0.0628]
OUTPUT, OUTPUT_BIAS = [[0.1528, -0.1745, -0.1135]], [-0.5516]
x = np.array([[1.0], [2.0], [3.0], [4.0]])


def forward_differences(
    loss: Callable[..., np.floating], parameters: list[np.ndarray], rate: float, updates: int
) -> list[np.ndarray]:
    """Gradient descent the book's way: each derivative is (loss(p + 0.0001) - loss(p)) / 0.0001."""
    for _ in range(updates):
        before, stepped = loss(*parameters), [array.copy() for array in parameters]
        for array, new in zip(parameters, stepped, strict=True):
            for index, value in np.ndenumerate(array):
                array[index] += 0.0001
                new[index] -= rate * (loss(*parameters) - before) / 0.0001
                array[index] = value
        parameters = stepped
    return parameters


def toy_output(W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray) -> np.ndarray:
    """The toy network's output for x = (1, 1); the target is 0."""
    return W2 @ (1 / (1 + np.exp(-(W1.sum(1) + b1)))) + b2


def toy_retraced() -> float:
    """The book's prediction after 100 updates."""
    parameters = [np.array(values) for values in (HIDDEN, HIDDEN_BIASES, OUTPUT, OUTPUT_BIAS)]
    return toy_output(*forward_differences(lambda *p: np.mean(toy_output(*p) ** 2), parameters, 0.01, 100)).item()


def line_retraced() -> float:
    """The book's w after 1000 updates at rate 1: float32 parameters, losses in float64."""
    zeros = [np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)]
    return forward_differences(lambda w, b: np.mean((x * w + b - 3 * x) ** 2), zeros, 1.0, 1000)[0].item()


TOY = Case(
    "Toy network: x = (1, 1), target 0, 2-3-1, sigmoid hidden, linear output, mean squared error, learning rate 0.01",
    BOOK,
    Network.from_parameters([HIDDEN, OUTPUT], [HIDDEN_BIASES, OUTPUT_BIAS], ["sigmoid", "linear"]),
    Dataset("toy", np.array([[1.0, 1.0]]), np.array([[0.0]]), ("x1", "x2"), "regression"),
    cost="mean_squared_error",
    learning_rate=0.01,
    epochs=100,
    claims=(
        Claim("yhat", 0, (-0.5784030675787641,)),
        *costs({0: 0.3345501085845244}),
        # printed to ten decimals
        Claim("dW1", 0, (-0.0427886061, -0.0427886061, 0.0469373301, 0.0469373301, 0.0326512602, 0.0326512602), 2e-9),
        Claim("db1", 0, (-0.0427886061, 0.0469373301, 0.0326512602), 2e-9),
        Claim("dW2", 0, (-0.6814055880, -0.4254642822, -0.5363983225)),
        Claim("db2", 0, (-1.1568061352,)),
        Claim(
            "yhat",
            100,
            (-0.01743615813492,),
            misprint=Misprint(
                "-0.017",
                toy_retraced,
                "from finite differences; exact derivatives agree to the digits that are printed, not beyond",
            ),
        ),
    ),
)


def line(rate: float, epochs: int, *claims: Claim) -> Case:
    """One linear neuron learns y = 3x from w = b = 0."""
    return Case(
        f"y = 3x on x = 1..4: one linear neuron from w = b = 0, mean squared error, learning rate {rate:g}",
        BOOK,
        Network.from_parameters([[[0.0]]], [[0.0]], ["linear"]),
        Dataset("y = 3x", x, 3 * x, ("x",), "regression"),
        cost="mean_squared_error",
        learning_rate=rate,
        epochs=epochs,
        claims=claims,
    )


def weights(values: tuple[float, ...]) -> tuple[Claim, ...]:
    """Claims of w after updates 1, 2, 3, ..."""
    return tuple(Claim("W1", update, (value,)) for update, value in enumerate(values, start=1))


LINES = (
    line(
        0.01,
        1000,
        *costs({0: 67.5}),
        Claim("dW1", 0, (-45,)),
        Claim("db1", 0, (-15,)),
        *weights((0.45, 0.825, 1.137525, 1.39800825, 1.615140585)),
        Claim("W1", 1000, (2.9844881,), 2e-8),  # printed to eight digits
    ),
    line(0.1, 1000, *weights((4.5, 1.5, 3.525, 2.1825, 3.096)), Claim("W1", 1000, (3.0,), 2e-8)),
    line(
        1,
        1000,
        *weights((45, -660)),
        Claim(
            "W1",
            3,
            (10410,),
            misprint=Misprint(
                "12755, frozen",
                line_retraced,
                "the plot stands still from here on: in float32, w + 0.0001 is w, and finite differences vanish",
            ),
        ),
        Claim("W1", 4, (-163395,)),
        Claim("diverges", 1000, (1,)),
    ),
)
