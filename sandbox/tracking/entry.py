"""An entry of the spool as a file: a finished run, or the end of a parent run, and where it belongs.

A file is an uncompressed zip: `entry.json` (params, curve, metrics, tags, and where the run belongs) and the pictures as
they are. Zip checks every part, so that a torn file is found; nothing in it can run.
"""

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.tracking.record import STATUSES, Record, check_metric


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
