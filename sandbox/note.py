"""A campaign's note: what it should come to, left on the disk for the doctor, who knows no sweeps and no comparisons."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True)
class Note:
    """Where a campaign's runs go, and how many there should be.

    `keys` are those of a plan that is known beforehand, `objective` says by which a sweep is ranked, `spools` name the
    stores that its runs were sent to.
    """

    campaign: str
    experiment: str
    total: int
    keys: Sequence[str] = ()
    objective: str = ""
    spools: Sequence[str] = ()

    def leave(self, root: Path) -> None:
        """Write it under `root`, with the spools of the note that was there, unless that says the same."""
        known = json.loads(self._path(root).read_text()) if self._path(root).exists() else {}
        text = json.dumps(asdict(self) | {"spools": sorted({*known.get("spools", []), *self.spools})})
        if text != json.dumps(known):
            self._path(root).parent.mkdir(parents=True, exist_ok=True)
            draft = self._path(root).with_name(f"{self._path(root).name}.{os.getpid()}")
            draft.write_text(text)
            draft.replace(self._path(root))

    def _path(self, root: Path) -> Path:
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", self.campaign)[:80]
        return root / "campaigns" / f"{name}-{sha256(self.campaign.encode()).hexdigest()[:8]}.json"

    @classmethod
    def all(cls, root: Path) -> Iterator["Note"]:
        """Every note under `root`."""
        for path in sorted((root / "campaigns").glob("*.json")):
            yield cls(**json.loads(path.read_text()))
