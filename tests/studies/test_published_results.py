"""The study of published results: all match, a spoiled one is named, and the run is there to be looked at."""

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from sandbox.nn import sharpness
from sandbox.options import main
from studies import published_results as study
from studies.published.book import BY_DIFFERENCES, FORWARD_PASS, TOY
from studies.published.claims import Case, Claim, check
from studies.published.differences import (
    backpropagation_descent,
    line_retraced,
    measure_times,
    toy_descent,
    toy_retraced,
)
from studies.published.errors import growth, rounded, summed, three_layers
from studies.published.gates import BY_HAND, FIRST_ITERATION, OR_AT_50, OR_GATE
from studies.published.pictures import boundary_title

ROOT = Path(__file__).parents[2]
SHOWN = (
    "0.10998",
    "a sum over the examples",
    "-0.038",
    "0.638",
    "divergence",
    "around 0.0001",
    "-0.0174781",
    "12755, frozen",
)


def run_main(monkeypatch, capsys, *options):
    """Exit code, standard output and standard error of the command in this process."""
    monkeypatch.setattr(sys, "argv", ["published_results", *options])
    with pytest.raises(SystemExit) as ended:
        main(study.command)
    return ended.value.code, *capsys.readouterr()


def both_ways(case: Case, Ws, bs):
    """One pass forward and backward, number by number: sums Z, outputs A, cost, dW and db of networks with one output.

    They are sigmoid but for a last layer that is linear; the cost is the squared error 1/(2m), or the mean one.
    """
    m, half, last = len(case.data.X), case.cost == "squared_error", len(Ws) - 1
    linear = case.network.activations[-1] == "linear"
    Zs, As, cost = [[] for _ in Ws], [[] for _ in Ws], 0.0
    dWs, dbs = [[[0.0] * len(row) for row in W] for W in Ws], [[0.0] * len(b) for b in bs]
    for x, (y,) in zip(case.data.X.tolist(), case.data.Y.tolist(), strict=True):
        values, slopes = [x], []
        for layer, (W, b) in enumerate(zip(Ws, bs, strict=True)):
            sums = [sum(w * a for w, a in zip(row, values[-1], strict=True)) + v for row, v in zip(W, b, strict=True)]
            values.append(sums if linear and layer == last else [1 / (1 + math.exp(-z)) for z in sums])
            slopes.append([1.0] if linear and layer == last else [a * (1 - a) for a in values[-1]])
            Zs[layer] += sums
            As[layer] += values[-1]
        error = values[-1][0] - y
        cost += error**2 / m / (2 if half else 1)
        upstream = [error / m * (1 if half else 2)]
        for layer in reversed(range(len(Ws))):
            dz = [up * slope for up, slope in zip(upstream, slopes[layer], strict=True)]
            for unit, d in enumerate(dz):
                dbs[layer][unit] += d
                for below, a in enumerate(values[layer]):
                    dWs[layer][unit][below] += d * a
            columns = zip(*Ws[layer], strict=True)
            upstream = [sum(w * d for w, d in zip(column, dz, strict=True)) for column in columns]
    return Zs, As, cost, dWs, dbs


def by_loops(case: Case, updates: int):
    """What a case claims after so many updates, in plain Python: quantity -> values, flat."""
    Ws, bs = [W.tolist() for W in case.network.weights], [b[:, 0].tolist() for b in case.network.biases]
    rate = case.learning_rate
    for _ in range(updates):
        *_, dWs, dbs = both_ways(case, Ws, bs)
        for W, b, dW, db in zip(Ws, bs, dWs, dbs, strict=True):
            b[:] = [v - rate * d for v, d in zip(b, db, strict=True)]
            for row, slopes in zip(W, dW, strict=True):
                row[:] = [w - rate * d for w, d in zip(row, slopes, strict=True)]
    Zs, As, cost, dWs, dbs = both_ways(case, Ws, bs)
    found = {"yhat": As[-1], "cost": [cost]}
    for name, layers in {"Z": Zs, "A": As, "b": bs, "db": dbs}.items():
        found |= {f"{name}{layer}": values for layer, values in enumerate(layers, start=1)}
    for name, layers in {"W": Ws, "dW": dWs}.items():
        found |= {f"{name}{layer}": [w for row in rows for w in row] for layer, rows in enumerate(layers, start=1)}
    return found


@pytest.mark.parametrize("case", [BY_HAND, FIRST_ITERATION, FORWARD_PASS, TOY], ids=lambda case: case.title)
def test_what_a_case_claims_comes_out_of_plain_loops(case):
    found = {update: by_loops(case, update) for update in {claim.update for claim in case.claims}}
    for claim in case.claims:
        rel = claim.tolerance if claim.published == "printed" else 1e-12
        assert found[claim.update][claim.quantity] == pytest.approx(claim.values, rel=rel, abs=1e-15), claim


def test_a_rate_of_50_does_not_diverge():
    """The cost rises once, and it is where the case says at every update that it names."""
    named = {claim.update: claim.values[0] for claim in OR_AT_50.claims if claim.quantity == "cost"}
    costs = [by_loops(OR_AT_50, update)["cost"][0] for update in range(12)]
    assert [before < after for before, after in pairwise(costs)] == [True, *[False] * 10]
    assert by_loops(OR_AT_50, 5000)["cost"][0] == pytest.approx(named[5000], rel=1e-9)
    assert costs[:3] == pytest.approx([named[0], named[1], named[2]], rel=1e-12)


def test_every_published_figure_is_reproduced(monkeypatch, capsys):
    code, out, err = run_main(monkeypatch, capsys, "--no-track")
    assert (code, err) == (0, "")
    assert "218 figures match, 0 do not; 56 of them are printed" in out
    assert "MISMATCH" not in out
    assert max(len(line) for line in out.splitlines() if "://" not in line) <= 120
    for printed in SHOWN:
        assert f"shown as {printed}; retraced" in out
    rows = [line for line in out.splitlines() if "   match" in line]
    assert len(rows) == 218
    assert all(re.search(r"(printed|recomputed) \[[123]\]$", line) for line in rows)
    assert re.search(r"Finite differences, as the book descends, take [\d.]+ times as long as backpropagation", out)


def test_a_spoiled_figure_is_named_and_exits_1(monkeypatch, capsys):
    claims = (replace(OR_GATE.claims[0], values=(0.5, 0.64565631, 0.52497918747894, 0.6681877721681662)),)
    spoiled = replace(OR_GATE, claims=(*claims, *OR_GATE.claims[1:]))
    monkeypatch.setattr(study, "CASES", (BY_HAND, spoiled))
    code, out, err = run_main(monkeypatch, capsys, "--no-track", "--json")
    assert code == 1
    assert err == "mismatch: OR gate: yhat[2]@0 is published as 0.64565631, ours is 0.645656306226\n"
    report = json.loads(out)
    assert (report["matches"], report["mismatches"]) == (30, 1)
    wrong = [figure for figure in report["figures"] if figure["verdict"] == "mismatch"]
    assert [figure["result"] for figure in wrong] == ["OR gate: yhat[2]@0"]
    assert "MISMATCH" in study.table(check(spoiled)[1])


@pytest.mark.parametrize("ours", [float("nan"), float("inf"), 0.4687])
def test_what_is_far_or_no_number_never_matches(ours):
    figure = next(figure for figure in check(BY_HAND)[1] if figure.name == "yhat@1")
    assert figure.matches
    assert not replace(figure, ours=ours).matches


def test_a_claim_must_give_every_value():
    with pytest.raises(ValueError, match="longer"):
        check(replace(OR_GATE, claims=(Claim("yhat", 0, (0.5,)),)))


def test_the_errors_of_the_sources_are_retraced():
    """By sums, rounding, a parabola, the notebook's lines, the book's finite differences, and these in float32."""
    misprints = [claim.misprint for case in study.CASES for claim in case.claims if claim.misprint]
    assert tuple(misprint.shown for misprint in misprints) == SHOWN
    assert misprints[0].retraced() == pytest.approx(0.10998, abs=5e-6)
    assert summed() == pytest.approx(4 * -0.04800646291552392, rel=1e-12)
    assert (round(rounded(), 3), round(0.6 - rounded(), 3)) == (-0.038, 0.638)
    assert (growth(17.4) < 1, growth(17.5) > 1, round(growth(50), 1)) == (True, True, 4.7)
    assert growth(50) == pytest.approx(50 * sharpness(OR_GATE.network, OR_GATE.data.X, OR_GATE.data.Y) - 1, rel=1e-6)
    assert three_layers() == pytest.approx(0.00030237818967873963, rel=1e-6)
    assert three_layers(9499) > 0.0001 > three_layers(9500)
    assert f"{toy_retraced():.7f}" == "-0.0174781"
    assert int(line_retraced()) == 12755


def test_the_book_s_differences_give_the_weights_that_it_prints():
    network = toy_descent()
    for claim in BY_DIFFERENCES.claims[:-1]:
        ours = {"W": network.weights, "b": network.biases}[claim.quantity[0]][int(claim.quantity[1]) - 1]
        assert [f"{value:.7f}" for value in ours.ravel()] == [f"{value:.7f}" for value in claim.values]


def test_what_is_timed_is_the_same_training_two_ways():
    exact, book = backpropagation_descent(), toy_descent()
    assert exact.predict([[1, 1]]).item() == pytest.approx(-0.01743615813492, rel=1e-6)  # started from float32
    np.testing.assert_allclose(book.parameters, exact.parameters, rtol=1e-3)
    times = measure_times()
    assert times.ratio == times.differences / times.backpropagation
    assert f"{times.ratio:.1f} times" in str(times)


def test_where_a_figure_was_printed_is_in_json(monkeypatch, capsys):
    code, out, _ = run_main(monkeypatch, capsys, "--no-track", "--json")
    report = json.loads(out)
    published = {figure["result"]: figure["published"] for figure in report["figures"]}
    assert code == 0
    assert len(published) == report["matches"]
    assert published["XOR, 2-5-3-1, xavier: cost@4900"] == "printed [2]"
    assert published["XOR, 2-5-3-1, xavier: cost@5000"] == "recomputed [2]"
    assert published["Toy network by finite differences: W1[1,1]@100"] == "printed [3]"
    assert published["OR gate: dW[2]@0"] == "recomputed [1]"
    assert sum(text.startswith("printed") for text in published.values()) == report["printed"]
    assert report["differences_over_backpropagation"] == (
        report["differences_seconds"] / report["backpropagation_seconds"]
    )


def test_the_line_of_one_neuron_is_written_over_its_picture():
    assert boundary_title(OR_GATE, check(OR_GATE)[0]) == "6.43 x1 + 6.43 x2 \N{MINUS SIGN} 2.97 = 0"


@pytest.mark.slow
def test_the_run_is_logged_whole(tmp_path):
    uri = f"sqlite:///{tmp_path}/store/mlflow.db"
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    done = subprocess.run(
        [sys.executable, "-m", "studies.published_results", "--tracking-uri", uri, "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]

    client = MlflowClient(uri)
    run = client.get_run(report["run_id"])
    assert client.get_experiment(run.info.experiment_id).name == "published_results"
    assert run.info.status == "FINISHED"
    assert (run.data.metrics["matches"], run.data.metrics["mismatches"]) == (218, 0)
    assert run.data.metrics["largest_relative_difference"] == report["largest_relative_difference"] < 2e-6

    (tmp_path / "copy").mkdir()
    folder = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path / "copy")))
    rows = list(csv.DictReader(io.StringIO((folder / "published_results.csv").read_text())))
    for column in ("result", "published"):
        assert [row[column] for row in rows] == [figure[column] for figure in report["figures"]]
    assert run.data.metrics["differences_over_backpropagation"] == report["differences_over_backpropagation"]
    assert run.data.params["figures"] == "218"
    assert "OR gate" in (folder / "published_results.txt").read_text()
    pictures = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.png")}
    cases = ("or", "xor_with_cross", "xor_2-3-1_xavier", "xor_2-3-1_he", "xor_2-3-1_plain", "xor_2-5-3-1_xavier")
    several = {"xor_2-3-1_initializers.png", "line_weight_paths.png", "line_explodes.png"}
    assert set(pictures) == several | {f"{case}/{kind}.png" for case in cases for kind in ("cost", "boundary")}
    for path in pictures.values():
        with Image.open(path) as image:
            colours = image.convert("RGB").getcolors(10**6)
            assert colours is not None
            assert len(colours) > 5
