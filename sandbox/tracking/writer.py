"""A writer: a process that takes files from a spool, tells MLflow, and removes them.

`python -m sandbox.tracking.writer DIRECTORY` works until its standard input ends and the spool is empty. It says on
standard output what it does, a JSON object a line: {"at work": WHERE}, {"kept": RUN} when its artifacts
are in place, {"logged": NAME}, {"rejected": NAME}, {"down": WHY}, {"remark": WHAT}.
When the store cannot be reached it waits, asks again after 1, 2, 4, 5, 5 ... seconds, and goes on; once its input has ended,
it gives up instead.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from sandbox.host import host_of
from sandbox.lock import locked
from sandbox.tracking.claims import Came, Claim, Claims
from sandbox.tracking.connection import RefusedError, StoreError, reporting
from sandbox.tracking.entry import Destination, Entry, SpoolError, key_of, read
from sandbox.tracking.reading import equals, search
from sandbox.tracking.row import ABANDONED, NewRun
from sandbox.tracking.spool import Spool, taken
from sandbox.tracking.store import Store

LONGEST_WAIT = 5.0
POLL = 0.05
LOT = 100  # files that are logged together at most


class Writer:
    """Logs the files of one spool to one store, each once; `say` is told of what takes long while it is under way."""

    def __init__(self, spool: Spool, store: Store, say: Callable[..., object] = lambda **news: None) -> None:
        self.spool, self.store, self.say = spool, store, say
        self.failed: set[Path] = set()  # files that could not be logged: the others come first
        self._places: dict[str, tuple[str, str | None]] = {}
        self._remarked = False
        self._claims: dict[str, Claims] = {}

    def log(self, paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
        """Log files: each comes out as "logged", "busy" (somebody else has it), or "rejected" (set aside).

        Runs go together where the store's tables are known, and one by one where not, or where one of them is not as it
        should be. Raises StoreError, OSError; whatever else comes of a file is the file's: it is set aside, and the others
        go on.
        """
        self._remark()
        with ExitStack() as held:
            entries: dict[Path, Entry] = {}
            for path in paths:
                try:
                    entries |= {path: read(path)} if held.enter_context(taken(path)) else {}
                except FileNotFoundError:
                    pass
                except SpoolError as error:
                    yield self._set_aside(path, str(error))
                    continue
                if path not in entries:
                    yield path, "busy"
            claims = self._claims_of(entries)
            for path in [path for path, claim in claims.items() if claim and not self._is_ours(claim)]:
                del entries[path]  # another host has it in hand, or has logged it
                yield self._logged(path)
            together = self._log_together({path: one for path, one in entries.items() if not one.closing}, claims)
            for path in together:
                yield self._logged(path)
            for path in [path for path in entries if path not in together]:
                yield self._log_alone(path, entries[path])

    def claims(self, campaign: str) -> Claims | None:
        """What hosts have claimed of a campaign, None where they do not share it."""
        if not self.spool.study or not campaign:
            return None
        if campaign not in self._claims:
            self._claims[campaign] = Claims(self.spool.study, campaign, host_of(self.spool.root), patience=0.0)
        return self._claims[campaign]

    def _claims_of(self, entries: Mapping[Path, Entry]) -> dict[Path, Claim | None]:
        """The claim to the run of each of these files, None where there is none: it is shared with nobody."""
        found: dict[Path, Claim | None] = dict.fromkeys(entries)
        for campaign in {entry.destination.campaign for entry in entries.values() if entry.key and not entry.closing}:
            if claims := self.claims(campaign):
                keys = {path: one.key for path, one in entries.items() if one.destination.campaign == campaign}
                there = claims.of([*keys.values()])
                found |= {path: there.get(key) for path, key in keys.items()}
        return found

    def _is_ours(self, claim: Claim | None) -> bool:
        return claim is None or (claim.host == host_of(self.spool.root) and not claim.logged)

    def _log_together(self, entries: dict[Path, Entry], claims: Mapping[Path, Claim | None]) -> set[Path]:
        """Log runs in one go; those that are logged now, none where that cannot be."""
        if not entries or not self.store.tables:
            return set()
        ids = {path: self._run_id(path, entry, claims[path]) for path, entry in entries.items()}
        with suppress(Exception):  # one by one, it comes out with which, and what is wrong
            known, runs = self.store.known([*ids.values()]), []
            for path, entry in entries.items():
                experiment, parent = self.place(entry.destination)
                if ids[path] not in known and not self._logged_before(path, entry, experiment, claims[path]):
                    runs.append(NewRun(ids[path], experiment, parent, entry.record))
            if runs:
                shared = any(claims[path] for path in entries)
                self.store.log_together(runs, lambda run: self.say(kept=run.run_id), shared=shared)
            self._claim([entry for path, entry in entries.items() if claims[path]])
            return set(entries)
        return set()

    def _run_id(self, path: Path, entry: Entry, claim: Claim | None) -> str:
        """The id of a file's run, where we may choose it: with a claim the same on every host, so that there is one."""
        if claim is None:
            return self.spool.run_id(path)
        words = f"{entry.destination.campaign}/{entry.key}/{claim.attempt}"
        return hashlib.sha256(words.encode()).hexdigest()[:32]

    def _claim(self, entries: Sequence[Entry]) -> None:
        """Let other hosts know that these runs are logged, and how they ended."""
        for campaign in {entry.destination.campaign for entry in entries}:
            claims = self.claims(campaign)
            assert claims is not None
            some = [entry for entry in entries if entry.destination.campaign == campaign]
            claims.log({entry.key: Came(entry.record.status, entry.record.last()) for entry in some})

    def _log_alone(self, path: Path, entry: Entry) -> tuple[Path, str]:
        try:
            try:
                self._tell(path, entry)
            except RefusedError:  # perhaps because its experiment or its parent run is no longer what it was
                self.forget()
                self._tell(path, entry)
        except (StoreError, OSError) as error:
            if isinstance(error, RefusedError):
                return self._set_aside(path, str(error))
            self.failed.add(path)
            raise
        except Exception as error:
            return self._set_aside(path, f"{type(error).__name__}: {error}")
        return self._logged(path)

    def _logged(self, path: Path) -> tuple[Path, str]:
        self.spool.remove(path)
        self.failed.discard(path)
        return path, "logged"

    def _set_aside(self, path: Path, why: str) -> tuple[Path, str]:
        self.spool.set_aside(path, why)
        return path, "rejected"

    def _tell(self, path: Path, entry: Entry) -> None:
        experiment, parent = self.place(entry.destination)
        if entry.closing:
            assert parent is not None
            with self._alone(entry.destination):
                self.store.close_parent(parent, entry.record)
                self.store.experiment(entry.destination.experiment, entry.destination.description)
            return
        claim = self._claims_of({path: entry})[path]
        if not self._is_ours(claim):
            return
        run_id = self._run_id(path, entry, claim)
        if not self.store.known([run_id]) and not self._logged_before(path, entry, experiment, claim):
            self.spool.mark(path).touch()
            if claim and self.store.tables:
                self.store.log_together([NewRun(run_id, experiment, parent, entry.record)], shared=True)
            elif claim:
                ours = self._is_ours
                sure = lambda: ours(self._claims_of({path: entry})[path])  # noqa: E731
                if not self.store.log(entry.record, experiment, parent, sure):
                    return
            else:
                self.store.log(entry.record, experiment, parent)
        if claim:
            self._claim([entry])

    def _logged_before(self, path: Path, entry: Entry, experiment: str, claim: Claim | None = None) -> bool:
        """Whether the writer that began with this file got to the end; what it left undone is marked KILLED.

        What another host left undone, whose claim we have, goes to the trash: it cannot end it there, should it come back.
        """
        inherited = claim is not None and claim.inherited
        if not (self.spool.mark(path).exists() or inherited) or not entry.key:
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
                (self.store.delete if claim else self.store.abandon)(run.info.run_id)
        return any(run.info.status == entry.record.status for run in found)

    def place(self, destination: Destination) -> tuple[str, str | None]:
        """The ids of the experiment and of the parent run, which are made if they are missing."""
        key = f"{destination.experiment}\n{destination.campaign}"
        if key not in self._places:
            self.store.check()  # connects, with a lock of its own
            with self._alone(destination):
                self._places[key] = self._find(destination)
        return self._places[key]

    @contextmanager
    def _alone(self, destination: Destination) -> Iterator[None]:
        """While no other writer, here or on another host, makes or ends a parent run of the same campaign."""
        claims = self.claims(destination.campaign)
        with locked(self.spool.directory / "places.lock"), claims.alone("parent") if claims else nullcontext():
            yield

    def _remark(self) -> None:
        """Say why runs are not logged together, where a database would have it: once, and before any of them is logged."""
        if not self._remarked and self.store.tables is None and self.store.strange:
            self._remarked = True
            self.say(remark=self.store.strange)

    def forget(self) -> None:
        """The store may come back as another one: look places up anew."""
        self._places.clear()

    def _find(self, destination: Destination) -> tuple[str, str | None]:
        to = destination
        experiment = self.store.experiment(to.experiment, to.description, to.experiment_tags)
        return experiment, self.store.parent(experiment, to) if to.campaign else None


def drain(writer: Writer, say: Callable[..., object] = lambda **news: None) -> int:
    """Log what is in the spool now, the oldest first; how many files were logged. Raises StoreError.

    A file that could not be logged comes last the next time: one that never can does not keep the others waiting.
    """
    count = 0
    files = sorted(writer.spool.files(), key=lambda path: (path in writer.failed, path.name))
    for start in range(0, len(files), LOT):
        for path, outcome in writer.log(files[start : start + LOT]):
            if outcome != "busy":
                say(**{outcome: path.name})
            count += outcome == "logged"
    return count


def main(directory: str) -> None:
    """The writer's process."""
    spool = Spool.at(Path(directory))
    writer = Writer(spool, Store(spool.uri, spool.root, spool.artifacts), _say)
    over = threading.Event()
    threading.Thread(target=_until_input_ends, args=(over,), daemon=True).start()
    _say(**{"at work": str(spool.directory)})
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
