"""Optuna's journal: it survives whoever dies while writing to it."""

import json
import signal
import subprocess
import sys
import time

import optuna
import pytest
from optuna.trial import create_trial

from sandbox.sweeps.journal import JOURNAL, open_storage

ADD = """
import sys
from pathlib import Path
import optuna
from optuna.trial import create_trial
from sandbox.sweeps.journal import open_storage
study = optuna.create_study(storage=open_storage(Path(sys.argv[1])), study_name="both", load_if_exists=True)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    study.add_trial(create_trial(value=number))
"""

HOLD = """
import sys, time
from pathlib import Path
from sandbox.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def made(root):
    """The study "one", made if it is not there."""
    return optuna.create_study(storage=open_storage(root), study_name="one", load_if_exists=True)


def enter(study, *values):
    for value in values:
        study.add_trial(create_trial(value=value))


def values(study):
    return [trial.value for trial in study.trials]


@pytest.mark.parametrize("torn", [b'{"op_code":4,"worker_id":"x', b'{"op_code":4,"text":"' + b"x" * 200_000])
def test_a_torn_last_line_is_cut_off_and_all_before_survives(tmp_path, studies, torn):
    enter(made(tmp_path), 1, 2, 3)
    whole = (tmp_path / JOURNAL).read_bytes()
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(torn)
    again = made(tmp_path)
    assert values(again) == [1, 2, 3]
    now = (tmp_path / JOURNAL).read_bytes()
    assert now.startswith(whole)
    assert all(json.loads(line) for line in now.splitlines())
    enter(again, 4)
    assert values(studies(tmp_path)["one"]) == [1, 2, 3, 4]


def test_a_line_torn_while_the_journal_is_open_is_cut_off_by_the_next_who_writes(tmp_path, studies):
    study = made(tmp_path)
    enter(study, 1)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"x')  # of another process, which died with the lock
    enter(study, 2)
    assert values(studies(tmp_path)["one"]) == [1, 2]


@pytest.mark.parametrize("torn", [b"", b'{"op_co', b"x" * 70_000])
def test_a_journal_of_nothing_but_a_torn_line_begins_again(tmp_path, torn):
    (tmp_path / JOURNAL).write_bytes(torn)
    assert values(made(tmp_path)) == []
    assert (tmp_path / JOURNAL).read_bytes().startswith(b"{")


def test_a_lock_that_a_dead_process_held_does_not_block(tmp_path, studies):
    command = [sys.executable, "-c", HOLD, str(tmp_path / f"{JOURNAL}.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    start = time.monotonic()
    enter(made(tmp_path), 1)
    assert time.monotonic() - start < 5
    assert values(studies(tmp_path)["one"]) == [1]


def test_two_processes_that_add_at_once_lose_nothing(tmp_path, studies):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADD, str(tmp_path), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for first in (0, 20)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(values(studies(tmp_path)["both"])) == list(range(40))
