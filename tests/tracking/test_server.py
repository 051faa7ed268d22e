import pytest
from mlflow import MlflowClient

from sandbox.tracking import Destination, Store
from sandbox.tracking.spool import Spool
from sandbox.tracking.state import read_state

pytestmark = pytest.mark.slow


def test_a_run_logged_through_a_server_is_the_same(server, store, make_record, capfd, tmp_path):
    remote = Store(server)
    record = make_record()
    experiment_id = remote.experiment("remote", "Over HTTP.")
    to = Destination("remote", campaign="s1")
    parent_id = remote.parent(experiment_id, to)
    run_id = remote.log(record, experiment_id, parent_id)
    remote.close_parent(parent_id, make_record("s1", params={}, metrics=[], tags={}, slider={}))
    state = read_state(to, remote, Spool(remote.uri, tmp_path))
    assert (state.told, state.parent, state.parent_status) == ({"lr=0.1"}, parent_id, "FINISHED")
    assert capfd.readouterr().out == ""

    client = MlflowClient(store.uri)
    run = client.get_run(run_id)
    assert (run.info.status, run.data.params) == ("FINISHED", record.params)
    assert len(client.get_metric_history(run_id, "cost")) == 200
    through_server = MlflowClient(server)
    assert len(through_server.list_artifacts(run_id, "images")) == 12
    path = through_server.download_artifacts(run_id, "cost.png", str(tmp_path))
    with open(path, "rb") as file:
        assert file.read() == record.images["cost.png"]


def test_artifacts_logged_beside_the_server_can_be_read_through_it(server, store, make_record, tmp_path):
    record = make_record()
    run_id = store.log(record, store.experiment("beside"))
    path = MlflowClient(server).download_artifacts(run_id, "boundary.png", str(tmp_path))
    with open(path, "rb") as file:
        assert file.read() == record.images["boundary.png"]


def test_its_ui_is_its_own(call, server, tmp_path):
    refused = call("ui", "--tracking-uri", server, cwd=tmp_path)
    assert refused == (2, "", f"error: the store is a server already: open {server} in a browser\n")
