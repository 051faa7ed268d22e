import io
import math

import pytest
from mlflow.entities import ViewType
from mlflow.tracking.multimedia import compress_image_size
from PIL import Image

from sandbox.errors import RequestError
from sandbox.tracking import Store, StoreError


def test_a_run_is_read_back_as_it_was_logged(store, plain, make_record):
    experiment_id = store.experiment("whole", "What comes back?")
    parent_id = store.start_parent(experiment_id, "the sweep", {"sweep": "s1"}, {"trials": "1"})
    record = make_record()
    run = plain.get_run(store.log(record, experiment_id, parent_id))
    assert (run.info.run_name, run.info.status) == ("lr=0.1", "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (record.start_time, record.end_time)
    assert run.data.params == record.params
    assert record.tags.items() <= run.data.tags.items()
    assert run.data.tags["mlflow.parentRunId"] == parent_id
    assert run.data.metrics["test_accuracy"] == 0.75
    history = plain.get_metric_history(run.info.run_id, "cost")
    assert [("cost", point.value, point.step) for point in history] == record.metrics[:200]
    times = [point.timestamp for point in history]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (record.start_time, record.end_time)


def test_pictures_are_stored_as_log_image_stores_them(store, plain, make_record, png, tmp_path):
    experiment_id = store.experiment("pictures")
    run_id = store.log(make_record(), experiment_id)
    reference_id = plain.create_run(experiment_id).info.run_id
    with Image.open(io.BytesIO(png(2))) as image:
        plain.log_image(reference_id, image, key="boundary", step=2000)
        size = compress_image_size(image).size

    def shape(path):
        key, _, step, _, _, identity, *rest = path.removesuffix(".png").removesuffix(".webp").split("+")
        return key, int(step), len(identity), "+".join(rest), path.rpartition(".")[2]

    ours = [file.path for file in plain.list_artifacts(run_id, "images")]
    theirs = [file.path for file in plain.list_artifacts(reference_id, "images")]
    assert {shape(path) for path in theirs} == {shape(path) for path in ours if "+step+2000+" in path}
    assert len(ours) == 12
    assert plain.get_run(run_id).data.tags["mlflow.loggedImages"] == "True"
    names = {file.path for file in plain.list_artifacts(run_id)}
    assert names == {"images", "cost.png", "boundary.png"}
    for path in ours:
        if "+step+2000+" in path:
            with open(plain.download_artifacts(run_id, path, str(tmp_path)), "rb") as file:
                data = file.read()
            with Image.open(io.BytesIO(data)) as image:
                assert data == png(2) if path.endswith("png") else image.size == size


def test_files_are_stored_as_they_are(store, plain, make_record, tmp_path):
    files = {"table.csv": b"a,b\n1,2\n", "notes/why.txt": "größer".encode()}
    run_id = store.log(make_record(images={}, slider={}, files=files), store.experiment("files"))
    for path, content in files.items():
        with open(plain.download_artifacts(run_id, path, str(tmp_path)), "rb") as file:
            assert file.read() == content


def test_more_than_one_batch_of_everything_is_logged_once(store, plain, make_record):
    metrics = [("cost", 1 / (1 + step), step) for step in range(2500)]
    many = {f"p{i}": str(i) for i in range(150)}
    record = make_record(metrics=metrics, params=many, tags=many, images={}, slider={})
    run = plain.get_run(store.log(record, store.experiment("batches")))
    assert run.data.params == many
    assert many.items() <= run.data.tags.items()
    history = plain.get_metric_history(run.info.run_id, "cost")
    assert sorted((point.step, point.value) for point in history) == [(s, v) for _, v, s in metrics]


def test_the_smallest_record_and_the_other_statuses(store, plain, make_record):
    experiment_id = store.experiment("small")
    for status in ("KILLED", "FAILED"):
        bare = make_record(status=status, params={}, metrics=[], tags={}, images={}, slider={})
        assert plain.get_run(store.log(bare, experiment_id)).info.status == status


def test_a_run_that_cannot_be_written_whole_is_not_left_behind(store, plain, make_record):
    experiment_id = store.experiment("midway")
    with pytest.raises(StoreError, match="Invalid"):
        store.log(make_record(params={"no $ in names": "1"}), experiment_id)
    assert list(plain.search_runs([experiment_id])) == []
    (left,) = plain.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
    assert left.info.status == "FAILED"
    with pytest.raises(StoreError, match="no PNG"):
        store.log(make_record(slider={"boundary": {0: b"not a picture"}}), experiment_id)
    assert len(plain.search_runs([experiment_id], run_view_type=ViewType.ALL)) == 1


def test_an_experiment_is_created_described_and_restored(store, plain):
    experiment_id = store.experiment("a / b", "first", {"question": "why"})
    found = plain.get_experiment(experiment_id)
    assert found.name == "a / b"
    assert found.tags["mlflow.note.content"] == "first"
    assert found.tags["mlflow.experimentKind"] == "custom_model_development"
    plain.delete_experiment(experiment_id)
    assert store.experiment("a / b", "second") == experiment_id
    found = plain.get_experiment(experiment_id)
    assert (found.lifecycle_stage, found.tags["mlflow.note.content"]) == ("active", "second")
    assert found.tags["question"] == "why"


def test_a_parent_is_found_reopened_and_finished_again(store, plain, make_record):
    experiment_id = store.experiment("parents")
    name = "it's a sweep"
    assert store.find_parent(experiment_id, name) is None
    parent_id = store.start_parent(experiment_id, "p", {"sweep": name})
    store.log(make_record(tags={"sweep": name}, start_time=1, images={}, slider={}), experiment_id, parent_id)
    assert plain.get_run(parent_id).info.status == "RUNNING"
    store.finish_parent(parent_id, "KILLED", {"runs": 1.0})
    store.reopen(parent_id)
    assert plain.get_run(parent_id).info.status == "RUNNING"
    assert store.find_parent(experiment_id, name) == parent_id
    store.finish_parent(parent_id, metrics={"runs": 2.0}, tags={"best": "x"})
    run = plain.get_run(parent_id)
    assert (run.info.status, run.data.metrics["runs"], run.data.tags["best"]) == ("FINISHED", 2.0, "x")
    with pytest.raises(ValueError, match="'runs' is nan"):
        store.finish_parent(parent_id, metrics={"runs": math.nan})


def test_finished_keys_and_the_children_left_running(store, plain, make_record):
    experiment_id = store.experiment("resume")
    parent_id = store.start_parent(experiment_id, "p", {"sweep": "s"})
    other_id = store.start_parent(experiment_id, "q", {"sweep": "s"})

    def log(key, sweep="s", **changes):
        tags = {"sweep": sweep, "config_key": key}
        store.log(make_record(tags=tags, images={}, slider={}, **changes), experiment_id, parent_id)

    log("done")
    log("diverged", metrics=[("diverged", 1.0, 0), ("diverged_at", 17.0, 0)])
    log("pruned", status="KILLED")
    log("elsewhere", sweep="t")
    tags = {"mlflow.parentRunId": parent_id, "sweep": "s", "config_key": "running"}
    left = plain.create_run(experiment_id, tags=tags).info.run_id
    stranger = plain.create_run(experiment_id, tags={"mlflow.parentRunId": other_id}).info.run_id
    assert store.finished_keys(experiment_id, "s") == {"done", "diverged"}
    assert store.kill_running(parent_id) == 1
    assert plain.get_run(left).info.status == "KILLED"
    assert plain.get_run(stranger).info.status == "RUNNING"
    assert store.kill_running(parent_id) == 0


def test_reading_goes_on_beyond_a_page(store, plain, monkeypatch):
    monkeypatch.setattr("sandbox.tracking.reading.PAGE", 4)
    experiment_id = store.experiment("pages")
    for i in range(10):
        run_id = plain.create_run(experiment_id, 5, {"sweep": "s", "config_key": str(i)}).info.run_id
        plain.set_terminated(run_id)
    assert store.finished_keys(experiment_id, "s") == {str(i) for i in range(10)}
    assert len(store.runs_frame(["pages"])) == 10


def test_runs_frame(store, make_record):
    for start, name in enumerate(("frame one", "frame two"), 1):
        record = make_record(start_time=start, end_time=start + 2500, images={}, slider={})
        store.log(record, store.experiment(name))
    store.experiment("frame empty")
    both = store.runs_frame(["frame one", "frame two"])
    assert both["experiment"].tolist() == ["frame one", "frame two"]
    row = both.iloc[0]
    assert (row["params.learning_rate"], row["tags.seed"], row["status"]) == ("0.1", "3", "FINISHED")
    assert row["metrics.test_accuracy"] == 0.75
    assert (row["end_time"] - row["start_time"]).total_seconds() == 2.5
    assert len(store.runs_frame(["frame one"], "metrics.test_accuracy > 0.9")) == 0
    assert len(store.runs_frame(["frame empty"])) == 0
    assert {"frame one", "frame two"} <= set(store.runs_frame()["experiment"])
    with pytest.raises(RequestError, match="did you mean 'frame one'"):
        store.runs_frame(["frame on"])
    with pytest.raises(StoreError, match="Invalid"):
        store.runs_frame(["frame one"], "nonsense ~ 3")


def test_the_ui_of_a_server_is_its_own():
    with pytest.raises(RequestError, match=r"open http://example.org"):
        Store("http://example.org").ui_command()
    assert Store("http://example.org/x/").ui_url("7").startswith("http://example.org/x/#/experiments/7/runs?")
