"""A writer: a process that takes files from a spool, tells MLflow, and removes them.

`python -m sandbox.tracking.writer DIRECTORY` works until its standard input ends and the spool is empty. It says on
standard output what it does, a JSON object a line: {"logged": NAME}, {"rejected": NAME}, {"down": WHY}. When the store
cannot be reached it waits, asks again after 1, 2, 4, 5, 5 ... seconds, and goes on; once its input has ended, it gives
up instead.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.lock import locked
from sandbox.tracking.connection import RefusedError, StoreError, reporting
from sandbox.tracking.entry import Destination, Entry, Record, SpoolError, key_of, read
from sandbox.tracking.reading import equals, search
from sandbox.tracking.spool import Spool, taken
from sandbox.tracking.store import ABANDONED, ENDED, Store

LONGEST_WAIT = 5.0
POLL = 0.05


class Writer:
    """Logs the files of one spool to one store, each once."""

    def __init__(self, spool: Spool, store: Store) -> None:
        self.spool, self.store = spool, store
        self.failed: set[Path] = set()  # files that could not be logged: the others come first
        self._places: dict[str, tuple[str, str | None]] = {}

    def log(self, path: Path) -> str:
        """Log one file: "logged", "busy" (somebody else has it), or "rejected" (set aside). Raises StoreError."""
        with taken(path) as mine:
            if not mine:
                return "busy"
            try:
                entry = read(path)
                try:
                    self._tell(path, entry)
                except RefusedError:  # perhaps because its experiment or its parent run is no longer what it was
                    self.forget()
                    self._tell(path, entry)
            except FileNotFoundError:
                return "busy"
            except (SpoolError, RefusedError) as error:
                self.spool.set_aside(path, str(error))
                return "rejected"
            except BaseException:
                self.failed.add(path)
                raise
            self.spool.remove(path)
            self.failed.discard(path)
            return "logged"

    def _tell(self, path: Path, entry: Entry) -> None:
        experiment, parent = self.place(entry.destination)
        if entry.closing:
            assert parent is not None
            self._end(parent, path.name, entry.record)
        elif not self._logged_before(path, entry, experiment):
            self.spool.mark(path).touch()
            self.store.log(entry.record, experiment, parent)

    def _end(self, parent: str, name: str, record: Record) -> None:
        """End a parent run, unless a later file has done so: the files' names begin with the time."""
        with locked(self.spool.directory / "places.lock"):
            self.store.close_parent(parent, replace(record, tags={**record.tags, ENDED: name}))

    def _logged_before(self, path: Path, entry: Entry, experiment: str) -> bool:
        """Whether the writer that began with this file got to the end; what it left undone is marked KILLED."""
        if not self.spool.mark(path).exists() or not entry.key:
            return False
        text = equals("config_key", entry.record.tags["config_key"])
        if entry.destination.campaign:
            text = f"{text} AND {equals('sweep', entry.destination.campaign)}"
        with reporting(self.store.uri):
            found = [
                run
                for run in search(self.store.client, [experiment], text)
                if ABANDONED not in run.data.tags and key_of(run.data.tags) == entry.key
            ]
        for run in found:
            if run.info.status == "RUNNING":
                self.store.abandon(run.info.run_id)
        return any(run.info.status == entry.record.status for run in found)

    def place(self, destination: Destination) -> tuple[str, str | None]:
        """The ids of the experiment and of the parent run, which are made if they are missing."""
        key = f"{destination.experiment}\n{destination.campaign}"
        if key not in self._places:
            self.store.check()  # connects, with a lock of its own
            with locked(self.spool.directory / "places.lock"):
                self._places[key] = self._find(destination)
        return self._places[key]

    def forget(self) -> None:
        """The store may come back as another one: look places up anew."""
        self._places.clear()

    def _find(self, destination: Destination) -> tuple[str, str | None]:
        to = destination
        experiment = self.store.experiment(to.experiment, to.description, to.experiment_tags)
        return experiment, self.store.parent(experiment, to) if to.campaign else None


def drain(writer: Writer, say: Callable[..., object] = lambda **news: None) -> int:
    """Log what is in the spool now, the oldest first; how many runs were logged. Raises StoreError.

    A file that could not be logged comes last the next time: one that never can does not keep the others waiting.
    """
    count = 0
    for path in sorted(writer.spool.files(), key=lambda path: (path in writer.failed, path.name)):
        outcome = writer.log(path)
        if outcome != "busy":
            say(**{outcome: path.name})
        count += outcome == "logged"
    return count


def main(directory: str) -> None:
    """The writer's process."""
    spool = Spool.at(Path(directory))
    writer = Writer(spool, Store(spool.uri, spool.root))
    over = threading.Event()
    threading.Thread(target=_until_input_ends, args=(over,), daemon=True).start()
    wait = 1.0
    while True:
        ending = over.is_set()
        try:
            tempfile.tempdir = str(spool.scratch())
            if drain(writer, _say):
                wait = 1.0
            elif ending:
                break
            else:
                over.wait(POLL)
        except (StoreError, OSError) as error:
            writer.forget()
            _say(down=" ".join(str(error).split()))
            if ending:
                break
            over.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT)
    shutil.rmtree(spool.scratch(), ignore_errors=True)


def _until_input_ends(over: threading.Event) -> None:
    while sys.stdin.readline():
        pass
    over.set()


def _say(**news: Any) -> None:
    try:
        print(json.dumps(news), flush=True)
    except BrokenPipeError:  # nobody listens any more; the work goes on
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to answer
    main(sys.argv[1])
