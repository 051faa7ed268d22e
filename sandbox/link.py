"""Links to TensorFlow Playground: the state that stands behind the # in one, as fields of Config, and back.

The page's defaults and spellings are those of tensorflow/playground (src/state.ts); what its points, weights and updates are
is in sandbox.data.playground, sandbox.data.stream and sandbox.nn.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.errors import RequestError, choose, one_line

if TYPE_CHECKING:
    from sandbox.config import Config

SITE = "playground.tensorflow.org"
DEFAULTS = {
    "activation": "tanh",
    "regularization": "none",
    "batchSize": "10",
    "dataset": "circle",
    "regDataset": "reg-plane",
    "learningRate": "0.03",
    "regularizationRate": "0",
    "noise": "0",
    "networkShape": "4,2",
    "percTrainData": "50",
    "problem": "classification",
    "initZero": "false",
    "x": "true",
    "y": "true",
    "xSquared": "false",
    "ySquared": "false",
    "xTimesY": "false",
    "sinX": "false",
    "sinY": "false",
}
ACTIVATIONS = ("relu", "tanh", "sigmoid", "linear")
DATASETS = {"circle": 500, "xor": 500, "gauss": 500, "spiral": 500, "reg-plane": 1200, "reg-gauss": 1200}  # points
VALUES = ("reg-plane", "reg-gauss")  # that are for regression
INPUTS = {"x": "x1", "y": "x2"}
CROSSES = {"xSquared": "x1^2", "ySquared": "x2^2", "xTimesY": "x1*x2", "sinX": "sin(x1)", "sinY": "sin(x2)"}
ALIKE = {  # data sets of the same formulas, with other points
    "circle": "circle",
    "gauss": "gauss",
    "spiral": "spiral",
    "spiral_playground": "spiral",
    "xor_cloud": "xor",
    "reg_plane": "reg-plane",
    "reg_gauss": "reg-gauss",
}
EPOCHS = 300
SHOWN_LAYERS, SHOWN_UNITS = 6, 8  # at most, on the page
LAYERS, UNITS = 20, 100  # at most, that a link may name here


def fields_of_link(link: str) -> dict[str, Any]:
    """The fields of Config that train what the page of a link trains, for EPOCHS epochs.

    As there, names that are not known and values that mean nothing are passed over, and the defaults stand. Raises
    RequestError for what is no link to the page, or one whose network cannot be trained.

    >>> fields = fields_of_link("https://playground.tensorflow.org/#dataset=xor&seed=0.5&networkShape=&xTimesY=true")
    >>> fields["dataset"], fields["playground_seed"], fields["hidden"], fields["crosses"]
    ('playground_xor', '0.5', (), ('x1*x2',))
    """
    state = _state(link)
    regression = state["problem"] == "regression"
    name = choose(
        "regDataset" if regression else "dataset",
        state["regDataset" if regression else "dataset"],
        {one: one for one in DATASETS if (one in VALUES) == regression},
    )
    points = DATASETS[name]
    share, size = _number(state, "percTrainData"), _whole(state, "batchSize")
    count = math.floor(points * share / 100)
    if not 1 <= count < points:
        raise RequestError(
            f"percTrainData is {state['percTrainData']}: of {points} points some must train, and some test"
        )
    if not 1 <= size <= count:
        raise RequestError(
            f"batchSize is {state['batchSize']}: 1 to {count} are possible with {count} points to train with"
        )
    chosen = {one: state[one] != "false" for one in (*INPUTS, *CROSSES)}
    if not any(chosen.values()):
        raise RequestError(
            "the link has no feature: at least one of x, y, xSquared, ySquared, xTimesY, sinX, sinY is needed"
        )
    rate, zero = _number(state, "regularizationRate"), state["initZero"] != "false"
    return {
        "dataset": f"playground_{name.replace('-', '_')}",
        "n_examples": count,
        "noise": _number(state, "noise") / 100,
        "playground_seed": state.get("seed"),
        "omit": tuple(column for one, column in INPUTS.items() if not chosen[one]),
        "crosses": tuple(cross for one, cross in CROSSES.items() if chosen[one]),
        "hidden": _shape(state),
        "activation": state["activation"],
        "output": "linear" if regression else "tanh",
        "initializer": "zeros" if zero else "playground",
        "initial_bias": 0.0 if zero else 0.1,
        "cost": "squared_error",
        "l1": rate if state["regularization"] == "L1" else 0.0,
        "l1_rule": "clipped",
        "l2": rate if state["regularization"] == "L2" else 0.0,
        "learning_rate": _number(state, "learningRate"),
        "batch_size": size,
        "batches": "carried",
        "arithmetic": "page",
        "epochs": EPOCHS,
    }


def _state(link: str) -> dict[str, str]:
    """The state of the page, by its names, in its spelling; a `seed` only where the link has one."""
    wanted = f"a link such as https://{SITE}/#dataset=xor&seed=0.5 is needed"
    try:
        parts = urlsplit(link.strip())
        known = parts.scheme in ("http", "https") and parts.hostname == SITE
    except (ValueError, AttributeError):
        known = False
    if not known:
        raise RequestError(f"link is {one_line(link)}: {wanted}")
    fragment = link.strip().partition("#")[2]
    if not fragment:
        raise RequestError(f"link is {one_line(link)}: it holds no state, which stands behind a #; {wanted}")
    if "%" in fragment:
        raise RequestError(f"link is {one_line(link)}: it was escaped (%); the address as the page shows it is needed")
    given: dict[str, str] = {}
    for part in fragment.split("&"):
        name, _, value = part.partition("=")
        given[name] = value.partition("=")[0]
    state = DEFAULTS | {name: value for name, value in given.items() if name in DEFAULTS and value.strip()}
    if given.get("networkShape", "none").strip() == "":  # no hidden layers, where others keep their default
        state["networkShape"] = ""
    for name, names in (
        ("activation", ACTIVATIONS),
        ("regularization", ("none", "L1", "L2")),
        ("problem", ("classification", "regression")),
    ):
        if state[name] not in names:
            state[name] = DEFAULTS[name]
    return state | ({"seed": given["seed"]} if given.get("seed", "").strip() else {})


def _number(state: dict[str, str], name: str) -> float:
    try:
        value = float(state[name].replace("_", "?"))  # which Python would take, and a browser not
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise RequestError(f"{name} is {one_line(state[name])}: a number of at least 0 is needed")
    return value


def _whole(state: dict[str, str], name: str) -> int:
    value = _number(state, name)
    if value != int(value):
        raise RequestError(f"{name} is {one_line(state[name])}: a whole number is needed")
    return int(value)


def _shape(state: dict[str, str]) -> tuple[int, ...]:
    text = state["networkShape"]
    layers = text.split(",") if text.strip() else []
    if len(layers) > LAYERS:
        raise RequestError(
            f"networkShape has {len(layers)} layers: at most {LAYERS} are possible, and the page shows {SHOWN_LAYERS}"
        )
    units = tuple(_whole({"networkShape": one}, "networkShape") for one in layers)
    if any(not 1 <= one <= UNITS for one in units):
        raise RequestError(
            f"networkShape is {one_line(text)}: layers of 1 to {UNITS} units are possible, and the page shows {SHOWN_UNITS}"
        )
    return units


def link_of(config: "Config") -> tuple[str, list[str]]:
    """The link that opens a config's network on the page, and what is otherwise there: nothing where all is the same.

    Raises RequestError where the page has no such data set, feature, activation or so many units.
    """
    dataset = str(config.dataset)
    own = dataset.removeprefix("playground_").replace("_", "-") if dataset.startswith("playground_") else ""
    name = own or ALIKE.get(dataset, "")
    if not name:
        raise RequestError(f"TensorFlow Playground has no data set {one_line(dataset)}: {', '.join(ALIKE)} are there")
    crosses = {cross: one for one, cross in CROSSES.items()}
    if strange := [cross for cross in config.crosses if cross not in crosses]:
        raise RequestError(
            f"TensorFlow Playground has no feature {one_line(strange[0])}: {', '.join(crosses)} are there"
        )
    if config.hidden and config.activation not in ACTIVATIONS:
        raise RequestError(
            f"TensorFlow Playground has no activation {one_line(config.activation)}: {', '.join(ACTIVATIONS)} are there"
        )
    if len(config.hidden) > SHOWN_LAYERS or any(units > SHOWN_UNITS for units in config.hidden):
        raise RequestError(
            f"TensorFlow Playground shows up to {SHOWN_LAYERS} hidden layers of up to {SHOWN_UNITS} units, not "
            f"{','.join(map(str, config.hidden))}"
        )
    regression = name in VALUES
    points, zero = DATASETS[name], config.initializer == "zeros"
    count = config.n_examples or (points // 2 if own else None)
    share = _share(count, points) if count and count < points else "50"
    size = config.batch_size or count or points // 2
    chosen = {one: column not in config.omit for one, column in INPUTS.items()}
    chosen |= {one: cross in config.crosses for one, cross in CROSSES.items()}
    penalty = "L1" if config.l1 else "L2" if config.l2 else "none"
    state = {
        "activation": config.activation if config.activation in ACTIVATIONS else "tanh",
        "regularization": penalty,
        "batchSize": size,
        "dataset": "circle" if regression else name,
        "regDataset": name if regression else "reg-plane",
        "learningRate": _short(config.learning_rate),
        "regularizationRate": _short(config.l1 or config.l2),
        "noise": _short(config.noise * 100),
        "networkShape": ",".join(map(str, config.hidden)),
        "seed": config.data_stream,
        "percTrainData": share,
        "problem": "regression" if regression else "classification",
        "initZero": str(zero).lower(),
        **{one: str(yes).lower() for one, yes in chosen.items()},
    }
    link = f"https://{SITE}/#" + "&".join(f"{key}={value}" for key, value in state.items())
    return link, otherwise(config)


def otherwise(config: "Config") -> list[str]:
    """What the page does otherwise than a config whose data, features and layers it has, in words."""
    return [*_drawn(config), *trained(config)]


def _drawn(config: "Config") -> Iterator[str]:
    own, usual = (
        str(config.dataset).startswith("playground_"),
        {"zeros": 0.0, "playground": 0.1}.get(config.initializer),
    )
    if not own:
        yield "other points of the same kind"
    if config.mislabelled:
        yield "every point with its own class"
    if not own or usual is None or config.initial_bias != usual or config.bias_scale or config.seed != config.data_seed:
        yield "other first weights"


def trained(config: "Config") -> Iterator[str]:
    """What of it is in the training, whatever it starts from."""
    regression = config.data.task == "regression"
    if config.hidden and config.activation not in ACTIVATIONS:
        yield f"the activations {', '.join(ACTIVATIONS)}"
    if config.cost != "squared_error" or config.output_activation != ("linear" if regression else "tanh"):
        yield f"squared error with a {'linear' if regression else 'tanh'} output"
    if config.optimizer != "gd" or config.schedule != "constant":
        yield "gradient descent at a constant rate"
    if config.batch_size is None or config.batches != "carried":
        yield "batches of points in one order, not shuffled"
    if (config.l1 and config.l1_rule != "clipped") or (config.l1 and config.l2):
        yield "L1 alone, by which weights die"
    if config.patience is not None:
        yield "no end"
    if config.dtype != "float64":
        yield "numbers of 64 bits"


def _share(count: int, points: int) -> str:
    """The percentage of points that is so many of them, as the page rounds."""
    share = 100 * count / points
    while math.floor(points * share / 100) < count:
        share = math.nextafter(share, math.inf)
    return _short(share)


def _short(number: float) -> str:
    """A number as the page's links have it."""
    return repr(int(number)) if number == int(number) else repr(number)
