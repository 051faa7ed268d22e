"""Optuna's side of a sweep, in a real journal file."""

import json
import signal
import subprocess
import sys
import time

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from sandbox.sweeps import Range, choice
from sandbox.sweeps.trials import JOURNAL, WORST, Trials, known_sweeps

ADD = """
import sys
from pathlib import Path
from sandbox import Config
from sandbox.sweeps import Sweep, choice
from sandbox.sweeps.trials import Trials
first = int(sys.argv[2])
sweep = Sweep(name="both", base=Config(epochs=10), space={"learning_rate": choice(*range(1, 41))}, seeds=1)
trials = Trials(sweep, Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for trial in sweep.plan[first : first + 20]:
    trials.end(trial, 0.5)
"""

HOLD = """
import sys, time
from pathlib import Path
from sandbox.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def plain(root):
    """The studies by name, read by Optuna alone."""
    storage = JournalStorage(JournalFileBackend(str(root / JOURNAL)))
    return {name: optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)}


def test_planned_trials_are_entered_once_with_finite_values(small, tmp_path):
    sweep = small("entered")
    trials = Trials(sweep, tmp_path)
    costs = [0.25, None, 1e300, 0.5]
    for trial, cost in zip(sweep.plan, costs, strict=True):
        trials.end(trial, cost)
    trials.end(sweep.plan[0], 0.125)
    study = plain(tmp_path)[sweep.id]
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 4
    assert [trial.value for trial in study.trials] == [0.25, WORST, WORST, 0.5]
    assert [trial.user_attrs["diverged"] for trial in study.trials] == [False, True, False, False]
    assert [trial.params for trial in study.trials] == [
        {"learning_rate": rate, "seed": seed} for seed in (0, 1) for rate in ("0.1", "1.0")
    ]
    assert study.best_trial.params == {"learning_rate": "0.1", "seed": 0}
    assert [known.id for known in known_sweeps(tmp_path)] == [sweep.id]
    assert known_sweeps(tmp_path)[0].plan == sweep.plan
    assert Trials(sweep, tmp_path).keys() == {trial.config.key for trial in sweep.plan}


def test_a_sampler_is_asked_told_and_remembers(small, tmp_path):
    space = {"learning_rate": Range(0.1, 10.0, log=True), "hidden": choice((2,), (4, 4))}
    sweep = small("asked", space=space, sampler="tpe", trials=12)
    trials = Trials(sweep, tmp_path)
    asked = trials.ask(3)
    assert [trial.config.seed for trial in asked] == [0, 1, 2]
    assert len({(trial.config.learning_rate, trial.config.hidden) for trial in asked}) == 1
    trials.end(asked[0], 0.25)
    (told,) = plain(tmp_path)[sweep.id].trials
    assert (told.value, told.state) == (0.25, TrialState.COMPLETE)
    assert told.params == asked[0].point
    assert 0.1 <= asked[0].config.learning_rate <= 10
    assert Trials(sweep, tmp_path).keys() == {asked[0].config.key}


def test_trials_of_a_process_that_died_are_told_or_queued_again(small, tmp_path):
    sweep = small("settled", space={"learning_rate": Range(0.1, 10.0)}, sampler="tpe", trials=12)
    trials = Trials(sweep, tmp_path)
    (known,), (lost,) = trials.ask(1), trials.ask(1)
    again = Trials(sweep, tmp_path)
    assert again.repair({known.config.key: ("", 0.5, None, False)}) == 2
    states = [(trial.state, trial.value) for trial in plain(tmp_path)[sweep.id].trials]
    assert states == [(TrialState.COMPLETE, 0.5), (TrialState.FAIL, None), (TrialState.WAITING, None)]
    (next_one,) = again.ask(1)
    assert next_one == lost


def test_a_pruner_watches_planned_trials(small, tmp_path):
    sweep = small("pruned")
    trials = Trials(sweep, tmp_path, "median")
    for trial in sweep.plan[:2]:
        assert trials.begin(trial).params == {**trial.point, "seed": trial.config.seed}
    trials.end(sweep.plan[0], 0.5)
    trials.end(sweep.plan[1], 0.7, pruned=True)
    states = [(trial.state, trial.user_attrs["config_key"]) for trial in plain(tmp_path)[sweep.id].trials]
    keys = [trial.config.key for trial in sweep.plan]
    assert states == [(TrialState.COMPLETE, keys[0]), (TrialState.PRUNED, keys[1])]


@pytest.mark.parametrize("torn", [b'{"op_code":4,"worker_id":"x', b'{"op_code":4,"text":"' + b"x" * 200_000])
def test_a_torn_last_line_is_cut_off_and_all_before_survives(small, tmp_path, torn):
    sweep = small("torn")
    before = Trials(sweep, tmp_path)
    for trial in sweep.plan[:3]:
        before.end(trial, 0.5)
    whole = (tmp_path / JOURNAL).read_bytes()
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(torn)
    trials = Trials(sweep, tmp_path)
    assert trials.keys() == {trial.config.key for trial in sweep.plan[:3]}
    now = (tmp_path / JOURNAL).read_bytes()
    assert now.startswith(whole)
    assert all(json.loads(line) for line in now.splitlines())
    trials.end(sweep.plan[3], 0.25)
    assert [trial.value for trial in plain(tmp_path)[sweep.id].trials] == [0.5, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("torn", [b"", b'{"op_co', b"x" * 70_000])
def test_a_journal_of_nothing_but_a_torn_line_begins_again(small, tmp_path, torn):
    (tmp_path / JOURNAL).write_bytes(torn)
    trials = Trials(small("began"), tmp_path)
    assert (tmp_path / JOURNAL).read_bytes().startswith(b"{")
    assert trials.keys() == set()


def test_a_lock_that_a_dead_process_held_does_not_block(small, tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / f"{JOURNAL}.lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    start = time.monotonic()
    sweep = small("unlocked")
    Trials(sweep, tmp_path).end(sweep.plan[0], 0.5)
    assert time.monotonic() - start < 5
    assert len(plain(tmp_path)[sweep.id].trials) == 1


def test_two_processes_that_add_at_once_lose_nothing(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADD, str(tmp_path), str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, 20)
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0]
    (study,) = plain(tmp_path).values()
    rates = [float(trial.params["learning_rate"]) for trial in study.trials]
    assert sorted(rates) == list(range(1, 41))
