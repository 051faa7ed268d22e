"""The report of a comparison: one HTML page that opens anywhere, offline, and the same as PNG and CSV files."""

import base64
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.comparison import figures
from sandbox.comparison.cautions import Caution, cautions
from sandbox.comparison.driver import Outcome
from sandbox.comparison.findings import Findings, listed, show, show_difference
from sandbox.comparison.protocol import (
    EXPERIMENT,
    LEAST_VALIDATION,
    NOISE,
    TUNING_SEEDS,
    Cell,
    Comparison,
    nuisance_words,
)
from sandbox.comparison.sheet import contact_sheets, shown_epochs, shown_results
from sandbox.comparison.statistics import ALIKE, LEVEL, RESAMPLES
from sandbox.data import DATASETS
from sandbox.data.tables import Table
from sandbox.record import git_commit
from sandbox.result import SETTLED, SOLVED, Result

TEMPLATE = "report.html.j2"
LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "optuna", "mlflow")


class Shown(NamedTuple):
    """A picture as the page has it: PNG as a data URI, its size in CSS pixels, and what it shows in words."""

    name: str
    source: str
    alt: str


@dataclass(frozen=True)
class Facts:
    """What the page says of the run itself."""

    command: str
    date: str
    tracking_uri: str
    seconds: float


def report_files(outcome: Outcome, facts: Facts) -> tuple[Findings, dict[str, bytes]]:
    """The findings of an outcome, and path -> content of everything that is published."""
    findings = Findings(outcome.comparison, outcome.runs, outcome.winners)
    shown = shown_results(outcome.comparison, outcome.winners)
    files: dict[str, bytes] = {}
    sections = []
    for dataset in outcome.comparison.datasets:
        drawn = {
            "accuracy": figures.png(figures.learning_curves(findings, dataset)),
            "cost": figures.png(figures.pareto(findings, dataset)),
            "isolation": figures.png(figures.isolation(findings, dataset)),
        }
        files |= {f"figures/{dataset}_{kind}.png": content for kind, content in drawn.items()}
        sheets = contact_sheets(_of(shown, dataset))
        files |= {f"figures/{dataset}_boundaries_epoch_{epoch}.png": content for epoch, content in sheets.items()}
        sections.append(_section(findings, dataset, drawn, sheets))
    frames = {
        "averages": findings.averages_frame(),
        "pairs": findings.pairs_frame(),
        "runs": findings.runs_frame(),
    }
    files |= {f"csv/{name}.csv": frame.to_csv(index=False).encode() for name, frame in frames.items()}
    files["report.html"] = _page(findings, outcome, facts, sections).encode()
    return findings, files


def _of(shown: Mapping[Cell, Result], dataset: str) -> dict[Cell, Result]:
    """Those of a data set, in the order of the arms and sizes."""
    return {cell: shown[cell] for cell in shown if cell.dataset == dataset}


def _section(
    findings: Findings, dataset: str, drawn: Mapping[str, bytes], sheets: Mapping[int, bytes]
) -> dict[str, Any]:
    """What the page shows of a data set."""
    comparison = findings.comparison
    words = {
        "accuracy": _curves_in_words(findings, dataset),
        "cost": _pareto_in_words(findings, dataset),
        "isolation": f"{dataset}: validation accuracy of every trial of every arm, the best marked; "
        + _best_trials_in_words(findings, dataset),
    }
    return {
        "name": dataset,
        "summary": DATASETS[dataset].summary,
        "sizes": comparison.sizes_of(dataset),
        "pictures": {kind: Shown(kind, _uri(content), words[kind]) for kind, content in drawn.items()},
        "frames": [
            (epoch, Shown(f"epoch {epoch}", _uri(content), _sheet_in_words(comparison, dataset, epoch)))
            for epoch, content in sheets.items()
        ],
        "rows": [_row(findings, dataset, arm.name) for arm in comparison.arms],
        "sentences": [findings.sentence(family) for family in findings.families if family[0] == dataset],
        "duels": [(duel, findings.duel_sentence(duel)) for duel in findings.duels if duel.dataset == dataset],
    }


def _row(findings: Findings, dataset: str, arm: str) -> dict[str, Any]:
    """An arm's row in the table of a data set: a cell for each size, with how it stands to the best."""
    row: dict[str, Any] = {"arm": arm, "cells": []}
    for n in findings.comparison.sizes_of(dataset):
        average = findings.averages[Cell(arm, dataset, n)]
        best, alike, _ = findings.leaders((dataset, n))
        standing = "best" if arm == best else "alike" if arm in alike else ""
        row["cells"].append({"average": average, "standing": standing, "iqm": show(average.interquartile_mean)})
    return row


def _curves_in_words(findings: Findings, dataset: str) -> str:
    parts = []
    for arm in findings.comparison.arms:
        sizes = findings.comparison.sizes_of(dataset)
        means = [f"{findings.averages[Cell(arm.name, dataset, n)].mean.value:.3f} at {n}" for n in sizes]
        parts.append(f"{arm.name} {', '.join(means)}")
    return f"{dataset}: mean test accuracy against the number of training examples. {'; '.join(parts)}."


def _pareto_in_words(findings: Findings, dataset: str) -> str:
    n = figures.middle_size(findings.comparison, dataset)
    averages = [findings.averages[Cell(arm.name, dataset, n)] for arm in findings.comparison.arms]
    front = figures.pareto_front(figures.np.array([[a.parameters, a.mean.value] for a in averages]))
    words = [f"{averages[place].cell.arm} ({averages[place].parameters} parameters)" for place in front]
    return f"{dataset}, {n} examples: accuracy against parameters and training time. On the front: {listed(words)}."


def _best_trials_in_words(findings: Findings, dataset: str) -> str:
    n = findings.comparison.sizes_of(dataset)[-1]
    arms = [arm.name for arm in findings.comparison.arms]
    best = [f"{arm} {findings.averages[Cell(arm, dataset, n)].validation:.3f}" for arm in arms]
    return f"the best at {n} examples: {', '.join(best)}."


def _sheet_in_words(comparison: Comparison, dataset: str, epoch: int) -> str:
    arms = listed([arm.name for arm in comparison.arms])
    return f"{dataset} after {epoch} epochs: the decision boundaries of {arms}, a row each, by training examples."


def _page(findings: Findings, outcome: Outcome, facts: Facts, sections: list[dict[str, Any]]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    comparison = outcome.comparison
    doubts = sorted(cautions(findings), key=lambda caution: caution.kind)
    return environment.get_template(TEMPLATE).render(
        comparison=comparison,
        findings=findings,
        outcome=outcome,
        facts=facts,
        sections=sections,
        arms=[(arm.name, arm.describe(), arm.describe(4)) for arm in comparison.arms],
        tables=[name for name in comparison.datasets if isinstance(DATASETS[name], Table)],
        nuisances=nuisance_words(comparison.space),
        doubts=[(kind, list(found)) for kind, found in groupby(doubts, key=lambda caution: caution.kind)],
        pairs=findings.pairs_frame().to_dict("records"),
        clear=sum(pair.verdict != ALIKE for pairs in findings.pairs.values() for pair in pairs),
        total_pairs=sum(map(len, findings.pairs.values())),
        converged=_converged(findings),
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        commit=git_commit().get("git_commit", "unknown"),
        experiment=EXPERIMENT,
        epochs_shown=shown_epochs(comparison.epochs),
        constants={
            "noise": NOISE,
            "tuning_seeds": TUNING_SEEDS + comparison.first_seed,
            "least_validation": LEAST_VALIDATION,
            "settled": SETTLED,
            "solved": SOLVED,
            "resamples": RESAMPLES,
            "level": LEVEL,
        },
        show=show,
        show_difference=show_difference,
        listed=listed,
    )


def _converged(findings: Findings) -> tuple[int, int]:
    """How many of the final runs had converged, and how many there are."""
    finals = [run for run in findings.runs if run.role == "final"]
    return sum(run.converged for run in finals), len(finals)


def _uri(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def caution_counts(findings: Findings) -> dict[str, int]:
    """How many cells each kind of doubt concerns."""
    found: list[Caution] = cautions(findings)
    return {kind: sum(one.kind == kind for one in found) for kind in dict.fromkeys(one.kind for one in found)}
