# pyright: reportMissingImports=false
"""Does a comparison's winner win in PyTorch too? One winning config per arm, trained there from the same initial weights.

Each arm is tuned as in sandbox/comparison/protocol.py (spiral, 64 examples, the small grid's trials). The winner is then
trained by us and by PyTorch, from the same weights on the same data, with as many fresh seeds as are asked for; PyTorch's
mean test accuracy must lie within the 95 % interval of ours. It is autograd that differs, and Adam.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from sandbox.answers.statistics import mean
from sandbox.comparison.judge import Judge
from sandbox.comparison.protocol import SMALL
from sandbox.config import Config
from sandbox.job import work
from sandbox.result import prepare
from sandbox.train import build, train_many
from studies.bench.race import Row

COMPARISON = SMALL.replace(datasets=("spiral",), sizes=(64,))


def rows(repeats: int) -> Iterator[Row]:
    """A row for each arm: our mean test accuracy and PyTorch's, over `repeats` seeds (at least 5)."""
    comparison = COMPARISON.replace(repetitions=2, seeds=max(5, repeats))
    judge = Judge(comparison)
    rounds = judge.jobs()
    for _ in range(2):  # of tuning; then it asks for the final runs of the winners
        for ended, _ in work(next(rounds)):
            judge.tell(ended)
    next(rounds)
    for cell, winners in judge.winners.items():
        configs = comparison.final(winners[0])
        results = train_many(configs, curve_points=25)
        ours = np.array([result.test_accuracy for result in results], float)
        theirs = [train(config) for config in configs]
        value, low, high = mean(ours)
        yield Row(
            f"winner of {cell.arm}, {cell.dataset} {cell.n}",
            "PyTorch, same weights",
            value,
            float(np.mean(theirs)),
            "accuracy",
            note=f"ours {value:.4f} [{low:.4f}, {high:.4f}], PyTorch {np.mean(theirs):.4f}: "
            + ("within" if low - 1e-9 <= np.mean(theirs) <= high + 1e-9 else "OUTSIDE")
            + f"; largest difference of one seed {np.abs(ours - theirs).max():.4f}",
        )


def train(config: Config) -> float:
    """The test accuracy of this config (Adam, full batch, tanh, one sigmoid output) trained by PyTorch in float64."""
    problem, network = prepare(config), build(config)
    assert problem.test is not None
    layers: list[nn.Module] = []
    for W, b in zip(network.weights, network.biases, strict=True):
        layer = nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.copy()))
            layer.bias.copy_(torch.from_numpy(b[:, 0].copy()))
        layers += [layer, nn.Tanh()]
    model, loss = nn.Sequential(*layers[:-1]), nn.BCEWithLogitsLoss()
    weights = [parameter for name, parameter in model.named_parameters() if name.endswith("weight")]
    biases = [parameter for name, parameter in model.named_parameters() if name.endswith("bias")]
    groups = [{"params": weights, "weight_decay": config.l2}, {"params": biases}]
    optimizer = torch.optim.Adam(groups, lr=config.learning_rate)
    X, Y = torch.from_numpy(problem.inputs(problem.train.X)), torch.from_numpy(problem.train.Y)
    for _ in range(config.epochs):
        optimizer.zero_grad()
        loss(model(X), Y).backward()
        optimizer.step()
    with torch.no_grad():
        found = model(torch.from_numpy(problem.inputs(problem.test.X))).numpy() > 0
    return float((found == (problem.test.Y > 0.5)).mean())
