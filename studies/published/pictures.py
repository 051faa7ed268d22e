"""The pictures that the texts show: cost curves, boundaries, and the paths of a weight."""

from collections.abc import Mapping

import numpy as np

from sandbox.nn import Run
from sandbox.plots import boundary_png, cost_png, curves_png
from sandbox.plots.page import number
from studies.published.book import LINES
from studies.published.claims import Case
from studies.published.gates import HE, PLAIN, XAVIER


def pictures(runs: Mapping[Case, Run]) -> dict[str, bytes]:
    """Artifact path -> PNG: cost curve and boundary of every case with a folder, and those of several cases."""
    images = {}
    for case, run in runs.items():
        if case.folder:
            images[f"{case.folder}/cost.png"] = cost_png(*cost_curve(run), title=case.title)
            images[f"{case.folder}/boundary.png"] = boundary_png(
                lambda X, case=case, run=run: run.network.predict(case.inputs(X)),
                case.data,
                title=boundary_title(case, run),
            )
    starts = {"plain: stuck": PLAIN, "xavier": XAVIER, "he": HE}
    images["xor_2-3-1_initializers.png"] = curves_png(
        {name: cost_curve(runs[case]) for name, case in starts.items()},
        title="XOR, 2-3-1: three initializers",
        y_label="cost",
    )
    paths = [weight_path(runs[case]) for case in LINES]
    names = [f"learning rate {case.learning_rate:g}" for case in LINES]
    names[-1] += ": explodes"
    images["line_weight_paths.png"] = curves_png(
        {name: (epochs[:61], weights[:61]) for name, (epochs, weights) in zip(names, paths, strict=True)},
        title="y = 3x: the weight's way to 3",
        y_label="w",
        y_limits=(-0.5, 7),
    )
    images["line_explodes.png"] = curves_png(
        {names[-1]: (paths[-1][0][:11], paths[-1][1][:11])},
        title="y = 3x, learning rate 1",
        y_label="w",
        y_linear=10,
    )
    return images


def cost_curve(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and costs, the last one included."""
    return np.append(run.cost_epochs, run.epoch), np.append(run.costs, run.cost)


def weight_path(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and the first weight of the network."""
    epochs, weights = zip(*run.curves["w"], strict=True)
    return np.array(epochs), np.array(weights)


def boundary_title(case: Case, run: Run) -> str:
    """The boundary's equation where one neuron decides: w1 x1 + w2 x2 + b = 0."""
    if len(run.network.weights) > 1:
        return case.title
    names = [*case.data.feature_names, *(cross.name for cross in case.crosses)]
    terms = [f"{number(w)} {name}" for w, name in zip(run.network.weights[0][0], names, strict=True)]
    text = " + ".join([*terms, number(run.network.biases[0].item())])
    return text.replace("+ \N{MINUS SIGN}", "\N{MINUS SIGN} ") + " = 0"
