"""The report: its numbers, and what a person sees of it in a real browser."""

import json
import math
import re
from dataclasses import replace
from html import unescape
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from sandbox.answers.statistics import Estimate
from sandbox.comparison.cautions import cautions
from sandbox.comparison.figures import expected_best
from sandbox.comparison.findings import Findings, catching_up
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
    """Every final score as the documented query gives it, straight from MLflow: arm, n, repetition, seed, score."""
    experiment = plain.get_experiment_by_name(EXPERIMENT)
    runs = plain.search_runs([experiment.experiment_id], f"tags.comparison = '{small.id}' AND tags.role = 'final'")
    numbers = ("n_examples", "repetition", "seed")
    rows = [(run.data.tags["arm"], *(int(run.data.tags[name]) for name in numbers)) for run in runs]
    frame = pd.DataFrame(rows, columns=["arm", "n", "repetition", "seed"])
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
    rows = re.findall(rf"<tr>{words}{number}{words}{words}{number}{number}{number}{number}{words}{number}</tr>", page)
    assert len(rows) == 2 * 3
    for _, n, first, second, difference, *_ in rows:
        shown = float(difference.replace("\N{MINUS SIGN}", "-"))
        assert shown == pytest.approx((wide[first] - wide[second])[int(n)].mean(), abs=0.000051)
    verdicts = r"<td>(features better|layers better|equivalent|inconclusive: [^<]*|both near chance)</td></tr>"
    assert len(re.findall(verdicts, page)) == len(done.findings.duels) == 2


def test_the_tables_and_figures_lie_beside_the_page(done, small):
    names = ("averages", "pairs", "duels", "runs")
    counts = [len(pd.read_csv(done.directory / "csv" / f"{name}.csv")) for name in names]
    assert counts == [6, 6, 2, small.total]
    names = {path.name for path in (done.directory / "figures").iterdir()}
    assert {
        "answer.png",
        "circle_accuracy.png",
        "circle_budget.png",
        "circle_cost.png",
        "circle_isolation.png",
        "circle_boundaries_epoch_250.png",
    } <= names


def test_cautions(done, small):
    """Six repetitions are enough, three are not; winners at an edge that nothing inside reaches; seeds that fail."""
    assert "few repetitions" not in {caution.kind for caution in cautions(done.findings)}
    fewer = Findings(small.replace(repetitions=3), done.outcome.runs, done.outcome.winners)
    assert sum(caution.kind == "few repetitions" for caution in cautions(fewer)) == 6

    cell, runs, winners = small.cells[0], [], {}
    for run in done.outcome.runs:
        if (run.cell, run.role) == (cell, TUNING):
            best = run.trial == 2
            config = run.config.replace(learning_rate=0.299) if best else run.config
            run = replace(run, score=0.6 if best else 0.5, diverged=not best, config=config)
            winners |= {run.repetition: config} if best else {}
        elif run.cell == cell:
            run = replace(run, score=0.5 if (run.repetition, run.config.seed) == (0, 0) else 0.9, diverged=False)
        runs.append(run)
    doubtful = Findings(small, runs, {**done.outcome.winners, cell: [winners[place] for place in range(6)]})
    kinds = {caution.kind for caution in cautions(doubtful) if caution.cell == cell}
    assert {"learning_rate at its high edge", "many diverged", "seeds that fail"} <= kinds
    assert (doubtful.averages[cell].at_chance, doubtful.averages[cell].runs) == (1, 12)


def test_late_gains_are_a_caution(done, small):
    cell = small.cells[0]
    longer = next(run for run in done.outcome.runs if (run.cell, run.role) == (cell, TUNING))
    late = [
        replace(longer, repetition=place, trial=trial, score=0.5 + 0.2 * (trial == 7))
        for place in range(6)
        for trial in range(8)
    ]
    others = [run for run in done.outcome.runs if (run.cell, run.role) != (cell, TUNING)]
    findings = Findings(small, others + late, {**done.outcome.winners, cell: [longer.config] * 6})
    assert "budget too small" in {caution.kind for caution in cautions(findings) if caution.cell == cell}


def test_where_nobody_has_learnt_anything_none_is_best(done, small):
    runs = [replace(run, score=0.5 + 0.002 * run.repetition) for run in done.outcome.runs]
    findings = Findings(small, runs, done.outcome.winners)
    for family in findings.families:
        assert findings.standing(family).best == ""
        assert "all arms are near chance (0.505 at most, chance is 0.500); none is best" in findings.sentence(family)
    assert all("both near chance at 16 and 32 examples" in line for line in findings.answer)


def test_from_when_on_layers_catch_up(done, small):
    """Features lead by 0.11 at 16 and trail by 0.09 at 32, the margin being 0.01: level half-way, on a log scale."""

    def score(run):
        lead = {16: 0.11, 32: -0.09}[run.cell.n] if run.cell.arm == "squares" else 0.0
        return 0.8 + lead + 0.0001 * (run.repetition % 2) * (run.cell.arm == "deep")

    runs = [replace(run, score=score(run)) for run in done.outcome.runs]
    findings = Findings(small, runs, done.outcome.winners)
    found = findings.catch_up("circle")
    assert found.value == pytest.approx(16 * 2**0.5, rel=1e-3)
    assert 22 < found.low < found.value < found.high < 23.5
    assert "layers catch up at about 23 examples" in findings.answer[0]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Estimate(math.inf, math.inf, math.inf), "layers do not catch up within 8 to 512 examples"),
        (Estimate(math.inf, 300, math.inf), "layers do not catch up within 8 to 512 examples (perhaps from 300 on)"),
        (Estimate(8, 8, 8), "layers are not behind from 8 examples on"),
        (Estimate(40, 8, math.inf), "whether layers catch up within 8 to 512 examples cannot be told"),
        (Estimate(40, 9, math.inf), "layers catch up at about 40 examples [9, more than 512]"),
    ],
)
def test_catching_up_in_words(found, words):
    assert catching_up(found, [8, 64, 512]) == words


def test_the_best_to_expect_of_k_trials_is_the_mean_over_all_choices_of_k():
    scores = np.array([0.3, 0.9, 0.9, 0.1, 0.5])
    expected = [np.mean([max(some) for some in combinations(scores, k)]) for k in range(1, 6)]
    assert expected_best(scores) == pytest.approx(expected)
    assert expected_best(np.stack([scores, scores + 1])) == pytest.approx(np.stack([expected, np.add(expected, 1)]))


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
