import io

import pytest
from mlflow.entities import ViewType
from mlflow.tracking.multimedia import compress_image_size
from PIL import Image

from sandbox.errors import RequestError
from sandbox.tracking import Destination, Store, StoreError
from sandbox.tracking.reading import search
from sandbox.tracking.ui import command, url


def test_a_run_is_read_back_as_it_was_logged(store, plain, make_record):
    experiment_id = store.experiment("whole", "What comes back?")
    parent_id = store.parent(experiment_id, Destination("whole", campaign="s1", params={"trials": "1"}))
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
        return key, int(step), len(identity), "+".join(rest)

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
                assert image.size == size if "compressed" in path else data == png(2)


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


def end(make_record, status="FINISHED", **changes):
    """The record that ends a parent run."""
    return make_record("p", status=status, **{"params": {}, "metrics": [], "tags": {}, **BARE, **changes})


BARE = {"images": {}, "slider": {}}


def test_a_parent_is_made_once_and_ended_again_and_again(store, plain, make_record):
    experiment_id = store.experiment("parents")
    to = Destination("parents", campaign="its-sweep", tags={"role": "sweep"}, params={"base.epochs": "50"})
    parent_id = store.parent(experiment_id, to)
    store.log(make_record(tags={"sweep": to.campaign}, start_time=1, **BARE), experiment_id, parent_id)
    run = plain.get_run(parent_id)
    assert (run.info.status, run.info.run_name, run.data.params) == ("RUNNING", to.campaign, to.params)
    assert {"role": "sweep", "sweep": to.campaign}.items() <= run.data.tags.items()
    assert store.parent(experiment_id, to) == parent_id

    store.close_parent(parent_id, end(make_record, "KILLED", metrics=[("runs", 1.0, 1)]))
    assert plain.get_run(parent_id).info.status == "KILLED"
    for _ in range(2):  # whoever died after it does it again
        last = end(make_record, metrics=[("runs", 2.0, 2)], tags={"best": "x"}, files={"report.html": b"<p>"})
        store.close_parent(parent_id, last)
    run = plain.get_run(parent_id)
    assert (run.info.status, run.data.metrics["runs"], run.data.tags["best"]) == ("FINISHED", 2.0, "x")
    points = [(point.step, point.value) for point in plain.get_metric_history(parent_id, "runs")]
    assert points == [(1, 1.0), (2, 2.0)]
    assert [file.path for file in plain.list_artifacts(parent_id)] == ["report.html"]


def test_a_sliders_pictures_are_read_back_by_step(store, plain, make_record):
    record = make_record()
    place = plain.get_run(store.log(record, store.experiment("sliders"))).info.artifact_uri
    assert store.slider(place, "boundary") == record.slider["boundary"]
    assert [*store.slider(place, "boundary")] == [1000 * step for step in range(6)]
    assert store.slider(place, "another") == {}
    bare = store.log(make_record(slider={}), store.experiment("sliders"))
    assert store.slider(plain.get_run(bare).info.artifact_uri, "boundary") == {}


def test_files_are_attached_in_place_of_those_that_were_there(store, plain, make_record):
    run_id = store.log(make_record(files={"more/table.csv": b"old"}), store.experiment("attached"))
    store.attach(run_id, {"more/table.csv": b"new", "more/page.md": b"a page"}, {"mlflow.note.content": "a note"})
    assert [store.artifact(run_id, f"more/{name}") for name in ("table.csv", "page.md")] == [b"new", b"a page"]
    assert store.artifact(run_id, "cost.png") == make_record().images["cost.png"]
    run = plain.get_run(run_id)
    assert (run.data.tags["mlflow.note.content"], run.info.status) == ("a note", "FINISHED")


def test_a_run_that_is_abandoned_and_one_that_has_ended(store, plain, make_record):
    experiment_id = store.experiment("abandoned")
    left = plain.create_run(experiment_id).info.run_id
    ended = store.log(make_record(**BARE), experiment_id)
    assert (store.abandon(left), store.abandon(ended)) == (True, False)
    assert (plain.get_run(left).info.status, plain.get_run(ended).info.status) == ("KILLED", "FINISHED")


def test_reading_goes_on_beyond_a_page(store, plain, monkeypatch):
    monkeypatch.setattr("sandbox.tracking.reading.PAGE", 4)
    experiment_id = store.experiment("pages")
    for i in range(10):
        run_id = plain.create_run(experiment_id, 5, {"sweep": "s", "config_key": str(i)}).info.run_id
        plain.set_terminated(run_id)
    found = search(store.client, [experiment_id], "tags.sweep = 's'")
    assert sorted(run.data.tags["config_key"] for run in found) == sorted(map(str, range(10)))


def test_the_ui_of_a_server_is_its_own(store):
    with pytest.raises(RequestError, match=r"open http://example.org"):
        command(Store("http://example.org"))
    with_password = Store("postgresql://me:secret@127.0.0.1/runs")
    words, environment = command(with_password, port=5001)
    assert words[-6:] == ["--port", "5001", "--workers", "1", "--app-name", "sandbox"]
    assert "secret" not in " ".join(words)  # everybody can see them
    assert environment["MLFLOW_BACKEND_STORE_URI"] == with_password.uri
    assert url("http://example.org/x/", "7").startswith("http://example.org/x/#/experiments/7/runs?")


def test_a_page_has_its_runs_the_best_first():
    page = url("http://host", "7", objective="max:validation_accuracy")
    assert "orderByKey=metrics.%60validation_accuracy%60&orderByAsc=false" in page
    assert "orderByKey=metrics.%60final_cost%60&orderByAsc=true" in url("http://host", "7")
    assert url("http://host", "7", "r").startswith("http://host/#/experiments/7/runs/r/model-metrics?")
    assert url("http://host/") == "http://host/#/experiments"
