"""Experiments set aside: another name for them in MLflow, under which nobody looks for runs; and who has a database open."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sandbox.tracking.address import sqlite_path
from sandbox.tracking.connection import reporting
from sandbox.tracking.store import Store
from sandbox.tracking.user import USER

ASIDE = "set_aside"  # the tag of an experiment that was set aside: what it was called before
PROCESSES = Path("/proc")  # where a system tells which files a process has open; elsewhere nobody is known to


class Opener(NamedTuple):
    """A process that has a database open: its number, and its words on the command line."""

    pid: int
    words: list[str]

    @property
    def is_ui(self) -> bool:
        """Whether it is MLflow's server, or `sandbox ui`, which keeps one."""
        return any(Path(word).name in ("mlflow", "ui") or word.startswith("mlflow.server") for word in self.words)

    @property
    def is_writer(self) -> bool:
        """Whether it logs runs that wait in a spool."""
        return "sandbox.tracking.writer" in self.words


def experiment_names(store: Store) -> list[str]:
    """What its experiments are called, those in the trash too, without the one that every store has."""
    found, token = [], None
    if not store.exists():
        return found
    client = store.client
    with reporting(store.uri):
        while True:
            page = client.search_experiments(view_type=3, page_token=token)  # mlflow.entities.ViewType.ALL
            found += [one.name for one in page if one.experiment_id != "0"]
            token = page.token
            if not token:
                return found


def rename(store: Store, name: str, new: str, was: str = "") -> None:
    """Give an experiment another name, and take it out of the trash; `was` is the tag that says what it was called."""
    client = store.client
    with reporting(store.uri):
        found = client.get_experiment_by_name(name)
        assert found is not None
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        client.set_experiment_tag(found.experiment_id, ASIDE, was)
        client.rename_experiment(found.experiment_id, new)


def others_in(store: Store, experiment: str) -> str:
    """Who else has runs in an experiment, "" where nobody has."""
    client = store.client
    with reporting(store.uri):
        found = client.get_experiment_by_name(experiment)
        assert found is not None
        text = f"tags.`{USER}` != '{store.user.name}'"
        runs = client.search_runs([found.experiment_id], text, max_results=1)
        return runs[0].data.tags[USER] if runs else ""


def openers(uri: str) -> list[Opener]:
    """The other processes of this machine that have a store's SQLite file open, as far as the system tells us."""
    path, found = sqlite_path(uri), []
    for process in PROCESSES.glob("[0-9]*") if path else ():
        with suppress(OSError):
            opened = {os.readlink(one) for one in (process / "fd").iterdir()}
            if str(path) in opened and int(process.name) != os.getpid():
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                found.append(Opener(int(process.name), words))
    return sorted(found)
