"""What a person sees: a real sweep in MLflow's own UI, served by `sandbox ui`, in a real browser.

Each test leaves a picture of what it saw in its tmp_path.
"""

import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress

import pytest

from sandbox import Config
from sandbox.sweeps import Sweep, log_grid, run_sweep
from sandbox.tracking.ui import url

pytestmark = pytest.mark.slow

RATES = ("0.1", "0.464", "2.15", "10")  # log_grid(0.1, 10, 4), to three digits
NAME = "rate {} seed 0"
SWEEP = Sweep(
    name="rates of learning",
    question="What does the **learning rate** do?",
    base=Config(dataset="quadrants", n_examples=60, hidden=(8,), activation="tanh", epochs=300),
    space={"learning_rate": log_grid(0.1, 10, 4)},
    seeds=3,
)


@pytest.fixture
def page(browser, server, tmp_path):
    page = browser.new_page(viewport={"width": 1600, "height": 1200})
    page.route(lambda url: not url.startswith((server, "data:", "blob:")), lambda route: route.abort())
    page.set_default_timeout(60_000)  # the first page of all takes 14 s on an idle machine
    yield page
    page.screenshot(path=tmp_path / "seen.png")
    page.close()


@pytest.fixture(scope="module")
def sweep(store, plain, tmp_path_factory):
    """What a sweep of four runs left: (experiment id, the id of the run with the learning rate 2.15)."""
    assert run_sweep(SWEEP, store, tmp_path_factory.mktemp("sweep"), quiet=True).done == 12
    experiment_id = plain.get_experiment_by_name(SWEEP.name).experiment_id
    (run,) = plain.search_runs([experiment_id], "params.learning_rate = '2.15' AND tags.seed = '0'")
    return experiment_id, run.info.run_id


def test_an_experiment_shows_its_runs_and_their_curves(page, server, sweep):
    experiment_id, _ = sweep
    page.goto(url(server, experiment_id, objective=SWEEP.goal.words))
    for rate in RATES:
        page.get_by_role("link", name=NAME.format(rate), exact=True).wait_for()
    page.get_by_text("What does the learning rate do?").wait_for()
    page.locator(".js-plotly-plot .scatterlayer .js-line").nth(3).wait_for(state="attached")  # four curves


def test_the_runs_table_shows_every_runs_data_set_and_the_model_of_the_best(page, server, sweep, plain):
    experiment_id, _ = sweep
    runs = plain.search_runs([experiment_id], "tags.seed = '0'")
    digests = {run.inputs.dataset_inputs[0].dataset.digest for run in runs}
    assert len(digests) == 1  # of one data seed
    page.goto(url(server, experiment_id, objective=SWEEP.goal.words).replace("CHART", "TABLE"))
    for name in ("Dataset", "Models"):
        page.get_by_role("columnheader", name=name).first.wait_for()
    page.get_by_text(f"quadrants ({digests.pop()})").nth(3).wait_for()
    (model,) = [one for one in plain.search_logged_models([experiment_id]) if one.status == "READY"]
    page.locator(f"a[href*='{model.model_id}']").wait_for()


def test_a_run_shows_its_cost_and_a_boundary_that_the_slider_changes(page, server, sweep, plain, tmp_path):
    page.goto(url(server, *sweep))
    page.get_by_role("heading", name=NAME.format("2.15")).wait_for()
    page.get_by_text(f"{NAME.format('2.15')} (cost)").first.wait_for()
    line = page.locator(".js-plotly-plot .scatterlayer .js-line").first
    line.wait_for(state="attached")
    assert len(line.get_attribute("d").split("L")) > 10  # a curve, not a stub

    slider = page.get_by_role("slider")
    page.mouse.move(800, 900)
    for _ in range(40):  # charts are drawn when they come into sight
        if slider.count():
            break
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(250)
    slider.scroll_into_view_if_needed()
    image = page.locator("img[src*='boundary']")
    steps = sorted({int(file.path.split("+")[2]) for file in plain.list_artifacts(sweep[1], "images")})
    assert len(steps) >= 5
    seen = []
    for step in steps:
        page.locator(f"img[src*='step%2B{step}%2B']").wait_for()
        image.evaluate("image => image.decode()")
        assert image.evaluate("image => image.naturalWidth") == 256
        page.screenshot(path=tmp_path / f"slider-{step}.png")
        seen.append(image.screenshot())
        slider.press("ArrowRight")
    assert len(set(seen)) == len(steps)


def test_a_runs_pictures_can_be_opened(page, server, sweep):
    experiment_id, run_id = sweep
    page.goto(f"{server}/#/experiments/{experiment_id}/runs/{run_id}/artifacts/boundary.png")
    page.get_by_text("cost.png").wait_for()
    image = page.locator("img[src^='blob:'], img[src*='get-artifact']").first
    image.wait_for()
    assert image.evaluate("image => image.naturalWidth") >= 256


@pytest.fixture
def views(plain, sweep):
    """Name -> the address of a saved view, from the server's on."""
    from sandbox.tracking.views import Known, view_query

    experiment = plain.get_experiment(sweep[0])
    return {
        one["name"]: f"/#/experiments/{experiment.experiment_id}/{view_query(key, chart=one['chart'])}"
        for key, one in Known(experiment.tags).views.items()
    }


def test_the_front_page_has_the_answer_and_leads_to_the_views(page, ui, server, sweep, plain):
    page.goto(ui)
    (parent,) = plain.search_runs([sweep[0]], "tags.role = 'sweep'")
    for sentence in parent.data.tags["answer"].splitlines():
        page.get_by_text(sentence, exact=True).wait_for()
    card = page.locator("article").filter(has=page.get_by_role("link", name=SWEEP.name, exact=True))
    picture = card.locator("img")
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalWidth") > 400
    card.get_by_role("link", name="3 Every run").click()
    page.get_by_text("You're viewing a shared view").wait_for()
    page.get_by_role("link", name=NAME.format("2.15"), exact=True).wait_for()
    assert page.evaluate("localStorage['mlflow.workflowType_v1']") == '"machine_learning"'
    page.goto(f"{server}/#/experiments")
    page.get_by_role("heading", name="Experiments").wait_for()
    page.get_by_role("cell", name=SWEEP.name, exact=True).get_by_role("link").click()
    page.get_by_role("heading", name="Runs").wait_for()  # of model training, not of GenAI


def test_an_address_that_says_nothing_more_is_the_front_page(page, server, sweep):
    page.goto(server)
    page.get_by_role("heading", name="Training sandbox").wait_for()
    assert page.url == f"{server}/sandbox"


def test_the_view_of_the_answer_has_a_curve_with_its_band_for_each_value(page, server, views):
    page.goto(server + views["1 The answer"])
    chart = page.locator(".js-plotly-plot").first
    for rate in RATES:
        page.get_by_text(f"{float(rate)} (cost)", exact=True).wait_for(timeout=60_000)
    drawn = chart.evaluate(
        """plot => plot._fullData.map(one => ({fill: one.fill, y: Array.from(one.y), name: one.name}))"""
    )
    low, high = chart.evaluate("plot => plot._fullLayout.yaxis.range")
    means = [one["y"] for one in drawn if one["fill"] == "none" and len(one["y"]) > 20]
    bands = [one for one in drawn if one["fill"] != "none"]
    assert len(means) >= len(bands) == len(RATES)
    assert all(10**low < value < 10**high for values in means for value in values)  # all of it is in sight
    page.get_by_text("learning_rate vs. test_accuracy").wait_for()
    page.get_by_text("Parallel Coordinates").wait_for()


def test_the_view_of_the_boundaries_has_a_picture_of_each_value_and_one_slider_for_all(page, server, views, tmp_path):
    page.goto(server + views["2 Boundaries"])
    pictures = page.locator("img[src*='boundary']")
    pictures.nth(len(RATES) - 1).wait_for()
    seen = []
    for press in ("", "ArrowLeft", "ArrowLeft"):
        if press:
            before = pictures.first.get_attribute("src")
            page.get_by_role("slider").press(press)
            page.wait_for_function("src => !document.querySelector(`img[src='${src}']`)", arg=before)
        sources = {pictures.nth(place).get_attribute("src") for place in range(len(RATES))}
        steps = {source.partition("step%2B")[2].partition("%2B")[0] for source in sources}
        assert (len(sources), len(steps)) == (len(RATES), 1)  # of each run, and all of one epoch
        seen += steps
        for place in range(len(RATES)):
            pictures.nth(place).evaluate("image => image.decode()")
            assert pictures.nth(place).bounding_box()["width"] > 150
        page.screenshot(path=tmp_path / f"boundaries-{seen[-1]}.png")
    assert [int(step) for step in seen] == sorted(map(int, seen), reverse=True)
    assert seen[0] == "300"
    assert page.get_by_text("No image").count() == 0


def test_links_in_the_descriptions_open_the_views(page, server, sweep, plain):
    (parent,) = plain.search_runs([sweep[0]], "tags.role = 'sweep'")
    page.goto(f"{server}/#/experiments/{sweep[0]}/runs/{parent.info.run_id}")
    page.get_by_text("Show more").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="3 Every run", exact=True).first.click()
    opened.value.get_by_text("You're viewing a shared view").wait_for(timeout=30_000)
    opened.value.close()


def test_in_plain_mlflow_two_clicks_lead_to_the_answer(page, store, sweep, plain, tmp_path):
    """As `mlflow server` serves the same store to whoever has no sandbox."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--backend-store-uri", store.uri, "--port", str(port), "--workers", "1"]
    (parent,) = plain.search_runs([sweep[0]], "tags.role = 'sweep'")
    sentence = parent.data.tags["answer"].splitlines()[0]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen([sys.executable, "-m", "mlflow", "server", *words], stdout=log, stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
                time.sleep(0.2)
            page.unroute_all()
            page.goto(f"http://127.0.0.1:{port}/#/experiments")
            page.get_by_role("link", name=SWEEP.name, exact=True).click()
            page.get_by_text(sentence).first.wait_for()
        finally:
            process.terminate()
