"""`sandbox reset`: runs are out of the way, nothing is lost, and they come back as they were."""

import io
import json
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stderr

import pytest
from mlflow import MlflowClient

from sandbox.lock import locked
from sandbox.sweeps.journal import open_storage
from sandbox.tracking import Destination, Record, Store
from sandbox.tracking.address import sqlite_uri
from sandbox.tracking.aside import rename
from sandbox.tracking.entry import Entry
from sandbox.tracking.spool import Spool

SWEEP = ("sweep", "--vary", "learning_rate=0.1,1", "--seeds", 1, "--epochs", 20, "--name", "rates", "--writers", 1)


@pytest.fixture(scope="module")
def made(call, tmp_path_factory):
    """A directory with a sweep's runs, and a single one."""
    directory = tmp_path_factory.mktemp("made")
    assert call(*SWEEP, "--json", cwd=directory)[0] == 0
    assert call("train", "--epochs", 5, "--json", cwd=directory)[0] == 0
    return directory


@pytest.fixture
def whole(made, tmp_path):
    """Their copy, in a `runs` of its own; gives what they all are, by their ids."""
    shutil.copytree(made / "runs", tmp_path / "runs", symlinks=True)
    with redirect_stderr(io.StringIO()):  # which says, once, that it was moved
        Store(sqlite_uri(tmp_path / "runs" / "mlflow.db")).check()
    return content(tmp_path)


def content(directory):
    """Every run by its id: experiment, parameters, and the metrics, by MLflow's own client."""
    client = MlflowClient(sqlite_uri(directory / "runs" / "mlflow.db"))
    names = {one.experiment_id: one.name for one in client.search_experiments()}
    runs = client.search_runs(list(names), max_results=1000)
    return {run.info.run_id: (names[run.info.experiment_id], run.data.params, run.data.metrics) for run in runs}


def new_runs(answer):
    code, output, errors = answer
    assert code == 0, errors
    return json.loads(output)["sweeps"][0]["new"]


def command(said):
    """The words of the command that `said` prints, behind `sandbox`."""
    (line,) = [line for line in said.splitlines() if line.startswith("to bring it back: sandbox ")]
    return shlex.split(line)[5:]


def test_all_runs_go_aside_and_come_back(here, whole, tmp_path):
    code, said, errors = here("reset")
    assert (code, errors) == (0, "")
    assert not (tmp_path / "runs").exists()
    assert new_runs(here(*SWEEP, "--json")) == 2
    back = command(said)
    code, output, errors = here(*back)
    assert (code, output) == (2, "")
    assert errors == "error: runs/ has runs of its own: sandbox reset sets them aside, and then these can go back\n"
    assert here("reset", "--json")[0] == 0
    assert here(*back)[0] == 0
    assert content(tmp_path) == whole
    assert new_runs(here(*SWEEP, "--json")) == 0
    assert here("doctor")[0] == 0
    assert len(list((tmp_path / "runs-aside").iterdir())) == 1  # the second runs


def test_an_experiment_goes_aside_its_sweep_starts_from_nothing_and_it_comes_back(here, whole, tmp_path):
    code, said, errors = here("reset", "rates")
    assert (code, errors) == (0, "")
    aside = content(tmp_path)
    assert aside.keys() == whole.keys()
    assert [was[1:] for was in whole.values()] == [aside[run_id][1:] for run_id in whole]
    names = {name for name, *_ in aside.values()}
    assert len(names) == 2
    assert any(name.startswith("rates (set aside 20") for name in names)
    root = tmp_path / "runs"
    assert list((root / "campaigns").iterdir()) == list((root / "sweeps").iterdir()) == []
    assert open_storage(root).get_all_studies() == []
    assert here("doctor")[:2] == (0, "0 sweeps and comparisons examined: nothing disagrees\n")
    assert new_runs(here(*SWEEP, "--json")) == 2

    refused = here(*command(said))
    assert refused[0] == 2
    assert "experiment rates is there again: sandbox reset rates sets it aside" in refused[2]
    assert here("reset", "rates")[0] == 0
    assert here(*command(said))[:2] == (0, "back again: rates\nnext: sandbox ui\n")
    now = content(tmp_path)
    assert {run_id: now[run_id] for run_id in whole} == whole
    assert here("doctor")[0] == 0
    assert new_runs(here(*SWEEP, "--json")) == 0


def test_what_waits_in_the_spool_goes_and_comes_back_with_its_experiment(here, whole, tmp_path):
    spool = Spool(Store(None, tmp_path / "runs").uri, tmp_path / "runs")
    path = spool.put(Entry(Destination("rates"), Record("waiting", "FINISHED", 0, 1000)))
    other = spool.put(Entry(Destination("train"), Record("another", "FINISHED", 0, 1000)))
    code, said, _ = here("reset", "rates")
    assert (code, path.exists(), other.exists()) == (0, False, True)
    assert here(*command(said))[0] == 0
    assert here("sync")[1].startswith("2 runs logged")
    assert len(content(tmp_path)) == len(whole) + 2


def test_whoever_was_interrupted_goes_on_with_the_same_command(here, whole, tmp_path, monkeypatch):
    """Stopped at each step in turn, as by a power cut: then once more, and back."""
    for step in ("rename", "_forget_studies", "_move_files", "_write_plan"):
        with monkeypatch.context() as patched:
            import sandbox.doctor.reset as room

            done = getattr(room, step)

            def then_die(*given, done=done, step=step):
                done(*given)
                if step != "_write_plan" or given[1]["whole"] is False:
                    raise KeyboardInterrupt

            patched.setattr(room, step, then_die)
            assert here("reset", "rates")[0] == 1
        code, said, errors = here("reset", "rates")
        assert code == 0, errors
        assert here("doctor")[1] == "0 sweeps and comparisons examined: nothing disagrees\n"
        assert here(*command(said))[0] == 0
        assert content(tmp_path) == whole
        assert new_runs(here(*SWEEP, "--json")) == 0
        assert not (tmp_path / "runs" / "aside").exists()


@pytest.mark.parametrize("words", [(), ("rates",)])
def test_nothing_moves_while_somebody_is_at_work(here, whole, tmp_path, words):
    (note,) = (tmp_path / "runs" / "campaigns").iterdir()
    with locked(tmp_path / "runs" / "locks" / f"{note.stem}.lock"):
        code, output, errors = here("reset", *words)
    assert (code, output) == (2, "")
    assert errors == f"error: {note.stem} is under way in another process: wait for it, or end it\n"
    assert content(tmp_path) == whole
    assert not (tmp_path / "runs" / "aside").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nobody tells which files a process has open")
def test_who_has_the_database_open_is_said(here, whole, tmp_path):
    code = "import sys, time; file = open(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    words = [sys.executable, "-c", code, str(tmp_path / "runs" / "mlflow.db")]
    for last, what in (("mlflow", "a UI has the database open (process {}): "), ("x", "process {} (")):
        with subprocess.Popen([*words, last], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            told = here("reset", "rates", "--json")
            process.kill()
        notes = json.loads(told[1])["notes"]
        assert any(note.startswith(what.format(process.pid)) for note in notes), notes
        assert here("reset", "--back", json.loads(told[1])["place"])[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "unknown experiment 'nope': Valid: train, rates"),
        (["rates", "--back", "runs"], "an experiment is set aside, and --back brings one back: give one of the two"),
        (["--back", "nowhere"], "nothing was set aside in 'nowhere'"),
        (["--back", "runs"], "nothing was set aside in 'runs'"),
        (["--tracking-uri", "sqlite:///elsewhere.db"], "runs of sqlite:///"),
        (["--tracking-uri", "http://127.0.0.1:1"], "runs of http://127.0.0.1:1 are not in runs/"),
        (
            ["--tracking-uri", "postgresql://u:secret@there/runs"],
            "runs of postgresql://u:***@there/runs are not in runs/",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line_and_moves_nothing(here, whole, tmp_path, words, said):
    code, output, errors = here("reset", *words)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(f"error: {said}")
    assert content(tmp_path) == whole


def test_nothing_is_not_set_aside(here, tmp_path):
    assert here("reset") == (2, "", "error: there is nothing in runs/ to be set aside\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_on_a_server_an_experiment_goes_aside_unless_others_have_runs_in_it(server, call, tmp_path):
    words = (*SWEEP[:-4], "--name", "served rates", "--tracking-uri", server, "--json", "--as")
    assert new_runs(call(*words, "anna", cwd=tmp_path)) == 2
    here = ("reset", "served rates", "--tracking-uri", server, "--as")
    code, _, errors = call(*here, "ben", cwd=tmp_path)
    assert code == 2
    assert errors == "error: experiment served rates has runs of 'anna' too, and ben cannot set those aside\n"
    code, said, errors = call(*here, "anna", cwd=tmp_path)
    assert code == 0, errors
    assert new_runs(call(*words, "anna", cwd=tmp_path)) == 2
    store = Store(server)
    rename(store, "served rates", "served rates, again")
    assert call(*command(said), cwd=tmp_path)[0] == 0
    assert new_runs(call(*words, "anna", cwd=tmp_path)) == 0
