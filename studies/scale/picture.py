"""The figure of scale.md: runs a second, and efficiency, by the number of workers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sandbox.plots.colours import CLASS_COLOURS
from studies.scale.scenarios import WORKERS, Scenario, scenarios

PICTURE = Path(__file__).parent.parent / "pictures" / "scale.png"
MARKERS = "osD^v"  # for those who do not see colours
TRAINING = {"0.05 s": 0.05, "0.5 s": 0.5, "5 s": 5.0, "50 s": 50.0}  # longer than now, for a run


def draw(measured: Mapping[str, Any], target: Path = PICTURE) -> Path:
    """Simulate and draw; the file that was written."""
    figure = Figure(figsize=(8, 4.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    found = scenarios(measured)
    for place, (name, one) in enumerate(found.items()):
        _line(left, place, name, [one.with_workers(workers).rate for workers in WORKERS])
    first = next(iter(found.values()))
    left.plot(
        WORKERS, [first.alone * workers for workers in WORKERS], "--", color="#555555", label="if workers were all"
    )
    left.set(yscale="log", ylabel="runs logged a second", title="runs as measured")
    for place, (name, seconds) in enumerate(TRAINING.items()):
        longer = Scenario(first.services.longer(seconds), first.house)
        _line(right, place, f"+ {name} of training", [efficiency(longer, workers) for workers in WORKERS])
    right.axhline(0.9, ls="--", color="#555555", label="0.9")
    right.set(
        ylim=(0, 1.05), ylabel="efficiency, of workers that never wait", title=f"{next(iter(found))}, longer training"
    )
    for axes in (left, right):
        axes.set(xscale="log", xlabel="workers, one thread each")
        axes.set_xticks(WORKERS, [str(workers) for workers in WORKERS])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, frameon=False, loc="best")
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target)
    return target


def efficiency(one: Scenario, workers: int) -> float:
    """Which part of so many workers that never wait a sweep gets; batches are as large as in a long one."""
    return one.with_workers(workers).rate / workers / one.alone


def _line(axes: Axes, place: int, name: str, values: list[float]) -> None:
    axes.plot(WORKERS, values, color=CLASS_COLOURS[place], marker=MARKERS[place], markersize=4.5, label=name)
