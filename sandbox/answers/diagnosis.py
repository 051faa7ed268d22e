"""The diagnosis beside an answer: pictures that say how it came about, and a page that says how to read them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.answers import importance
from sandbox.answers.isolation import draw_isolation
from sandbox.answers.panels import Scale, png
from sandbox.answers.response import draw_response
from sandbox.answers.spread import Spread, draw_spread, sentence, spreads
from sandbox.answers.statistics import Estimate
from sandbox.answers.trials import Group, Part, Point, Trial, compared, grouped

FOLDER, PAGE = "diagnosis", "diagnosis.md"
ISOLATION, IMPORTANCE, SHARES, RESPONSE = "isolation.png", "importance.png", "importance.csv", "response.png"
CURVES, BOUNDARIES, SEEDS = "curves.png", "boundaries.png", "seeds.png"
LATER = "Curves and boundaries are drawn when all runs are logged."
MOST_PARTS = 8  # panels

READ = {
    ISOLATION: "What each value can do when the others are right. A dot is a run, a ring a point (the median of its "
    "seeds), and the line joins the best point of each value, or of each fifth of a range. Bars hold the median at 95 %, "
    "with fewer than six seeds they are all of them; a cross is a point half of whose seeds diverge. The best of many is "
    "flattered by luck: the answer's own figure is one that nothing was selected by.",
    IMPORTANCE: "How much each dimension decides whether a run is among the best tenth of its seed (PED-ANOVA). It is of "
    "the values and ranges that were tried here, looks at each dimension alone, and says nothing of how bad the others "
    "are: what diverged is merely last. Bars hold 95 % of what comes out when seeds, and points that were drawn, are "
    "resampled; none is given for two to four seeds.",
    RESPONSE: "The median objective over two dimensions, the best over any others; lighter is better, a cross is where "
    "half of the seeds diverge. Where rows are no copies of one another, the best value of one depends on the other.",
    SEEDS: "What chance alone does: how many seeds come to which figure, a panel for each point that has many. The solid "
    "line is the first seed, the dashed one the median.",
    CURVES: "How the best point of each value learns: the median over its seeds (at most 20), and the middle half of them "
    "as a band. A curve ends where fewer than half of the seeds go on.",
    BOUNDARIES: "What the best point of each value draws as it learns, all with the same seed. A run that ended earlier "
    "stays as it was.",
}


@dataclass(frozen=True)
class Diagnosis:
    """What the `trials` of a sweep say about its space: by `objective`, better if it is larger where `larger` is.

    `scales` are the axes of the dimensions, in order, of which `problems` say what is to be learnt. `shares` is the
    importance of the compared ones, nothing where there is none. `warnings` are sentences. `metric` is what is compared,
    "" where that is the objective.
    """

    objective: str
    larger: bool
    trials: Sequence[Trial]
    scales: Mapping[str, Scale]
    problems: Collection[str] = ()
    shares: Mapping[str, Estimate] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    metric: str = ""

    @property
    def figure(self) -> str:
        """The metric that is compared."""
        return self.metric or self.objective

    @cached_property
    def parts(self) -> dict[Part, list[Group]]:
        """The groups of points of each dimension that is compared, problem by problem."""
        return grouped(self.trials, {name: scale.values for name, scale in self.scales.items()}, self.problems)

    @cached_property
    def points(self) -> dict[str, list[Point]]:
        """All points of each problem."""
        return {part.where: [one for group in groups for one in group.points] for part, groups in self.parts.items()}

    @cached_property
    def spreads(self) -> dict[Part, list[Spread]]:
        """The spread over the seeds of the points that have many."""
        return spreads({Part("", where): points for where, points in self.points.items()}, larger=self.larger)

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two dimensions whose response is shown: the only two, or those that matter most."""
        names = compared(self.scales, self.problems)
        chosen = names if len(names) == 2 else [name for name in names if name in [*self.shares][:2]]
        return (chosen[0], chosen[1]) if len(chosen) == 2 else None

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The pictures that the trials alone give, a table, and the page, by their paths in the run."""
        files: dict[str, bytes] = {}
        if not all(trial.lost for trial in self.trials):
            told = self.objective, {"larger": self.larger}
            some = dict([*self.parts.items()][:MOST_PARTS])
            files[ISOLATION] = png(draw_isolation(some, self.scales, told[0], **told[1]))
            if self.shares:
                files[IMPORTANCE] = png(importance.draw_importance(self.shares))
                files[SHARES] = importance.table(self.shares)
            if self.pair:
                points = dict([*self.points.items()][:MOST_PARTS])
                files[RESPONSE] = png(draw_response(points, self.pair, self.scales, told[0], **told[1]))
            if self.spreads:
                told = draw_spread(self.spreads, self.figure, larger=self.larger, most=MOST_PARTS)
                files[SEEDS] = png(told)
        files[PAGE] = self.page(files, later=True)
        return {f"{FOLDER}/{name}": content for name, content in files.items()}

    @property
    def over_seeds(self) -> list[str]:
        """What chance does at the points that have many seeds."""
        points = [one for some in self.spreads.values() for one in some]
        return [sentence(one, self.figure, larger=self.larger) for one in points[:MOST_PARTS]]

    @property
    def sentences(self) -> list[str]:
        """What is to be said beside the pictures."""
        return [*self.over_seeds, *self.warnings, *([importance.sentence(self.shares)] if self.shares else [])]

    def page(self, pictures: Iterable[str], *, later: bool = False) -> bytes:
        """The page that shows these pictures, by their names; `later` says that there will be more."""
        text = [f"# Diagnosis by {self.objective}", *self.sentences]
        told = ""
        for name in (one for one in pictures if one.endswith(".png")):
            kind = next(one for one in READ if name.startswith(one.removesuffix(".png")))
            title = name.removesuffix(".png").replace("-", ": ", 1)
            text += [
                f"## {title[0].upper()}{title[1:]}",
                *([READ[kind]] if kind != told else []),
                f"![{title}]({name})",
            ]
            told = kind
        return ("\n\n".join([*text, *([LATER] if later else [])]) + "\n").encode()

    def section(self, pictures: Iterable[str], place: str, room: int) -> str:
        """A part of a description, at most `room` characters long, with as many pictures as fit; `place` has a {}."""
        text = "\n\n".join(["", "**Diagnosis**", *self.sentences])
        for name in (one for one in pictures if one.endswith(".png")):
            shown = f"\n\n![{name.removesuffix('.png')}]({place.format(name)})"
            text += shown if len(text + shown) <= room else ""
        return text + "\n" if len(text) < room else ""
