"""A thousand whole commands (FUZZ_COMMANDS of them) with names, paths, numbers and texts drawn hostile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.fuzz.house import ROOT, SEED, Answer, as_json, call, empty_store, lot_id, numbers, runs_under, tree, wrong_in
from tests.fuzz.values import CASE
from tests.fuzz.words import Command, draw, subcommands

UNRANKED = ("no run has recorded", "no hook has recorded it")  # what a hook may record nobody knows before
COMMANDS = int(os.environ.get("FUZZ_COMMANDS", "1000"))
SMOKE, APART, LOT = 15, 40, 45


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The bytes of a store without runs."""
    return empty_store(tmp_path_factory.mktemp("store") / "mlflow.db")


@pytest.fixture
def faults(tmp_path, empty):
    """A function: what is wrong with a command that is run in a directory of its own."""

    def run(command, answer=call):
        case = tmp_path / str(command.number)
        place = furnish(case, empty if command.number % 8 else None)
        words = [word.replace(CASE, str(place.parent)) for word in command.words]
        name = command.name.replace(CASE, str(place.parent))
        before = tree(case)
        answered = answer(words, place, command.script, name)
        wrong = wrong_in(answered) + wrong_after(command, words, answered, place, before)
        shutil.rmtree(case, ignore_errors=True)  # a writer whose command was ended by force may still be at work
        return [f"{command}\n    {one}" for one in wrong]

    return run


def furnish(case, store):
    """A directory to run in, two below `case`: with a store, a folder, a file, and a name for a disk that is full."""
    place = case / "house" / "work"
    (place / "folder").mkdir(parents=True)
    (place / "plain.txt").write_text("no database\n")
    (place / "full").symlink_to("/dev/full")
    if store is not None:
        (place / "runs").mkdir()
        (place / "runs" / "mlflow.db").write_bytes(store)
    return place


def wrong_after(command: Command, words: list[str], answer: Answer, place: Path, before: set[str]) -> list[str]:
    """What a command left that it should not have, or has not done although it says so."""
    case = place.parents[1]
    new = tree(case) - before - {"house/output", "house/errors"}
    outside = sorted(path for path in new if not path.startswith("house/work"))
    wrong = [f"written outside: {', '.join(outside)}"[:200]] if outside else []
    if any("/rejected/" in path for path in new):
        wrong.append("a run was set aside, and nothing was wrong with it")
    if answer.code == 1 and command.asks_only_to_train and not any(one in answer.errors for one in UNRANKED):
        wrong.append(f"exit code 1, and nothing failed: {answer.errors.strip()[-200:]}")
    if answer.code == 2 and new:
        wrong.append(f"exit code 2, and there is {', '.join(sorted(new))[:200]}")
    if answer.code == 0 and not answer.output.startswith("Usage: "):
        wrong += less_than_asked(command, words, answer, place)
    return wrong


def less_than_asked(command: Command, words: list[str], answer: Answer, place: Path) -> list[str]:
    """What a command that says it has done its work has not done."""
    own = words if command.script else words[2:] if words[0] == "experiment" else None  # the options of an experiment
    name, *rest = words if own is None else ["sweep", "--vary", "x", *own]
    known = subcommands()[name]
    given = known.make_context(name, rest, resilient_parsing=True).params
    report = as_json(answer.output) if given.get("as_json") else {}
    if report is None:
        return ["no JSON object on standard output"]
    out = given.get("out")
    for path in (
        given.get("checkpoint"),
        given.get("png"),
        out and Path(out) / "report.html" if name == "compare" else out,
    ):
        if path and not (place / path).exists():
            return [f"there is no {str(path)[:80]}"]
    runs = runs_under(place.parents[1]).values()
    told = [run for run in runs if not run.is_parent]
    if name == "train":
        return wrong_training(given, report, told)
    if name not in ("sweep", "compare"):
        return []
    wrong = [f"{run.name[:80]} is {run.status}" for run in runs if run.status == "RUNNING"]
    keys = {run.tags.get("config_key", "") + run.tags.get("role", "") + run.tags.get("arm", "") for run in told}
    said = (report["runs"] if name == "compare" else report["sweeps"][0]["runs"]) if report else len(told)
    if not len(told) == len(keys) == said or not told:
        wrong.append(f"{said} runs are said to be done; {len(told)} are in MLflow, {len(keys)} different ones")
    uri = given["tracking_uri"]
    doctor = call(["doctor", "--json", *([] if uri is None else ["--tracking-uri", uri])], place)
    seen = as_json(doctor.output)
    if doctor.code or not seen or not seen["campaigns"] or seen["findings"]:
        wrong.append(f"and the doctor says {doctor.code}: {doctor.output[:300]} {doctor.errors[-300:]}")
    return wrong


def wrong_training(given, report, runs):
    """What a training that says it has done its work has not done."""
    if given["no_track"]:
        return [f"{len(runs)} runs in MLflow, for all --no-track"] if runs else []
    wrong = [f"{run.name} is {run.status}" for run in runs if run.status != "FINISHED"]
    if len(runs) != 1:
        return [*wrong, f"{len(runs)} runs in MLflow, not one"]
    if report and report["run_id"] != runs[0].run_id:
        wrong.append("its run_id is not the run's")
    if not {"epochs_run", "parameters", "converged"} <= runs[0].metrics.keys() or "hidden" not in runs[0].params:
        wrong.append("the run has not all of its metrics and params")
    return wrong


def apart(words: list[str], cwd: Path, script: str, name: str) -> Answer:
    """The same in a process of its own, as a user starts it."""
    binary = Path(sys.executable).parent
    line = [binary / "python", "-m", f"experiments.{script}"] if script else [binary / "sandbox"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*line, *map(os.fsencode, words)], cwd=cwd, env=environment, capture_output=True, timeout=120)
    return Answer(done.returncode, *(part.decode(errors="replace") for part in (done.stdout, done.stderr)))


@pytest.mark.parametrize("lot", numbers(0, SMOKE, SMOKE), ids=lot_id)
def test_a_few_commands(faults, lot):
    assert_none([fault for number in lot for fault in faults(draw(SEED, number))])


LOTS = numbers(SMOKE, COMMANDS - APART, LOT)


@pytest.mark.slow
class TestOneHalf:
    """Each half is a scope of pytest-xdist's, so that two processes share the work."""

    @pytest.mark.parametrize("lot", LOTS[::2], ids=lot_id)
    def test_commands(self, faults, lot):
        assert_none([fault for number in lot for fault in faults(draw(SEED, number))])


@pytest.mark.slow
class TestOtherHalf:
    @pytest.mark.parametrize("lot", LOTS[1::2], ids=lot_id)
    def test_commands(self, faults, lot):
        assert_none([fault for number in lot for fault in faults(draw(SEED, number))])


@pytest.mark.slow
@pytest.mark.parametrize("lot", numbers(COMMANDS - APART, COMMANDS, APART), ids=lot_id)
def test_commands_in_processes_of_their_own(faults, lot):
    drawn = [draw(SEED, number) for number in lot]
    named = [one for one in drawn if one.words[:1] != ["ui"] and not one.name]  # the others need more than a process
    assert_none([fault for command in named for fault in faults(command, apart)])


def assert_none(faults):
    """Fail with all of them, each with the command line and the number that bring it back."""
    if faults:
        pytest.fail(f"{len(faults)} faults, FUZZ_SEED={SEED}, FUZZ_ONLY=NUMBER\n" + "\n".join(faults), pytrace=False)


def test_every_command_is_drawn():
    drawn = {draw(SEED, number).words[0] for number in range(COMMANDS)}
    assert drawn >= set(subcommands())
    assert all(isinstance(one, click.Command) for one in subcommands().values())
