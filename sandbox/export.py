"""A model for where there is no sandbox: a script of NumPy alone, JSON, or the code that MLflow serves."""

import json
import re
from typing import Any

import numpy as np

from sandbox.errors import RequestError, choose
from sandbox.model import Model

ACTIVATIONS = {  # as the script has them, of z (units, rows)
    "sigmoid": "1 / (1 + np.exp(-z))",
    "tanh": "np.tanh(z)",
    "relu": "np.maximum(z, 0)",
    "leaky_relu": "np.where(z > 0, z, 0.01 * z)",
    "linear": "z",
    "sin": "np.sin(z)",
    "cos": "np.cos(z)",
    "softplus": "np.logaddexp(0, z)",
    "swish": "z / (1 + np.exp(-z))",
    "gelu": "z * np.vectorize(math.erfc, otypes=[z.dtype])(-z / math.sqrt(2)) / 2",
    "softmax": "np.exp(z - z.max(0)) / np.exp(z - z.max(0)).sum(0)",
}
HEAD = '''\
"""A network that was trained in the sandbox, as NumPy alone has it.

{about}

{usage}
"""

{imports}

COLUMNS = {columns}
CATEGORIES = {categories}  # of the columns that hold text
CLASSES = {classes}
THRESHOLD = {threshold}  # of two classes, above which an output is the second
MEAN = np.array({mean})
SCALE = np.array({scale})
FILL = {fill}  # for gaps
WEIGHTS = [{weights}
]
BIASES = [{biases}
]


def place_of(value, name):
    """Which of a column's categories a value is; whole numbers go without a point."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if text not in CATEGORIES[name]:
        raise ValueError(f"column {{name!r}} has {{value!r}}: known are {{', '.join(CATEGORIES[name])}}")
    return CATEGORIES[name].index(text)


def predict(rows):
    """The outputs (rows, {outputs}) of raw rows, each with a value for each of COLUMNS."""
    features = []
    for place, name in enumerate(COLUMNS):
        values = [row[place] for row in rows]
        gaps = np.array([value is None or value == "" or value != value for value in values], dtype=bool)
        if name in CATEGORIES:
            places = [0 if gap else place_of(value, name) for value, gap in zip(values, gaps)]
            hot = np.eye(len(CATEGORIES[name]))[np.array(places, dtype=int)]
            features += list(np.where(gaps[:, None], np.nan, hot).T)
        else:
            features.append(np.array([np.nan if gap else float(v) for v, gap in zip(values, gaps)]))
    X = np.array(features).T
    if np.isnan(X).any():
        if FILL is None:
            raise ValueError("there are gaps, and there were none in the training examples")
        X = np.where(np.isnan(X), FILL, X)
    X = (X - MEAN) / SCALE
    X = np.column_stack([X{kept}{crosses}])
    A = X.T.astype(np.{dtype})
    with np.errstate(over="ignore"):
{layers}
    return A.T
'''
USAGE = """\
    python {file} new.csv          predicts the rows of a CSV with these columns (whatever others it has)
    predict(rows)                  does it in Python, of a list of rows with a value for each of COLUMNS"""
MAIN = """

if __name__ == "__main__":
    with open(sys.argv[1], newline="", encoding="utf-8-sig") as file:
        rows = [[row[name] for name in COLUMNS] for row in csv.DictReader(file)]
    for output in predict(rows).astype(float):
        if not CLASSES:
            print(*map(repr, output.tolist()))
        elif len(output) == 1:
            print(CLASSES[int(output[0] > THRESHOLD)], repr(float(output[0])))
        else:
            print(CLASSES[int(output.argmax())], *map(repr, output.tolist()))
"""
SERVED = '''

class Served(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: pd.DataFrame, params=None):
        """The class of each row of a frame and the probability of it, or the value."""
        frame = model_input.reindex(columns=COLUMNS).astype(object)
        outputs = predict(frame.where(frame.notna(), None).values.tolist()).astype(float)
        if not CLASSES:
            return pd.DataFrame({{"prediction": outputs[:, 0]}})
        labels = outputs.argmax(1) if outputs.shape[1] > 1 else (outputs[:, 0] > THRESHOLD).astype(int)
        return pd.DataFrame({{"prediction": np.array(CLASSES)[labels], "{score}": {chosen}}})


mlflow.models.set_model(Served())
'''


def export(model: Model, kind: str, about: str = "", file: str = "model.py") -> str:
    """The model as "numpy", a script, or as "json". Raises RequestError for any other kind.

    The JSON has what `Model` has: `features` (names, columns, crosses, scaling, encoding), and `layers`, each with its
    weights (units, inputs), biases (units,) and activation. A script cannot hold functions of one's own: RequestError.
    """
    return choose("kind of export", kind, {"numpy": _script, "json": _json})(model, about, file)


def served(model: Model, about: str = "") -> str:
    """The same script as the code of an MLflow model, which needs pandas too and gives what `Model.answers` does."""
    score = model.score
    chosen = "outputs.max(1)"
    if model.task == "binary" and score == "probability":
        chosen = "np.where(labels == 0, 1 - outputs[:, 0], outputs[:, 0])"
    usage = "    predict(rows)                  gives the outputs of a list of rows with a value for each of COLUMNS"
    imports = "import mlflow\nimport numpy as np\nimport pandas as pd"
    return _head(model, about, usage, imports) + SERVED.format(score=score, chosen=chosen)


def _json(model: Model, about: str, file: str) -> str:
    network = model.network
    layers = [
        {"weights": W.tolist(), "biases": b[:, 0].tolist(), "activation": name}
        for W, b, name in zip(network.weights, network.biases, network.activations, strict=True)
    ]
    told = {"about": about, "task": model.task, "classes": list(model.classes), "params": dict(model.params)}
    told |= {"dtype": str(network.parameters.dtype), "features": model.features.describe(), "layers": layers}
    return json.dumps(told, indent=1) + "\n"


def _script(model: Model, about: str, file: str) -> str:
    return _head(model, about, USAGE.format(file=_quiet(file)), "import csv\nimport sys\n\nimport numpy as np") + MAIN


def _head(model: Model, about: str, usage: str, imports: str) -> str:
    features, network = model.features, model.network
    if functions := model.functions:
        raise RequestError(
            f"{', '.join(functions)} is a function of yours, which NumPy alone has not: export it as json, which names it"
        )
    scaling = features.scaling
    count = len(features.names)
    layers = [
        f"        z = WEIGHTS[{number}].astype(A.dtype) @ A + BIASES[{number}].astype(A.dtype)[:, None]\n"
        f"        A = {ACTIVATIONS[name]}"
        for number, name in enumerate(network.activations)
    ]
    parts: dict[str, Any] = {
        "about": _quiet(about) or f"A network of {'-'.join(map(str, network.sizes))} units.",
        "usage": usage,
        "imports": "import math\n" * ("gelu" in network.activations) + imports,
        "columns": [one.name for one in features.raw],
        "categories": {one.name: list(one.categories) for one in features.raw if one.categories},
        "classes": list(model.classes),
        "threshold": model.threshold,
        "kept": "" if features.kept is None else f"[:, {list(features.kept)}]",
        "mean": _numbers(scaling.mean if scaling else np.zeros(count)),
        "scale": _numbers(scaling.scale if scaling else np.ones(count)),
        "fill": f"np.array({_numbers(scaling.fill)})" if scaling and scaling.fill is not None else None,
        "weights": "".join(f"\n    np.array({_numbers(W)})," for W in network.weights),
        "biases": "".join(f"\n    np.array({_numbers(b[:, 0])})," for b in network.biases),
        "outputs": network.sizes[-1],
        "crosses": "".join(f", {_code(cross.term)}" for cross in features.crosses),
        "dtype": str(network.parameters.dtype),
        "layers": "\n".join(layers),
    }
    return HEAD.format(**parts)


def _quiet(text: str) -> str:
    """A text as a docstring can have it, whoever wrote it."""
    return " ".join(text.split()).replace("\\", "/").replace('"', "'")


def _numbers(array: np.ndarray) -> str:
    """An array as Python's literals, which keep the last bit; what is not finite by its name."""
    return re.sub(r"\b(nan|inf)\b", r"np.\1", repr(array.astype(float).tolist()))


def _code(term: Any) -> str:
    """A cross as an expression over X (rows, features)."""
    return " * ".join(
        (f"np.{atom.function}({_code(atom.term)})" if atom.term else f"X[:, {atom.column - 1}]")
        + (f" ** {power}" if power > 1 else "")
        for atom, power in term.factors
    )
