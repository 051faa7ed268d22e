"""The spool: finished runs wait here as files, until a writer has told MLflow. What is in it counts as done.

A file is an uncompressed zip: `entry.json` (params, curve, metrics, tags, and where the run belongs) and the pictures as
they are. Zip checks every part, so that a torn file is found; nothing in it can run. A file is written under another
name and renamed, so that it is there whole or not at all. Whoever logs a file holds its lock; a process that dies lets
go of it. A mark beside the file says that somebody has begun: whoever comes next looks first what MLflow already has.
"""

import hashlib
import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.tracking.record import STATUSES, Record, check_metric

SUFFIX = ".run"
MARK = ".begun"
REJECTED = "rejected"
SCRATCH = "scratch"


class SpoolError(RuntimeError):
    """A spool file cannot be read. Its message is one line and names the file."""


@dataclass(frozen=True)
class Destination:
    """Where a run belongs: its experiment, and the parent run that gathers its sweep (none for a run of its own)."""

    experiment: str
    description: str = ""
    sweep: str = ""
    parent_name: str = ""
    parent_tags: dict[str, str] = field(default_factory=dict)
    parent_params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A run to log; or, without a record, the end of a parent run."""

    destination: Destination
    record: Record | None = None
    parent_status: str = ""
    parent_metrics: dict[str, float] = field(default_factory=dict)
    parent_tags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The config key of the run, "" where there is none."""
        return self.record.tags.get("config_key", "") if self.record else ""


class Spool:
    """The spool of one MLflow store, in a directory of its own under `root`/spool."""

    def __init__(self, uri: str, root: Path) -> None:
        self.uri = uri
        self.directory = root / "spool" / hashlib.sha256(uri.encode()).hexdigest()[:12]

    @classmethod
    def all(cls, root: Path) -> "list[Spool]":
        """Every spool under `root`."""
        found = []
        for target in sorted((root / "spool").glob("*/store.json")):
            with suppress(ValueError, KeyError, TypeError):  # a note that is none: nobody knows where its runs belong
                spool = cls(json.loads(target.read_text())["uri"], root)
                spool.directory = target.parent
                found.append(spool)
        return found

    def open(self) -> "Spool":
        """Make the directory, with a note of the store that it is for: its owner's alone, for it may hold a password."""
        self.directory.mkdir(parents=True, exist_ok=True)
        target = self.directory / "store.json"
        if not target.exists():
            _replace(target, json.dumps({"uri": self.uri}).encode())
        return self

    def put(self, entry: Entry, *, perhaps_logged: bool = False) -> Path:
        """Keep an entry. Raises OSError (a full disk), and then leaves nothing behind.

        `perhaps_logged`: nobody could ask the store whether it has the run already, so that the writer will.
        """
        name = f"{time.time_ns():020d}-{os.getpid()}-{entry.key or 'parent'}"
        path, draft = self.directory / f"{name}{SUFFIX}", self.directory / f"{name}.draft"
        try:
            write(draft, entry)
            if perhaps_logged:
                self.mark(path).touch()
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            if not path.exists():
                self.mark(path).unlink(missing_ok=True)
            raise
        return path

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

    def entries(self, sweep: str) -> Iterator[Entry]:
        """The runs of a sweep that wait; files that vanish meanwhile or cannot be read are passed over."""
        for path in self.files():
            with suppress(FileNotFoundError, SpoolError):
                entry = read(path)
                if entry.destination.sweep == sweep and entry.record is not None:
                    yield entry

    def peek(self, path: Path) -> list[Entry]:
        """The entry of a file that a writer has in hand at this moment, if so."""
        with taken(path) as free:
            if free:
                return []
        try:
            return [read(path)]
        except (FileNotFoundError, SpoolError):
            return []

    def set_aside(self, path: Path, why: str = "") -> Path:
        """Put a file that cannot be logged where it is in nobody's way, with a note that says why."""
        target = self.directory / REJECTED / path.name
        target.parent.mkdir(exist_ok=True)
        with suppress(OSError):
            target.with_suffix(".txt").write_text(f"{why}\n")
        path.replace(target)
        self.mark(path).unlink(missing_ok=True)
        return target

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


def write(path: Path, entry: Entry) -> None:
    """Write an entry as a file. Raises OSError."""
    record = entry.record
    head: dict[str, Any] = {**vars(entry), "destination": vars(entry.destination), "record": None}
    parts: dict[str, bytes] = {}
    if record is not None:
        for kind, contents in (("images", record.images), ("files", record.files)):
            parts |= {f"{kind}/{name}": content for name, content in contents.items()}
        for key, steps in record.slider.items():
            parts |= {f"slider/{step}/{key}": png for step, png in steps.items()}
        head["record"] = {**vars(record), "images": {}, "files": {}, "slider": {}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("entry.json", json.dumps(head, allow_nan=False))
        for name, content in parts.items():
            archive.writestr(name, content)


def read(path: Path) -> Entry:
    """The entry in a file. Raises SpoolError for a file that is not whole, or not ours; OSError where none can be read."""
    content = path.read_bytes()
    try:
        return _parse(content)
    except Exception as error:  # whatever a zip of unknown origin leads to
        raise SpoolError(f"spool file {path}: {str(error) or type(error).__name__}") from error


def _parse(content: bytes) -> Entry:
    parts: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            if info.compress_type != zipfile.ZIP_STORED:  # a bomb unpacks to more than it weighs
                raise ValueError(f"{info.filename!r} is compressed")
            parts[info.filename] = archive.read(info)
    head = json.loads(parts.pop("entry.json"))
    head["destination"] = Destination(**head["destination"])
    if head["record"] is not None:
        head["record"] = _record(head["record"], parts)
    entry = Entry(**head)
    _check(entry)
    return entry


def _record(fields: dict[str, Any], parts: dict[str, bytes]) -> Record:
    kinds: dict[str, dict[str, bytes]] = {"images": {}, "files": {}}
    slider: dict[str, dict[int, bytes]] = {}
    for name, content in parts.items():
        kind, _, rest = name.partition("/")
        if kind == "slider":
            step, _, key = rest.partition("/")
            slider.setdefault(key, {})[int(step)] = content
        else:
            kinds[kind][rest] = content
    metrics = [(key, float(value), int(step)) for key, value, step in fields["metrics"]]
    return Record(**{**fields, **kinds, "metrics": metrics, "slider": slider})


def _check(entry: Entry) -> None:
    """Raises ValueError where the entry cannot be what `write` was given."""
    to, record = entry.destination, entry.record
    texts: list[Any] = [to.experiment, to.description, to.sweep, to.parent_name, entry.parent_status]
    tables = [to.parent_tags, to.parent_params, entry.parent_tags]
    if record is None:
        if not (to.sweep and entry.parent_status in STATUSES):
            raise ValueError("neither a run nor the end of a sweep")
        for key, value in entry.parent_metrics.items():
            texts.append(key)
            check_metric(key, value)
    else:
        texts += [record.name, *(key for key, _, _ in record.metrics)]
        tables += [record.params, record.tags]
        if not all(type(time) is int for time in (record.start_time, record.end_time)):
            raise ValueError("times must be whole milliseconds")
    texts += [text for table in tables for pair in table.items() for text in pair]
    if not to.experiment or not all(isinstance(text, str) for text in texts):
        raise ValueError("names, params and tags must be text")


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


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, readable by its owner alone."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
