# pyright: reportMissingImports=false
"""PyTorch, eager, as its tutorials write it: nn.Sequential, an optimizer, one step after another."""

import numpy as np
import torch
from torch import nn

from studies.bench.networks import SQUARED, Work

torch.set_num_threads(1)
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def train(work: Work, seed: int = 0) -> np.ndarray:
    """The costs: of the whole data at the start of every epoch, before its updates."""
    dtype = getattr(torch, work.dtype)
    logits = work.cost != SQUARED
    parts: list[nn.Module] = []
    for number, (W, b) in enumerate(work.weights(seed)):
        linear = nn.Linear(W.shape[1], W.shape[0], dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W))
            linear.bias.copy_(torch.from_numpy(b[:, 0]))
        parts.append(linear)
        if number < len(work.sizes) - 2:
            parts.append(ACTIVATIONS[work.activation]())
        elif not logits:
            parts.append(nn.Sigmoid())
    model = nn.Sequential(*parts)
    X, Y = torch.from_numpy(work.X).to(dtype), torch.from_numpy(work.Y).to(dtype)
    loss = nn.BCEWithLogitsLoss() if logits else nn.MSELoss()
    half = 1.0 if logits else 0.5
    optimizer = torch.optim.SGD(model.parameters(), lr=work.learning_rate)
    generator = torch.Generator().manual_seed(seed)
    costs = []
    for _ in range(work.epochs):
        if work.batch_size is None:
            batches = [(X, Y)]
        else:
            with torch.no_grad():
                costs.append(half * loss(model(X), Y).item())
            order = torch.randperm(len(X), generator=generator)
            X_shuffled, Y_shuffled = X[order], Y[order]
            batches = zip(X_shuffled.split(work.batch_size), Y_shuffled.split(work.batch_size), strict=True)
        for x, y in batches:
            optimizer.zero_grad()
            cost = half * loss(model(x), y)
            cost.backward()
            optimizer.step()
            if work.batch_size is None:
                costs.append(cost.item())
    return np.array(costs)
