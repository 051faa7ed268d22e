"""Logic gates, as "Nothing but NumPy" and its notebooks teach them. The examples are (0,0), (0,1), (1,0), (1,1)."""

from dataclasses import replace

import numpy as np

from sandbox import Dataset, Network, load_dataset
from sandbox.data import parse_crosses
from sandbox.nn.initializers import InitializerName
from studies.published.claims import Case, Claim, Source, costs
from studies.published.errors import AROUND, LOSS, RATE_50, SLOPE, SUMS, WEIGHT

BLOG = Source(
    1,
    "Rafay Khan, Nothing but NumPy: Understanding & Creating Neural Networks with Computational Graphs ... (2019)",
    "and slides after it by Dhaval Lunagariya; they round, so that figures with all digits are recomputed",
    "https://medium.com/@rafayak/nothing-but-numpy-understanding-creating-neural-networks-with-computational-graphs-"
    "from-scratch-6299901091b0",
)
NOTEBOOKS = Source(
    2,
    "Notebooks of RafayAK/NothingButNumPy: XOR by networks of one layer (with the cross), of two and of three",
    "which print the cost before every hundredth update and the accuracy at the end; he and plain are not among them",
    "https://github.com/RafayAK/NothingButNumPy/tree/master/Understanding_and_Creating_NNs",
)

OR, XOR = load_dataset("or"), load_dataset("xor")
CROSS = parse_crosses(["x1*x2"], 2)


def one_neuron(*weights: float) -> Network:
    return Network.from_parameters([[weights]], [[0.0]], ["sigmoid"])


def drawn(sizes: list[int], initializer: InitializerName) -> Network:
    """A network of sigmoids as the notebooks draw it, with NumPy's legacy generator."""
    return Network.initialize(sizes, ["sigmoid"] * (len(sizes) - 1), initializer, np.random.RandomState(48))


BY_HAND = Case(
    "One neuron by hand: x = (0, 0), y = 0, w = (0.1, 0.6), b = 0, learning rate 1, loss 1/2 (y - yhat)^2",
    BLOG,
    one_neuron(0.1, 0.6),
    Dataset("one example", OR.X[:1], OR.Y[:1], ("x1", "x2"), "binary"),
    epochs=1,
    claims=(
        Claim("yhat", 0, (0.5,), published="printed"),
        *costs({0: 0.125}, published="printed"),
        Claim("dW1", 0, (0, 0), published="printed"),
        Claim("db1", 0, (0.125,), published="printed"),
        Claim("b1", 1, (-0.125,), published="printed"),
        Claim("yhat", 1, (0.46879062662624377,)),
        Claim("cost", 1, (0.10988232580631314,), misprint=LOSS),
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
        Claim("dW1[1]", 0, (-0.04800646291552392,), misprint=SUMS),
        Claim("dW1[2]", 0, (-0.03865882381678035,), misprint=SLOPE),
        Claim("db1", 0, (-0.03702352612570836,)),
        Claim("W1[1]", 1, (0.14800646291552394,)),
        Claim("W1[2]", 1, (0.6386588238167803,), misprint=WEIGHT),
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

OR_AT_50 = replace(
    OR_GATE,
    name="OR gate at learning rate 50: the same neuron",
    learning_rate=50,
    folder="",
    claims=(
        Claim("diverges", 5000, (0,), misprint=RATE_50),
        *costs({0: 0.08891294752305501, 1: 0.09340862249346712, 2: 0.05211633299223549}),
        *costs({100: 0.0005098704365917259, 5000: 9.187894024328552e-06}, 1e-8),
        Claim("accuracy", 5000, (1,)),
    ),
)

OR_AT_1000 = replace(
    OR_GATE,
    name="OR gate at learning rate 1000: the same neuron; saturated after one update, so that no derivative is left",
    learning_rate=1000,
    folder="",
    claims=(
        Claim("W1", 1, (48.10646291552392, 39.25882381678035)),
        Claim("b1", 1, (37.02352612570836,)),
        Claim("yhat", 1, (1, 1, 1, 1)),
        Claim("dW1", 1, (0, 0)),
        Claim("db1", 1, (0,)),
        *costs({1: 0.125, 5000: 0.125}),
        Claim("accuracy", 5000, (0.75,)),
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
        *costs({0: 0.12480797532784463, 100: 0.07434908897603773}, published="printed"),
        *costs({1000: 0.010006868961998287, 4900: 0.0016049339955154555}, published="printed"),
        *costs({5000: 0.0015691861911342464}),
        Claim("accuracy", 5000, (1,), published="printed"),
    ),
)

XAVIER = Case(
    "XOR, 2-3-1, xavier: from RandomState(48), learning rate 1",
    NOTEBOOKS,
    drawn([2, 3, 1], "xavier"),
    XOR,
    folder="xor_2-3-1_xavier",
    claims=(
        *costs({0: 0.12926510193084198, 100: 0.12345825692804888}, published="printed"),
        *costs({1000: 0.0718884940923021, 4900: 0.0009210166430616655}, published="printed"),
        *costs({5000: 0.00089241038164557}),
        Claim("yhat", 5000, (0.0363362, 0.9626850, 0.9570659, 0.0508254), 2e-6),
        Claim("accuracy", 5000, (1,), published="printed"),
    ),
)

FIRST_ITERATION = replace(
    XAVIER,
    name="XOR, 2-3-1, the first iteration: forward, backward, update; the examples from (0,0) to (1,1), learning rate 1",
    epochs=1,
    folder="",
    claims=(
        Claim(
            "A1",
            0,
            (
                *(0.5, 0.5, 0.5),
                *(0.32039918431667713, 0.6793217436572612, 0.6842522117982003),
                *(0.33123526367076195, 0.3890783914482768, 0.4722033039023586),
                *(0.18930362929922945, 0.5743126441458918, 0.6597277643200149),
            ),
        ),
        Claim("yhat", 0, (0.5216671963726512, 0.6347275722861032, 0.5540739522360091, 0.6555228181787546)),
        *costs({0: 0.12926510193084198}, published="printed"),
        Claim("dW2", 0, (0.0073697615002567204, 0.012425184427882728, 0.01319207101374225)),
        Claim("db2", 0, (0.020832938705820453,)),
        Claim(
            "dW1",
            0,
            (
                *(0.0005058984366314839, -0.001280838769737341),
                *(0.0010112828083914706, 0.0017940218297719985),
                *(0.0013948051110744515, 0.0036094716758973914),
            ),
        ),
        Claim("db1", 0, (-0.0037175810669309523, 0.0024366019996577403, 0.004838268410788747)),
        Claim("W2", 1, (-1.2052872876367031, 0.39208547181160086, 0.9536609940646879)),
        Claim("b2", 1, (-0.020832938705820453,)),
        Claim(
            "W1",
            1,
            (
                *(-0.7031093427573797, -0.7506570819047766),
                *(-0.45219908975760814, 0.7488625389866781),
                *(-0.11269634794344377, 0.7697733523784993),
            ),
        ),
        Claim("b1", 1, (0.0037175810669309523, -0.0024366019996577403, -0.004838268410788747)),
        *costs({1: 0.12842857033273092}),
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

THREE_LAYERS = replace(
    XAVIER,
    name="XOR, 2-5-3-1, xavier: from RandomState(48), learning rate 1",
    network=drawn([2, 5, 3, 1], "xavier"),
    folder="xor_2-5-3-1_xavier",
    claims=(  # a long plain before the descent: what rounding moves there is seen later
        *costs({0: 0.12580048583996017, 100: 0.12488800620460391}, 1e-6, "printed"),
        *costs({1000: 0.12349798488056588, 2000: 0.023658380552436506}, 1e-6, "printed"),
        Claim("cost", 4900, (0.00030237818967873963,), 1e-6, "printed", AROUND),
        *costs({5000: 0.0002904224963947051}, 1e-6),
        Claim("accuracy", 5000, (1,), published="printed"),
    ),
)

ORS = (BY_HAND, OR_GATE, OR_AT_50, OR_AT_1000)
XORS = (XOR_BY_CROSS, XOR_BY_CROSS_PLAIN, FIRST_ITERATION, XAVIER, HE, PLAIN, THREE_LAYERS)
GATES = ORS + XORS
