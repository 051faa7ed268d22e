"""The study that answers: what it says is what MLflow holds, and a figure of FINDINGS.md that has moved is named."""

import statistics
from typing import Any

import pytest
from PIL import Image

from experiments import batch_size, learning_rate
from sandbox.comparison.driver import run_comparison
from sandbox.comparison.protocol import SMALL, Comparison
from sandbox.sweeps import run_sweep
from studies import answers
from studies.quoted import QUOTED, missing, spread


def test_every_experiment_has_figures_to_tell_and_texts_to_find():
    names = {script.SWEEP.name for script in answers.SWEEPS}
    assert names == set(QUOTED) == set(answers.FIGURES)


def test_what_does_not_stand_in_the_findings_is_named():
    findings = "0.001 has 0.694\n(0.423 to 0.869) after all, 0.01\nhas more"
    assert missing(["0.694 (0.423 to 0.869)", "0.01 has more"], findings) == []
    assert missing(["0.695 (0.423 to 0.869)", "0.01 has more"], findings) == ["0.695 (0.423 to 0.869)"]


def test_a_spread_is_the_median_and_both_ends():
    assert spread([0.4, 0.1, 0.95]) == "0.400 (0.100 to 0.950)"
    assert spread([0.933, 0.934]) == "0.934 (0.933 to 0.934)"
    assert spread([1.0, float("inf"), 2.0], 1) == "2.0 (1.0 to never)"


@pytest.fixture
def small(store, plain, tmp_path, monkeypatch):
    """A function: an experiment on a small scale, in a store; its outcome as it is read back, and its runs."""
    monkeypatch.setattr(answers, "RUNS", tmp_path)
    monkeypatch.setattr(answers, "PICTURES", tmp_path)

    def done(script, **changes):
        sweep = script.SWEEP.replace(base=script.SWEEP.base.replace(epochs=12), seeds=2, **changes)
        outcome = answers.read_back(sweep, store)
        assert outcome.before == outcome.done == sweep.total
        experiment = plain.get_experiment_by_name(sweep.name).experiment_id
        return outcome, plain.search_runs([experiment], f"tags.sweep = '{sweep.id}' AND tags.config_key != ''")

    return done


def test_texts_and_pictures_are_of_what_mlflow_holds(small, store, tmp_path):
    outcome, runs = small(learning_rate)
    values = [run.data.metrics["test_accuracy"] for run in runs if run.data.params["learning_rate"] == "0.316"]
    text = f"0.316 {round(statistics.median(values) + 1e-9, 3):.3f} ({min(values):.3f} to {max(values):.3f})"
    texts = answers.quoted(outcome, store)
    assert text in texts
    assert set(missing(texts, answers.FINDINGS.read_text())) == set(texts)  # after twelve epochs it is another story
    rows = answers.figures(outcome).set_index("point")
    assert rows.loc["learning_rate=0.316", "test_accuracy"].startswith(f"{statistics.median(values):.4g} (")
    answers.cost_picture(outcome.sweep, store, {"rate 0.1": "learning_rate=0.1"}, "cost", 0.3)
    with Image.open(tmp_path / "learning_rate.png") as picture:
        assert picture.size == (560, 360)
    answer = tmp_path / "sweeps" / outcome.sweep.id / "answer.md"
    answer.unlink()
    assert run_sweep(outcome.sweep, store, tmp_path, quiet=True).answers
    assert outcome.answer.sentences[0] in answer.read_text()


def test_what_a_curve_began_with_is_told_as_well(small, store, plain, tmp_path):
    outcome, runs = small(batch_size, objective="final_cost")
    wanted = {"batch_size": "4", "learning_rate": "0.1", "mislabelled": "0.0"}
    chosen = [run for run in runs if wanted.items() <= run.data.params.items()]
    noise = [plain.get_metric_history(run.info.run_id, "gradient_noise")[0] for run in chosen]
    assert {point.step for point in noise} == {0}
    (told,) = (text for text in answers.quoted(outcome, store) if text.startswith("is "))
    assert f", {statistics.mean(point.value for point in noise):.3f}, " in told
    answers.batches_picture(outcome.sweep, store)
    with Image.open(tmp_path / "batch_size.png") as picture:
        assert picture.size == (480, 640)


def test_a_comparison_is_told_where_all_of_its_runs_are_logged(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(answers, "RUNS", tmp_path)
    few: Any = {"repetitions": 2, "trials": 1, "finalists": 1, "draws": 1, "seeds": 2, "epochs": 20}
    comparison = Comparison(datasets=("circle",), sizes=(16,), arms=SMALL.arms[:2], **few)
    answers.tell_comparison(comparison, store)
    assert f"0 of {comparison.total} runs are logged" in capsys.readouterr().out
    findings = run_comparison(comparison, store, tmp_path, quiet=True).findings
    answers.tell_comparison(comparison, store)
    told = capsys.readouterr().out
    assert all(sentence in told for sentence in findings.answer)
