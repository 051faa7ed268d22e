"""The README's picture: time per network against the size of the population, ours and the peers'."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from studies.bench import jax_peer, textbook, torch_peer
from studies.bench.networks import xor
from studies.bench.population import ours, population
from studies.bench.race import Race

PICTURE = Path(__file__).parent.parent / "pictures" / "populations.png"
SIZES = (1, 4, 16, 64, 256, 1024, 4096)
EPOCHS, SHORT = 500, 100
STYLES = {  # Okabe and Ito's colours, and markers for those who do not see them
    "PyTorch eager, one by one": ("#CC79A7", "v"),
    "textbook NumPy, one by one": ("#E69F00", "s"),
    "JAX jit(vmap(scan)), compiling not counted": ("#0072B2", "^"),
    "this sandbox, NumPy": ("#D55E00", "o"),
}


def draw(repeats: int, target: Path = PICTURE) -> Path:
    """Measure and draw; the file that was written."""
    series: dict[str, list[float]] = {name: [] for name in STYLES}
    work, short = xor(EPOCHS), xor(SHORT)
    for replicas in SIZES:
        network = population(work, replicas)
        function, arguments, _ = jax_peer.compiled(work, replicas)
        contestants = {
            "this sandbox, NumPy": lambda network=network: ours(work, network),
            "JAX jit(vmap(scan)), compiling not counted": lambda f=function, a=arguments: jax_peer.run(f, a),
            "textbook NumPy, one by one": lambda: textbook.train(short),
            "PyTorch eager, one by one": lambda: torch_peer.train(short),
        }
        for name, seconds in Race(repeats, contestants).run().items():
            each = seconds / SHORT if name.endswith("one by one") else seconds / EPOCHS / replicas
            series[name].append(1e6 * each)
    figure = Figure(figsize=(7.2, 3.9), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, (colour, marker) in STYLES.items():
        axes.loglog(SIZES, series[name], color=colour, marker=marker, label=name)
    axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.set(xlabel="networks trained together", ylabel="µs per network and epoch")
    axes.set_title("XOR 2-3-1, sigmoid, float64, one core", fontsize=10)
    axes.legend(fontsize=8, frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target)
    return target
