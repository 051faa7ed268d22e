"""The command `sandbox compare`, as a person types it."""

import json
import signal
import time

import pytest

from sandbox.comparison import parse_arm
from sandbox.comparison.protocol import EXPERIMENT, SMALL
from sandbox.doctor import examine
from sandbox.lock import lock_of, locked
from sandbox.tracking import Store
from tests.test_outage import Server

QUICK = ("--dataset", "quadrants", "--n", "16", "--repetitions", 5, "--seeds", 2, "--trials", 2, "--epochs", 60)
QUICK_TOTAL = 2 * 5 * (2 + 2 + 2)
ARMS = ("--arm", "raw:", "--arm", "cross: crosses=x1*x2")


@pytest.mark.slow
def test_it_prints_verdicts_and_where_the_report_is(call, store, tmp_path):
    words = (*QUICK, *ARMS, "--tracking-uri", store.uri)
    code, output, errors = call("compare", *words, "--out", "here", cwd=tmp_path)
    assert code == 0, errors
    assert "quadrants, 16 examples: cross is best on average" in output
    assert f"report, for a browser: here/report.html\nnext: sandbox ui --tracking-uri {store.uri}\n" in output
    page = (tmp_path / "here" / "report.html").read_text()
    assert (
        "sandbox compare --dataset quadrants --n 16 --repetitions 5 --seeds 2 --trials 2 --epochs 60 --arm raw: "
        "--arm &#39;cross: crosses=x1*x2&#39; --tracking-uri" in page
    )
    code, output, errors = call("compare", *words, "--json", cwd=tmp_path)
    assert (code, errors.count("\n")) == (0, 0)
    report = json.loads(output)
    assert {row["arm"] for row in report["averages"]} == {"raw", "cross"}
    assert report["pairs"][0]["verdict"] in ("larger", "smaller", "equivalent", "inconclusive")
    assert (tmp_path / report["report"]).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dataset", "spral"], "did you mean 'spiral'"),
        (["--n", "16,many"], "whole numbers with commas between"),
        (["--n", "1"], "quadrants takes 2 to 1000000 training examples"),
        (["--arm", "deep: hidden=8,8"], "a comparison needs two"),
        (["--arm", "raw:", "--arm", "deep: hidden=8,,8"], "with commas between, or none"),
        (["--arm", "raw:", "--arm", "far: crosses=x9*x1"], "expected x1, x2 or one of"),
        (["--repetitions", "1"], "at least 2 is needed"),
        (["--margin", "0"], "a difference of accuracy between 0 and 1 is needed"),
        (["--trials", "many"], "is not a valid integer"),
        (["--dataset", "iris", "--n", "512"], "iris takes 3 to 82 training examples"),
        (["--sedes", "3"], "did you mean '--seeds'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(here, tmp_path, words, said):
    code, output, errors = here("compare", *words)
    assert (code, output) == (2, "")
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert said in errors
    assert list(tmp_path.iterdir()) == []


def test_the_same_comparison_is_refused_while_it_runs(here, store, tmp_path):
    comparison = SMALL.replace(
        datasets=("quadrants",),
        sizes=(16,),
        arms=tuple(map(parse_arm, ARMS[1::2])),
        repetitions=5,
        seeds=2,
        trials=2,
        epochs=60,
    )
    with locked(lock_of(comparison.id, tmp_path / "runs")):
        code, output, errors = here("compare", *QUICK, *ARMS, "--tracking-uri", store.uri)
    assert (code, output) == (2, "")
    assert errors == f"error: {comparison.id} is under way in another process: wait for it, or end it\n"


LONG = ("compare", "--dataset", "quadrants", "--n", 16, "--arm", "raw: hidden=4", "--arm", "deep: hidden=8,8")
LONG += ("--repetitions", 4, "--seeds", 4, "--trials", 6, "--epochs", 6000)
TOTAL = 2 * 4 * (6 + 2 + 4)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_keeps_what_is_done_and_the_same_command_goes_on(runs_frame, number, start, call, tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mlflow.db")
    store.check()
    words = (*LONG, "--tracking-uri", store.uri)
    with start(*words, cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("runs/spool/*/*.run")):  # the first batch has been trained
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    errors = (tmp_path / ".stderr").read_text()
    assert (process.returncode, output) == (1, ""), errors
    assert "again to stop at once" in errors
    assert "interrupted: everything done so far is logged; the same command goes on from here" in errors
    assert "Traceback" not in errors
    (status,) = runs_frame(store, [EXPERIMENT], "tags.role = 'comparison'")["status"]
    assert status == "KILLED"
    before = runs_frame(store, [EXPERIMENT], "tags.config_key != ''")
    assert 0 < len(before) < TOTAL
    assert set(before["status"]) == {"FINISHED"}

    code, output, errors = call(*words, "--json", cwd=tmp_path)
    assert (code, errors) == (0, "")
    assert json.loads(output)["runs"] == TOTAL
    (status,) = runs_frame(store, [EXPERIMENT], "tags.role = 'comparison'")["status"]
    assert status == "FINISHED"
    after = runs_frame(store, [EXPERIMENT], "tags.config_key != ''")
    assert len(after) == len(after[["tags.role", "tags.arm", "tags.config_key"]].drop_duplicates()) == TOTAL
    assert set(before["run_id"]) < set(after["run_id"])
    assert examine(store, tmp_path / "runs").findings == []


@pytest.mark.slow
def test_a_password_is_in_no_report(here, tmp_path):
    uri = "http://somebody:secret@127.0.0.1:9"
    code, _, errors = here("compare", *QUICK, *ARMS, f"--tracking-uri={uri}")
    (report,) = tmp_path.glob("runs/comparisons/*/report.html")
    assert (code, "secret" in errors) == (1, False)
    assert "--tracking-uri=http://somebody:***@127.0.0.1:9" in report.read_text()
    assert "secret" not in report.read_text()


@pytest.mark.slow
def test_it_starts_and_ends_while_the_store_is_away_and_sync_logs_everything_later(runs_frame, here, tmp_path):
    """The address is that of a server that is started only afterwards."""
    server = Server(tmp_path)
    words = ("compare", *QUICK, *ARMS, "--tracking-uri", server.uri)
    total = QUICK_TOTAL
    code, output, errors = here(*words)
    assert code == 1
    assert "quadrants, 16 examples" in output
    assert errors.splitlines()[-1].startswith(f"{total + 1} runs wait in the spool (MLflow store {server.uri}")
    assert errors.splitlines()[-1].endswith("next: sandbox sync, when the store is back")
    (report,) = tmp_path.glob("runs/comparisons/*/report.html")
    assert "quadrants" in report.read_text()
    code, output, errors = here(*words, "--json")  # nothing is trained again
    assert (code, json.loads(output)["runs"], json.loads(output)["finished"]) == (1, total, True)

    try:
        server.start()
        code, output, errors = here("sync")
        assert (code, errors) == (0, "")
        store = Store(server.uri, tmp_path / "runs")
        frame = runs_frame(store, [EXPERIMENT], "tags.config_key != ''")
        assert len(frame) == len(frame[["tags.role", "tags.arm", "tags.config_key"]].drop_duplicates()) == total
        (parent,) = runs_frame(store, [EXPERIMENT], "tags.role = 'comparison'").to_dict("records")
        assert parent["status"] == "FINISHED"
        assert json.loads(parent["tags.verdict.quadrants.16"])
        assert examine(store, tmp_path / "runs").findings == []
    finally:
        server.kill()
