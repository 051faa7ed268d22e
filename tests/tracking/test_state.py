"""What is known of a campaign: in the spool, in MLflow, in both, or half."""

import socket

import pytest

from sandbox.tracking import Destination, Store
from sandbox.tracking.entry import Entry
from sandbox.tracking.spool import Spool, taken
from sandbox.tracking.state import read_state
from sandbox.tracking.writer import Writer

BARE = {"images": {}, "slider": {}}


@pytest.fixture
def spool(store, tmp_path):
    return Spool(store.uri, tmp_path).open()


def tagged(make_record, key, campaign, **changes):
    return make_record(
        key, **{**BARE, **changes, "tags": {"sweep": campaign, "config_key": key, **changes.pop("tags", {})}}
    )


def test_what_counts_as_done(store, plain, spool, make_record):
    to = Destination("state", campaign="s-of-state")
    experiment, parent = Writer(spool, store).place(to)

    def log(key, campaign=to.campaign, under=parent, **changes):
        return store.log(tagged(make_record, key, campaign, **changes), experiment, under)

    log("done")
    log("diverged", metrics=[("diverged", 1.0, 0), ("diverged_at", 17.0, 0)])
    log("pruned", status="KILLED", tags={"pruned": "1"})
    log("stopped", status="KILLED")
    log("broken", status="FAILED")
    log("elsewhere", campaign="t")
    twice = [log("twice") for _ in range(2)]
    deleted = log("deleted")
    plain.delete_run(deleted)
    tags = {"mlflow.parentRunId": parent, "sweep": to.campaign, "config_key": "running"}
    left = plain.create_run(experiment, tags=tags).info.run_id
    spool.put(Entry(to, tagged(make_record, "waiting", to.campaign)))
    spool.put(Entry(to, tagged(make_record, "twice", to.campaign)))
    spool.put(Entry(Destination("state", campaign="t"), tagged(make_record, "another", "t")))

    state = read_state(to, store, spool, whole=True)
    assert state.told == set(state.runs) == {"done", "diverged", "pruned", "twice", "waiting"}
    assert {key: len(ids) for key, ids in state.logged.items()} == {"done": 1, "diverged": 1, "pruned": 1, "twice": 2}
    assert sorted(one.run_id for one in state.logged["twice"]) == sorted(twice)
    assert state.runs["pruned"].status == "KILLED"
    assert state.runs["waiting"].last() == state.runs["done"].last()
    assert (state.left_running, state.parent, state.parent_status, state.why) == (
        [("running", left)],
        parent,
        "RUNNING",
        "",
    )
    store.abandon(left)
    assert read_state(to, store, spool).left_running == []


def test_a_run_that_a_writer_has_in_hand_was_not_left(store, plain, spool, make_record):
    to = Destination("state in hand", campaign="s-in-hand")
    experiment, parent = Writer(spool, store).place(to)
    path = spool.put(Entry(to, tagged(make_record, "k", to.campaign)))
    tags = {"mlflow.parentRunId": parent, "sweep": to.campaign, "config_key": "k"}
    run_id = plain.create_run(experiment, tags=tags).info.run_id
    with taken(path):
        assert read_state(to, store, spool).left_running == []
    assert read_state(to, store, spool).left_running == [("k", run_id)]


def test_a_store_that_is_away_says_why_and_the_spool_is_read_all_the_same(tmp_path, make_record):
    with socket.socket() as closed:  # bound, never listening
        closed.bind(("127.0.0.1", 0))
        store = Store(f"http://127.0.0.1:{closed.getsockname()[1]}")
        spool, to = Spool(store.uri, tmp_path).open(), Destination("away", campaign="s")
        spool.put(Entry(to, tagged(make_record, "waiting", "s")))
        state = read_state(to, store, spool, whole=True)
    assert state.told == set(state.runs) == {"waiting"}
    assert "refused" in state.why


def test_where_nothing_was_ever_logged_nothing_is_made(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/none.db")
    state = read_state(Destination("none", campaign="s"), store, Spool(store.uri, tmp_path))
    assert (state.told, state.parent, state.why) == (set(), None, "")
    assert list(tmp_path.iterdir()) == []
