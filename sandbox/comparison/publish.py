"""Where a comparison's report goes: a directory, and the comparison's parent run in MLflow."""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.comparison.findings import Findings


def parent_fields(findings: Findings, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the parent run holds: the same files, figures as curves over the sizes, and the verdicts as tags."""
    return {"files": dict(files), "metrics": metric_rows(findings), "tags": verdict_tags(findings)}


def metric_rows(findings: Findings) -> list[tuple[str, float, int]]:
    """Mean accuracies and paired differences, with the number of training examples as the step: the UI draws curves."""
    rows = [
        (metric_name("accuracy", cell.dataset, cell.arm), average.mean.value, cell.n)
        for cell, average in findings.averages.items()
    ]
    for (dataset, n), pairs in findings.pairs.items():
        rows += [
            (metric_name("difference", dataset, f"{pair.first} - {pair.second}"), pair.difference.value, n)
            for pair in pairs
        ]
    return rows


def metric_name(kind: str, dataset: str, what: str) -> str:
    """A name that MLflow takes: letters, digits and a few signs."""
    return f"{kind}/{dataset}/{re.sub(r'[^A-Za-z0-9_. -]+', '_', what.replace(' + ', ' and '))}"


def verdict_tags(findings: Findings) -> dict[str, str]:
    """`verdict.quadrants.16` and so on: every pair's verdict as JSON, "first | second"; and the answer in words."""
    tags = {"answer": " ".join(findings.answer)[:5000]}
    for (dataset, n), pairs in findings.pairs.items():
        verdicts = {f"{pair.first} | {pair.second}": pair.verdict for pair in pairs}
        tags[f"verdict.{dataset}.{n}"] = json.dumps(verdicts)[:5000]
    return tags
