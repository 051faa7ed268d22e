"""scikit-learn's MLPRegressor, stochastic solver without momentum: its squared error is ours."""

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from studies.bench.networks import Work


def train(work: Work) -> np.ndarray:
    """The costs at every epoch, on the whole data as one batch (its output is linear: one sigmoid less to compute)."""
    options: dict[str, Any] = {"batch_size": len(work.X)}  # its type hint knows "auto" alone
    model = MLPRegressor(
        **options,
        hidden_layer_sizes=work.sizes[1:-1],
        activation="logistic",
        solver="sgd",
        alpha=0,
        momentum=0,
        nesterovs_momentum=False,
        shuffle=False,
        learning_rate_init=0.1,
        max_iter=work.epochs,
        n_iter_no_change=work.epochs,
        tol=0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(work.X, work.Y[:, 0])
    return np.array(model.loss_curve_)
