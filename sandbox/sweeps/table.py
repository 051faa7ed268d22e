"""The closing table of a sweep or several: a row each."""

from collections.abc import Sequence

import pandas as pd

from sandbox.sweeps.driver import Outcome


def outcome_frame(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row per sweep: runs, the best config and its median cost and accuracy over seeds, diverged runs, seconds."""
    rows = []
    for outcome in outcomes:
        arm, cost, accuracy = outcome.best
        rows.append(
            {
                "sweep": outcome.sweep.name,
                "runs": outcome.done,
                "new": outcome.done - outcome.before,
                "best": arm,
                "cost": cost,
                "accuracy": accuracy,
                "diverged": outcome.diverged,
                "seconds": round(outcome.seconds, 1),
            }
        )
    return pd.DataFrame(rows)


def render(frame: pd.DataFrame) -> str:
    """A table as aligned text."""
    return frame.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="-", justify="left")
