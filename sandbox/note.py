"""A campaign's note: what it should come to, left on the disk for the doctor, who knows no sweeps and no comparisons."""

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sandbox import disk
from sandbox.names import is_safe


@dataclass(frozen=True)
class Note:
    """Where a campaign's runs go, and how many there should be.

    `keys` are those of a plan that is known beforehand; `study` says how a sweep's study is made anew (empty for what is
    no sweep); `spools` name the stores that its runs were sent to; `begun` counts how often it was begun; `shared` is the
    database by which hosts share it, "" for none.
    """

    campaign: str
    experiment: str
    total: int
    keys: Sequence[str] = ()
    study: Mapping[str, Any] = field(default_factory=dict)
    spools: Sequence[str] = ()
    begun: int = 1
    shared: str = ""

    def missing(self, told: Collection[str]) -> int:
        """How many of its runs are not among those of these keys."""
        return len(set(self.keys).difference(told)) if self.keys else max(0, self.total - len(told))

    def leave(self, root: Path) -> "Note":
        """Write it under `root` and give it, with the spools and the beginnings of the note that was there."""
        note = self
        with suppress(OSError, ValueError):  # there is none, or none that can be read
            known = Note.read(note_path(self.campaign, root))
            note = replace(self, spools=sorted({*known.spools, *self.spools}), begun=known.begun + 1)
        note.write(root)
        return note

    def sent_to(self, spool: str) -> "Note":
        """The note of a campaign whose runs were sent to this spool's store, too."""
        return replace(self, spools=sorted({*self.spools, spool}))

    def write(self, root: Path) -> None:
        """Write it under `root`."""
        (root / "campaigns").mkdir(parents=True, exist_ok=True)
        disk.replace(note_path(self.campaign, root), json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, path: Path) -> "Note":
        """The note in a file; what newer code has added to it is passed over. Raises OSError, and ValueError for no note."""
        try:
            found = json.loads(path.read_bytes())
            note = cls(**{one.name: found[one.name] for one in fields(cls) if one.name in found})
            texts = [note.campaign, note.experiment, note.shared, *note.keys, *note.spools]
            numbers = [note.total, note.begun]
            if not (all(isinstance(text, str) for text in texts) and all(type(number) is int for number in numbers)):
                raise TypeError("a text or a number is none")
            if not (is_safe(note.campaign) and isinstance(note.study, dict)):
                raise TypeError("the campaign is none")
        except (TypeError, RecursionError) as error:
            raise ValueError(f"{path} holds no note: {error}") from error
        return note

    @classmethod
    def all(cls, root: Path) -> tuple[list["Note"], list[Path]]:
        """Every note under `root`, and the files that hold none that can be read."""
        notes, broken = [], []
        for path in sorted((root / "campaigns").glob("*.json")):
            try:
                notes.append(cls.read(path))
            except (OSError, ValueError):
                broken.append(path)
        return notes, broken


def note_path(campaign: str, root: Path) -> Path:
    """The file of a campaign's note."""
    return root / "campaigns" / f"{campaign}.json"
