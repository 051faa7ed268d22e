"""Reading runs in columns: the same as what MLflow's own search says of the same store."""

import math

import pytest

from sandbox.tracking import Destination, Store, columns, tables
from sandbox.tracking.columns import Columns
from sandbox.tracking.reading import Pages
from sandbox.tracking.row import TELLING
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import read_state
from sandbox.tracking.writer import Writer

BARE = {"images": {}, "slider": {}}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def filled(request, store, make_record, tmp_path):
    """A store, a spool, and a campaign with a run of every kind."""
    one = store if request.param == "sqlite" else Store(request.getfixturevalue("database").uri, tmp_path)
    spool, client = Spool(one.uri, tmp_path).open(), one.client
    to = Destination(request.node.name, "What does a column hold?", campaign="c-of-columns")
    experiment, parent = Writer(spool, one).place(to)

    def log(key, campaign=to.campaign, under=parent, **changes):
        tags = {"sweep": campaign, "config_key": key, **changes.pop("tags", {})}
        return one.log(make_record(key, **{**BARE, **changes, "tags": tags}), experiment, under)

    ids = {key: log(key) for key in ("done", "deleted", "nan", "infinite", "half")}
    log("pictures", images=make_record().images)
    log("long", params={"hidden": "8" * 6000, "crosses": "none"})
    log("negative", metrics=[("final_cost", -0.0, 0), ("cost", 0.5, 0), ("cost", 0.25, 9)])
    log("pruned", status="KILLED", tags={"pruned": "1"})
    log("stopped", status="KILLED")
    log("broken", status="FAILED", params={}, metrics=[])
    log("an arm's", tags={"role": "tuning", "arm": "raw, 'x' \u00e9"})
    log("of another", campaign="c")
    log("elsewhere", under="0" * 32)
    log("twice")
    log("twice")
    client.delete_run(ids["deleted"])
    client.log_metric(ids["nan"], "test_cost", math.nan)
    client.log_metric(ids["infinite"], "test_cost", -math.inf)
    client.create_run(experiment, tags={"sweep": to.campaign, "config_key": "running", "mlflow.parentRunId": parent})
    client.update_run(ids["half"], status="RUNNING")
    assert one.abandon(ids["half"])
    return one, spool, to


def both(store):
    assert isinstance(store.reader, Columns)
    return store.reader, Pages(store.client)


def told(rows):
    """Comparable: NaN is not equal to itself."""
    return [repr(row._replace(tags=sorted(row.tags), params=0, metrics=sorted(row.metrics.items()))) for row in rows]


@pytest.mark.parametrize("deleted", [False, True])
def test_columns_and_search_say_the_same(filled, deleted, monkeypatch):
    monkeypatch.setattr(columns, "PART", 4)
    store, _, to = filled
    if deleted:
        store.client.delete_experiment(store.client.get_experiment_by_name(to.experiment).experiment_id)
    ours, theirs = both(store)
    place = ours.place(to.experiment)
    assert place == theirs.place(to.experiment)
    assert place is not None
    assert place.deleted is deleted
    found, expected = (list(one.rows(place, to.campaign, whole=True)) for one in (ours, theirs))
    assert len(found) == (17 if deleted else 16)
    assert told(found) == told(expected)
    assert [row.params for row in found] == [row.params for row in expected]
    assert [row.tags for row in found] == [row.tags for row in expected]
    assert {row.tags.get("config_key") for row in found if not row.sound} == {"nan", "infinite"}
    light = list(ours.rows(place, to.campaign))
    for row, whole in zip(light, found, strict=True):
        tags = {key: text for key, text in whole.tags.items() if key in TELLING}
        assert row == whole._replace(tags=tags, params={}, metrics={})


def test_a_state_is_the_same_whichever_way_it_was_read(filled, monkeypatch):
    store, spool, to = filled
    state, light = read_state(to, store, spool, whole=True), read_state(to, store, spool)
    monkeypatch.setattr(tables, "REVISION", "another")
    other = Store(store.uri, spool.root)
    assert isinstance(other.reader, Pages)
    assert read_state(to, other, spool, whole=True) == state
    assert {**vars(light), "runs": state.runs} == vars(state)
    ended = {"done", "pictures", "long", "negative", "pruned", "tuning/raw, 'x' é/an arm's", "elsewhere", "twice"}
    assert state.told == state.runs.keys() == ended
    assert len(state.not_below(state.parent)) == 1
    assert state.runs["negative"].last() == {"final_cost": 0.0, "cost": 0.25}


def test_an_experiment_that_there_is_not(store):
    assert [one.place("nobody's") for one in both(store)] == [None, None]


def test_curves_are_the_same_whichever_way_they_are_read(filled, monkeypatch):
    monkeypatch.setattr(columns, "PART", 2)
    store, _, to = filled
    ours, theirs = both(store)
    place = ours.place(to.experiment)
    assert place is not None
    ids = [row.run_id for row in ours.rows(place, to.campaign)]
    for name in ("cost", "final_cost", "test_accuracy", "nobody's"):
        assert ours.curves(ids, name) == theirs.curves(ids, name)
    costs = ours.curves(ids, "cost")
    lengths = [len(costs[run_id].steps) for run_id in ids if run_id in costs]
    assert set(lengths) == {2, 200}
    (short,) = (curve for curve in costs.values() if len(curve.steps) == 2)
    assert short == ([0, 9], [0.5, 0.25])
    found, expected = (repr(sorted(one.curves(ids, "test_cost").items())) for one in (ours, theirs))  # nan is not nan
    assert found == expected
    assert "nan" in found
    assert ours.curves([], "cost") == theirs.curves([], "cost") == {}
