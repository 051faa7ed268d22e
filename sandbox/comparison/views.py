"""The saved views of a comparison: one for each data set, with its curves and its boundaries, and one of all final runs."""

from sandbox.comparison.protocol import Cell, Comparison
from sandbox.comparison.run import FINAL, Winners
from sandbox.comparison.sheet import shown_cells
from sandbox.record import snapshot_epochs
from sandbox.tracking.entry import key_of
from sandbox.tracking.reading import equals
from sandbox.tracking.state import Whereabouts
from sandbox.tracking.views import Section, View, among, bars, images, links, sheet_height

PICTURES = 10  # that MLflow shows beside each other


def views_of(comparison: Comparison, winners: Winners, logged: Whereabouts) -> list[View]:
    """The views of a comparison that is complete and logged."""
    views = []
    last = snapshot_epochs(comparison.epochs)[-1]
    for dataset in comparison.datasets:
        size, ours = comparison.middle_size(dataset), equals("sweep", comparison.id)
        search = f"{ours} AND tags.role = '{FINAL}' AND tags.repetition = '0' AND params.n_examples = '{size}'"
        search += f" AND tags.dataset = '{dataset}'" if not set(dataset) & set("'\"\\") else ""
        title = f"{dataset}, {size} training examples, the first of {comparison.repetitions} tunings"
        curves = Section(title, [bars("test_accuracy"), bars("parameters")], columns=2, height=480)
        arm = [("tag", "arm")]
        views.append(View(f"1 {dataset}", comparison.id, search, "tags.`arm`", True, groups=arm, sections=[curves]))
        shown = [_key(comparison, winners, cell) for cell in shown_cells(comparison) if cell.dataset == dataset]
        ids = [logged.runs[key] for key in shown if key in logged.runs][:PICTURES]
        if shown and (ids or not logged.runs):
            height = sheet_height(len(shown[:PICTURES]))
            sheet = Section("Boundaries: the slider goes through the epochs", [images("boundary", last)], 1, height)
            name = f"2 {dataset}: boundaries"
            views.append(View(name, comparison.id, among(ids), "metrics.`test_accuracy`", True, sections=[sheet]))
    told = [f"params.`{name}`" for name in ("dataset", "n_examples", "learning_rate", "seed")]
    told = ["tags.`arm`", *told, "metrics.`test_accuracy`", "metrics.`parameters`"]
    search = f"{equals('sweep', comparison.id)} AND tags.role = '{FINAL}'"
    views.append(View("3 Every final run", comparison.id, search, "metrics.`test_accuracy`", False, told))
    return views


def links_of(comparison: Comparison) -> str:
    """Links to the views that a comparison has or will have, in Markdown."""
    return links(views_of(comparison, {}, Whereabouts("", {}, {})))


def _key(comparison: Comparison, winners: Winners, cell: Cell) -> str:
    """The key of the run of a cell that has pictures: its first winner, on its first seed."""
    config = comparison.final(winners[cell][0])[0] if cell in winners else None
    return key_of({"role": FINAL, "arm": cell.arm, "config_key": config.key}) if config else ""
