"""Running a comparison: what its judge wants goes through a campaign, how it ended goes back, and then the report."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox import campaign, notebook
from sandbox.comparison.judge import Judge
from sandbox.comparison.protocol import EXPERIMENT, LEAST, QUESTION, Comparison, nuisance_words
from sandbox.comparison.run import Run, Winners
from sandbox.comparison.views import views_of
from sandbox.nn.hooks import Hook
from sandbox.provenance import origin
from sandbox.record import Picture
from sandbox.tracking import Destination, Store, StoreError
from sandbox.tracking.state import whereabouts
from sandbox.tracking.ui import ranked_by
from sandbox.tracking.writers import Writers
from sandbox.workers import Workers

if TYPE_CHECKING:
    import pandas as pd

    from sandbox.comparison.findings import Findings

RANKED_BY = "max:test_accuracy"  # the final runs, in MLflow's pages: what their arms are judged by


@dataclass(repr=False)
class Outcome(campaign.Outcome):
    """What a comparison came to: its runs, and every cell's winners, one for each repetition."""

    comparison: Comparison
    runs: list[Run] = field(default_factory=list)
    winners: Winners = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether all runs are there."""
        return len(self.runs) >= self.comparison.total

    @property
    def findings(self) -> "Findings":
        """All that its runs say, once they are complete."""
        from sandbox.comparison.findings import Findings  # brings in SciPy

        return Findings(self.comparison, self.runs, self.winners)

    def frame(self) -> "pd.DataFrame":
        """A row for each run: its cell, what it was for, its score and cost, and what its tuning varied."""
        return self.findings.runs_frame()

    def __repr__(self) -> str:
        return f"<comparison {self.comparison.id}: {self.status}, {len(self.runs)} of {self.comparison.total} runs>"

    def _repr_html_(self) -> str:
        if not self.complete:
            return notebook.lines(repr(self), self.trouble)
        from sandbox.comparison.summary import sentences, summary

        return notebook.table(summary(self.findings)) + notebook.lines(*sentences(self.findings), self.trouble)


Publish = Callable[[Outcome], dict]  # what the parent run is to hold of it, as fields of a Record


def run_comparison(
    comparison: Comparison,
    store: Store,
    root: Path = Path("runs"),
    *,
    publish: Publish | None = None,
    hooks: Sequence[Hook] = (),
    pictures: Sequence[Picture] = (),
    executor: Executor | Workers | None = None,
    shared: str = "",
    quiet: bool = False,
    writers: int | Writers | None = 1,
) -> Outcome:
    """Train and log all runs of a comparison that are not done yet, then `publish` what it came to.

    What signals, an absent store, `executor`, `shared` and `writers` mean is said at `Campaign`; `hooks` and `pictures` are
    those of every run, as in a sweep. Raises RequestError where the comparison is under way in another process.
    """
    if store.owner:
        comparison = comparison.replace(owner=store.owner)
    judge, outcome = Judge(comparison), Outcome(comparison)
    options = {"quiet": quiet, "writers": writers, "executor": executor, "shared": shared}
    under_way = campaign.Campaign(destination_of(comparison), store, root, outcome, total=comparison.total, **options)
    with under_way.open():
        under_way.news = lambda: "final runs" if judge.winners else "tuning"
        under_way.answer = lambda: {"metrics": judge.counts}
        for ended in under_way.run(judge.jobs(), hooks, pictures):
            judge.tell(ended)
        outcome.runs, outcome.winners = judge.runs, judge.winners
        if outcome.complete and publish:
            published = publish(outcome)
            under_way.answer = lambda: {**published, "metrics": [*judge.counts, *published["metrics"]]}
    if outcome.complete and outcome.status == "FINISHED":
        with suppress(StoreError):  # the same command writes them another time
            logged = whereabouts(under_way.to, store, under_way.spool, ())
            store.show(logged.parent, views_of(comparison, outcome.winners, logged))
    return outcome


def destination_of(comparison: Comparison) -> Destination:
    """Where a comparison's runs belong: the experiment, and the parent run."""
    tags = {"question": QUESTION, "role": "comparison", "mlflow.note.content": QUESTION, **origin()}
    params = {
        "datasets": ",".join(comparison.datasets),
        "sizes": ",".join(map(str, comparison.sizes)),
        "nuisances": "; ".join(nuisance_words(comparison.space)),
        **{name: str(getattr(comparison, name)) for name in (*LEAST, "epochs", "margin", "validation")},
        **{f"arm.{number}": arm.describe() for number, arm in enumerate(comparison.arms)},
    }
    return Destination(EXPERIMENT, QUESTION, comparison.id, tags, params, ranked_by(RANKED_BY))
