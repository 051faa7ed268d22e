"""One network: ours against a textbook loop, PyTorch, scikit-learn and JAX; the trainer's own overhead, and its import."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from sandbox.nn.run import Run
from sandbox.nn.workspace import Settings
from studies.bench import jax_peer, sklearn_peer, textbook, torch_peer
from studies.bench.networks import Work, breast_cancer, wide, xor
from studies.bench.race import Race, Row


def ours(work: Work) -> np.ndarray:
    """Our trainer, the cost recorded at every epoch, no hooks."""
    settings = Settings(work.cost, work.learning_rate, work.epochs, work.batch_size)
    return Run(work.network(), work.X, work.Y, settings).advance().costs


def rows(repeats: int) -> Iterator[Row]:
    mine, numpy = (1000 * min(_importing(name) for _ in range(3 * repeats)) for name in ("sandbox", "numpy"))
    yield Row("import sandbox", "import numpy", mine, numpy, "ms", 2.0)
    yield from _gate(repeats)
    for name, work, peer_epochs, at_most in (
        ("breast_cancer 30-16-1, batch 32", breast_cancer(100), 10, 0.15),
        ("64-256-256-1 float32, batch 256", wide(10), 10, 1.05),
    ):
        agree(ours(work)[:1], torch_peer.train(_shorter(work, 1)), 1e-5)
        race = Race(repeats, {"ours": lambda work=work: ours(work)})
        race.contestants["torch"] = lambda work=work, epochs=peer_epochs: torch_peer.train(_shorter(work, epochs))
        seconds = race.run()
        yield Row(
            name,
            "PyTorch eager",
            1e6 * seconds["ours"] / work.epochs,
            1e6 * seconds["torch"] / peer_epochs,
            "us/epoch",
            at_most,
        )


def _importing(name: str) -> float:
    """Seconds of processor time that an import takes in a Python of its own."""
    text = f"import time; start = time.process_time()\nimport {name}\nprint(time.process_time() - start)"
    return float(subprocess.run([sys.executable, "-c", text], capture_output=True, check=True).stdout)


def _gate(repeats: int) -> Iterator[Row]:
    work, short = xor(5000), xor(500)
    function, arguments, compiling = jax_peer.compiled(work)
    reference = textbook.train(work)
    for costs in (ours(work), textbook.by_hand(work), jax_peer.run(function, arguments)):
        agree(costs, reference, 1e-9)
    agree(torch_peer.train(short), reference[:500], 1e-9)
    peers: dict[str, tuple[Any, int, float | None, str]] = {
        "textbook NumPy loop": (lambda: textbook.train(work), 5000, 0.65, ""),
        "PyTorch eager": (lambda: torch_peer.train(short), 500, 0.08, ""),
        "scikit-learn MLP": (lambda: sklearn_peer.train(short), 500, None, ""),
        "JAX jit(scan)": (
            lambda: jax_peer.run(function, arguments),
            5000,
            None,
            f"and {compiling:.2f} s to compile",
        ),
        "the same by hand": (lambda: textbook.by_hand(work), 5000, None, "overhead = ours - theirs"),
    }
    contestants = {"ours": lambda: ours(work), **{name: peer[0] for name, peer in peers.items()}}
    seconds = Race(repeats, contestants).run()
    mine = 1e6 * seconds["ours"] / 5000
    for name, (_, epochs, at_most, note) in peers.items():
        theirs = 1e6 * seconds[name] / epochs
        if name == "the same by hand":
            note = f"overhead {mine - theirs:.2f} us/epoch (at most 1)"
        yield Row("XOR 2-3-1, one network", name, mine, theirs, "us/epoch", at_most, note)


def _shorter(work: Work, epochs: int) -> Work:
    return Work(**{**vars(work), "epochs": epochs})


def agree(costs: np.ndarray, reference: np.ndarray, tolerance: float) -> None:
    """Nobody wins by computing something else. Raises AssertionError."""
    np.testing.assert_allclose(costs, reference, rtol=tolerance)
