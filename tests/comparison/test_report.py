"""The report: its numbers, and what a person sees of it in a real browser."""

import json
import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from sandbox.comparison.cautions import cautions
from sandbox.comparison.findings import Findings
from sandbox.comparison.protocol import EXPERIMENT
from sandbox.comparison.run import TUNING

pytestmark = pytest.mark.slow

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="module")
def scores(done, small, plain):
    """Every final score as the documented query gives it, straight from MLflow: arm, n, seed, score."""
    experiment = plain.get_experiment_by_name(EXPERIMENT)
    runs = plain.search_runs([experiment.experiment_id], f"tags.comparison = '{small.id}' AND tags.role = 'final'")
    rows = [(run.data.tags["arm"], int(run.data.tags["n_examples"]), int(run.data.tags["seed"])) for run in runs]
    frame = pd.DataFrame(rows, columns=["arm", "n", "seed"])
    return frame.assign(score=[run.data.metrics["test_accuracy"] for run in runs])


def test_every_mean_of_the_page_is_found_in_mlflow(done, scores):
    page = unescape((done.directory / "report.html").read_text())
    means = scores.groupby(["arm", "n"]).score.mean()
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', page)
    assert [arm for arm, _ in rows] == ["raw", "squares", "deep"]
    for arm, cells in rows:
        shown = re.findall(r'">(\d\.\d{3})<small>', cells)
        assert shown == [f"{means[arm, n]:.3f}" for n in (16, 32)]


def test_every_difference_of_the_page_is_found_in_mlflow(done, scores):
    page = unescape((done.directory / "report.html").read_text())
    wide = scores.pivot(index=["n", "seed"], columns="arm", values="score")
    number, words = r'<td class="number">([^<]*)</td>', r"<td>([^<]*)</td>"
    rows = re.findall(rf"<tr>{words}{number}{words}{words}{number}{number}{number}{number}{words}</tr>", page)
    assert len(rows) == 2 * 3
    for _, n, first, second, difference, *_ in rows:
        assert difference == f"{(wide[first] - wide[second])[int(n)].mean():+.4f}"
    assert len(re.findall(r"features better|layers better|no detectable difference</td></tr>", page)) >= 2


def test_the_tables_and_figures_lie_beside_the_page(done, small):
    averages, pairs, runs = (
        pd.read_csv(done.directory / "csv" / f"{name}.csv") for name in ("averages", "pairs", "runs")
    )
    assert (len(averages), len(pairs), len(runs)) == (6, 6, small.total)
    names = {path.name for path in (done.directory / "figures").iterdir()}
    assert {
        "circle_accuracy.png",
        "circle_cost.png",
        "circle_isolation.png",
        "circle_boundaries_epoch_250.png",
    } <= names


def test_cautions(done, small):
    """8 seeds can show a difference between three arms; 4 cannot; and a winner at an edge that nothing inside reaches."""
    assert "too few seeds" not in {caution.kind for caution in cautions(done.findings)}
    fewer = Findings(small.replace(seeds=4), done.outcome.runs, done.outcome.winners)
    assert sum(caution.kind == "too few seeds" for caution in cautions(fewer)) == 6

    cell, runs = small.cells[0], []
    for run in done.outcome.runs:
        if (run.cell, run.role) == (cell, TUNING):
            best = run.trial == 2
            config = run.config.replace(learning_rate=0.299) if best else run.config
            run = replace(run, score=0.6 if best else 0.5, diverged=not best, config=config)
        runs.append(run)
    winner = next(run.config for run in runs if (run.cell, run.role, run.trial) == (cell, TUNING, 2))
    doubtful = Findings(small, runs, {**done.outcome.winners, cell: winner})
    kinds = {caution.kind for caution in cautions(doubtful) if caution.cell == cell}
    assert {"learning_rate at its high edge", "many diverged"} <= kinds


def test_late_gains_are_a_caution(done, small):
    cell = small.cells[0]
    longer = next(run for run in done.outcome.runs if (run.cell, run.role) == (cell, TUNING))
    late = [replace(longer, trial=trial, score=0.5 + 0.2 * (trial == 7)) for trial in range(8)]
    others = [run for run in done.outcome.runs if (run.cell, run.role) != (cell, TUNING)]
    findings = Findings(small, others + late, {**done.outcome.winners, cell: longer.config})
    assert "budget too small" in {caution.kind for caution in cautions(findings) if caution.cell == cell}


@pytest.mark.parametrize("width", [1400, 800])
def test_the_report_in_a_browser(browser, done, tmp_path, width):
    """No errors, no request that leaves the page, nothing wider than the page; the slider shows one frame at a time."""
    page = browser.new_page(viewport={"width": width, "height": 1000})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((done.directory / "report.html").as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [(done.directory / "report.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    images = page.locator("img")
    for place in range(images.count()):
        assert len(images.nth(place).get_attribute("alt")) > 40
        assert images.nth(place).evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    sheet = page.locator(".sheet").first
    epochs = [int(image.get_attribute("data-epoch")) for image in sheet.locator("img").all()]
    assert (epochs[0], epochs[-1]) == (0, 250)
    slider, seen = sheet.get_by_role("slider"), []
    for epoch in reversed(epochs):
        assert sheet.locator("output").inner_text() == f"epoch {epoch}"
        assert sheet.locator("img:visible").count() == 1
        seen.append(sheet.locator("img:visible").screenshot())
        slider.press("ArrowLeft")
    assert len(set(seen)) == len(epochs) >= 5
    letters = (
        "[...document.querySelectorAll('td, p, li, small')].map(one => parseFloat(getComputedStyle(one).fontSize))"
    )
    small_letters = page.evaluate(f"Math.min(...{letters})")
    assert small_letters >= 13
    page.screenshot(path=tmp_path / f"report-{width}.png", full_page=True)
    assert said == []
    page.close()


def test_the_verdicts_are_tags_of_the_parent_run(done, plain):
    tags = plain.get_run(done.parent.info.run_id).data.tags
    for (dataset, n), pairs in done.findings.pairs.items():
        verdicts = json.loads(tags[f"verdict.{dataset}.{n}"])
        assert verdicts == {f"{pair.first} | {pair.second}": pair.verdict for pair in pairs}
    assert tags["answer"] == " ".join(done.findings.answer)
