"""Data of one's own through the commands: train, sweep, compare and explain; moved, changed, on an executor."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files

import pandas as pd
import pytest

from sandbox import Config, Dataset, train
from sandbox.data import DATASETS
from sandbox.sweeps import Sweep, choice, run_sweep

SAID = "penguins.csv: 333 of 344 rows (11 with gaps dropped), 5 numbers standardised, island in 3 columns, sex in 2 columns"
DATA = ("--dataset", "penguins.csv", "--target", "species")
SWEEP = (
    "--epochs",
    30,
    "--vary",
    "crosses=none|bill_length_mm*bill_depth_mm",
    "--vary",
    "hidden=none|4",
    "--name",
    "birds",
)


@pytest.fixture
def frame():
    return pd.read_csv(str(files("palmerpenguins") / "data" / "penguins.csv"))


@pytest.fixture
def penguins(frame, tmp_path):
    frame.to_csv(tmp_path / "penguins.csv", index=False)
    return tmp_path / "penguins.csv"


@pytest.mark.usefixtures("penguins")
def test_train_says_what_it_made_of_a_file(here):
    code, output, errors = here(
        "train", *DATA, "--no-track", "--epochs", 50, "--crosses", "bill_length_mm*year", "--json"
    )
    assert (code, SAID in errors) == (0, True), errors
    config = json.loads(output)["config"]
    assert config["dataset"].startswith("penguins-")
    assert config["crosses"] == ["bill_length_mm*year"]
    options = ("--leave-out", "year,island", "--gaps", "fill", "--scaling", "minmax")
    code, _, errors = here("train", *DATA, *options, "--no-track", "--epochs", 5)
    said = "344 rows (11 with gaps filled), 4 numbers brought to 0 to 1, sex in 2 columns"
    assert (code, said in errors) == (0, True), errors
    assert here("explain", "penguins.csv", "--target", "sex", "--leave-out", "year", "--json")[0] == 0


@pytest.mark.usefixtures("penguins")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("train", "--dataset", "penguins.csv"), "penguins.csv: say which column is to be learnt"),
        (("train", "--dataset", "circle", "--target", "y"), "--target is for a file of your own"),
        (("train", "--scaling", "minmax", "--dataset", "circle"), "--scaling is for a file of your own"),
        (("train", *DATA, "--crosses", "bill*year"), "found 'bill'"),
        (("sweep", "--dataset", "no.csv", "--target", "y", "--vary", "seed=1,2"), "no.csv: No such file"),
        (("compare", *DATA[:3], "specie"), "did you mean 'species'"),
        (("compare", *DATA[:3], "body_mass_g"), "is for regression: arms are compared by their accuracy"),
        (("explain", "penguins.csv", "--target", "nest"), "unknown column 'nest'"),
    ],
)
def test_a_wrong_request_is_one_line_and_leaves_nothing(here, tmp_path, words, says):
    code, output, errors = here(*words)
    assert (code, output) == (2, "")
    line = errors.strip().splitlines()[-1]
    assert says in line
    assert [path.name for path in tmp_path.iterdir()] == ["penguins.csv"]


@pytest.mark.slow
def test_a_sweep_goes_on_when_its_file_has_moved_and_not_when_it_has_changed(here, penguins, frame, tmp_path):
    assert here("sweep", *DATA, *SWEEP)[0] == 0
    (tmp_path / "elsewhere").mkdir()
    penguins.rename(tmp_path / "elsewhere" / "pinguine.csv")
    (tmp_path / "runs" / "optuna.journal").unlink()
    again = ("sweep", "--dataset", "elsewhere/pinguine.csv", "--target", "species", *SWEEP)
    code, output, _ = here(*again)
    assert (code, "nothing left to do" in output) == (0, True), output
    assert "nothing disagrees" in here("doctor")[1]
    (tmp_path / "runs" / "optuna.journal").unlink()
    assert here("doctor", "--repair")[0] == 0  # who has no file, only what was kept of it
    assert "nothing disagrees" in here("doctor")[1]
    frame.loc[0, "body_mass_g"] += 1
    frame.to_csv(tmp_path / "elsewhere" / "pinguine.csv", index=False)
    code, output, _ = here(*again)
    assert (code, "nothing left to do" in output) == (0, False)


@pytest.mark.slow
def test_data_travel_to_an_executor(store, tmp_path, frame):
    data = Dataset.from_frame(frame, "species", name="penguins")
    base = Config(dataset=data, hidden=(4,), epochs=20)
    sweep = Sweep("birds apart", base, {"learning_rate": choice(0.1, 1.0)}, seeds=3)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        outcome = run_sweep(sweep, store, tmp_path, executor=executor, quiet=True)
    assert (outcome.status, outcome.done) == ("FINISHED", 6)
    ended = [one for runs in outcome.arms.values() for one in runs]
    assert len(ended) == 6
    for one in ended:
        assert one.metrics["final_cost"] == train(one.job.config).cost


@pytest.mark.slow
@pytest.mark.usefixtures("penguins")
def test_crosses_against_layers_on_a_file_of_ones_own(here, tmp_path):
    words = ("--n", "16", "--epochs", 60, "--trials", 2, "--repetitions", 3, "--seeds", 2)
    arms = ("--arm", "raw:", "--arm", "cross: crosses=bill_length_mm*bill_depth_mm", "--arm", "layer: hidden=4")
    code, output, errors = here("compare", *DATA, *words, *arms, "--json")
    assert code == 0, errors
    told = json.loads(output)
    assert {row["dataset"].partition("-")[0] for row in told["averages"]} == {"penguins"}
    assert "bill_length_mm*bill_depth_mm" in (tmp_path / told["report"]).read_text()


def test_data_sets_are_listed_and_drawn(here, tmp_path):
    code, output, _ = here("datasets", "--png", tmp_path / "all.png")
    assert (code, "spiral_playground" in output, "breast_cancer" in output) == (0, True, True)
    assert (tmp_path / "all.png").read_bytes()[:4] == b"\x89PNG"
    assert len(json.loads(here("datasets", "--json")[1])["datasets"]) == len(DATASETS)
    assert here("datasets", "--png", tmp_path / "no" / "all.png")[0] == 2
