"""A writer: logs what is in a spool, each file once, whatever else lies there and whatever became of writers before."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from operator import length_hint

import pytest

from sandbox.names import safe
from sandbox.tracking import Store, StoreError
from sandbox.tracking.entry import Destination, Entry
from sandbox.tracking.row import ENDING
from sandbox.tracking.spool import Spool, taken
from sandbox.tracking.writer import Writer, drain
from sandbox.tracking.writers import Writers
from tests.tracking.test_spool import HOSTILE

FIELDS = {"status": "FINISHED", "metrics": [("final_cost", 0.5, 0)], "images": {}, "slider": {}}


@pytest.fixture
def spool(store, tmp_path):
    return Spool(store.uri, tmp_path).open()


@pytest.fixture
def runs(plain):
    """A function: the runs of an experiment, without those in the trash."""

    def read(name):
        return plain.search_runs([plain.get_experiment_by_name(name).experiment_id])

    return read


def place(name):
    return Destination(name, "", f"{safe(name)}-1", {"role": "sweep"}, {"base.epochs": "50"})


def end(make_record, to, status="FINISHED", **changes):
    """The entry that ends a parent run."""
    fields = {"params": {}, "metrics": [], "tags": {}, "images": {}, "slider": {}, **changes}
    return Entry(to, make_record(to.campaign, status=status, **fields), closing=True)


def record(make_record, to, name, **changes):
    return make_record(name, tags={"sweep": to.campaign, "config_key": name, **changes.pop("tags", {})}, **changes)


def test_everything_is_logged_below_one_parent_and_the_spool_is_empty(spool, store, runs, plain, make_record):
    to = place("writer drains")
    for number in range(3):
        spool.put(Entry(to, record(make_record, to, f"run {number}")))
    spool.put(end(make_record, to, metrics=[("runs", 3.0, 3)], tags={"best": "run 1"}, files={"report.html": b"<p>"}))
    said = []
    assert drain(Writer(spool, store), lambda **news: said.append(news)) == 4
    assert [list(news) for news in said] == [["logged"]] * 4
    assert [one.name for one in spool.directory.iterdir() if one.suffix in (".run", ".begun")] == []
    found = {run.info.run_name: run for run in runs("writer drains")}
    parent = found.pop(to.campaign)
    assert [file.path for file in plain.list_artifacts(parent.info.run_id)] == ["report.html"]
    assert (parent.info.status, parent.data.metrics, parent.data.tags["best"]) == ("FINISHED", {"runs": 3.0}, "run 1")
    assert parent.data.params == {"base.epochs": "50"}
    for run in found.values():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert len(plain.get_metric_history(run.info.run_id, "cost")) == 200
        assert len(plain.list_artifacts(run.info.run_id, "images")) == 12
    assert sorted(found) == ["run 0", "run 1", "run 2"]


def test_what_cannot_be_read_or_logged_is_set_aside_with_a_word_why_and_the_rest_drains(
    spool, store, runs, make_record, tmp_path
):
    to = place("writer rejects")
    for number, (kind, make) in enumerate(HOSTILE.items()):
        make(spool.directory / f"{number:02}-1-{kind.replace(' ', '-')}.run")
    bad = {
        "no picture": {"slider": {"boundary": {0: b"%!PS-Adobe\n(evil) run"}}},
        "a file below a file": {"files": {"a": b"1", "a/b": b"2"}},
        "a name without end": {"files": {"x" * 300: b"1"}},
        "a metric that MLflow refuses": {"metrics": [("cost?!", 0.5, 0)]},
    }
    for name, change in bad.items():
        spool.put(Entry(to, record(make_record, to, name, **{**FIELDS, **change})))
    spool.put(Entry(to, record(make_record, to, "good", **FIELDS)))
    logged = drain(Writer(spool, store))
    finished = [run.info.run_name for run in runs("writer rejects") if run.info.run_name != to.campaign]
    assert finished == ["good"]
    assert logged == 1
    assert spool.files() == []
    notes = spool.rejected()
    assert len(notes) == len(HOSTILE) + len(bad)
    assert all(notes.values())
    assert not list(tmp_path.rglob("evil*"))


def test_one_that_the_store_does_not_take_now_does_not_keep_the_others_waiting(spool, store, make_record, tmp_path):
    """The experiment of the first file has its artifacts where nobody can write."""
    stuck, free = place("writer stuck"), place("writer free")
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a directory should be")
    store.client.create_experiment("writer stuck", artifact_location=str(blocked / "artifacts"))
    first = spool.put(Entry(stuck, record(make_record, stuck, "first")))
    second = spool.put(Entry(free, record(make_record, free, "second", **FIELDS)))
    writer = Writer(spool, store)
    with pytest.raises((StoreError, OSError)):
        drain(writer)
    assert spool.files() == [first, second]
    with pytest.raises((StoreError, OSError)):
        drain(writer)
    assert spool.files() == [first]
    blocked.unlink()
    assert drain(writer) == 1


def begun(store, to, name, experiment, parent, **tags):
    """A run as a writer leaves it that is killed before its batch."""
    tags = {"sweep": to.campaign, "config_key": name, "mlflow.parentRunId": parent, **tags}
    return store.client.create_run(experiment, tags=tags, run_name=name).info.run_id


@pytest.mark.parametrize("status", ["FINISHED", "KILLED"])
def test_a_file_that_a_dead_writer_began_with_is_logged_once_and_whole(status, spool, store, runs, plain, make_record):
    to = place(f"writer began {status}")
    tags = {"pruned": "1"} if status == "KILLED" else {}
    path = spool.put(Entry(to, record(make_record, to, "run", status=status, tags=tags)), perhaps_logged=True)
    writer = Writer(spool, store)
    experiment, parent = writer.place(to)
    halves = [begun(store, to, "run", experiment, parent, **tags) for _ in range(2)]
    assert [*writer.log([path])] == [(path, "logged")]
    states = {run.info.run_id: run.info.status for run in runs(to.experiment) if run.info.run_id != parent}
    (new,) = set(states) - set(halves)
    assert states == {**dict.fromkeys(halves, "KILLED"), new: status}
    assert len(plain.get_metric_history(new, "cost")) == 200

    again = spool.put(Entry(to, record(make_record, to, "run", status=status, tags=tags)), perhaps_logged=True)
    assert [*writer.log([again])] == [(again, "logged")]
    assert len(runs(to.experiment)) == 4  # it was there
    assert not spool.mark(again).exists()


def test_the_latest_end_of_a_sweep_holds_in_whatever_order_they_are_logged(spool, store, runs, make_record):
    to = place("writer ends")
    paths = [
        spool.put(end(make_record, to, status, metrics=[("runs", number, number)], tags={ENDING: str(number)}))
        for number, status in [(9, "KILLED"), (10, "FINISHED")]
    ]
    writer = Writer(spool, store)
    assert [outcome for _, outcome in writer.log(paths[::-1])] == ["logged", "logged"]
    (parent,) = runs("writer ends")
    assert (parent.info.status, parent.data.metrics["runs"]) == ("FINISHED", 10)
    assert parent.data.tags[ENDING] == "10"


@pytest.mark.slow
def test_several_writers_log_each_file_once_and_one_that_is_killed_is_replaced(spool, store, runs, make_record):
    to = place("writers")
    names = [f"run {number}" for number in range(30)]
    for name in names:
        spool.put(Entry(to, record(make_record, to, name, **FIELDS)))
    spool.put(Entry(to, record(make_record, to, "refused", **{**FIELDS, "metrics": [("cost?!", 0.5, 0)]})))
    (spool.directory / "00000000000000000001-1-foreign.run").write_bytes(b"half a zip")
    crew = Writers(spool, 2).start()
    crew._processes[next(iter(crew._processes))].kill()
    assert crew.wait()
    crew.close()
    crew.join()
    assert (crew.down, crew.rejected, spool.files()) == (None, 1, [])  # its own; the other is not
    assert crew.logged == 30
    found = [run.info.run_name for run in runs("writers") if run.info.run_name != to.campaign]
    assert sorted(found) == sorted(names)
    assert len(spool.rejected()) == 2
    assert not list(spool.directory.glob("scratch-*-*"))


@pytest.mark.slow
def test_a_writer_that_dies_while_it_is_waited_for_is_replaced_however_long_that_takes(spool, runs, make_record):
    """On a busy machine a process takes a while to start: between two lives there is none, and that is no end."""

    class Slow(Writers):
        def _start(self):
            if self._heard:
                time.sleep(1)
            super()._start()

    to = place("writers, slowly")
    crew = Slow(spool, 1).start()
    path = spool.put(Entry(to, record(make_record, to, "run", **FIELDS)))
    assert crew.wait()
    held = spool.put(Entry(to, record(make_record, to, "next", **FIELDS)))
    crew._processes[next(iter(crew._processes))].kill()
    assert crew.wait()
    crew.close()
    crew.join()
    assert not path.exists()
    assert not held.exists()
    assert len([run for run in runs("writers, slowly") if run.info.run_name != to.campaign]) == 2


def test_a_writer_whose_driver_has_died_drains_the_spool_and_ends(spool, runs, make_record):
    to = place("orphan")
    for number in range(5):
        spool.put(Entry(to, record(make_record, to, f"run {number}", **FIELDS)))
    words = [sys.executable, "-m", "sandbox.tracking.writer", str(spool.directory)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    assert [list(json.loads(line)) for line in done.stdout.splitlines()] == [
        ["at work"],
        *[["kept"]] * 5,
        *[["logged"]] * 5,
    ]
    assert len(runs("orphan")) == 6


def test_what_writers_of_another_process_log_is_progress_too(spool, runs, make_record, monkeypatch):
    """Eight sweeps shared a spool, one writer had taken all files, and the others gave up after their patience."""
    monkeypatch.setattr("sandbox.tracking.writers.PATIENCE", 1.0)
    to = place("of another")
    paths = [spool.put(Entry(to, record(make_record, to, f"run {number}", **FIELDS))) for number in range(4)]
    with ExitStack() as held, Writers(spool, 1) as crew:
        for path in paths:  # another writer has them
            assert held.enter_context(taken(path))
        crew.start()
        while not crew._heard:
            time.sleep(0.05)
        assert not crew.wait()  # and nothing comes of it
        begun, later = time.monotonic(), iter(paths)

        def one_every_half_second():
            if time.monotonic() - begun > 0.5 * (5 - length_hint(later)):
                spool.remove(next(later))

        assert crew.wait(one_every_half_second)
    assert time.monotonic() - begun > 2


def test_a_writer_without_a_store_says_so_and_keeps_everything(tmp_path, make_record):
    spool, to = Spool("http://127.0.0.1:9", tmp_path).open(), place("away")
    path = spool.put(Entry(to, record(make_record, to, "run", **FIELDS)))
    with pytest.raises(StoreError, match="refused"):
        drain(Writer(spool, Store(spool.uri)))
    words = [sys.executable, "-m", "sandbox.tracking.writer", str(spool.directory)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    first, *news = [json.loads(line) for line in done.stdout.splitlines()]
    assert first == {"at work": str(spool.directory)}
    assert all("refused" in one["down"] for one in news)
    assert 1 <= len(news) <= 2
    assert spool.files() == [path]
