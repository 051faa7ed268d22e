"""Whole runs as rows: what MLflow's client would have written, and only into the tables that are known."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import MetaData, NullPool, create_engine, select, text

from sandbox.names import safe
from sandbox.tracking import Record, Store, tables
from sandbox.tracking.connection import RefusedError
from sandbox.tracking.entry import Destination, Entry
from sandbox.tracking.linked import LoggedDataset
from sandbox.tracking.row import NewRun
from sandbox.tracking.spool import Spool
from sandbox.tracking.tables import COLUMNS
from sandbox.tracking.writer import Writer, drain

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=DATABASES)
def store(request, tmp_path_factory):
    """A store in each database that we reach ourselves."""
    root = tmp_path_factory.mktemp("tables")
    if request.param == "sqlite":
        return Store(f"sqlite:///{root}/mlflow.db", root)
    return Store(request.getfixturevalue("database").uri, root)


@pytest.fixture
def spool(store, tmp_path):
    return Spool(store.uri, tmp_path).open()


def kept(store, name):
    """The directories that an experiment's runs have their artifacts in."""
    return [one for one in Path(store.artifacts, safe(name)).glob("*") if any(one.rglob("*.png"))]


def dump(store):
    """Every table: its rows as dicts."""
    engine, notes = create_engine(store.uri, poolclass=NullPool), MetaData()
    notes.reflect(engine)
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for name, table in notes.tables.items()
        }


def of_runs(tables, ids):
    """The rows of some runs, with the runs' names for their ids."""
    names = {row["run_uuid"]: row["name"] for row in tables["runs"] if row["run_uuid"] in ids}
    found = {}
    for name, rows in tables.items():
        some = [{**row, "run_uuid": names[row["run_uuid"]]} for row in rows if row.get("run_uuid") in names]
        if some:
            found[name] = some
    links = {row["input_uuid"]: row for row in tables["inputs"] if row["destination_id"] in ids}
    data = {row["dataset_uuid"]: row for row in tables["datasets"]}
    named = {link: names[row["destination_id"]] for link, row in links.items()}
    found["inputs"] = [{**row, "input_uuid": 0, "source_id": 0, "destination_id": named[k]} for k, row in links.items()]
    found["input_tags"] = [
        {**one, "input_uuid": named[k]} for one in tables["input_tags"] if (k := one["input_uuid"]) in links
    ]
    found["datasets"] = [{**data[row["source_id"]], "dataset_uuid": 0, "run": named[k]} for k, row in links.items()]
    return found


def in_order(rows):
    return sorted(rows, key=lambda row: [str(value) for value in row.values()])


def records(make_record):
    whole = make_record("whole", tags={"mlflow.user": "me", "note": "é\U0001f600\n"}, params={"a": "p" * 6000})
    rising = [("up/and down", float(value), step) for step, value in [(-5, 1), (7, -2), (3, 9)]]
    return [
        whole,
        make_record("killed", status="KILLED", metrics=rising, slider={}, images={}, dataset=None),
        make_record("n" * 300, metrics=[("tiny", 5e-324, 2**40), ("large", -1.7e308, 0)], tags={"empty": ""}),
        Record("bare", "FAILED", 1_790_000_000_000, 1_790_000_000_001),
    ]


def test_the_rows_are_those_of_the_client(store, make_record):
    parents, places = {}, {}
    for way in ("client", "together"):
        places[way] = store.experiment(f"rows by {way}")
        parents[way] = store.parent(places[way], Destination(f"rows by {way}", campaign=f"{way}-1"))
    by_client = [store.log(one, places["client"], parents["client"]) for one in records(make_record)]
    before = dump(store)
    new = [
        NewRun(f"{number:032x}", places["together"], parents["together"], one)
        for number, one in enumerate(records(make_record))
    ]
    store.log_together(new)
    after = dump(store)
    assert store.known([run.run_id for run in new] + by_client + ["0" * 31 + "9"]) == {
        *by_client,
        *(run.run_id for run in new),
    }
    assert {name for name in after if len(after[name]) != len(before[name])} == set(COLUMNS)
    wanted, rows = of_runs(after, by_client), of_runs(after, [run.run_id for run in new])
    assert wanted.keys() == rows.keys() == set(COLUMNS)
    for way, run in [*(("client", row) for row in wanted["runs"]), *(("together", row) for row in rows["runs"])]:
        assert run.pop("experiment_id") == int(places[way])
        assert run.pop("artifact_uri").startswith(f"{store.artifacts}/{safe(f'rows by {way}')}/")
    assert len({one["dataset_uuid"] for one in after["datasets"]}) == len(after["datasets"]) == 2  # one an experiment
    for way, some in (("client", wanted["datasets"]), ("together", rows["datasets"])):
        assert {one.pop("experiment_id") for one in some} == {int(places[way])}
    for way, tags in (("client", wanted["tags"]), ("together", rows["tags"])):
        of_parents = [tag for tag in tags if tag["key"] == "mlflow.parentRunId"]
        assert {tag.pop("value") for tag in of_parents} == {parents[way]}
    assert {name: in_order(some) for name, some in rows.items()} == {
        name: in_order(some) for name, some in wanted.items()
    }


def test_mlflow_reads_them_alike(store, make_record):
    experiment = store.experiment("read alike")
    one = make_record("one")
    ids = [store.log(one, experiment), f"{7:032x}"]
    store.log_together([NewRun(ids[1], experiment, None, one)])
    first, second = (store.client.get_run(run_id) for run_id in ids)
    assert second.data.to_dictionary() == first.data.to_dictionary()
    assert second.inputs.to_dictionary() == first.inputs.to_dictionary()
    assert len(store.client.search_runs([experiment], "dataset.name = 'moons' AND dataset.context = 'training'")) == 2
    assert {run.info.run_id for run in store.client.search_runs([experiment], "metrics.test_accuracy = 0.75")} == set(
        ids
    )
    histories = [[(m.step, m.value, m.timestamp) for m in store.client.get_metric_history(run, "cost")] for run in ids]
    assert histories[0] == histories[1]
    for folder in (None, "images"):
        files = [[(file.path, file.file_size) for file in store.client.list_artifacts(run, folder)] for run in ids]
        assert files[0] == files[1]
        assert files[0]


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": [("cost?!", 0.5, 0)]},
        {"metrics": [("k" * 251, 0.5, 0)]},
        {"params": {"p": "v" * 6001}},
        {"params": {"../p": "v"}},
        {"tags": {"t" * 251: ""}},
        {"tags": {"mlflow.runName": "another"}},
        {"start_time": -5, "end_time": -3},
        {"images": {"x" * 300: b""}},
        {"slider": {"boundary": {0: b"no picture"}}},
        {"dataset": LoggedDataset("n" * 501, "0", "{}", "{}", "{}")},
    ],
    ids=[
        "metric",
        "long metric",
        "long param",
        "param",
        "long tag",
        "name",
        "times",
        "long file",
        "slider",
        "data set",
    ],
)
def test_what_the_client_refuses_or_changes_is_refused_and_nothing_is_left(change, store, make_record):
    experiment = store.experiment("refused")
    before = dump(store)
    good, bad = make_record("good"), make_record("bad", **change)
    with pytest.raises(RefusedError):
        store.log_together([NewRun(uuid4().hex, experiment, None, one) for one in (good, bad)])
    assert dump(store) == before
    assert kept(store, "refused") == []


def test_of_a_lot_with_a_bad_one_the_others_are_logged(store, spool, make_record):
    to = Destination("one is bad", campaign="bad-1")
    for number in range(4):
        change = {"metrics": [("cost?!", 0.5, 0)]} if number == 1 else {}
        spool.put(Entry(to, make_record(f"run {number}", tags={"config_key": str(number), "sweep": "bad-1"}, **change)))
    assert drain(Writer(spool, store)) == 3
    assert len(spool.rejected()) == 1
    (experiment,) = store.client.search_experiments(filter_string="name = 'one is bad'")
    found = store.client.search_runs([experiment.experiment_id], "tags.sweep = 'bad-1'")
    assert sorted(run.info.run_name for run in found) == ["bad-1", "run 0", "run 2", "run 3"]
    assert len(kept(store, "one is bad")) == 3


def test_who_dies_between_the_transaction_and_the_file_logs_nothing_twice(store, spool, make_record):
    to = Destination("dies", campaign="dies-1")
    path = spool.put(Entry(to, make_record("run", tags={"config_key": "1", "sweep": "dies-1"})))
    whole = path.read_bytes()
    for _ in range(2):
        path.write_bytes(whole)
        assert [*Writer(spool, store).log([path])] == [(path, "logged")]
    (experiment,) = store.client.search_experiments(filter_string="name = 'dies'")
    (run,) = store.client.search_runs([experiment.experiment_id], "tags.config_key = '1'")
    assert [one.dataset.name for one in run.inputs.dataset_inputs] == ["moons"]


def test_an_experiment_that_is_deleted_meanwhile_is_restored(store, spool, make_record):
    to = Destination("deleted", campaign="deleted-1")
    writer = Writer(spool, store)
    experiment, _ = writer.place(to)
    store.client.delete_experiment(experiment)
    spool.put(Entry(to, make_record("run", tags={"config_key": "1", "sweep": "deleted-1"})))
    assert drain(writer) == 1
    assert store.client.get_experiment(experiment).lifecycle_stage == "active"


def test_tables_of_another_revision_are_left_to_the_client(store, spool, make_record, monkeypatch):
    monkeypatch.setattr(tables, "REVISION", "0123456789ab")
    store, to = Store(store.uri, store.artifacts), Destination("revised", campaign="revised-1")
    for number in range(2):
        spool.put(Entry(to, make_record(f"run {number}", tags={"config_key": str(number), "sweep": "revised-1"})))
    said = []
    writer = Writer(spool, store, lambda **news: said.append(news))
    assert drain(writer) == 2
    assert store.tables is None
    (remark,) = said
    assert "revision is" in remark["remark"]
    (experiment,) = store.client.search_experiments(filter_string="name = 'revised'")
    found = store.client.search_runs([experiment.experiment_id], "tags.sweep = 'revised-1'")
    inputs = [run.inputs.to_dictionary()["dataset_inputs"] if run.inputs else [] for run in found]
    assert sorted(map(len, inputs)) == [0, 1, 1]  # the parent has none


@pytest.mark.slow
def test_a_column_that_is_not_known_is_said_once_and_the_sweep_is_logged(tmp_path, call):
    store = Store(f"sqlite:///{tmp_path}/runs/mlflow.db", tmp_path / "runs")
    store.check()
    with create_engine(store.uri).begin() as connection:
        connection.execute(text("ALTER TABLE params ADD COLUMN unit VARCHAR(20)"))
    words = ["sweep", "--epochs", 20, "--hidden", 2, "--vary", "learning_rate=0.1,1", "--name", "strange"]
    code, _, errors = call(*words, cwd=tmp_path)
    assert (code, errors.count("params.unit was not to be expected")) == (0, 1), errors
    assert call("doctor", cwd=tmp_path)[0] == 0
    (experiment,) = store.client.search_experiments(filter_string="name = 'strange'")
    assert len(store.client.search_runs([experiment.experiment_id], "tags.trial != ''")) == 6
