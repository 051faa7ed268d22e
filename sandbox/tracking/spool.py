"""The spool: finished runs wait here as files, until a writer has told MLflow. What is in it counts as done.

A file (sandbox/tracking/entry.py) is written under another name and renamed, so that it is there whole or not at all.
Whoever logs a file holds its lock; a process that dies lets go of it. A mark beside the file says that somebody has
begun: whoever comes next looks first what MLflow already has. Against a power cut, files are synced to the disk several at
a time, so often that it takes a twentieth of the time at most; one that was torn all the same is found and set aside.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox.disk import replace, sync
from sandbox.tracking.address import above, below
from sandbox.tracking.entry import Entry, Packed, SpoolError, pack, read

SUFFIX = ".run"
MARK = ".begun"
REJECTED = "rejected"
NOTE = "store.json"
SCRATCH = "scratch"


class Spool:
    """The spool of one MLflow store, in a directory of its own under `root`/spool.

    `artifacts` is where new experiments keep theirs, "" for where the store has them by default; `study` the database by
    which hosts share their campaigns (sandbox.tracking.claims), "" where there is none.
    """

    def __init__(self, uri: str, root: Path, artifacts: str = "", study: str = "") -> None:
        self.uri, self.root, self.artifacts, self.study = uri, root, artifacts, study
        self.directory = root / "spool" / hashlib.sha256(below(uri, root).encode()).hexdigest()[:12]
        self._unsynced: list[Path] = []
        self._synced, self._pause = time.monotonic(), 0.0

    @classmethod
    def at(cls, directory: Path) -> "Spool":
        """The spool in this directory, by its note. Raises ValueError for a note that is none."""
        try:
            note = json.loads((directory / NOTE).read_bytes())
            uri, artifacts, study = note["uri"], note["artifacts"], note.get("study", "")
        except (OSError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{directory / NOTE}: {error}") from error
        if not (all(isinstance(one, str) for one in (uri, artifacts, study)) and uri):
            raise ValueError(f"{directory / NOTE}: {note}")
        root = directory.parent.parent
        spool = cls(above(uri, root), root, artifacts, study)
        spool.directory = directory
        return spool

    @classmethod
    def all(cls, root: Path, *known: str) -> "list[Spool]":
        """Every spool under `root` of which is known for which store it is: by its note, or one of the `known` addresses."""
        of_known = {spool.directory: spool for spool in (cls(uri, root) for uri in known)}
        found = []
        for directory in sorted((root / "spool").glob("*/")):
            try:
                found.append(cls.at(directory))
            except ValueError:
                if directory in of_known:
                    found.append(of_known[directory].open())
        return found

    @classmethod
    def strangers(cls, root: Path) -> list[Path]:
        """The directories with files that wait for nobody knows which store, their note being lost."""
        named = {spool.directory for spool in cls.all(root)}
        return [one for one in sorted((root / "spool").glob("*/")) if one not in named and any(one.glob(f"*{SUFFIX}"))]

    def open(self) -> "Spool":
        """Make the directory, with a note of the store that it is for: its owner's alone, for it may hold a password."""
        self.directory.mkdir(parents=True, exist_ok=True)
        target = self.directory / NOTE
        with suppress(ValueError):
            there = self.at(self.directory)
            self.artifacts, self.study = self.artifacts or there.artifacts, self.study or there.study
        told = {"uri": below(self.uri, self.root), "artifacts": self.artifacts}
        note = json.dumps({**told, **({"study": self.study} if self.study else {})}).encode()
        if not target.is_file() or target.read_bytes() != note:
            replace(target, note)
        return self

    def first_word(self, remark: str) -> str:
        """A remark on its store as a line to print, "" where that was said before: something was sent there from here."""
        return f"note: {remark}" if remark and not self.directory.exists() else ""

    def put(self, entry: Entry | Packed, *, perhaps_logged: bool = False) -> Path:
        """Keep an entry. Raises OSError (a full disk), and then leaves nothing behind.

        `perhaps_logged`: nobody could ask the store whether it has the run already, so that the writer will.
        """
        label, content = pack(entry) if isinstance(entry, Entry) else entry
        name = f"{time.time_ns():020d}-{os.getpid()}-{label}"
        path, draft = self.directory / f"{name}{SUFFIX}", self.directory / f"{name}.draft"
        try:
            draft.write_bytes(content)
            if perhaps_logged:
                self.mark(path).touch()
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            if not path.exists():
                self.mark(path).unlink(missing_ok=True)
            raise
        self._unsynced.append(path)
        if time.monotonic() - self._synced >= self._pause:
            self.sync()
        return path

    def sync(self) -> None:
        """Have the disk keep what was put, as far as it still waits."""
        begun, paths, self._unsynced = time.monotonic(), self._unsynced, []
        for path in [*paths, *([self.directory] if paths else [])]:
            with suppress(FileNotFoundError):
                sync(path)
        self._synced = time.monotonic()
        self._pause = 20 * (self._synced - begun)

    def files(self) -> list[Path]:
        """The files that wait, the oldest first."""
        return [Path(one.path) for one in sorted(self._scan(), key=lambda one: one.name)]

    def count(self) -> int:
        """How many files wait."""
        return sum(1 for _ in self._scan())

    def _scan(self) -> Iterator[os.DirEntry]:
        with suppress(FileNotFoundError), os.scandir(self.directory) as found:
            for one in found:
                if one.name.endswith(SUFFIX) and one.is_file(follow_symlinks=False):
                    yield one

    def rejected(self) -> dict[Path, str]:
        """The files that were set aside because they cannot be logged, and why."""
        return {
            path: _note(path.with_suffix(".txt")) for path in sorted((self.directory / REJECTED).glob(f"*{SUFFIX}"))
        }

    def entries(self, campaign: str) -> Iterator[Entry]:
        """The runs of a campaign that wait; files that vanish meanwhile or cannot be read are passed over."""
        for path in self.files():
            with suppress(FileNotFoundError, SpoolError):
                entry = read(path)
                if entry.destination.campaign == campaign and not entry.closing:
                    yield entry

    def in_hand(self) -> set[str]:
        """The keys of the runs that writers have in hand at this moment."""
        keys = set()
        for path in self.files():
            with taken(path) as free:
                if free:
                    continue
            with suppress(FileNotFoundError, SpoolError):
                keys.add(read(path).key)
        return keys

    def set_aside(self, path: Path, why: str = "") -> Path:
        """Put a file that cannot be logged where it is in nobody's way, with a note that says why."""
        target = self.directory / REJECTED / path.name
        target.parent.mkdir(exist_ok=True)
        with suppress(OSError):
            target.with_suffix(".txt").write_text(f"{why}\n", errors="backslashreplace")
        path.replace(target)
        self.mark(path).unlink(missing_ok=True)
        return target

    def give_back(self, path: Path) -> None:
        """Put a file that was set aside back among those that wait; whoever logs it looks first what MLflow has."""
        target = self.directory / path.name
        self.mark(target).touch()
        path.replace(target)
        path.with_suffix(".txt").unlink(missing_ok=True)

    def give_up(self, path: Path) -> None:
        """Keep a file that was set aside and that nobody can read out of sight."""
        path.replace(path.with_suffix(".unreadable"))

    def run_id(self, path: Path) -> str:
        """The id of a file's run where we may choose it: always the same, and rising with time, which databases like."""
        began = path.name.partition("-")[0]
        time = int(began) % 2**64 if began.isdecimal() else 0
        return f"{time:016x}{hashlib.sha256(path.name.encode()).hexdigest()[:16]}"

    def mark(self, path: Path) -> Path:
        """The mark that somebody has begun to log a file."""
        return path.with_suffix(MARK)

    def remove(self, path: Path) -> None:
        """A file whose run is logged."""
        path.unlink(missing_ok=True)
        self.mark(path).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what processes that died left half-done: drafts, scratch directories, and marks without a file.

        What has the name of a run and is no file is set aside.
        """
        for draft in self.directory.glob("*.draft"):
            if not _owner_lives(draft.name):
                draft.unlink(missing_ok=True)
        for scratch in self.directory.glob(f"{SCRATCH}-*"):
            if not _owner_lives(scratch.name):
                shutil.rmtree(scratch, ignore_errors=True)
        for mark in self.directory.glob(f"*{MARK}"):
            if not mark.with_suffix(SUFFIX).exists() and not _owner_lives(mark.name):
                mark.unlink(missing_ok=True)
        for stranger in set(self.directory.glob(f"*{SUFFIX}")) - set(self.files()):
            if os.path.lexists(stranger) and not stranger.is_file():
                self.set_aside(stranger, "no file")

    def scratch(self) -> Path:
        """A directory for this process's passing files; `tidy` removes it once the process is gone."""
        directory = self.directory / f"{SCRATCH}-{os.getpid()}"
        directory.mkdir(exist_ok=True)
        return directory


@contextmanager
def taken(path: Path) -> Iterator[bool]:
    """Hold a spool file; false where another process holds it or it is gone."""
    try:
        import fcntl
    except ImportError:  # not a Unix: one writer only
        yield path.exists()
        return
    try:
        file = path.open("rb")
    except FileNotFoundError:  # somebody else has logged it
        yield False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield path.exists()


def _note(path: Path) -> str:
    with suppress(OSError, ValueError):
        return path.read_text().strip()
    return ""


def _owner_lives(name: str) -> bool:
    """Whether the process whose number is in the name of a file still runs."""
    number = name.partition(".")[0].split("-")[1:2]
    return bool(number) and number[0].isdecimal() and is_alive(int(number[0]))


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
