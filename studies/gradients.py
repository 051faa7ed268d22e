"""Three ways to the same gradient: backpropagation, the same in loops over numbers, and finite differences.

    .venv/bin/python -m studies.gradients

For networks and data that grow, it shows how far the loop and the differences are from backpropagation in matrices, and
what each costs. Differences (C(w + h) - C(w - h)) / 2h take two passes forward for every parameter, so that their cost over
that of backpropagation grows with the number of parameters: that is why networks are trained by backpropagation (Rumelhart,
Hinton, Williams 1986), and why differences are what it is checked with.
"""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import click
import numpy as np

from sandbox import Network
from sandbox.nn import gradients
from sandbox.nn.textbook import ACTIVATIONS, COSTS, backward, forward
from sandbox.table import render

CASES = (
    ((2, 3, 1), 4),
    ((2, 3, 1), 100),
    ((2, 3, 1), 1000),
    ((2, 8, 8, 1), 100),
    ((10, 20, 1), 100),
    ((10, 40, 20, 1), 100),
)
STEP = 1e-5
COST = "squared_error"
LEAST = 0.05  # seconds that a way is timed for, at least once
Gradient = np.ndarray  # (P,), in the order of Network.parameters


class Row(NamedTuple):
    """A network of these `sizes` on so many examples: relative errors against backpropagation, and seconds a gradient."""

    sizes: tuple[int, ...]
    examples: int
    parameters: int
    loop_error: float
    difference_error: float
    backpropagation: float
    loop: float
    differences: float


def by_matrices(network: Network, X: np.ndarray, Y: np.ndarray) -> Gradient:
    """Backpropagation as the textbook has it."""
    value = COSTS[COST][1]
    Zs, As = forward(network.weights, network.biases, network.activations, X.T)
    dWs, dbs = backward(network.weights, network.activations, Zs, As, value(As[-1], Y.T, len(X)))
    return Network.from_parameters(dWs, dbs, network.activations).parameters


def by_loops(network: Network, X: np.ndarray, Y: np.ndarray) -> Gradient:
    """The same, example by example and number by number, as it is derived by hand."""
    Ws, bs = [W.tolist() for W in network.weights], [b[:, 0].tolist() for b in network.biases]
    dWs, dbs = [[[0.0] * len(row) for row in W] for W in Ws], [[0.0] * len(b) for b in bs]
    slopes = [ACTIVATIONS[name] for name in network.activations]
    for x, y in zip(X.tolist(), Y.tolist(), strict=True):
        sums, outputs = [], [x]
        for W, b, (activation, _) in zip(Ws, bs, slopes, strict=True):
            sums.append(
                [
                    sum((w * a for w, a in zip(row, outputs[-1], strict=True)), one)
                    for row, one in zip(W, b, strict=True)
                ]
            )
            outputs.append([float(activation(z)) for z in sums[-1]])
        upstream = [(a - target) / len(X) for a, target in zip(outputs[-1], y, strict=True)]
        for layer in reversed(range(len(Ws))):
            slope = slopes[layer][1]
            local = [
                up * float(slope(z, a)) for up, z, a in zip(upstream, sums[layer], outputs[layer + 1], strict=True)
            ]
            for unit, dz in enumerate(local):
                dbs[layer][unit] += dz
                for below, a in enumerate(outputs[layer]):
                    dWs[layer][unit][below] += dz * a
            upstream = [
                sum(Ws[layer][unit][below] * dz for unit, dz in enumerate(local))
                for below in range(len(outputs[layer]))
            ]
    return Network.from_parameters([np.array(W) for W in dWs], dbs, network.activations).parameters


def by_differences(network: Network, X: np.ndarray, Y: np.ndarray) -> Gradient:
    """Central differences of the cost, parameter by parameter."""
    value, moved = COSTS[COST][0], network.copy()

    def cost() -> float:
        return float(value(forward(moved.weights, moved.biases, moved.activations, X.T)[1][-1], Y.T, len(X)))

    found = np.empty_like(network.parameters)
    for place, at in enumerate(network.parameters):
        moved.parameters[place] = at + STEP
        above = cost()
        moved.parameters[place] = at - STEP
        found[place] = (above - cost()) / (2 * STEP)
        moved.parameters[place] = at
    return found


def rows() -> Iterator[Row]:
    """Each case measured. Raises AssertionError where the trainer's own gradient is another one."""
    for sizes, examples in CASES:
        rng = np.random.default_rng(0)
        names = ["tanh"] * (len(sizes) - 2) + ["sigmoid"]
        network = Network.initialize(sizes, names, "xavier", rng)
        X, Y = rng.normal(size=(examples, sizes[0])), (rng.random((examples, sizes[-1])) < 0.5) * 1.0
        (exact, seconds), (loop, by_loop), (differences, by_difference) = (
            _timed(lambda way=way, given=(network, X, Y): way(*given))
            for way in (by_matrices, by_loops, by_differences)
        )
        trainer = gradients(network, X, Y, COST)[1].parameters
        assert np.allclose(trainer, exact, rtol=1e-10, atol=1e-15)
        errors = (error_of(loop, exact), error_of(differences, exact))
        yield Row(sizes, examples, network.parameters.size, *errors, seconds, by_loop, by_difference)


def error_of(found: Gradient, exact: Gradient) -> float:
    """The largest error, relative to the largest derivative."""
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def _timed(way: Callable[[], Gradient]) -> tuple[Gradient, float]:
    """What a way gives, and the least of the seconds that it took."""
    begun, least, found = time.perf_counter(), np.inf, np.empty(0)
    while not found.size or time.perf_counter() - begun < LEAST:
        started = time.perf_counter()
        found = way()
        least = min(least, time.perf_counter() - started)
    return found, least


@click.command(help=__doc__)
def main() -> None:
    measured = list(rows())
    click.echo(
        render(
            {
                "layers": ["-".join(map(str, row.sizes)) for row in measured],
                "examples": [row.examples for row in measured],
                "parameters": [row.parameters for row in measured],
                "loop off by": [f"{row.loop_error:.0e}" for row in measured],
                "differences off by": [f"{row.difference_error:.0e}" for row in measured],
                "backpropagation": [_time(row.backpropagation) for row in measured],
                "loop": [f"{row.loop / row.backpropagation:,.0f} times" for row in measured],
                "differences": [f"{row.differences / row.backpropagation:,.0f} times" for row in measured],
            }
        )
    )
    last = measured[-1]
    differences, loop = last.differences / last.backpropagation, last.loop / last.backpropagation
    click.echo(
        f"\nAll three agree. With {last.parameters:,} parameters differences take {differences:,.0f} times as long as "
        "backpropagation, and the factor grows with the parameters; "
        f"the loop takes {loop:,.0f} times as long, and the factor grows with the examples."
    )
    click.echo("next: .venv/bin/sandbox explain or --weights 0.1,0.6 --bias 0 --example 0")


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs"


if __name__ == "__main__":
    main()
