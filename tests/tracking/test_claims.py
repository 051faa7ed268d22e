"""Hosts that share a campaign, by a real PostgreSQL: who has which run in hand, and that every run is logged once."""

import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import optuna
import pytest
from mlflow import MlflowClient

from sandbox import Config, RequestError
from sandbox.comparison.driver import EXPERIMENT, run_comparison
from sandbox.comparison.protocol import SMALL
from sandbox.doctor import examine
from sandbox.host import host_of
from sandbox.names import safe
from sandbox.space import parse_dimension
from sandbox.sweeps import Sweep, run_sweep
from sandbox.tracking import Destination, Store, claims
from sandbox.tracking.claims import Came, Claims, ClaimsError, check_uri
from sandbox.tracking.entry import Entry
from sandbox.tracking.spool import Spool
from sandbox.tracking.writer import Writer
from tests.test_outage import Server

pytestmark = pytest.mark.slow
PARENT = "mlflow.parentRunId"


@pytest.fixture(scope="module")
def shared(database):
    """The address of the database that hosts share; MLflow's is another."""
    return database.create("studies")


@pytest.fixture(scope="module")
def store(database, tmp_path_factory):
    """MLflow's store, with a place for artifacts that all hosts see."""
    return Store(database.create("mlflow"), artifacts=tmp_path_factory.mktemp("artifacts"), user="anna")


def pair(shared, name):
    return [Claims(shared, name, host, "1", patience=5.0).check() for host in ("one", "two")]


def test_a_run_is_one_hosts_until_it_is_logged_and_then_nobodys(shared):
    one, two = pair(shared, "a campaign")
    assert one.take(["a", "b"]).keys() == {"a", "b"}
    assert two.take(["b", "c"]).keys() == {"c"}
    assert one.take(["a"])["a"] == ("one", 1, False, False)  # and may be had again by whoever has it
    one.log({"a": Came("FINISHED", {"final_cost": 0.1})})
    assert one.take(["a"]) == two.take(["a"]) == {}
    assert two.logged() == {"a": ("FINISHED", {"final_cost": 0.1})}
    assert two.of(["a", "b", "c", "d"]).keys() == {"a", "b", "c"}
    assert (two.free(["a", "b", "c", "d"]), two.in_hand()) == (["c", "d"], 1)
    one.give_back()
    assert two.take(["b"]).keys() == {"b"}
    two.reopen(["a"])
    assert one.take(["a"])["a"].attempt == 2


def test_a_host_that_is_not_heard_of_loses_its_claims_and_does_not_get_them_back(shared, monkeypatch):
    monkeypatch.setattr(claims, "LEASE", 1.0)
    one, two = pair(shared, "a lease")
    assert one.take(["a", "b"]).keys() == {"a", "b"}
    assert two.take(["a"]) == {}
    time.sleep(1.2)
    assert two.take(["a"])["a"] == ("two", 1, True, False)
    assert one.take(["a", "b"]).keys() == {"b"}
    monkeypatch.setattr(claims, "BEAT", 0.2)
    with one.held():
        time.sleep(1.5)
        assert two.take(["b"]) == {}
        assert two.others() == [("one", "1")]


def test_many_who_want_the_same_at_once(shared):
    hosts = [Claims(shared, "a crowd", f"host {number}").check() for number in range(8)]
    keys = [f"key {number}" for number in range(200)]

    def greedy(one):
        chance, mine = random.Random(one.host), set()
        for _ in range(30):
            mine |= one.take(chance.sample(keys, 20)).keys()
        return mine

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(greedy, hosts))
    assert Counter(key for some in taken for key in some) == dict.fromkeys(keys, 1)
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda one: one.ending(), hosts)) == [*range(1, 9)]


def test_one_at_a_time(shared):
    one, two = pair(shared, "alone")
    order = []

    def second():
        with two.alone("a thing"):
            order.append("second")

    with one.alone("a thing"), one.alone("another thing"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.5)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


@pytest.mark.parametrize(
    "uri", ["sqlite:///a.db", "postgresql:", "http://here", "postgresql://[::1", "mysql://u:secret@h/d"]
)
def test_what_hosts_cannot_share(uri):
    with pytest.raises(RequestError, match="hosts share a PostgreSQL, postgresql://HOST/DATABASE") as caught:
        check_uri(uri)
    assert "secret" not in str(caught.value)
    with pytest.raises(RequestError, match="MLflow's database"):
        check_uri("postgresql://h/d", "postgresql://h/d")


def test_a_database_that_refuses_is_one_line_and_nothing_is_made(database, here, tmp_path):
    wrong = database.uri.replace("secret", "guessed")
    for uri, what in ((wrong, "password authentication failed"), (wrong.replace(str(database.port), "1"), "refused")):
        code, output, errors = here("sweep", "--vary", "learning_rate=0.1,1", "--epochs", 10, "--study-uri", uri)
        assert (code, output, errors.count("\n")) == (1, "", 1)
        assert errors.startswith("error: the study's database at 127.0.0.1:")
        assert what in errors
        assert "guessed" not in errors
        assert not (tmp_path / "runs" / "mlflow.db").exists()


def runs_of(store, name):
    experiment = store.client.get_experiment_by_name(name)
    runs = store.client.search_runs([experiment.experiment_id], max_results=1000)
    return [run for run in runs if PARENT not in run.data.tags], [run for run in runs if PARENT in run.data.tags]


def assert_once(store, name, number, hosts=2):
    """Every run is there once, FINISHED, below the one parent; so many hosts have had a part in it."""
    (parent,), runs = runs_of(store, name)
    assert parent.info.status == "FINISHED"
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == len({run.data.tags["config_key"] for run in runs}) == number
    assert {run.data.tags[PARENT] for run in runs} == {parent.info.run_id}
    assert len({run.data.tags["host"] for run in runs}) == hosts
    return runs


def of_optuna(shared, name):
    storage = optuna.storages.RDBStorage(shared)
    (study,) = [one for one in storage.get_all_studies() if one.study_name.startswith(f"{safe(name)}-")]
    trials = [trial for trial in storage.get_all_trials(study._study_id) if trial.state.is_finished()]
    storage.remove_session()
    storage.engine.dispose()
    return trials


def side_by_side(sweep, store, roots, shared, **options):
    with ThreadPoolExecutor(2) as pool:
        how = {"shared": shared, "quiet": True, "writers": 1, "batch": 4, **options}
        return [*pool.map(lambda root: run_sweep(sweep, store, root, **how), roots)]


def test_two_hosts_at_once(small, store, shared, tmp_path):
    sweep, roots = small("two hosts", seeds=20), [tmp_path / "one", tmp_path / "two"]
    outcomes = side_by_side(sweep, store, roots, shared)
    assert [(one.status, one.done) for one in outcomes] == [("FINISHED", 40)] * 2
    assert outcomes[0].answer.sentences == outcomes[1].answer.sentences
    runs = assert_once(store, "two hosts", 40)
    assert {run.data.tags["host"] for run in runs} == {host_of(root) for root in roots}
    trials = of_optuna(shared, "two hosts")
    assert len(trials) == len({trial.user_attrs["config_key"] for trial in trials}) == 40
    assert len(store.client.search_logged_models([runs[0].info.experiment_id])) == 1
    for root in roots:
        assert examine(store, root).findings == []
    again = run_sweep(sweep.replace(seeds=22), store, roots[1], quiet=True, shared=shared, writers=1)
    assert (again.status, again.before, again.done) == ("FINISHED", 40, 44)


def test_two_hosts_with_a_sampler_that_learns(store, shared, tmp_path):
    base = Config(dataset="quadrants", n_examples=40, epochs=50)
    space = dict([parse_dimension("learning_rate=0.01..10:log")])
    sweep = Sweep("learning", base, space, sampler="tpe", trials=40, seeds=2)
    outcomes = side_by_side(sweep, store, [tmp_path / "one", tmp_path / "two"], shared)
    assert [(one.status, one.done) for one in outcomes] == [("FINISHED", 40)] * 2
    assert_once(store, "learning", 40)
    assert len(of_optuna(shared, "learning")) == 40


def test_two_hosts_with_a_comparison(store, shared, tmp_path):
    from sandbox.comparison.arms import parse_arm

    arms = tuple(map(parse_arm, ("raw: hidden=none", "deep: hidden=4")))
    small = {"repetitions": 2, "trials": 3, "seeds": 4, "epochs": 40}
    comparison = SMALL.replace(datasets=("circle",), sizes=(16,), arms=arms, **small)

    def work(root):
        return run_comparison(comparison, store, root, shared=shared, quiet=True, writers=1)

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(work, [tmp_path / "one", tmp_path / "two"])
    assert (one.status, two.status) == ("FINISHED", "FINISHED")
    ours, theirs = (sorted(map(repr, outcome.runs)) for outcome in (one, two))
    assert ours == theirs
    (_,), runs = runs_of(store, EXPERIMENT)
    assert len(runs) == len({(r.data.tags["config_key"], r.data.tags["role"], r.data.tags["arm"]) for r in runs})
    assert len(runs) == len(one.runs)


def test_a_driver_that_is_killed_leaves_its_runs_to_the_others(small, store, shared, start, tmp_path, monkeypatch):
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        root.mkdir()
    words = (
        "sweep",
        "--name",
        "a death",
        "--vary",
        "learning_rate=0.1,1",
        "--seeds",
        15,
        "--epochs",
        3000,
        "--batch",
        3,
    )
    where = ("--tracking-uri", store.uri, "--artifacts", store.chosen, "--study-uri", shared, "--as", "anna")
    with start(*words, *where, cwd=roots[0]) as first, start(*words, *where, cwd=roots[1]) as second:
        deadline = time.monotonic() + 60
        while store.client.get_experiment_by_name("a death") is None or len(runs_of(store, "a death")[1]) < 5:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        first.send_signal(signal.SIGKILL)
        second.communicate(timeout=120)
    assert second.returncode == 0, (roots[1] / ".stderr").read_text()
    with start(*words, *where, cwd=roots[0]) as first:
        output, _ = first.communicate(timeout=60)
    assert first.returncode == 0
    assert "nothing left to do" in output
    assert_once(store, "a death", 30)
    for root in roots:
        assert examine(store, root / "runs").findings == []


def test_a_writer_whose_claim_is_taken_while_it_logs_to_a_server_leaves_no_run(
    tmp_path, shared, make_run, small, monkeypatch
):
    """As when its network is cut and mended: another host has logged the run meanwhile."""
    server = Server(tmp_path)
    server.start()
    try:
        one, two = pair(shared, "fenced")
        store = Store(server.uri, tmp_path, user="anna")
        spool = Spool(server.uri, tmp_path, study=shared).open()
        mine = Claims(shared, "fenced", host_of(tmp_path))
        record = make_run(small("fenced"))
        record = replace(record, tags={**record.tags, "config_key": "k", "sweep": "fenced"})
        entry = Entry(Destination("fenced", campaign="fenced"), record)
        mine.take(["k"])
        spool.put(entry)
        writer = Writer(spool, store)
        told = store.log

        def overtaken(*words):
            mine.give_back()
            assert two.take(["k"])
            return told(*words)

        monkeypatch.setattr(store, "log", overtaken)
        assert [outcome for _, outcome in writer.log(spool.files())] == ["logged"]
        client = MlflowClient(server.uri)
        found = client.get_experiment_by_name("fenced")
        assert found is not None
        ids = [found.experiment_id]
        assert client.search_runs(ids, "tags.config_key = 'k'") == []
        assert len(client.search_runs(ids, "tags.config_key = 'k'", run_view_type=2)) == 1  # in the trash
        assert two.of(["k"])["k"].host == "two"
        monkeypatch.setattr(store, "log", told)
        spool.put(entry)
        assert [outcome for _, outcome in writer.log(spool.files())] == ["logged"]  # not ours: dropped
        assert client.search_runs(ids, "tags.config_key = 'k'") == []
        two.give_back()
        assert one.free(["k"]) == ["k"]
    finally:
        server.kill()


def test_a_lost_database_is_waited_for_and_then_said(database, shared):
    one = Claims(shared, "lost", "one", patience=1.0)
    database.stop()
    try:
        begun = time.monotonic()
        with pytest.raises(ClaimsError, match="does not answer, or refuses"):
            one.take(["a"])
        assert 1 <= time.monotonic() - begun < 15
    finally:
        database.start()
    assert one.check().take(["a"]).keys() == {"a"}
