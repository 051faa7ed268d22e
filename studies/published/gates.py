"""Logic gates, as "Nothing but NumPy" and its notebooks teach them. The examples are (0,0), (0,1), (1,0), (1,1)."""

from dataclasses import replace

import numpy as np

from sandbox import Dataset, Network, load_dataset
from sandbox.data import parse_crosses
from sandbox.nn.initializers import InitializerName
from studies.published.claims import Case, Claim, Misprint, Source, costs

BLOG = Source(
    1,
    "Rafay Khan, Nothing but NumPy: Understanding & Creating Neural Networks with Computational Graphs ... (2019)",
    "and slides after it by Dhaval Lunagariya; its figures with all digits, recomputed independently in float64",
    "https://medium.com/@rafayak/nothing-but-numpy-understanding-creating-neural-networks-with-computational-graphs-"
    "from-scratch-6299901091b0",
)
NOTEBOOKS = Source(
    2,
    "Notebooks of RafayAK/NothingButNumPy: 1_layer_toy_network_with_feature_cross_XOR, 2_layer_toy_network_XOR",
    "as printed there; cost@5000, he and plain recomputed independently in float64",
    "https://github.com/RafayAK/NothingButNumPy/tree/master/Understanding_and_Creating_NNs",
)

OR, XOR = load_dataset("or"), load_dataset("xor")
CROSS = parse_crosses(["x1*x2"], 2)
SIGMOIDS = ["sigmoid", "sigmoid"]


def one_neuron(*weights: float) -> Network:
    return Network.from_parameters([[weights]], [[0.0]], ["sigmoid"])


def drawn(sizes: list[int], initializer: InitializerName) -> Network:
    """A network of sigmoids as the notebooks draw it, with NumPy's legacy generator."""
    return Network.initialize(sizes, SIGMOIDS[1 - len(sizes) :], initializer, np.random.RandomState(48))


BY_HAND = Case(
    "One neuron by hand: x = (0, 0), y = 0, w = (0.1, 0.6), b = 0, learning rate 1, loss 1/2 (y - yhat)^2",
    BLOG,
    one_neuron(0.1, 0.6),
    Dataset("one example", OR.X[:1], OR.Y[:1], ("x1", "x2"), "binary"),
    epochs=1,
    claims=(
        Claim("yhat", 0, (0.5,)),
        Claim("cost", 0, (0.125,)),
        Claim("dW1", 0, (0, 0)),
        Claim("db1", 0, (0.125,)),
        Claim("b1", 1, (-0.125,)),
        Claim("yhat", 1, (0.46879062662624377,)),
        Claim(
            "cost",
            1,
            (0.10988232580631314,),
            misprint=Misprint("0.10998", lambda: 0.469**2 / 2, "computed from yhat rounded to 0.469"),
        ),
    ),
)

OR_GATE = Case(
    "OR gate: one neuron, w = (0.1, 0.6), b = 0, learning rate 1",
    BLOG,
    one_neuron(0.1, 0.6),
    OR,
    folder="or",
    claims=(
        Claim("yhat", 0, (0.5, 0.6456563062257954, 0.52497918747894, 0.6681877721681662)),
        Claim("dW1", 0, (-0.04800646291552392, -0.03865882381678035)),
        Claim("db1", 0, (-0.03702352612570836,)),
        Claim("W1", 1, (0.14800646291552394, 0.6386588238167803)),
        Claim("b1", 1, (0.03702352612570836,)),
        Claim("dW1", 1, (-0.044287247858509474, -0.0350043999524106)),
        Claim("db1", 1, (-0.03131258844480393,)),
        *costs({0: 0.08891294752305501, 1: 0.08400959542290769}),
        *costs({100: 0.030480094849327, 1000: 0.003143999463260}, 1e-8),
        *costs({4900: 0.000539201045295, 5000: 0.000527569180280}, 1e-8),
        Claim("W1", 5000, (6.434191156278, 6.434236133706)),
        Claim("b1", 5000, (-2.973036090576,)),
        Claim("accuracy", 5000, (1,)),
    ),
)

XOR_BY_CROSS = Case(
    "XOR with the cross x1*x2: one neuron, w = (0.1, 0.6, 0.2), b = 0, learning rate 1",
    BLOG,
    one_neuron(0.1, 0.6, 0.2),
    XOR,
    crosses=CROSS,
    folder="xor_with_cross",
    claims=(
        Claim("dW1", 0, (0.0069103830146389, 0.01625802211338, 0.03652508532357)),
        Claim("db1", 0, (0.01789331980445,)),
        *costs({0: 0.13833167761605697, 1: 0.136371292808928}),
        *costs({100: 0.07232905283627, 1000: 0.00991791887674}, 1e-8),
        *costs({4900: 0.00160213168658, 5000: 0.00156650350243}, 1e-8),
        Claim("accuracy", 5000, (1,)),
    ),
)

XOR_BY_CROSS_PLAIN = Case(
    "XOR with the cross x1*x2, 3-1: plain from RandomState(48), learning rate 1",
    NOTEBOOKS,
    drawn([3, 1], "plain"),
    XOR,
    crosses=CROSS,
    claims=(
        *costs({0: 0.12480797532784463, 100: 0.07434908897603773, 1000: 0.010006868961998287}),
        *costs({4900: 0.0016049339955154555, 5000: 0.0015691861911342464}),
        Claim("accuracy", 5000, (1,)),
    ),
)

XAVIER = Case(
    "XOR, 2-3-1, xavier: from RandomState(48), learning rate 1",
    NOTEBOOKS,
    drawn([2, 3, 1], "xavier"),
    XOR,
    folder="xor_2-3-1_xavier",
    claims=(
        *costs({0: 0.12926510193084198, 100: 0.12345825692804888, 1000: 0.0718884940923021}),
        *costs({4900: 0.0009210166430616655, 5000: 0.00089241038164557}),
        Claim("yhat", 5000, (0.0363362, 0.9626850, 0.9570659, 0.0508254), 2e-6),
        Claim("accuracy", 5000, (1,)),
    ),
)

HE = replace(
    XAVIER,
    name="XOR, 2-3-1, he: from RandomState(48), learning rate 1",
    network=drawn([2, 3, 1], "he"),
    folder="xor_2-3-1_he",
    claims=(*costs({5000: 0.00083632645041285}), Claim("accuracy", 5000, (1,))),
)

PLAIN = replace(
    XAVIER,
    name="XOR, 2-3-1, plain: from RandomState(48), learning rate 1; stuck, which is why initializers matter",
    network=drawn([2, 3, 1], "plain"),
    folder="xor_2-3-1_plain",
    claims=(*costs({5000: 0.12500000003652661}), Claim("accuracy", 5000, (0.5,))),
)

GATES = (BY_HAND, OR_GATE, XOR_BY_CROSS, XOR_BY_CROSS_PLAIN, XAVIER, HE, PLAIN)
