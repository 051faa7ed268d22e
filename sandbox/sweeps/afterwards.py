"""What is made of a sweep once all of its runs are logged, and made anew, where it is missing, by the same command."""

import re
from functools import partial
from pathlib import Path

from sandbox.answers.diagnosis import FOLDER, PAGE
from sandbox.answers.pages import write_files
from sandbox.answers.trials import words
from sandbox.errors import one_line
from sandbox.sweeps.looks import completed, is_whole
from sandbox.sweeps.outcome import Outcome
from sandbox.sweeps.views import views_of
from sandbox.sweeps.winners import make_models
from sandbox.tracking import Store, StoreError
from sandbox.tracking.entry import NOTE
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import Whereabouts, whereabouts

MODELS, PICTURES = "the best runs are no models yet", "the diagnosis is not whole yet"


def settle(outcome: Outcome, store: Store, root: Path) -> None:
    """Make the models, the saved views and the pictures of a sweep that has ended; or say in `outcome.left` why that is not
    done now."""
    left, why = [MODELS, PICTURES], outcome.why
    if outcome.status == "FINISHED":
        try:
            keys = [ended.job.key for ended in outcome.runs]
            logged = whereabouts(outcome.sweep.destination, store, Spool(store.uri, root), keys)
            outcome.models = make_models(outcome, logged.runs, store, root)
            left.remove(MODELS)
            if outcome.answers:
                costs = partial(store.reader.curves, key="cost")
                store.show(logged.parent, views_of(outcome, logged.runs, costs))
            make_pictures(outcome, logged, store)
            left.remove(PICTURES)
        except Exception as error:  # whatever MLflow raises: the sweep is none the worse for it
            why = str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {one_line(str(error))}"
    if left and why:
        outcome.left = f"{' and '.join(left)} ({why}): the same command makes them when it is run again"


def make_pictures(outcome: Outcome, logged: Whereabouts, store: Store) -> None:
    """Complete the diagnosis on the parent run, where it is not whole, and beside the answer.

    Raises StoreError, and RuntimeError where not even the trials' own pictures could be drawn.
    """
    if not outcome.answers or outcome.directory is None:
        return
    if outcome.undiagnosed:
        raise RuntimeError(outcome.undiagnosed)
    page = store.artifact(logged.parent, f"{FOLDER}/{PAGE}")
    if page is not None and is_whole(page):
        there = {f"{FOLDER}/{name}" for name in re.findall(r"]\((.+?)\)", page.decode())}
        lost = {path for path in there if not (outcome.directory / path).exists()}
        found = {path: store.artifact(logged.parent, path) for path in lost}
        write_files(outcome.directory, {f"{FOLDER}/{PAGE}": page} | {k: one for k, one in found.items() if one})
        return
    runs = {
        (words(ended.point), ended.job.config.seed): (logged.runs[ended.job.key], logged.places[ended.job.key])
        for ended in outcome.runs
        if ended.point and not ended.pruned
    }
    files = completed(outcome.diagnosis, runs, store)
    page = {f"{FOLDER}/{PAGE}": files.pop(f"{FOLDER}/{PAGE}")}
    store.attach(logged.parent, files, {})
    store.attach(logged.parent, page, {NOTE: outcome.described(files)})  # last: it says that all of them are there
    write_files(outcome.directory, files | page)
