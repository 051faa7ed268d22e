"""The first chapter of "Modern Computer Vision with PyTorch": toy networks, and y = 3x at three learning rates.

The book takes every derivative as the difference of two losses, 0.0001 apart; the figures here are those of exact
derivatives, but where a case says otherwise. Where that makes a difference one can see, the book's own way is retraced.
"""

from dataclasses import replace

import numpy as np

from sandbox import Dataset, Network
from studies.published.claims import Case, Claim, Misprint, Source, costs
from studies.published.differences import (
    HIDDEN,
    HIDDEN_BIASES,
    NAMES,
    OUTPUT,
    OUTPUT_BIAS,
    RATE,
    UPDATES,
    line_retraced,
    toy_descent,
    toy_network,
    toy_retraced,
    x,
)

BOOK = Source(
    3,
    "V Kishore Ayyadevara, Yeshwanth Reddy, Modern Computer Vision with PyTorch (Packt 2020), chapter 1",
    "notebooks Feed_forward_propagation, Chain_rule, Back_propagation; Learning_rate, which plots its w and prints none",
    "https://github.com/PacktPublishing/Modern-Computer-Vision-with-PyTorch/tree/master/Chapter01",
)

POINT = Dataset("one point", np.array([[1.0, 1.0]]), np.array([[0.0]]), ("x1", "x2"), "regression")

FORWARD_PASS = Case(
    "Forward pass: x = (1, 1), target 0, 2-3-1, sigmoid hidden, linear output, no biases, mean squared error",
    BOOK,
    Network.from_parameters([[[0.8, 0.2], [0.4, 0.9], [0.3, 0.5]], [[0.3, 0.5, 0.9]]], [[0, 0, 0], [0]], NAMES),
    POINT,
    cost="mean_squared_error",
    epochs=1,
    claims=(
        Claim("Z1", 0, (1, 1.3, 0.8)),
        Claim("A1", 0, (0.73105858, 0.78583498, 0.68997448), 1e-8, "printed"),
        Claim("yhat", 0, (1.2332121,), 1e-7, "printed"),
        *costs({0: 1.5208120789621902}, published="printed"),
    ),
)

HIDDEN_SLOPES = (-0.042788606104685496, 0.04693733013990602, 0.032651260167549004)

TOY = Case(
    "Toy network: x = (1, 1), target 0, 2-3-1, sigmoid hidden, linear output, mean squared error, learning rate 0.01",
    BOOK,
    Network.from_parameters([HIDDEN, OUTPUT], [HIDDEN_BIASES, OUTPUT_BIAS], NAMES),
    POINT,
    cost="mean_squared_error",
    learning_rate=RATE,
    epochs=UPDATES,
    claims=(
        Claim("yhat", 0, (-0.5784030675787641,)),
        *costs({0: 0.3345501085845244}),
        Claim("dW1", 0, tuple(value for value in HIDDEN_SLOPES for _ in "12")),  # both inputs are 1
        Claim("db1", 0, HIDDEN_SLOPES),
        Claim("dW2", 0, (-0.6814055879749173, -0.4254642822472055, -0.5363983225249891)),
        Claim("db2", 0, (-1.1568061351575283,)),
        Claim(
            "W1",
            100,
            (
                *(0.014235676706426845, 0.39883567670642683),
                *(-0.5907834709772498, -0.5291834709772498),
                *(-0.27549587215369437, 0.18640412784630542),
            ),
        ),
        Claim("b1", 100, (0.00553567670642685, 0.5519165290227501, -0.0659958721536945)),
        Claim("W2", 100, (0.347517339130933, -0.05530516121445915, 0.03759542129859796)),
        Claim("b2", 100, (-0.22438103050316194,)),
        Claim(
            "yhat",
            100,
            (-0.01743615813492,),
            misprint=Misprint(
                "-0.0174781",
                toy_retraced,
                "from finite differences in float32: 0.2 % off, and the weights up to 0.08 %",
            ),
        ),
    ),
)

CHAIN_RULE = Case(
    "Toy network, one update: by the chain rule, learning rate 1, the same start rounded to float32",
    BOOK,
    toy_network(),
    POINT,
    cost="mean_squared_error",
    epochs=1,
    claims=(
        *costs({0: 0.33455008989960927}, published="printed"),
        Claim(
            "W1",
            1,
            (
                *(0.03748860333147175, 0.42208860145914084),
                *(-0.6289373468565382, -0.5673373173880019),
                *(-0.304951263947996, 0.15694874675699821),
            ),
            published="printed",
        ),
        Claim("b1", 1, (0.028788602743620932, 0.5137626696420274, -0.0954512566166247), published="printed"),
        Claim("W2", 1, (0.8342055621416937, 0.2509642654210383, 0.422898309408289), published="printed"),
        Claim("b2", 1, (0.6052061234525776,), published="printed"),
    ),
)

BY_DIFFERENCES = replace(
    TOY,
    name="Toy network by finite differences: 100 updates at 0.01 in float32, here by the book's way, not the trainer's",
    descend=toy_descent,
    claims=(
        Claim(
            "W1",
            100,
            (0.01424004, 0.39883757, -0.5907864, -0.52918637, -0.27549535, 0.18640439),
            1e-6,
            "printed",
        ),
        Claim("b1", 100, (0.00554004, 0.5519136, -0.06599568), 1e-6, "printed"),
        Claim("W2", 100, (0.3475135, -0.05529078, 0.03760847), 1e-6, "printed"),
        Claim("b2", 100, (-0.22443289,), 1e-6, "printed"),
        Claim("yhat", 100, (-0.0174781,), 3e-6, "printed"),
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
