# pyright: reportMissingImports=false
"""JAX: the whole training compiled, `jit(scan)` for one network and `jit(vmap(scan))` for a population."""

import os
import time
from typing import Any

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 inter_op_parallelism_threads=1"
)

import jax
import jax.numpy as jnp
import numpy as np

from studies.bench.networks import SQUARED, Work

jax.config.update("jax_enable_x64", True)
ACTIVATIONS = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}


def compiled(work: Work, replicas: int | None = None) -> tuple[Any, tuple, float]:
    """The compiled training, its arguments, and the seconds that compiling took."""
    X, Y = jnp.asarray(work.X.T, work.dtype), jnp.asarray(work.Y.T, work.dtype)

    def cost(parameters, X, Y):
        A = X
        for W, b in parameters[:-1]:
            A = ACTIVATIONS[work.activation](W @ A + b)
        W, b = parameters[-1]
        Z = W @ A + b
        if work.cost == SQUARED:
            return jnp.sum((Y - jax.nn.sigmoid(Z)) ** 2) / (2 * X.shape[1])
        return jnp.sum(jnp.maximum(Z, 0) - Z * Y + jnp.log1p(jnp.exp(-jnp.abs(Z)))) / X.shape[1]

    def train(parameters, rate, X, Y):
        def update(parameters, _):
            value, gradients = jax.value_and_grad(cost)(parameters, X, Y)
            return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), value

        return jax.lax.scan(update, parameters, None, length=work.epochs)

    if replicas is None:
        parameters = [(jnp.asarray(W), jnp.asarray(b)) for W, b in work.weights(0)]
        rate = jnp.asarray(work.learning_rate, work.dtype)
    else:
        train = jax.vmap(train, in_axes=(0, 0, None, None))
        every = [work.weights(seed) for seed in range(replicas)]
        parameters = [
            tuple(jnp.asarray(np.stack([one[layer][part] for one in every])) for part in range(2))
            for layer in range(len(work.sizes) - 1)
        ]
        rate = jnp.full(replicas, work.learning_rate, work.dtype)
    started = time.perf_counter()
    function = jax.jit(train).lower(parameters, rate, X, Y).compile()
    return function, (parameters, rate, X, Y), time.perf_counter() - started


def run(function: Any, arguments: tuple) -> np.ndarray:
    """The costs (epochs,) or (replicas, epochs)."""
    return np.asarray(jax.block_until_ready(function(*arguments))[1])
