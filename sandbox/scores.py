"""Scores: what outputs are worth beyond the share that is right. Each network's for itself, from counts and squares.

Classes are scored by a confusion table, counts with a row for each true class and a column for each predicted one:
precision is the share of what was called a class that is of it, recall the share of a class that was called so, and F1 their
harmonic mean. Of two classes those of class 1 count; of several the macro average, the mean over those that occur, in truth
or in prediction. What has nothing to be a share of is 0. Values are scored by R2 and RMSE.
"""

import numpy as np

Scores = dict[str, np.ndarray]


def score(outputs: np.ndarray, Y: np.ndarray, task: str) -> tuple[Scores, np.ndarray | None]:
    """Every score (R,) of the task by its name, NaN where outputs are not finite; and the confusion tables of classes.

    Outputs are (R, examples, outputs); Y likewise, with or without the replicas' axis in front.
    """
    table = confusion(outputs, Y, task) if task != "regression" else None
    scores = of_values(outputs, Y) if table is None else of_classes(table, task)
    finite = np.isfinite(outputs).all((-2, -1))
    return {name: np.where(finite, values, np.nan) for name, values in scores.items()}, table


def confusion(outputs: np.ndarray, Y: np.ndarray, task: str) -> np.ndarray:
    """How often each true class was called what: counts (R, classes, classes).

    An output above 0.5 is class 1, or the largest of several is the class's.

    >>> confusion(np.array([[[0.2], [0.7], [0.9]]]), np.array([[0], [0], [1]]), "binary").tolist()
    [[[1, 1], [0, 1]]]
    """
    binary = task == "binary"
    true, called = ((one[..., 0] > 0.5) if binary else one.argmax(-1) for one in (Y, outputs))
    replicas, classes = len(outputs), 2 if binary else outputs.shape[-1]
    cells = classes * (classes * np.arange(replicas)[:, None] + true) + called
    return np.bincount(cells.ravel(), minlength=replicas * classes**2).reshape(replicas, classes, classes)


def of_classes(table: np.ndarray, task: str) -> Scores:
    """Precision, recall and F1 (R,) from confusion tables (R, classes, classes).

    >>> {name: score.tolist() for name, score in of_classes(np.array([[[1, 1], [0, 2]]]), "binary").items()}
    {'precision': [0.6666666666666666], 'recall': [1.0], 'f1': [0.8]}
    """
    right, called, true = table.diagonal(axis1=-2, axis2=-1), table.sum(-2), table.sum(-1)
    shares = {
        "precision": right / np.maximum(called, 1),
        "recall": right / np.maximum(true, 1),
        "f1": 2 * right / np.maximum(called + true, 1),
    }
    if task == "binary":
        return {name: share[..., 1] for name, share in shares.items()}
    there = (called + true > 0).sum(-1)
    return {name: share.sum(-1) / there for name, share in shares.items()}


def of_values(outputs: np.ndarray, Y: np.ndarray) -> Scores:
    """R2 and RMSE (R,) of values (R, examples, 1), Y with or without the replicas' axis in front.

    R2 is the share of the targets' variance that is explained: NaN of a single example, and where targets do not vary, 1
    of what is exact and else 0.
    """
    with np.errstate(all="ignore"):  # outputs may be as large as numbers get
        targets = Y[..., 0].astype(np.float64)
        squares = np.square(outputs[..., 0].astype(np.float64) - targets)
        total, around = squares.sum(-1), np.square(targets - targets.mean(-1, keepdims=True)).sum(-1)
        r2 = np.where(around > 0, 1 - total / around, total == 0)
        return {"r2": r2 if squares.shape[-1] > 1 else np.full_like(total, np.nan), "rmse": np.sqrt(squares.mean(-1))}
