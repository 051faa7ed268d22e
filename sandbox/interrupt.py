"""Ctrl-C while a command only gets ready: one line, and the process is gone.

The imports of a command take up to two seconds. A KeyboardInterrupt in the midst of one comes out as a traceback, in a
library written in C as an ImportError or a crash, and in Python's own bookkeeping of imports it is lost; so the first import
of `import sandbox` is this one, and later on Ctrl-C waits for the end of an import. Programs of others keep the answer to
Ctrl-C that they have.
"""

import _thread
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MOMENT = 0.02  # seconds until Ctrl-C is heard again, of one that came within an import
MODULES = ("sandbox", "experiments", "studies.features_vs_layers")  # what `python -m` may run, and what is in them


def is_command(words: list[str], arguments: int) -> bool:
    """Whether a process is one of our commands: its whole command line, of which the last `arguments` are the program's.

    >>> is_command(["python3", "-m", "experiments.depth", "--trials", "4"], 2), is_command(["python3", "my.py"], 0)
    (True, False)
    """
    *_, before, program = ["", "", *words[: len(words) - arguments]]
    if before != "-m":
        return os.path.basename(program) in ("sandbox", "sandbox.exe")
    return program in MODULES or program.startswith("experiments.")


@contextmanager
def getting_ready() -> Iterator[None]:
    """Within, Ctrl-C ends one of our commands where it is: for imports, and what else leaves nothing behind."""
    _leave_at_once()
    try:
        yield
    finally:
        raise_again()


def raise_again() -> None:
    """From here on, Ctrl-C raises KeyboardInterrupt, for what has something to put away."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _raise)


def all_done() -> None:
    """From here on, Ctrl-C does nothing to one of our commands: it has ended, and Python takes itself down."""
    if _ours() and signal.getsignal(signal.SIGINT) in (_leave, _raise, signal.default_int_handler):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave_at_once() -> None:
    """Where Ctrl-C is ignored, or answered otherwise, it stays so."""
    if _ours() and signal.getsignal(signal.SIGINT) in (_raise, signal.default_int_handler):
        signal.signal(signal.SIGINT, _leave)


def _ours() -> bool:
    return is_command(sys.orig_argv, len(sys.argv) - 1)


def _raise(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            later = threading.Timer(MOMENT, _thread.interrupt_main)
            later.daemon = True
            later.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _leave(number: int, frame: FrameType | None) -> None:
    try:
        os.write(2, b"error: interrupted\n")
    finally:
        os._exit(1)


_leave_at_once()
