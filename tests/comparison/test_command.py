"""The command `sandbox compare`, as a person types it."""

import json
import signal
import time

import pytest

from sandbox.comparison import parse_arm
from sandbox.comparison.protocol import EXPERIMENT, SMALL
from sandbox.lock import lock_of, locked
from sandbox.tracking import Store

pytestmark = pytest.mark.slow

QUICK = ("--dataset", "quadrants", "--n", "16", "--seeds", 6, "--trials", 2, "--epochs", 60)
ARMS = ("--arm", "raw:", "--arm", "cross: crosses=x1*x2")


def test_it_prints_verdicts_and_where_the_report_is(call, store, tmp_path):
    words = (*QUICK, *ARMS, "--tracking-uri", store.uri)
    code, output, errors = call("compare", *words, "--out", "here", cwd=tmp_path)
    assert code == 0, errors
    assert "quadrants, 16 examples: cross is best on average" in output
    assert "report: here/report.html\nnext: make ui" in output
    page = (tmp_path / "here" / "report.html").read_text()
    assert (
        "sandbox compare --dataset quadrants --n 16 --arm raw: --arm &#39;cross: crosses=x1*x2&#39; --seeds 6" in page
    )
    code, output, errors = call("compare", *words, "--json", cwd=tmp_path)
    assert (code, errors.count("\n")) == (0, 0)
    report = json.loads(output)
    assert {row["arm"] for row in report["averages"]} == {"raw", "cross"}
    assert report["pairs"][0]["verdict"] in ("better", "worse", "no detectable difference")
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
        (["--seeds", "1"], "at least 2 is needed"),
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
        datasets=("quadrants",), sizes=(16,), arms=tuple(map(parse_arm, ARMS[1::2])), seeds=6, trials=2, epochs=60
    )
    with locked(lock_of(comparison.id, tmp_path / "runs")):
        code, output, errors = here("compare", *QUICK, *ARMS, "--tracking-uri", store.uri)
    assert (code, output) == (2, "")
    assert errors == f"error: {comparison.id} is under way in another process: wait for it, or end it\n"


def test_ctrl_c_keeps_what_is_done(start, tmp_path):
    store = Store(f"sqlite:///{tmp_path}/mlflow.db")
    store.check()
    words = (*QUICK[:4], *ARMS, "--seeds", 300, "--trials", 200, "--epochs", 5000, "--tracking-uri", store.uri)
    with start("compare", *words, cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while (
            not (parents := store.runs_frame(None, "tags.role = 'comparison'")).shape[0] and time.monotonic() < deadline
        ):
            time.sleep(0.2)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1, (tmp_path / ".stderr").read_text()
    assert "the same command goes on from here" in output
    assert len(parents) == 1
    parents = store.runs_frame([EXPERIMENT], "tags.role = 'comparison'")
    assert list(parents["status"]) == ["KILLED"]
