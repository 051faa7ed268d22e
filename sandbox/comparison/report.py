"""The report of a comparison: one HTML page that opens anywhere, offline, and the same as PNG and CSV files."""

import base64
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.answers.statistics import EQUIVALENT, LARGER, OPEN, SMALLER, level_of
from sandbox.comparison import figures
from sandbox.comparison.cautions import Caution, cautions
from sandbox.comparison.driver import Outcome
from sandbox.comparison.findings import NEAR_CHANCE, Findings, listed, show, show_difference
from sandbox.comparison.protocol import (
    EXPERIMENT,
    LEAST_VALIDATION,
    NOISE,
    TUNING_SEEDS,
    Cell,
    nuisance_words,
)
from sandbox.comparison.run import FINAL
from sandbox.comparison.sheet import contact_sheets, shown_epochs, shown_results
from sandbox.data.datasets import entry_of
from sandbox.data.tables import Table
from sandbox.provenance import COMMIT, DIRTY, origin
from sandbox.result import SETTLED, SOLVED

TEMPLATE = "report.html.j2"
LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas", "matplotlib", "optuna", "mlflow")


@dataclass(frozen=True)
class Facts:
    """What the page says of the run itself."""

    command: str
    date: str
    tracking_uri: str
    seconds: float


def report_files(outcome: Outcome, facts: Facts) -> tuple[Findings, dict[str, bytes]]:
    """The findings of an outcome, and path -> content of everything that is published."""
    findings = outcome.findings
    shown = shown_results(outcome.comparison, outcome.winners)
    files: dict[str, bytes] = {}
    sections = []
    for dataset in outcome.comparison.datasets:
        drawn = {
            "accuracy": figures.png(figures.learning_curves(findings, dataset)),
            "cost": figures.png(figures.pareto(findings, dataset)),
            "isolation": figures.png(figures.isolation(findings, dataset)),
            "budget": figures.png(figures.budget(findings, dataset)),
        }
        files |= {f"figures/{dataset}_{kind}.png": content for kind, content in drawn.items()}
        sheets = contact_sheets({cell: result for cell, result in shown.items() if cell.dataset == dataset})
        files |= {f"figures/{dataset}_boundaries_epoch_{epoch}.png": content for epoch, content in sheets.items()}
        sections.append(_section(findings, dataset, drawn, sheets))
    if findings.duels:
        files["figures/answer.png"] = figures.png(figures.answer(findings))
    frames = {name: getattr(findings, f"{name}_frame")() for name in ("averages", "pairs", "duels", "runs")}
    files |= {f"csv/{name}.csv": frame.to_csv(index=False).encode() for name, frame in frames.items()}
    picture = _uri(files["figures/answer.png"]) if findings.duels else ""
    files["report.html"] = _page(findings, outcome, facts, sections, picture).encode()
    return findings, files


def _section(
    findings: Findings, dataset: str, drawn: Mapping[str, bytes], sheets: Mapping[int, bytes]
) -> dict[str, Any]:
    """What the page shows of a data set; what it says of it is the template's."""
    comparison = findings.comparison
    middle = comparison.middle_size(dataset)
    averages = [findings.averages[Cell(arm.name, dataset, middle)] for arm in comparison.arms]
    front = figures.pareto_front(np.array([[average.parameters, average.mean.value] for average in averages]))
    return {
        "name": dataset,
        "summary": entry_of(dataset).summary,
        "sizes": comparison.sizes_of(dataset),
        "middle": middle,
        "front": [averages[place] for place in front],
        "pictures": {kind: _uri(content) for kind, content in drawn.items()},
        "frames": [(epoch, _uri(content)) for epoch, content in sheets.items()],
        "standings": {n: findings.standing((dataset, n)) for n in comparison.sizes_of(dataset)},
        "sentences": [findings.sentence(family) for family in findings.families if family[0] == dataset],
        "duels": [(duel, findings.duel_sentence(duel)) for duel in findings.duels if duel.dataset == dataset],
    }


def _page(findings: Findings, outcome: Outcome, facts: Facts, sections: list[dict[str, Any]], picture: str) -> str:
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
    finals = [run for run in findings.runs if run.role == FINAL]
    doubts = sorted(cautions(findings), key=lambda caution: caution.kind)
    tables = [name for name in comparison.datasets if isinstance(entry_of(name), Table)]
    columns = entry_of(tables[0]).numbers if tables else ()
    return environment.get_template(TEMPLATE).render(
        comparison=comparison,
        findings=findings,
        outcome=outcome,
        facts=facts,
        sections=sections,
        arms=[(arm.name, arm.describe(), arm.describe(columns)) for arm in comparison.arms],
        tables=tables,
        nuisances=nuisance_words(comparison.space),
        doubts=[(kind, list(found)) for kind, found in groupby(doubts, key=lambda caution: caution.kind)],
        pairs=findings.pairs_frame().to_dict("records"),
        picture=picture,
        verdicts=_counts(findings),
        total_pairs=sum(map(len, findings.pairs.values())),
        level=1 - level_of([pair.p for pairs in findings.pairs.values() for pair in pairs]),
        converged=(sum(run.converged for run in finals), len(finals)),
        versions={"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        commit=origin().get(COMMIT, "unknown") + ("-dirty" if DIRTY in origin() else ""),
        experiment=EXPERIMENT,
        epochs_shown=shown_epochs(comparison.epochs),
        constants={
            "noise": NOISE,
            "tuning_seeds": TUNING_SEEDS + comparison.first_seed,
            "least_validation": LEAST_VALIDATION,
            "settled": SETTLED,
            "solved": SOLVED,
            "near_chance": NEAR_CHANCE,
        },
        show=show,
        show_difference=show_difference,
        listed=listed,
        Cell=Cell,
    )


def _counts(findings: Findings) -> dict[str, int]:
    """How many pairs of arms have each verdict, larger and smaller being one."""
    verdicts = [pair.verdict for pairs in findings.pairs.values() for pair in pairs]
    different = verdicts.count(LARGER) + verdicts.count(SMALLER)
    return {"different": different, EQUIVALENT: verdicts.count(EQUIVALENT), OPEN: verdicts.count(OPEN)}


def _uri(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def caution_counts(findings: Findings) -> dict[str, int]:
    """How many cells each kind of doubt concerns."""
    found: list[Caution] = cautions(findings)
    return {kind: sum(one.kind == kind for one in found) for kind in dict.fromkeys(one.kind for one in found)}
