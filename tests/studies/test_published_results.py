"""The study of published results: all match, a spoiled one is named, and the run is there to be looked at."""

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from PIL import Image

from sandbox.options import main
from studies import published_results as study
from studies.published.book import line_retraced, toy_retraced
from studies.published.claims import Claim, check
from studies.published.gates import BY_HAND, OR_GATE
from studies.published.pictures import boundary_title

ROOT = Path(__file__).parents[2]


def run_main(monkeypatch, capsys, *options):
    """Exit code, standard output and standard error of the command in this process."""
    monkeypatch.setattr(sys, "argv", ["published_results", *options])
    with pytest.raises(SystemExit) as ended:
        main(study.command)
    return ended.value.code, *capsys.readouterr()


def test_every_published_figure_is_reproduced(monkeypatch, capsys):
    code, out, err = run_main(monkeypatch, capsys, "--no-track")
    assert (code, err) == (0, "")
    assert "98 figures match, 0 do not" in out
    assert "MISMATCH" not in out
    assert max(len(line) for line in out.splitlines() if "://" not in line) <= 120
    for printed in ("0.10998", "-0.017", "12755"):
        assert f"shown as {printed}" in out


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
    """By the slides' rounding, the book's finite differences, and these in float32."""
    misprints = [claim.misprint for case in study.CASES for claim in case.claims if claim.misprint]
    assert [misprint.shown for misprint in misprints] == ["0.10998", "-0.017", "12755, frozen"]
    assert misprints[0].retraced() == pytest.approx(0.10998, abs=5e-6)
    assert toy_retraced() == pytest.approx(-0.01747451, abs=5e-9)
    assert int(line_retraced()) == 12755


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
    assert (run.data.metrics["matches"], run.data.metrics["mismatches"]) == (98, 0)
    assert run.data.metrics["largest_relative_difference"] == report["largest_relative_difference"] < 2e-6

    (tmp_path / "copy").mkdir()
    folder = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path / "copy")))
    rows = list(csv.DictReader(io.StringIO((folder / "published_results.csv").read_text())))
    assert [row["result"] for row in rows] == [figure["result"] for figure in report["figures"]]
    assert run.data.params["figures"] == "98"
    assert "OR gate" in (folder / "published_results.txt").read_text()
    pictures = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.png")}
    cases = ("or", "xor_with_cross", "xor_2-3-1_xavier", "xor_2-3-1_he", "xor_2-3-1_plain")
    several = {"xor_2-3-1_initializers.png", "line_weight_paths.png", "line_explodes.png"}
    assert set(pictures) == several | {f"{case}/{kind}.png" for case in cases for kind in ("cost", "boundary")}
    for path in pictures.values():
        with Image.open(path) as image:
            colours = image.convert("RGB").getcolors(10**6)
            assert colours is not None
            assert len(colours) > 5
