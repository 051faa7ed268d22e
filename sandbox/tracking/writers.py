"""The driver's side of the writers: starts them, hears what they say, and waits for the spool to drain."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO

from sandbox.tracking.connection import impatience
from sandbox.tracking.spool import Spool

PATIENCE = 30.0  # seconds that a sweep which has ended waits for a store that is away or silent
SHORT_PATIENCE = 5.0  # the same, for a store that has never been there
START = 120.0  # the same, for the first word of the writers: many of them may start at once on a busy machine
SHORT_LIFE = 10.0  # a writer that ends sooner, without having logged anything, may not be able to
LIVES = 4  # such ends in a row, before no other is started


class Writers:
    """Processes that drain a spool, from `start` on; one that dies is replaced.

    By default there are as many as a machine has room for beside the driver. As a context, they are closed at the end, and
    what they have in hand is waited for. `down` says why the store cannot be reached, or is None; `remark` what else there
    is to say of it; `logged` counts the files that were logged, `rejected` those of this process that were set aside.
    """

    def __init__(self, spool: Spool, number: int | None = None) -> None:
        self.spool, self.number = spool, number or max(1, min(4, (os.cpu_count() or 2) // 2))
        self.logged = self.rejected = 0
        self.down: str | None = None
        self.remark = ""
        self._down_since: float | None = None
        self._heard = False
        self._progress = time.monotonic()
        self._failures = 0
        self._ending = self._given_up = False
        self._processes: dict[threading.Thread, subprocess.Popen] = {}
        self._lock = threading.Lock()

    def start(self) -> "Writers":
        """Start them, unless they work already."""
        if not self._processes:
            for _ in range(self.number):
                self._start()
        return self

    def __enter__(self) -> "Writers":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
        if not any(error):
            self.join()

    def _start(self) -> None:
        with self._lock:
            if self._ending:
                return
            words = TemporaryFile()  # noqa: SIM115  what it says on standard error is heard if it dies
            process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.tracking.writer", str(self.spool.directory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
                env=impatience(),
                start_new_session=True,
            )
            thread = threading.Thread(target=self._listen, args=(process, words), daemon=True)
            self._processes[thread] = process
            thread.start()

    def _listen(self, process: subprocess.Popen, words: IO[bytes]) -> None:
        begun, before = time.monotonic(), self.logged
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with suppress(ValueError):  # MLflow or one of its own has printed something
                    self._hear(json.loads(line))
        code = process.wait()
        with words:
            words.seek(0)
            *_, last = [b"", *words.read()[-10_000:].splitlines()]
        assert process.stdin is not None
        process.stdin.close()
        with self._lock:
            self._processes.pop(threading.current_thread(), None)
        if self._ending:
            return
        short = self.logged == before and time.monotonic() - begun < SHORT_LIFE
        self._failures = self._failures + 1 if short else 0
        if self._failures < LIVES:
            self._start()
        else:
            reason = last.decode(errors="replace").strip() or f"exit code {code}"
            self._hear({"down": f"the writers die: {reason}"})
            self._given_up = True

    def _hear(self, news: dict[str, str]) -> None:
        self._heard = True
        if "at work" in news or "kept" in news:
            self._progress = time.monotonic()
            return
        if "down" in news:
            self.down, self._down_since = news["down"], self._down_since or time.monotonic()
            return
        if "remark" in news:
            self.remark = news["remark"]
            return
        self.logged += "logged" in news
        self.rejected += f"-{os.getpid()}-" in news.get("rejected", "")
        self._progress = time.monotonic()
        self.down = self._down_since = None

    def wait(self, look: Callable[[], object] = lambda: None, poll: float = 0.1) -> bool:
        """Wait until what is in the spool now is logged; false where the store is away or silent for too long."""
        self._progress = time.monotonic()
        waiting = set(self.spool.files())
        while left := waiting.intersection(self.spool.files()):
            look()
            now = time.monotonic()
            if len(left) < len(waiting):  # perhaps by writers of another process, which our own hear nothing of
                self._progress, waiting = now, left
            silent = now - self._progress > (PATIENCE if self._heard else START)
            away = self._down_since and now - self._down_since > (PATIENCE if self.logged else SHORT_PATIENCE)
            over = self._given_up or (self._ending and not self._processes)  # between two lives there is none at work
            if silent or away or over:
                return False
            time.sleep(poll)
        return True

    def close(self) -> None:
        """Let them end: they log what is left, and go."""
        with self._lock:
            self._ending = True
            for process in self._processes.values():
                if process.stdin is not None:
                    process.stdin.close()

    def stop(self) -> None:
        """Make them end: what they have in hand stays in the spool."""
        self.close()
        with self._lock:
            for process in self._processes.values():
                process.terminate()

    def join(self, timeout: float = 10.0) -> None:
        """Wait until they have ended; those that do not are left to themselves (they end when the spool is empty)."""
        deadline = time.monotonic() + timeout
        for thread in list(self._processes):
            thread.join(max(0.0, deadline - time.monotonic()))
