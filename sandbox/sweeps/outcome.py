"""The outcome of a sweep: what it came to, point by point, and the closing table of several."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox import campaign, notebook
from sandbox.answers.answer import Answer, answer_of
from sandbox.answers.diagnosis import FOLDER, Diagnosis
from sandbox.answers.diagnosis import PAGE as DIAGNOSIS
from sandbox.answers.pages import PICTURE, files_of, markdown, plain
from sandbox.answers.statistics import MARGIN
from sandbox.answers.trials import Trial
from sandbox.errors import one_line
from sandbox.job import Ended
from sandbox.space import Choice
from sandbox.sweeps.diagnosis import diagnose
from sandbox.sweeps.sweep import Sweep
from sandbox.sweeps.views import links_of
from sandbox.tracking.entry import LONGEST_NOTE, NOTE, THIS_RUN
from sandbox.typed import near

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # points of a notebook's table


@dataclass(repr=False)
class Outcome(campaign.Outcome):
    """The ended jobs of a sweep: all `runs`, and by arm (a point in words) over the seeds those that were not pruned.

    >>> from sandbox import Config
    >>> from sandbox.job import Job
    >>> from sandbox.sweeps import choice
    >>> outcome = Outcome(Sweep("widths", Config(), {"hidden": choice((2,), (8,))}))  # a gate: ranked by final_cost
    >>> for arm, cost in [("hidden=2", 0.12), ("hidden=8", 0.01), ("hidden=8", 0.02)]:
    ...     outcome.note(Ended(Job(Config(), "", {"arm": arm}), "FINISHED", {"final_cost": cost}))
    >>> outcome.best
    ('hidden=8', 0.015)
    """

    sweep: Sweep
    done: int = 0
    diverged: int = 0
    pruned: int = 0
    measured: int = 0  # that have the objective's metric
    directory: Path | None = None  # of its answer
    runs: list[Ended] = field(default_factory=list)
    arms: dict[str, list[Ended]] = field(default_factory=dict)
    _points: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)  # the ids of the best runs, which are models, by their arms
    left: str = ""  # what has not been made of it yet, and why
    undiagnosed: str = ""  # why there is no diagnosis
    _best: str = ""

    def note(self, ended: Ended) -> None:
        """Take in one ended job."""
        self.done += 1
        self.runs.append(ended)
        self.pruned += ended.pruned
        if ended.pruned:
            return
        self.diverged += ended.diverged
        self.measured += self.sweep.goal.metric in ended.metrics
        arm, point = ended.job.tags["arm"], ended.job.tags.get("point", "")
        if self._points.setdefault(arm, point) != point:  # two points that only differ in digits which words leave out
            arm = f"{arm} {point}"
        self.arms.setdefault(arm, []).append(ended)
        if arm == self._best:  # it may have become worse than another
            self._best = min(self.arms, key=self._rank)
        elif not self._best or self._rank(arm) < self._rank(self._best):
            self._best = arm

    @property
    def unranked(self) -> bool:
        """Whether nothing can be said of what is best: runs are sound, and none of them has the objective's metric."""
        return not self.measured and self.done > self.pruned + self.diverged

    def _rank(self, arm: str) -> float:
        goal = self.sweep.goal
        return goal.rank(float(np.median([goal.value(ended) for ended in self.arms[arm]])))

    @property
    def best(self) -> tuple[str, float]:
        """The point whose median objective over the seeds is best, in words, and that median."""
        return (self._best, self.sweep.goal.rank(self._rank(self._best))) if self._best else ("", np.nan)

    @property
    def ranked(self) -> list[str]:
        """The points in words, the best first."""
        return sorted(self.arms, key=self._rank)

    def frame(self) -> "pd.DataFrame":
        """A row for each run: what varied, the seed, the status, and the last value of each metric.

        Where the cost varied, `cost` is that; its last value is `final_cost`.
        """
        import pandas as pd

        rows = []
        for ended in self.runs:
            point = ended.point or {}
            rows.append({**point, "seed": ended.job.config.seed, "status": ended.status} | ended.metrics | point)
        return pd.DataFrame(rows)

    def points(self) -> "pd.DataFrame":
        """A row for each point, the best first: runs, the objective's median, lowest and highest, and what diverged.

        What diverged, or has no such metric, counts as the worst of all, and is NaN where it is the median or an end.
        """
        import pandas as pd

        goal = self.sweep.goal
        rows = []
        for arm in self.ranked:
            values = [goal.value(ended) for ended in self.arms[arm]]
            values = [math.copysign(math.inf, value) if value == goal.worst else value for value in values]
            spread = {goal.metric: np.median(values), "lowest": min(values), "highest": max(values)}
            spread = {name: value if math.isfinite(value) else math.nan for name, value in spread.items()}
            figures = {name: self._median(arm, name) for name in ("final_cost", "test_accuracy")}
            diverged = sum(ended.diverged for ended in self.arms[arm])
            rows.append({"point": arm, "runs": len(values), **figures, **spread, "diverged": diverged})
        return pd.DataFrame(rows)

    def _median(self, arm: str, *names: str) -> float:
        """The median over an arm's seeds of the first of these metrics that its runs have."""
        for name in names:
            values = [ended.metrics[name] for ended in self.arms.get(arm, ()) if name in ended.metrics]
            if values:
                return float(np.median(values))
        return np.nan

    def row(self) -> dict[str, Any]:
        """The sweep as a row of the closing table: runs, the best point and its medians over the seeds, what diverged."""
        arm, value = self.best
        return {
            "sweep": self.sweep.name,
            "runs": self.done,
            "new": self.done - self.before,
            "best": arm,
            "by": self.sweep.goal.metric,
            "value": value,
            "cost": self._median(arm, "final_cost"),
            "accuracy": self._median(arm, "test_accuracy", "train_accuracy"),
            "diverged": self.diverged,
            "seconds": round(self.seconds, 1),
        }

    def said(self) -> str:
        """The answer as it is printed, "" where there is none."""
        if not self.answers:
            return ""
        paths = [PICTURE, *([] if self.undiagnosed else [f"{FOLDER}/{DIAGNOSIS}"])]
        where = "\n\n" + "\n".join(near(self.directory / path) for path in paths) if self.directory else ""
        alone = not self.undiagnosed and len(self.arms) == 1  # else its page says it of each point
        chance = "".join(f"\n\n{one}" for one in self.diagnosis.over_seeds) if alone else ""
        return f"{self.sweep.name}: {self.sweep.question}".rstrip(" :") + f"\n\n{plain(self.answer)}{chance}{where}"

    def __repr__(self) -> str:
        arm, value = self.best
        best = f", best {value:.4g} {self.sweep.goal.metric} at {arm}" if arm else ""
        return f"<sweep {self.sweep.name}: {self.status}, {self.done} runs{best}>"

    def _repr_html_(self) -> str:
        points = self.points()
        left = len(points) - SHOWN
        more = f"and {left} points more: .points() has them all, .frame() all runs" if left > 0 else ""
        closing = notebook.table({name: [value] for name, value in self.row().items()})
        answer = ""
        if self.answers:
            answer = notebook.lines(*self.answer.sentences) + notebook.picture(self.files[PICTURE], "the answer")
        return closing + answer + notebook.table(points.head(SHOWN)) + notebook.lines(more, self.trouble)

    @cached_property
    def answer(self) -> Answer:
        """What the sweep came to, by the values of each dimension.

        Compared is the test part's figure where the objective is of validation data, else the objective itself.
        """
        goal, space = self.sweep.goal, self.sweep.space
        figure = self._figure
        values = {name: one.grid() if isinstance(one, Choice) else None for name, one in space.items()}
        margin = MARGIN if figure.endswith("accuracy") else 0.0
        larger = goal.direction == "max"
        return answer_of(self.trials, values, figure, larger=larger, margin=margin, problems=self.sweep.problems)

    @property
    def _figure(self) -> str:
        """The metric that is compared."""
        figure = self.sweep.goal.metric.replace("validation_", "test_")
        return figure if any(figure in ended.metrics for ended in self.runs) else self.sweep.goal.metric

    @property
    def trials(self) -> list[Trial]:
        """The runs that were not pruned, as an answer and a diagnosis take them."""
        goal, figure = self.sweep.goal, self._figure
        return [
            Trial(
                ended.point,
                ended.job.config.seed,
                goal.rank(goal.value(ended)),
                None if ended.diverged else ended.metrics.get(figure),
                ended.job.config.data.overlap,
                lost=goal.value(ended) == goal.worst,
                diverged=bool(ended.diverged),
            )
            for ended in self.runs
            if not ended.pruned and ended.point
        ]

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the trials say of the space, beside the answer."""
        return diagnose(self.sweep, self.trials, self._figure)

    @property
    def importance(self) -> "pd.DataFrame":
        """A row for each dimension, the largest first: its share in what decides, and the ends of the 95 % interval."""
        import pandas as pd

        rows = [(name, *share) for name, share in self.diagnosis.shares.items()]
        return pd.DataFrame(rows, columns=["dimension", "importance", "low", "high"])

    def told(self) -> dict[str, Any]:
        """What the parent run and the experiment are told at the end, as fields of a Record and their `description`.

        The answer is told once the sweep is whole.
        """
        told: dict[str, Any] = {"metrics": self.parent_figures(), "tags": {"best": self.best[0]}}
        if not self.answers:
            return told
        sweep, files = self.sweep, self.files
        description = "\n\n".join(filter(None, [*self.answer.sentences, sweep.question, sweep.reading, self._links]))
        note, said = self.described(files), "\n".join(self.answer.sentences)
        told["tags"] |= {NOTE: note, "answer": said[:LONGEST_NOTE], "picture": PICTURE}
        told["images"] = {name: content for name, content in files.items() if name.endswith(".png")}
        told["files"] = {name: content for name, content in files.items() if name not in told["images"]}
        return {**told, "description": description[:LONGEST_NOTE]}

    @cached_property
    def _links(self) -> str:
        return links_of(self)

    @property
    def answers(self) -> bool:
        """Whether there is an answer: the sweep is whole, and its runs have what they are ranked by."""
        return self.status in ("FINISHED", "SPOOLED") and bool(self.arms) and not self.unranked

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The answer as files: a page, a table and a picture; and its diagnosis in a directory of its own."""
        files = files_of(self.answer, self.sweep.question or self.sweep.name, self.sweep.question)
        try:
            return files | self.diagnosis.files
        except Exception as error:  # whatever Optuna and matplotlib raise: the sweep is none the worse for it
            self.undiagnosed = f"{type(error).__name__}: {one_line(str(error))}"
            return files

    def described(self, paths: Iterable[str]) -> str:
        """The parent run's description: the answer, and as many pictures of the diagnosis among these files as fit."""
        place = f"get-artifact?path={{}}&run_uuid={THIS_RUN}"
        note = markdown(self.answer, self.sweep.question, place.format(PICTURE), LONGEST_NOTE, self._links)
        if self.undiagnosed:
            return note
        pictures = [path.removeprefix(f"{FOLDER}/") for path in paths if path.startswith(FOLDER)]
        return note + self.diagnosis.section(pictures, place.replace("{}", f"{FOLDER}/{{}}"), LONGEST_NOTE - len(note))

    def parent_figures(self) -> list[tuple[str, float, int]]:
        """What the parent run is told, with the number of runs so far as the step.

        Beside their counts it is `best_NAME`, the median of the runs' metric NAME over the seeds at the best point.
        """
        arm, value = self.best
        figures = {"runs": self.done, "diverged_runs": self.diverged or np.nan}
        figures |= {f"best_{name}": self._median(arm, name) for name in ("final_cost", "test_accuracy")}
        figures[f"best_{self.sweep.goal.metric}"] = value
        return [(name, float(figure), self.done) for name, figure in figures.items() if np.isfinite(figure)]
