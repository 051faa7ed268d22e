"""Hosts that do not share a sweep by claims: one of them does it, and the others are told so. By a real server."""

import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from mlflow import MlflowClient

from sandbox import RequestError
from sandbox.doctor import examine
from sandbox.host import host_of
from sandbox.names import safe
from sandbox.sharing import Sharing
from sandbox.tracking import Destination, Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import at_work, read_state
from tests.test_outage import Server

pytestmark = pytest.mark.slow
PARENT = "mlflow.parentRunId"
WORDS = ("sweep", "--vary", "learning_rate=0.1,1", "--seeds", 6, "--epochs", 50_000, "--batch", 2, "--as", "anna")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("server"))
    one.start()
    yield one
    one.kill()


@pytest.fixture
def places(tmp_path):
    """The working directories of two hosts."""
    found = [tmp_path / "one", tmp_path / "two"]
    for place in found:
        place.mkdir()
    return found


def until(ready, seconds=120, first=None):
    """Wait for what a process that was started does; one that has ended already says why."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert first is None or first.poll() in (None, 0), first.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs_of(uri, name):
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], max_results=1000) if experiment else []
    return [run for run in runs if PARENT not in run.data.tags], [run for run in runs if PARENT in run.data.tags]


def assert_once(uri, name, number=12):
    (parent,), runs = runs_of(uri, name)
    assert parent.info.status == "FINISHED"
    assert at_work(parent.data.tags) == {}
    assert Counter(run.info.status for run in runs) == {"FINISHED": number}
    assert len({run.data.tags["config_key"] for run in runs}) == number
    return parent


def test_a_second_host_is_told_who_has_the_sweep_and_does_nothing(server, places, start, call):
    words = (*WORDS, "--name", "taken", "--tracking-uri", server.uri)
    with start(*words, cwd=places[0]) as first:
        until(lambda: runs_of(server.uri, "taken")[1], first=first)
        code, output, errors = call(*words, cwd=places[1])
        host = host_of(places[0] / "runs")
        assert (code, output, errors.count("\n")) == (2, "", 1)
        assert f"is under way on {host} (process {first.pid}), or was left so" in errors
        assert "--study-uri" in errors
        code, output, errors = call("doctor", "--tracking-uri", server.uri, cwd=places[1])
        if runs_of(server.uri, "taken")[0][0].info.status == "RUNNING":  # else it lacks what Optuna's journal has there
            assert (code, errors) == (0, ""), output
            assert f"runs on {host}, left alone" in output
        first.communicate(timeout=120)
    assert first.returncode == 0
    assert_once(server.uri, "taken")
    code, output, errors = call(*words, cwd=places[1])
    assert (code, "nothing left to do" in output) == (0, True), errors
    for place in places:
        assert examine(Store(server.uri, user="anna"), place / "runs").findings == []


def test_what_a_host_that_is_gone_has_left_can_be_given_up(server, places, start, call):
    words = (*WORDS, "--name", "left", "--tracking-uri", server.uri)
    with start(*words, cwd=places[0]) as first:
        until(lambda: runs_of(server.uri, "left")[1], first=first)
        first.send_signal(signal.SIGKILL)
    host = host_of(places[0] / "runs")
    time.sleep(1.0)  # its writers log what it had spooled
    code, _, errors = call(*words, cwd=places[1])
    assert (code, errors.count("\n")) == (2, 1)
    mending = errors[errors.index("doctor --repair") : errors.index(" gives up what it left")].split()
    assert mending == ["doctor", "--repair", "--gone", host, "--tracking-uri", server.uri]
    code, _, errors = call("doctor", "--repair", "--gone", "nobody", "--tracking-uri", server.uri, cwd=places[1])
    assert (code, errors) == (2, f"error: unknown host 'nobody': Valid: {host}\n")
    code, output, _ = call(*mending, cwd=places[1])
    assert (code, "planned trials are not done" in output) == (1, True)
    code, output, errors = call(*words, cwd=places[1])
    assert code == 0, errors
    parent = assert_once(server.uri, "left")
    assert parent.data.tags["host"] == host_of(places[1] / "runs")
    assert call("doctor", "--tracking-uri", server.uri, cwd=places[1])[0] == 0


def test_of_hosts_that_begin_at_once_never_two_are_at_work(server, places):
    store = Store(server.uri, user="anna")
    for turn in range(12):
        name, together, entered = f"at once {turn}", Barrier(2), []

        def begin(place, name=name, together=together, entered=entered):
            spool = Spool(server.uri, place).open()
            to = Destination(name, campaign=safe(name), tags=store.signing(place))
            one, state = Sharing(to, store, spool, ""), read_state(to, store, spool)
            together.wait(20)
            try:
                one.enter(state)
                entered.append(place)
            except RequestError as error:
                assert "is under way on" in str(error)  # noqa: PT017

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(begin, places))
        assert len(entered) <= 1
        parents, _ = runs_of(server.uri, name)
        assert len(parents) <= 1 or not entered
        assert {host for parent in parents for host in at_work(parent.data.tags)} == {*map(host_of, entered)}


def test_a_host_that_shares_keeps_out_one_that_does_not(database, places, start, call):
    uri, shared = database.create("mlflow"), database.create("studies")
    Store(uri).check()  # MlflowClient, which looks meanwhile, does not wait for who makes the tables
    words = (*WORDS, "--name", "half", "--tracking-uri", uri, "--artifacts", places[0] / "artifacts")
    for ours, theirs in ((("--study-uri", shared), ()), ((), ("--study-uri", shared))):
        words = (*words, "--epochs", 50_000 + len(ours))  # another sweep
        with start(*words, *ours, cwd=places[0]) as first:
            until(lambda: any(at_work(parent.data.tags) for parent in runs_of(uri, "half")[0]), first=first)
            code, _, errors = call(*words, *theirs, cwd=places[1])
            assert (code, f"is under way on {host_of(places[0] / 'runs')}" in errors) == (2, True)
            first.communicate(timeout=120)
        assert first.returncode == 0
    parents, runs = runs_of(uri, "half")
    assert ([parent.info.status for parent in parents], len(runs)) == (["FINISHED"] * 2, 24)


def test_of_two_directories_with_one_sqlite_file_the_second_is_told(places, start, call, tmp_path):
    uri = f"sqlite:///{tmp_path}/m.db"
    Store(uri).check()  # of two who make one file at once, one fails
    words = (*WORDS, "--name", "a file", "--tracking-uri", uri)
    with start(*words, cwd=places[0]) as first:
        until(lambda: runs_of(uri, "a file")[0], first=first)
        code, _, errors = call(*words, cwd=places[1])
        assert (code, f"is under way on {host_of(places[0] / 'runs')}" in errors) == (2, True)
        first.communicate(timeout=120)
    assert_once(uri, "a file")
