"""An entry of the spool: everything that one MLflow run holds, where it belongs, and both as a file.

A file is an uncompressed zip: `entry.json` (params, curves, metrics, tags, and where the run belongs) and the pictures as
they are. Zip checks every part, so that a torn file is found; nothing in it can run.
"""

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.names import LONGEST, is_safe, is_text
from sandbox.tracking.linked import LoggedDataset

STATUSES = ("FINISHED", "KILLED", "FAILED")
LARGEST = 1.7e308  # MLflow stores infinity as 1.797e308, so nothing near it is told apart from a number
LARGEST_STEP = 2**63  # what a database can keep
LARGEST_TIME = 2**53  # milliseconds: far beyond what a date can be
PARTS = ("images", "files")
NOTE = "mlflow.note.content"  # what the UI shows as a description, in Markdown
THIS_RUN = "THIS_RUN"  # stands, in a run's description, for the id that the run has or will have
THIS_EXPERIMENT = "THIS_EXPERIMENT"  # likewise, for its experiment's
LONGEST_NOTE = 4900  # characters: MLflow keeps 5000 of an experiment's


class SpoolError(RuntimeError):
    """A spool file cannot be read. Its message is one line and names the file."""


@dataclass(frozen=True)
class Record:
    """What one MLflow run holds, ended, as plain data: it can wait on a disk. Times are milliseconds since 1970.

    `metrics` are (key, value, step); `images` map an artifact path such as ``cost.png`` to PNG bytes;
    `files` map an artifact path such as ``table.csv`` to any other bytes;
    `slider` maps a key such as ``boundary`` to the PNG bytes at each step, shown in the UI behind a slider;
    `dataset` is what it has learnt from.

    Raises ValueError for an unknown status, for a value that MLflow cannot keep (it would turn NaN into 0)
    and for two values of a metric at one step (it would draw both).

    >>> Record("a run", "FINISHED", 0, 1000, metrics=[("cost", 0.5, 0), ("cost", 0.1, 100)]).params
    {}
    >>> Record("a run", "FINISHED", 0, 1000, metrics=[("cost", float("nan"), 7)])
    Traceback (most recent call last):
    ValueError: metric 'cost' is nan at step 7: only finite values can be logged
    """

    name: str
    status: str
    start_time: int
    end_time: int
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[tuple[str, float, int]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    slider: dict[str, dict[int, bytes]] = field(default_factory=dict)
    dataset: LoggedDataset | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r} of run {self.name!r}: valid are {', '.join(STATUSES)}")
        seen: set[tuple[str, int]] = set()
        for key, value, step in self.metrics:
            if not (math.isfinite(value) and abs(value) <= LARGEST):
                raise ValueError(f"metric {key!r} is {value} at step {step}: only finite values can be logged")
            if (key, step) in seen:
                raise ValueError(f"metric {key!r} has two values at step {step}")
            seen.add((key, step))
        for kind in PARTS:
            for path in getattr(self, kind):
                if not path or path.startswith("/") or ".." in path.split("/"):
                    raise ValueError(f"{kind[:-1]} {path!r}: its path must stay inside the run")

    def timed(self) -> list[tuple[str, float, int, int]]:
        """The metrics as (key, value, timestamp, step).

        A step's time is interpolated within the record's, as if all steps had taken equally long.
        """
        start, end = self.start_time, self.end_time
        pace = (end - start) / max((step for _, _, step in self.metrics if step > 0), default=1)
        return [(key, value, round(start + pace * step), step) for key, value, step in self.metrics]

    def last(self) -> dict[str, float]:
        """The value of each metric at its last step."""
        return {key: value for key, value, _ in sorted(self.metrics, key=lambda one: one[2])}


@dataclass(frozen=True)
class Destination:
    """Where a run belongs: its experiment, and the parent run that gathers its campaign (none for a run of its own).

    `campaign` is the campaign's id: the parent's name, and the tag ``sweep`` of the parent and all its runs. It stands in
    files' names too, and must be safe for that (sandbox.names). Raises ValueError for one that is not.

    >>> Destination("depth", "What do more hidden layers buy?", campaign="depth-1f2e3d4c").experiment
    'depth'
    """

    experiment: str
    description: str = ""
    campaign: str = ""
    tags: dict[str, str] = field(default_factory=dict)  # of the parent run
    params: dict[str, str] = field(default_factory=dict)
    experiment_tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.campaign and not is_safe(self.campaign):
            raise ValueError(f"campaign {self.campaign!r} is none: sandbox.names.safe gives one for any name")


@dataclass(frozen=True)
class Entry:
    """A run to log; or, `closing`, the end of its destination's parent run: status, figures, tags and files."""

    destination: Destination
    record: Record
    closing: bool = False

    @property
    def key(self) -> str:
        """What tells the run from the others of its campaign, "" where it belongs to none."""
        return key_of(self.record.tags)


def key_of(tags: Mapping[str, str]) -> str:
    """The key of a run with these tags: its config's, behind its role and arm where it has a role."""
    if "config_key" not in tags:
        return ""
    return "/".join([*([tags["role"], tags["arm"]] if "role" in tags else []), tags["config_key"]])


class Packed(NamedTuple):
    """An entry as the content of its file, and the `label` that the file's name has of it."""

    label: str
    content: bytes


def pack(entry: Entry) -> Packed:
    """An entry as a file's content."""
    record = entry.record
    parts = {f"{kind}/{name}": content for kind in PARTS for name, content in getattr(record, kind).items()}
    for key, steps in record.slider.items():
        parts |= {f"slider/{step}/{key}": png for step, png in steps.items()}
    plain = {
        **vars(record),
        "images": {},
        "files": {},
        "slider": {},
        "dataset": record.dataset and vars(record.dataset),
    }
    head = {"destination": vars(entry.destination), "record": plain, "closing": entry.closing}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("entry.json", json.dumps(head, allow_nan=False))
        for name, content in parts.items():
            archive.writestr(name, content)
    return Packed(record.tags.get("config_key", "parent"), packed.getvalue())


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
    if "entry.json" not in parts:  # perhaps the end of a torn file was that of an archive within it
        raise ValueError("it is torn, or no run's")
    head = json.loads(parts.pop("entry.json"))
    entry = Entry(Destination(**head["destination"]), _record(head["record"], parts), head["closing"])
    _check(entry)
    return entry


def _record(fields: dict[str, Any], parts: dict[str, bytes]) -> Record:
    kinds: dict[str, dict[str, bytes]] = {kind: {} for kind in PARTS}
    slider: dict[str, dict[int, bytes]] = {}
    for name, content in parts.items():
        kind, _, rest = name.partition("/")
        if kind == "slider":
            step, _, key = rest.partition("/")
            slider.setdefault(key, {})[int(step)] = content
        else:
            kinds[kind][rest] = content
    metrics = [(key, float(value), int(step)) for key, value, step in fields["metrics"]]
    told = fields.get("dataset")
    dataset = LoggedDataset(**told) if told else None
    return Record(**{**fields, **kinds, "metrics": metrics, "slider": slider, "dataset": dataset})


def _check(entry: Entry) -> None:
    """Raises ValueError where the entry cannot be what `write` was given."""
    to, record = entry.destination, entry.record
    texts: list[Any] = [to.experiment, to.description, to.campaign, record.name, *(key for key, _, _ in record.metrics)]
    for table in (to.tags, to.params, to.experiment_tags, record.params, record.tags):
        texts += [text for pair in table.items() for text in pair]
    texts += vars(record.dataset).values() if record.dataset else ()
    if not all(isinstance(text, str) and is_text(text) for text in texts):
        raise ValueError("names, params, tags and data sets must be text")
    if not 1 <= len(to.experiment) <= LONGEST:
        raise ValueError("the name of the experiment must have 1 to 256 characters")
    if set(record.tags.get("config_key", "")) & set("'\"\\/"):  # it stands in filters and in files' names
        raise ValueError("its key is none")
    if not all(type(time) is int and abs(time) < LARGEST_TIME for time in (record.start_time, record.end_time)):
        raise ValueError("times must be whole milliseconds")
    if not all(abs(step) < LARGEST_STEP for _, _, step in record.metrics):
        raise ValueError("steps must be whole numbers of 64 bits")
    if entry.closing is not (entry.closing and to.campaign != ""):
        raise ValueError("the end of a parent run that there is not")
