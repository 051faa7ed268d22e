"""Ctrl-C at any moment of a command: one line, another exit code than 0, and no traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.interrupt import is_command

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
ENDS = (
    1,
    -signal.SIGINT,
)  # the latter where exec, in a library, saw a KeyboardInterrupt that was answered later: Python's
TRAIN = ["train", "--epochs", "1000000", "--hidden", "8,8", "--no-track"]
COMMANDS = {
    "sandbox": [BIN / "sandbox", *TRAIN],
    "-m sandbox": [sys.executable, "-m", "sandbox", *TRAIN],
    "-m experiments": [sys.executable, "-m", "experiments", "--epochs", "1000"],
    "-m experiments.depth": [sys.executable, "-m", "experiments.depth", "--epochs", "1000"],
    "-m studies.features_vs_layers": [sys.executable, "-m", "studies.features_vs_layers", "--epochs", "1000"],
}


def wait_for_numpy(process):
    """Wait until a process loads NumPy, the first that we import after our answer to Ctrl-C; before, it is Python's."""
    maps = Path(f"/proc/{process.pid}/maps")
    if not maps.parent.exists():  # no Linux
        time.sleep(0.5)
    while maps.parent.exists() and process.poll() is None and "_multiarray_umath" not in maps.read_text():
        time.sleep(0.001)


def interrupt(words, directory, seconds, answer=signal.default_int_handler):
    """Start a command, send SIGINT so many seconds after it loads NumPy; exit code and standard error."""
    process = subprocess.Popen(
        list(map(str, words)),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, answer),
    )
    with process:
        wait_for_numpy(process)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return process.returncode, errors


@pytest.mark.parametrize("command", COMMANDS)
def test_in_the_first_second(command, tmp_path):
    """In which it imports NumPy, and some of them Optuna and pandas."""
    check(command, tmp_path, [0.17 * step for step in range(5)])


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_in_the_first_four_seconds(command, tmp_path):
    """In which the campaigns begin, which finish the batch in hand first."""
    check(command, tmp_path, [0.5 * step for step in range(8)])


def check(command, directory, moments):
    for number, seconds in enumerate(moments):
        (here := directory / str(number)).mkdir()  # where nothing is done yet
        code, errors = interrupt(COMMANDS[command], here, seconds)
        assert code in ENDS, errors
        assert "Traceback" not in errors
        assert errors.splitlines()[-1].startswith(("error: interrupted", "interrupted: ")), errors


def python(words, directory):
    """Run a program in which Ctrl-C raises KeyboardInterrupt to begin with."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


LAZY = """
import signal, sys, time
sys.orig_argv, sys.argv = ["sandbox"], ["sandbox"]
from sandbox import interrupt
interrupt.raise_again()
import imported
try:
    time.sleep(10)
except KeyboardInterrupt:
    print("heard")
"""


def test_within_an_import_it_waits_for_the_end(tmp_path):
    (tmp_path / "imported.py").write_text("import signal; signal.raise_signal(signal.SIGINT); print('imported')")
    (tmp_path / "lazy.py").write_text(LAZY)
    done = python(["lazy.py"], tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "imported\nheard\n", "")


def test_where_it_is_ignored_it_stays_so(tmp_path):
    """As a shell has it in the background."""
    words = [BIN / "sandbox", "train", "--dataset", "or", "--epochs", "10", "--no-track"]
    assert interrupt(words, tmp_path, 0.1, signal.SIG_IGN)[0] == 0


OWN = """
import signal, sys
import sandbox
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard")
"""


def test_programs_of_others_keep_theirs(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    for words in (["own.py"], ["-m", "own"], ["-c", OWN]):
        done = python(words, tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "heard\n", "")


@pytest.mark.parametrize(
    ("words", "arguments", "ours"),
    [
        (["/usr/bin/python3", "/somewhere/bin/sandbox", "train"], 1, True),
        (["python", "-m", "sandbox"], 0, True),
        (["python", "-X", "dev", "-m", "experiments.depth", "--trials", "4"], 2, True),
        (["python", "-m", "studies.features_vs_layers"], 0, True),
        (["python", "-m", "studies.chaos"], 0, False),
        (["python", "-m", "sandbox.tracking.writer", "runs/spool"], 1, False),  # answers Ctrl-C in its own way
        (["python", "-m", "pytest", "-m", "sandbox"], 2, False),
        (["python", "my.py", "-m", "sandbox"], 2, False),
        (["python", "-c", "import sandbox"], 0, False),
        (["python"], 0, False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_which_processes_are_commands(words, arguments, ours):
    assert is_command(words, arguments) == ours


def test_a_command_within_another_program_leaves_it_its_answer(here, monkeypatch):
    """`sandbox` called from Python, and interrupted: Ctrl-C is the program's, as before."""

    def interrupted(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["sandbox.train"], "train", interrupted)
    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        code, _, errors = here("train", "--dataset", "or", "--epochs", 10, "--no-track")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, errors.endswith("\nerror: interrupted\n")) == (1, True)
