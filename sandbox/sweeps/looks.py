"""What a diagnosis takes from the store, once all runs are there: how values learn, and what they draw on the way."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sandbox.answers.diagnosis import BOUNDARIES, CURVES, FOLDER, LATER, MOST_PARTS, PAGE, Diagnosis
from sandbox.answers.learning import Learning, band, draw_learning
from sandbox.answers.panels import png
from sandbox.answers.trials import Group, Part, Point, words
from sandbox.names import safe
from sandbox.tracking import Store
from sandbox.tracking.row import Curve

if TYPE_CHECKING:
    from PIL import Image

VALUES, ROWS, SEEDS = 9, 10, 20  # at most: of a dimension as curves, as rows of a sheet, and the seeds of a curve
SHEETS = 4  # problems
SIDE = 224  # pixels of a boundary: six of them and a label are 1600
LETTERS = 14  # characters of a line of a label
Runs = Mapping[tuple[str, int], tuple[str, str]]  # ids and artifacts' places, by the points in words and the seeds


def is_whole(page: bytes | None) -> bool:
    """Whether this page of a parent run's says that no more is to come: who closes it anew puts one there that does not."""
    return page is not None and LATER.encode() not in page


def completed(diagnosis: Diagnosis, runs: Runs, store: Store) -> dict[str, bytes]:
    """All files of a diagnosis by their paths, its page last. Raises StoreError."""
    files = {name.removeprefix(f"{FOLDER}/"): content for name, content in diagnosis.files.items()}
    files = {**files, **looks(diagnosis, runs, store)}
    del files[PAGE]
    files[PAGE] = diagnosis.page(files)
    return {f"{FOLDER}/{name}": content for name, content in files.items()}


def looks(diagnosis: Diagnosis, runs: Runs, store: Store) -> dict[str, bytes]:
    """The pictures by their names: the curves, and a sheet of boundaries for each problem, of those that have any."""
    files = {}
    if some := learning(diagnosis, runs, store):
        files[CURVES] = png(draw_learning(some))
    firsts = list({part.where: part for part in reversed(diagnosis.parts)}.values())[::-1]
    for part in firsts[:SHEETS]:
        points = {group.label: group.best for group in spread(diagnosis.parts[part], ROWS)}
        if sheet := boundaries(points, runs, store):
            files[BOUNDARIES if not part.where else f"boundaries-{safe(part.where)}.png"] = sheet
    return files


def learning(diagnosis: Diagnosis, runs: Runs, store: Store) -> list[Learning]:
    """The panels of curves: of each dimension and problem the cost, and what there is by epoch of validation data."""
    ids: dict[Part, dict[str, list[str]]] = {
        part: {group.label: _ids(group.best, runs)[:SEEDS] for group in spread(groups, VALUES)}
        for part, groups in [*diagnosis.parts.items()][: MOST_PARTS // 2]
    }
    every = list(dict.fromkeys(one for lines in ids.values() for some in lines.values() for one in some))
    curves = {"cost": store.reader.curves(every, "cost")}
    for name in dict.fromkeys([diagnosis.objective, "validation_cost"]):
        if name not in ("cost", "final_cost") and any(len(one.steps) > 2 for one in _first(store, every, name)):
            curves[name] = store.reader.curves(every, name)
            break
    found = []
    for part, lines in ids.items():
        for name, known in curves.items():
            bands = {label: band(known[one] for one in some if one in known) for label, some in lines.items()}
            bands = {label: one for label, one in bands.items() if len(one.steps)}
            ordered = diagnosis.scales[part.name].ends is not None
            if bands:
                found.append(Learning(part.words, name, bands, ordered))
    return found


def _first(store: Store, ids: Sequence[str], name: str) -> list[Curve]:
    """The curves of the first few runs: whether there are any is asked before all are read."""
    return list(store.reader.curves(ids[:: max(1, len(ids) // 5)], name).values())


def boundaries(points: Mapping[str, Point], runs: Runs, store: Store) -> bytes | None:
    """A row for each of these points, a column for each epoch, of one seed; None where there are no pictures."""
    from PIL import Image

    from sandbox.plots.contact import ContactSheet

    seeds = [{trial.seed for trial in point.trials} for point in points.values()]
    common = min(set.intersection(*seeds), default=None)
    rows: dict[str, dict[int, bytes]] = {}
    for label, point in points.items():
        seed = min(trial.seed for trial in point.trials) if common is None else common
        _, place = runs.get((words(point.at), seed), ("", ""))
        rows[label] = store.slider(place, "boundary") if place else {}
    epochs = [*max(rows.values(), key=len)]
    if not epochs:
        return None
    sheet = ContactSheet(
        [_lines(label) for label in rows],
        [f"epoch {epoch}" if not k else str(epoch) for k, epoch in enumerate(epochs)],
        SIDE,
    )
    for row, pictures in enumerate(rows.values()):
        images: dict[int, Image.Image] = {}
        for column, epoch in enumerate(epochs):
            reached = max((one for one in pictures if one <= epoch), default=None)
            if reached is not None:
                if reached not in images:
                    images[reached] = _image(pictures[reached])
                sheet.put(row, column, images[reached])
    return sheet.png()


def _image(content: bytes) -> "Image.Image":
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def spread(groups: Sequence[Group], most: int) -> list[Group]:
    """At most so many of these, evenly spread from the first to the last."""
    places = np.linspace(0, len(groups) - 1, min(most, len(groups))).round().astype(int)
    return [groups[place] for place in places]


def _ids(point: Point, runs: Runs) -> list[str]:
    trials = sorted(point.trials, key=lambda trial: trial.seed)
    return [runs[key][0] for trial in trials if (key := (words(point.at), trial.seed)) in runs]


def _lines(label: str) -> str:
    """A label in lines that are short enough to stand beside a picture."""
    return "\n".join(textwrap.wrap(label, LETTERS)[:5])
