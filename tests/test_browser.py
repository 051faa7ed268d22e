"""What a person sees: a real sweep in MLflow's own UI, served by `sandbox ui`, in a real browser.

Each test leaves a picture of what it saw in its tmp_path.
"""

import pytest

from sandbox import Config
from sandbox.sweeps import Sweep, log_grid, run_sweep
from sandbox.tracking.ui import url

pytestmark = pytest.mark.slow

RATES = ("0.1", "0.464", "2.15", "10")  # log_grid(0.1, 10, 4), to three digits
NAME = "learning_rate={}, seed 0"
SWEEP = Sweep(
    name="rates of learning",
    question="What does the **learning rate** do?",
    base=Config(dataset="quadrants", n_examples=60, hidden=(8,), activation="tanh", epochs=300),
    space={"learning_rate": log_grid(0.1, 10, 4)},
    seeds=1,
)


@pytest.fixture
def page(browser, server, tmp_path):
    page = browser.new_page(viewport={"width": 1600, "height": 1200})
    page.route(lambda url: not url.startswith((server, "data:", "blob:")), lambda route: route.abort())
    page.set_default_timeout(20_000)
    yield page
    page.screenshot(path=tmp_path / "seen.png")
    page.close()


@pytest.fixture(scope="module")
def sweep(store, plain, tmp_path_factory):
    """What a sweep of four runs left: (experiment id, the id of the run with the learning rate 2.15)."""
    assert run_sweep(SWEEP, store, tmp_path_factory.mktemp("sweep"), quiet=True).done == 4
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


def test_from_the_printed_address_by_the_switch_in_the_corner_to_the_runs(page, ui, sweep):
    """Where this fails, MLflow has found another way to decide what it opens: see sandbox/tracking/ui.py."""
    page.goto(ui)
    page.get_by_text("Model training").first.click()
    page.get_by_role("link", name=SWEEP.name, exact=True).click()
    page.get_by_role("link", name=SWEEP.id, exact=True).wait_for()  # its runs are folded under it
