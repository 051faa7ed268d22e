"""Populations: ours against JAX's `jit(vmap(scan))` and a loop of PyTorch's networks."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from sandbox import Config, fit, train, train_many
from sandbox.nn.network import Network
from sandbox.nn.population import Shape, parts
from sandbox.nn.run import Run
from sandbox.nn.workspace import Settings
from sandbox.train import build, spread
from studies.bench import jax_peer, torch_peer
from studies.bench.networks import GATE, XOR, Work, clouds, xor
from studies.bench.race import Race, Row
from studies.bench.single import agree

SIZES = (256, 1024, 4096)


def ours(work: Work, population: Network) -> np.ndarray:
    """Our trainer on one thread, in the parts that `train_many` makes, the cost recorded at every epoch."""
    sizes, dtype = population.sizes, population.parameters.dtype
    shape = Shape(sizes, population.activations, len(work.X), dtype.itemsize, work.batch_size)
    settings = Settings(work.cost, work.learning_rate, work.epochs)
    return np.concatenate(
        [
            Run(population[part], work.X, work.Y, settings).advance().costs
            for part in parts([shape] * len(population.parameters))
        ]
    )


def population(work: Work, replicas: int) -> Network:
    networks = [work.network(seed) for seed in range(replicas)]
    return Network(work.sizes, work.activations, np.stack([network.parameters for network in networks]))


def rows(repeats: int) -> Iterator[Row]:
    for name, make, epochs, small, against_jax, against_torch in (
        ("XOR 2-3-1 float64", lambda epochs: xor(epochs), 1000, 100, 0.9, 0.001),
        ("XOR 2-3-1 float32", lambda epochs: xor(epochs, "float32"), 1000, 100, 0.9, None),
        ("2-8-8-1, 256 examples, float32", lambda epochs: clouds(epochs, "float32"), 60, 100, 1.0, 0.07),
        ("2-8-8-1, 256 examples, float64", lambda epochs: clouds(epochs, "float64"), 60, 100, 1.1, None),
    ):
        best: dict[str, tuple[float, int]] = {}
        one = make(small)
        for replicas in SIZES:
            seconds = _race(make(epochs), replicas, repeats, one)
            for who, time_taken in seconds.items():
                each = 1e9 * time_taken / (small if who == "torch" else replicas * epochs)
                best[who] = min(best.get(who, (np.inf, 0)), (each, replicas))
        note = f"best population: ours {best['ours'][1]}, JAX {best['jax'][1]}"
        yield Row(name, "JAX jit(vmap(scan))", best["ours"][0], best["jax"][0], "ns/epoch", against_jax, note)
        yield Row(name, "PyTorch eager loop", best["ours"][0], best["torch"][0], "ns/epoch", against_torch)


def _race(work: Work, replicas: int, repeats: int, one: Work) -> dict[str, float]:
    network = population(work, replicas)
    function, arguments, _ = jax_peer.compiled(work, replicas)
    agree(
        ours(work, network)[:, :5], jax_peer.run(function, arguments)[:, :5], 1e-4 if work.dtype == "float32" else 1e-9
    )
    return Race(
        repeats,
        {
            "ours": lambda: ours(work, network),
            "jax": lambda: jax_peer.run(function, arguments),
            "torch": lambda: torch_peer.train(one),
        },
    ).run()


def small(repeats: int) -> Iterator[Row]:
    """Populations of a sweep's size: their calls are what they cost, and JAX's loop has none. It is ahead."""
    work = xor(1000)
    for replicas in (1, 16, 64, 256):
        network = population(work, replicas)
        function, arguments, _ = jax_peer.compiled(work, replicas)
        agree(ours(work, network), jax_peer.run(function, arguments), 1e-9)
        contestants = {
            "ours": lambda n=network: ours(work, n),
            "jax": lambda f=function, a=arguments: jax_peer.run(f, a),
        }
        seconds = Race(repeats, contestants).run()
        each = {who: 1e6 * taken / replicas / work.epochs for who, taken in seconds.items()}
        name = f"XOR 2-3-1 float64, population of {replicas}"
        yield Row(name, "JAX jit(vmap(scan))", each["ours"], each["jax"], "us/epoch", note="each network")
    yield from _sweep(repeats)
    config = Config(crosses=())
    network, epochs = build(config), spread(config.epochs, 199)
    contestants = {
        "train": lambda: train(config, curve_points=199),
        "fit": lambda: fit(network, GATE, XOR, epochs=config.epochs, cost_epochs=epochs),
    }
    each = {who: 1e6 * taken / config.epochs for who, taken in Race(repeats, contestants).run().items()}
    yield Row("XOR 2-3-1, train one config", "fit the same network", each["train"], each["fit"], "us/epoch", 3.0)


def _sweep(repeats: int) -> Iterator[Row]:
    """What a user waits for who asks 60 questions of 5 shapes: JAX compiles each shape first."""
    rng = np.random.default_rng(0)
    hidden = ((2,), (3,), (4,), (8,), (3, 3))
    configs = [
        Config(crosses=(), hidden=hidden[number % 5], learning_rate=float(10 ** rng.uniform(-2, 1)), seed=number)
        for number in range(60)
    ]
    contestants = {
        "ours": lambda: train_many(configs, curve_points=199),
        "jax": lambda: [_jax_group(configs[start::5]) for start in range(5)],
    }
    seconds = Race(min(repeats, 3), contestants).run()
    name = "time to result of a sweep of 60 configs in 5 shapes, compiling included"
    yield Row(name, "JAX, 5 compilations", seconds["ours"], seconds["jax"], "s", 0.35, "5,000 epochs")


def scaling(repeats: int) -> Iterator[Row]:
    """The cost per replica of ten thousand against that of a thousand."""
    work = xor(500)
    many, few = population(work, 10_000), population(work, 1_000)
    seconds = Race(repeats, {"many": lambda: ours(work, many), "few": lambda: ours(work, few)}).run()
    each = {name: 1e9 * seconds[name] / count / 500 for name, count in (("many", 10_000), ("few", 1_000))}
    yield Row("XOR 2-3-1, 10,000 replicas", "ours, 1,000 replicas", each["many"], each["few"], "ns/epoch", 1.2)


def mixed_configs(count: int = 1000) -> list[Config]:
    """20 architectures of 1 or 2 hidden layers of 2 to 8 units, 3 initializers, log-uniform rates, on the XOR gate."""
    rng = np.random.default_rng(0)
    hidden = [(n,) for n in range(2, 9)] + [(a, b) for a in (2, 4, 6, 8) for b in (2, 4, 8)] + [(3, 3)]
    assert len(hidden) == 20
    return [
        Config(
            hidden=hidden[number % 20],
            initializer=("plain", "xavier", "he")[number % 3],
            learning_rate=float(10 ** rng.uniform(-2, 1)),
            seed=number,
        )
        for number in range(count)
    ]


def mixed() -> Iterator[Row]:
    """1,000 configs of 20 architectures, 5,000 epochs: wall time, once each (it is long enough)."""
    configs = mixed_configs()
    train_many(configs[:40], curve_points=199, workers=1)
    together, many = _wall(lambda: train_many(configs, curve_points=199, workers=1))
    alone, singles = _wall(lambda: [train(config, curve_points=199) for config in configs[::10]])
    agree(np.array([many[10 * n].costs[:3] for n in range(100)]), np.array([one.costs[:3] for one in singles]), 1e-9)
    note = "train: every tenth config, times ten"
    yield Row("1,000 mixed configs, 5,000 epochs", "train, one by one", together, 10 * alone, "s", 0.05, note)
    compiling, _ = _wall(lambda: [_jax_group(configs[start::20]) for start in range(20)])
    yield Row("1,000 mixed configs, 5,000 epochs", "JAX, 20 compilations", together, compiling, "s", 0.25)


def _jax_group(configs: list[Config]) -> np.ndarray:
    """One architecture's configs in JAX, compiling included; initial weights differ, which costs the same."""
    function, arguments, _ = jax_peer.compiled(xor(5000, hidden=configs[0].hidden), len(configs))
    return jax_peer.run(function, arguments)


def _wall(function: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    result = function()
    return time.perf_counter() - started, result
