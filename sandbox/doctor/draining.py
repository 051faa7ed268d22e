"""Draining spools when their store is back, or into another one."""

from collections import Counter
from pathlib import Path

from sandbox.note import Note
from sandbox.tracking import Store, StoreError
from sandbox.tracking.address import shown
from sandbox.tracking.connection import impatient
from sandbox.tracking.spool import Spool
from sandbox.tracking.writer import Writer, drain
from sandbox.typed import typed


def drain_all(root: Path, uri: str | None = None) -> dict[str, tuple[int, int, str]]:
    """Drain every spool to its store, or all of them to the store at `uri`.

    By store: how many files were logged and set aside, and why it stopped where it did not get to the end.
    """
    reports: dict[str, tuple[int, int, str]] = {}
    spools = Spool.all(root, Store(uri, root).uri)
    for directory in Spool.strangers(root):
        if uri:
            spools.append(Spool(Store(uri, root).uri, root))
            spools[-1].directory = directory
        else:
            again = typed("sync", "--tracking-uri", "URI")
            why = f"{directory / 'store.json'} cannot be read. next: {again}, where its files belong"
            reports[str(directory)] = (0, 0, why)
    for spool in spools:
        spool.tidy()
        if spool.files():
            store = Store(uri or spool.uri, root, spool.artifacts)
            reports[shown(store.uri)] = _drain(spool, store)
            if store.uri != spool.uri:
                _also_sent(spool, Spool(store.uri, root).open(), root)
    return reports


def _drain(spool: Spool, store: Store) -> tuple[int, int, str]:
    """How many files of a spool were logged to this store and set aside, and why it stopped."""
    told, why = Counter[str](), ""
    try:
        with impatient():
            store.check()
            drain(Writer(spool, store), lambda **news: told.update(news.keys()))
    except (StoreError, OSError) as error:
        why = f"{error}. The spool keeps what waits. next: {typed('sync')}, when the store is back"
    return told["logged"], told["rejected"], why


def _also_sent(before: Spool, now: Spool, root: Path) -> None:
    """Let the notes of campaigns that were sent to one store know that they were sent to another one, too."""
    for note in Note.all(root)[0]:
        if before.directory.name in note.spools:
            note.sent_to(now.directory.name).write(root)
