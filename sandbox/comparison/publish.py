"""Where a comparison's report goes: a directory, and the comparison's parent run in MLflow."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from sandbox.comparison.driver import Outcome
from sandbox.comparison.findings import Findings
from sandbox.comparison.report import Facts, report_files
from sandbox.tracking import Store
from sandbox.tracking.writing import log_batch


def publish(outcome: Outcome, store: Store, directory: Path, facts: Facts) -> Findings:
    """Write the report, its figures and tables, and log them with the verdicts to the parent run."""
    findings, files = report_files(outcome, facts)
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    client = store.client
    client.log_artifacts(outcome.parent_id, str(directory))
    known = client.get_run(outcome.parent_id).data.metrics
    rows = [row for row in metric_rows(findings) if row[0] not in known]  # logged twice, a point would be drawn twice
    log_batch(client, outcome.parent_id, metrics=rows, tags=verdict_tags(findings))
    return findings


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


def verdict_tags(findings: Findings) -> Mapping[str, str]:
    """`verdict.quadrants.16` and so on: every pair's verdict as JSON, "first | second"; and the answer in words."""
    tags = {"answer": " ".join(findings.answer)[:5000]}
    for (dataset, n), pairs in findings.pairs.items():
        verdicts = {f"{pair.first} | {pair.second}": pair.verdict for pair in pairs}
        tags[f"verdict.{dataset}.{n}"] = json.dumps(verdicts)[:5000]
    return tags
