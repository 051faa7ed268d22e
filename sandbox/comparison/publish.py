"""Where a comparison's report goes: a directory, and the comparison's parent run in MLflow."""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.comparison.findings import Findings
from sandbox.comparison.protocol import QUESTION
from sandbox.comparison.summary import sentences
from sandbox.comparison.views import links_of
from sandbox.tracking.entry import LONGEST_NOTE, NOTE, THIS_RUN

PICTURES = ("answer.png", "_accuracy.png")  # the figures that say most, the first that there is


def parent_fields(findings: Findings, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the parent run holds: the same files, figures as curves over the sizes, and the verdicts as tags; and what it
    and the experiment are described by."""
    _, *said = sentences(findings)
    links, picture = links_of(findings.comparison), _picture(files)
    shown = f"![the answer](get-artifact?path={picture}&run_uuid={THIS_RUN})" if picture else ""
    note = "\n\n".join(filter(None, [*said, f"*{QUESTION}*", links, shown]))
    tags = {
        **verdict_tags(findings),
        "answer": "\n".join(said)[:LONGEST_NOTE],
        "picture": picture,
        NOTE: note[:LONGEST_NOTE],
    }
    description = "\n\n".join(filter(None, [*said, QUESTION, links]))[:LONGEST_NOTE]
    return {"files": dict(files), "metrics": metric_rows(findings), "tags": tags, "description": description}


def _picture(files: Mapping[str, bytes]) -> str:
    """The figure that says most, "" where there is none."""
    return next((name for end in PICTURES for name in files if name.endswith(end)), "")


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
    """`verdict.quadrants.16` and so on: every pair's verdict as JSON, "first | second"."""
    tags = {}
    for (dataset, n), pairs in findings.pairs.items():
        verdicts = {f"{pair.first} | {pair.second}": pair.verdict for pair in pairs}
        tags[f"verdict.{dataset}.{n}"] = json.dumps(verdicts)[:5000]
    return tags
