"""Several people and the same sweep in one store: no run of one is taken for another's, and none is lost."""

import getpass
import json

import pytest
from mlflow import MlflowClient

from sandbox import Config, RequestError, log_run, train
from sandbox.comparison.driver import run_comparison
from sandbox.comparison.protocol import SMALL
from sandbox.doctor import examine
from sandbox.note import Note
from sandbox.sweeps import run_sweep
from sandbox.tracking import Store
from sandbox.tracking.address import sqlite_uri

PARENT = "mlflow.parentRunId"
SAME = ("sweep", "--vary", "learning_rate=0.1,1,3", "--seeds", 2, "--epochs", 60, "--dataset", "moons", "--writers", 1)


def runs_of(client, name):
    """The runs of an experiment by their users: of each the parents, and the others."""
    experiment = client.get_experiment_by_name(name)
    found = {}
    for run in client.search_runs([experiment.experiment_id], max_results=1000):
        parents, children = found.setdefault(run.data.tags["mlflow.user"], ([], []))
        (children if PARENT in run.data.tags else parents).append(run)
    return found


def figures(runs):
    """What every run has come to, by its config, without what a clock says."""
    told = {}
    for run in runs:
        told[run.data.tags["config_key"]] = {
            name: value.hex() for name, value in run.data.metrics.items() if name != "train_seconds"
        }
    assert len(told) == len(runs)
    return told


def check_two(client, name, users, count):
    """Each has one FINISHED parent with exactly their own runs, and the numbers are the same to the bit."""
    found = runs_of(client, name)
    assert set(found) == set(users)
    for parents, children in found.values():
        assert [run.info.status for run in parents] == ["FINISHED"]
        assert {run.data.tags[PARENT] for run in children} == {parents[0].info.run_id}
        assert {run.info.status for run in children} == {"FINISHED"}
        assert len(children) == count
        assert {run.data.tags["sweep"] for run in children} == {parents[0].info.run_name}
    one, other = (figures(children) for _, children in found.values())
    assert one == other
    return {user: {run.info.run_id for run in parents + children} for user, (parents, children) in found.items()}


@pytest.mark.slow
def test_two_at_once_on_one_server_have_each_their_own(server, start, call, tmp_path):
    words = (*SAME, "--name", "at once", "--tracking-uri", server, "--json")
    for user in ("anna", "ben"):
        (tmp_path / user).mkdir()
    begun = [start(*words, "--as", user, cwd=tmp_path / user) for user in ("anna", "ben")]
    said = [process.communicate(timeout=120)[0] for process in begun]
    assert [process.returncode for process in begun] == [0, 0]
    assert [(one["runs"], one["new"]) for text in said for one in json.loads(text)["sweeps"]] == [(6, 6), (6, 6)]
    client = MlflowClient(server)
    before = check_two(client, "at once", ("anna", "ben"), 6)
    code, output, _ = call(*words, "--as", "anna", cwd=tmp_path / "anna")
    assert (code, json.loads(output)["sweeps"][0]["new"]) == (0, 0)
    assert check_two(client, "at once", ("anna", "ben"), 6) == before
    for user in ("anna", "ben"):
        code, output, errors = call("doctor", "--tracking-uri", server, cwd=tmp_path / user)
        assert (code, output) == (0, "1 sweeps and comparisons examined: nothing disagrees\n"), errors

    (tmp_path / "carl").mkdir()
    code, output, errors = call(*words[:-1], cwd=tmp_path / "carl", SANDBOX_USER="carl")
    assert code == 0, errors
    said = [line for line in errors.splitlines() if line.startswith("note: ")]
    assert len(said) == 1
    assert " (and 1 more) has run this before you, and you get runs of your own. To look: http://" in said[0]
    assert any(run_id in said[0] for user in ("anna", "ben") for run_id in before[user])
    assert "has run this" not in call(*words[:-1], "--as", "carl", cwd=tmp_path / "carl")[2]


@pytest.mark.slow
def test_on_a_server_the_account_says_whose_runs_they_are(server, call, tmp_path):
    words = ("sweep", "--vary", "learning_rate=0.1,1", "--seeds", 1, "--epochs", 30, "--name", "by account", "--json")
    code, _, errors = call(*words, "--tracking-uri", server, cwd=tmp_path)
    assert code == 0, errors
    found = runs_of(MlflowClient(server), "by account")
    assert list(found) == [getpass.getuser()]
    assert found[getpass.getuser()][0][0].info.run_name.endswith(f"-{getpass.getuser()}")


@pytest.mark.slow
def test_two_at_once_in_one_directory_have_each_their_own(start, call, tmp_path):
    words = (*SAME, "--name", "beside", "--json")
    begun = [start(*words, "--as", user, cwd=tmp_path) for user in ("Anna Ö.", "ben")]
    said = [process.communicate(timeout=120)[0] for process in begun]
    assert [process.returncode for process in begun] == [0, 0]
    assert [one["new"] for text in said for one in json.loads(text)["sweeps"]] == [6, 6]
    client = MlflowClient(sqlite_uri(tmp_path / "runs" / "mlflow.db"))
    before = check_two(client, "beside", ("Anna Ö.", "ben"), 6)
    code, output, _ = call(*words, "--as", "ben", cwd=tmp_path)
    assert (code, json.loads(output)["sweeps"][0]["new"]) == (0, 0)
    assert check_two(client, "beside", ("Anna Ö.", "ben"), 6) == before
    code, output, _ = call("doctor", cwd=tmp_path)
    assert (code, output) == (0, "2 sweeps and comparisons examined: nothing disagrees\n")


@pytest.fixture
def run_as(store, root, crew):
    """A function: run a sweep, or a comparison, as somebody."""

    def run(work, user, **options):
        run = run_comparison if hasattr(work, "arms") else run_sweep
        return run(work, Store(store.uri, user=user), root, **{"quiet": True, "writers": crew, **options})

    return run


def test_one_after_another_each_has_their_own_and_is_told_of_the_other(run_as, small, plain, store, root, capfd):
    sweep = small("after another")
    alone = run_as(sweep, None)
    mine, yours = (run_as(sweep, user, quiet=False) for user in ("anna", "ben"))
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("note: ")]
    account = getpass.getuser()
    look = f"To look: run {plain_parent(plain, alone)}, sandbox ui --tracking-uri {store.uri}"
    assert said == [
        f"note: {account} has run this before you, and you get runs of your own. {look}",
        f"note: {account} (and 1 more) has run this before you, and you get runs of your own. {look}",
    ]
    assert [one.before for one in (alone, mine, yours)] == [0, 0, 0]
    assert (alone.sweep.id, mine.sweep.id, yours.sweep.id) == (sweep.id, f"{sweep.id}-anna", f"{sweep.id}-ben")
    assert mine.directory == root / "sweeps" / f"{sweep.id}-anna"
    found = runs_of(plain, sweep.name)
    counts = {user: (len(parents), len(runs)) for user, (parents, runs) in found.items()}
    assert counts == dict.fromkeys((account, "anna", "ben"), (1, 4))
    assert figures(found["anna"][1]) == figures(found["ben"][1]) == figures(found[account][1])
    assert run_as(sweep, "anna").before == 4
    assert [one for one in examine(store, root).findings if sweep.id in one.campaign] == []
    assert {note.campaign for note in Note.all(root)[0]} >= {one.sweep.id for one in (alone, mine, yours)}


def plain_parent(plain, outcome):
    experiment = plain.get_experiment_by_name(outcome.sweep.name)
    text = f"tags.sweep = '{outcome.sweep.id}' AND tags.role = 'sweep'"
    (parent,) = plain.search_runs([experiment.experiment_id], text)
    return parent.info.run_id


def test_a_comparison_is_somebodys_too(run_as, plain):
    changes = {"datasets": ("quadrants",), "sizes": (16,), "epochs": 20, "repetitions": 2, "trials": 2, "seeds": 2}
    comparison = SMALL.replace(**changes)
    outcomes = [run_as(comparison, user) for user in ("dora", "emil")]
    assert [one.comparison.id for one in outcomes] == [f"{comparison.id}-dora", f"{comparison.id}-emil"]
    one, other = (outcome.frame().drop(columns="seconds") for outcome in outcomes)
    assert one.equals(other)
    found = runs_of(plain, "compare")
    assert [(len(parents), len(runs)) for parents, runs in (found["dora"], found["emil"])] == [
        (1, comparison.total),
        (1, comparison.total),
    ]
    for user in ("dora", "emil"):
        assert {run.data.tags["comparison"] for run in found[user][1]} == {f"{comparison.id}-{user}"}


def test_single_runs_carry_the_name_too(here, tmp_path, monkeypatch):
    code, output, _ = here("train", "--epochs", 5, "--as", "Anna", "--json")
    client = MlflowClient(sqlite_uri(tmp_path / "runs" / "mlflow.db"))
    assert (code, client.get_run(json.loads(output)["run_id"]).data.tags["mlflow.user"]) == (0, "Anna")
    result = train(Config(epochs=5))
    run_id = log_run(result, root=tmp_path / "runs", user="ben")
    assert client.get_run(run_id).data.tags["mlflow.user"] == "ben"
    assert client.get_run(run_id).info.user_id == "ben"
    monkeypatch.setenv("SANDBOX_USER", "carl")
    assert client.get_run(log_run(result, root=tmp_path / "runs")).data.tags["mlflow.user"] == "carl"
    monkeypatch.delenv("SANDBOX_USER")
    run_id = log_run(result, root=tmp_path / "runs")
    assert client.get_run(run_id).data.tags["mlflow.user"] == getpass.getuser()


@pytest.mark.parametrize("name", ["", " ", " anna", "an'na", 'a"b', "a`b", "a\\b", "a\nb", "a\0b", "\ud800", "x" * 65])
def test_what_is_no_name_is_one_line_and_leaves_nothing(here, tmp_path, monkeypatch, name):
    code, output, errors = here("train", "--epochs", 5, "--as", name)
    assert (code, output) == (2, "")
    assert errors.startswith("error: --as is ")
    assert errors.endswith(": a name of 1 to 64 characters without quotes is needed\n")
    assert errors.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RequestError, match="--as is"):
        Store(None, tmp_path, user=name)


def test_a_wrong_name_in_the_environment_is_named(here, monkeypatch):
    monkeypatch.setenv("SANDBOX_USER", "a'b")
    assert here("train", "--epochs", 5)[::2] == (
        2,
        'error: SANDBOX_USER is "a\'b": a name of 1 to 64 characters without quotes is needed\n',
    )
    monkeypatch.setenv("SANDBOX_USER", "")  # as good as unset
    assert Store().user.name == getpass.getuser()


@pytest.mark.parametrize(
    ("uri", "owned"), [("sqlite:///a.db", False), ("http://127.0.0.1:1", True), ("postgresql://there/runs", True)]
)
def test_alone_in_a_file_nothing_is_anybodys(uri, owned):
    assert bool(Store(uri).owner) is owned
    assert Store(uri, user="Anna Ö").owner.startswith("Anna-")
