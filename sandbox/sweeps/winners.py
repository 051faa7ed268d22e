"""The best run of every arm of a sweep, which becomes an MLflow model when the sweep has ended."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sandbox.job import Ended
from sandbox.kept.serving import logged_model
from sandbox.model import Model
from sandbox.record import NETWORK
from sandbox.sweeps.outcome import Outcome
from sandbox.tracking import Store, StoreError

ARM = "arm"  # the dimension of the space whose values are compared


def winners(outcome: Outcome) -> dict[str, Ended]:
    """The best run of every arm, by the arm; where the space has no dimension `arm`, the best of the sweep, by "".

    Of an arm's points that counts whose median is best, as in the closing table, and of its seeds the best one.
    """
    goal, best = outcome.sweep.goal, {}
    for point in outcome.ranked:
        runs = [ended for ended in outcome.arms[point] if not ended.diverged and goal.metric in ended.metrics]
        if runs:
            best.setdefault(_arm_of(runs[0]), min(runs, key=lambda one: (goal.rank(goal.value(one)), *_ties(one))))
    return best


def _arm_of(ended: Ended) -> str:
    with suppress(KeyError, ValueError, TypeError):
        return str(json.loads(ended.job.tags["point"])[ARM])
    return ""


def _ties(ended: Ended) -> tuple[float, str]:
    """Which of several runs that the objective finds alike comes first: by its cost, and for certain."""
    costs = (ended.metrics[name] for name in ("validation_cost", "final_cost") if name in ended.metrics)
    return next(costs, 0.0), ended.job.config.key


def make_models(outcome: Outcome, runs: Mapping[str, str], store: Store, root: Path) -> dict[str, str]:
    """Make the models of a sweep that are missing; the ids of the best runs, by their arms. `runs` has all ids by key.

    Raises StoreError where the store does not answer, or has not what it should have.
    """
    best = {arm: runs[ended.job.key] for arm, ended in winners(outcome).items()}
    there = {*store.reader.models([*best.values()])} if best else set()
    for run_id in [one for one in best.values() if one not in there]:
        from sandbox.tracking.models import log_model

        content = store.artifact(run_id, NETWORK)
        if content is None:
            raise StoreError(f"run {run_id} has lost its {NETWORK}")
        model = Model.from_bytes(content, f"{NETWORK} of run {run_id}")
        if not model.functions:  # which nothing but this sandbox would have
            log_model(store, logged_model(model, run_id), root)
            there |= {run_id}
    return {arm: run_id for arm, run_id in best.items() if run_id in there}
