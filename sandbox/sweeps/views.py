"""The saved views of a sweep: what MLflow's pages show of it, unaided. See sandbox/tracking/views.py for their form."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sandbox.answers.answer import Row
from sandbox.job import Ended
from sandbox.record import snapshot_epochs
from sandbox.space import Choice, Dimension, fields_of
from sandbox.tracking.reading import equals
from sandbox.tracking.row import Curve
from sandbox.tracking.views import (
    PAGE,
    Section,
    View,
    among,
    bars,
    curve,
    images,
    links,
    parallel,
    points,
    sheet_height,
)

if TYPE_CHECKING:
    from sandbox.sweeps.outcome import Outcome

MOST_CURVES = 12  # of a chart, so that they can be told apart
MOST_PICTURES = 10  # that MLflow shows beside each other
PROBLEMS = 8  # data sets that have views of their own
ABOVE, BELOW = 2.0, 0.5  # how much room the cost axis leaves beyond the curves
DIGITS = 10  # seeds of one digit, which a search can name

Costs = Callable[[Sequence[str]], Mapping[str, Curve]]  # of the runs with these ids


def views_of(outcome: "Outcome", runs: Mapping[str, str], costs: Costs) -> list[View]:
    """The views of a sweep that has an answer. `runs` are the ids by the keys of their jobs, `costs` gives cost curves."""
    objective, more = f"metrics.`{outcome.sweep.goal.metric}`", outcome.sweep.goal.direction == "max"
    views = []
    for where in _problems(outcome):
        views.append(_answer(outcome, where, runs, costs))
        if some := _best_points(outcome, where):
            last = max(snapshot_epochs(one.job.config.epochs)[-1] for one in some)
            title = "Boundaries, the best value first: the slider below them goes through the epochs"
            sheet = Section(title, [images("boundary", last)], columns=1, height=sheet_height(len(some)))
            search = _search(outcome, some, runs)  # the last of MLflow's list is the first of its pictures
            views.append(
                _view(outcome, f"2 Boundaries{where and f': {where}'}", search, objective, more, sections=[sheet])
            )
    ours, varied = equals("sweep", outcome.sweep.id), [*_columns(outcome), "params.`seed`"]
    figures = [
        f"metrics.`{name}`" for name in ("validation_accuracy", "test_accuracy", "test_r2", "final_cost", "parameters")
    ]
    told = [*varied, *dict.fromkeys([objective, *figures])]
    views.append(_view(outcome, "3 Every run", f"{ours} AND tags.trial != ''", objective, not more, columns=told))
    if outcome.diverged:
        at = "metrics.`diverged_at`"
        search = f"{ours} AND metrics.diverged = 1"
        views.append(_view(outcome, "4 Diverged", search, at, True, columns=[*varied, at, "metrics.`epochs_run`"]))
    return views


def links_of(outcome: "Outcome") -> str:
    """Links to the views that the sweep has or will have, in Markdown."""
    views = views_of(outcome, {ended.job.key: "" for ended in outcome.runs}, lambda ids: {})
    return links(views)


def _view(outcome: "Outcome", name: str, search: str, order: str, ascending: bool, **parts: Any) -> View:
    """A view, in which the charts that MLflow makes of all metrics stay folded."""
    folded = sorted({name.rpartition("/")[0] for ended in outcome.runs for name in ended.metrics if "/" in name})
    return View(name, outcome.sweep.id, search, order, ascending, folded=folded, **parts)


def _problems(outcome: "Outcome") -> list[str]:
    """What parts the answer by what is to be learnt, "" where that is always the same."""
    return list(dict.fromkeys(part.where for part in outcome.answer.parts))[:PROBLEMS]


def _answer(outcome: "Outcome", where: str, runs: Mapping[str, str], costs: Costs) -> View:
    """The compared points' curves, with bands over the seeds, and their figures."""
    groups, names = _groups(outcome, where)
    most, room = max(map(len, groups)), PAGE // len(groups)
    seeds = most if most <= room else DIGITS if room >= DIGITS else max(room, 1)
    some = [ended for group in groups for ended in sorted(group, key=_seed)[:seeds]]
    every = "" if seeds == most else f" ({seeds} of {most} seeds: MLflow shows {PAGE} runs at a time)"
    sound = [next((one for one in group if not one.diverged), None) for group in groups]
    low, high = _limits([*costs([runs[one.job.key] for one in sound if one]).values()])
    figure, goal = outcome.answer.figure, outcome.sweep.goal.metric
    numbers = [name for name in names if _is_number(outcome.sweep.space[name])]
    charts = [curve("cost", log=True, low=low, high=high), bars(figure), *(points(name, figure) for name in numbers)]
    if numbers:
        charts.append(parallel(numbers, list(dict.fromkeys([goal, figure]))))
    return _view(
        outcome,
        f"1 The answer{where and f': {where}'}",
        _search(outcome, some, runs),
        f"params.`{names[0]}`" if names else "tags.`label`",
        True,
        groups=[("param", name) for name in names] or [("tag", "label")],
        sections=[Section(f"The answer{every}", charts)],
    )


def _groups(outcome: "Outcome", where: str) -> tuple[list[list[Ended]], list[str]]:
    """The points whose curves are shown, each with its runs, and the params by which MLflow tells them apart, none where
    only a tag does: all points where there are few, else the best with each value of the first dimension that has values.
    """
    space, parts = (
        outcome.sweep.space,
        {part: rows for part, rows in outcome.answer.parts.items() if part.where == where},
    )
    alike = _alike(outcome, [row for rows in parts.values() for row in rows])
    names = [part.name for part in parts]
    if len(alike) > MOST_CURVES or not all(isinstance(space[name], Choice) for name in names):
        best = {part: rows for part, rows in parts.items() if isinstance(space[part.name], Choice)} or parts
        part, rows = next(iter(best.items()))
        chosen = list(dict.fromkeys(str(dict(row.point)) for row in rows))[:MOST_CURVES]
        alike, names = {key: alike[key] for key in chosen}, [part.name] if best is not parts else names
    fields = [name for name in names if fields_of(name, space[name]) == {name}]
    texts = {tuple(some[0].job.config.params()[name] for name in fields) for some in alike.values()}
    return [*alike.values()], fields if len(texts) == len(alike) else []


def _alike(outcome: "Outcome", rows: Sequence[Row]) -> dict[str, list[Ended]]:
    """The runs of a problem, which is that of these rows, by their points."""
    compared = {part.name for part in outcome.answer.parts}
    where = {name: rows[0].point[name] for name in outcome.sweep.space if name not in compared}
    alike: dict[str, list[Ended]] = {}
    for ended in outcome.runs:
        point = ended.point
        if point and not ended.pruned and all(point[name] == value for name, value in where.items()):
            alike.setdefault(str(point), []).append(ended)
    return alike


def _best_points(outcome: "Outcome", where: str) -> list[Ended]:
    """Of the best point with each value of the first dimension the run of the first seed, those that have pictures."""
    rows = next(rows for part, rows in outcome.answer.parts.items() if part.where == where)
    alike = _alike(outcome, rows)
    some = [min(alike[key], key=_seed) for key in dict.fromkeys(str(dict(row.point)) for row in rows) if key in alike]
    return [one for one in some if one.job.shown][:MOST_PICTURES]


def _search(outcome: "Outcome", wanted: Sequence[Ended], runs: Mapping[str, str]) -> str:
    """What finds these runs and no other: in words where some do, else by their ids."""
    keys = {ended.job.key for ended in wanted}
    for clause, found in _searches(outcome, wanted):
        if {ended.job.key for ended in found} == keys:
            return clause
    return among(runs[ended.job.key] for ended in wanted)


def _searches(outcome: "Outcome", wanted: Sequence[Ended]) -> Iterator[tuple[str, list[Ended]]]:
    """Searches that people can read, and what they find."""
    ours, seed = equals("sweep", outcome.sweep.id), str(_seed(wanted[0]))
    places: list[tuple[str, list[Ended]]] = [(f"{ours} AND tags.trial != ''", outcome.runs)]
    if not set(dataset := str(wanted[0].job.config.params()["dataset"])) & set("'\"\\"):
        there = [one for one in outcome.runs if one.job.config.params()["dataset"] == dataset]
        places.append((f"{ours} AND params.dataset = '{dataset}'", there))
    for clause, found in places:
        yield clause, found
        yield f"{clause} AND params.seed LIKE '_'", [one for one in found if len(str(_seed(one))) == 1]
        yield f"{clause} AND params.seed = '{seed}'", [one for one in found if str(_seed(one)) == seed]


def _limits(curves: Sequence[Curve]) -> tuple[float | None, float | None]:
    """Between which costs the curves of sound runs are, with some room."""
    values = np.array([value for one in curves for value in one.values])
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return None, None
    return float(f"{values.min() * BELOW:.2g}"), float(f"{values.max() * ABOVE:.2g}")


def _columns(outcome: "Outcome") -> list[str]:
    """The columns of MLflow's table that have what varies."""
    space = outcome.sweep.space
    own = {name: fields_of(name, dimension) == {name} for name, dimension in space.items()}
    return list(dict.fromkeys(f"params.`{name}`" if own[name] else "tags.`label`" for name in space))


def _is_number(dimension: Dimension) -> bool:
    return dimension.numbers if isinstance(dimension, Choice) else True


def _seed(ended: Ended) -> int:
    return ended.job.config.seed
