"""`sandbox playground`: a link in, an experiment out."""

import json
from pathlib import Path

import pytest

from sandbox import Config, RequestError
from sandbox.doctor import examine
from sandbox.link import link_of
from sandbox.space import to_config
from sandbox.sweeps.playground import read_links, sweep_of

CASES = json.loads((Path(__file__).parent.parent / "data" / "playground_links.json").read_text(encoding="utf-8"))[
    "page"
]
LINK = "https://playground.tensorflow.org/#dataset=xor&networkShape=3&seed=0.5&percTrainData=20&batchSize=30"
OTHER = LINK.replace("xor", "circle").replace("networkShape=3", "networkShape=&xSquared=true")


def test_a_link_becomes_a_run_with_the_pages_losses(here, store, plain, tmp_path):
    case = CASES[13]
    code, output, errors = here("playground", case["link"], "--tracking-uri", store.uri, "--name", "one link")
    assert code == 0, errors
    shown = [
        line.split()
        for line in output.splitlines()
        if line.split() and line.split()[0] in ("0", "1", "2", "10", "100", "300")
    ]
    expected = [[str(epoch), f"{cost:.12g}", f"{test:.12g}"] for epoch, cost, test in case["losses"]]
    assert shown == expected
    assert "--seeds 1000" in output.splitlines()[-1]
    experiment = plain.get_experiment_by_name("one link")
    (run,) = plain.search_runs([experiment.experiment_id])
    for name, place in (("cost", 1), ("test_cost", 2)):
        points = {point.step: point.value for point in plain.get_metric_history(run.info.run_id, name)}
        for row in case["losses"]:
            assert points[row[0]] == pytest.approx(row[place], abs=1e-14)
    assert run.data.tags["playground"] == case["link"]
    assert f"[In TensorFlow Playground]({case['link']})" in run.data.tags["mlflow.note.content"]
    assert Config.from_params(run.data.params) == Config.from_playground(case["link"])
    files = {one.path for one in plain.list_artifacts(run.info.run_id)}
    assert {"boundary.png", "cost.png", "network.npz", "images"} <= files
    assert examine(store, tmp_path / "runs").findings == []

    code, output, errors = here("playground", case["link"], "--tracking-uri", store.uri, "--name", "one link", "--json")
    told = json.loads(output)
    assert (code, told["link"], [row[0] for row in told["losses"]]) == (0, case["link"], [0, 1, 2, 10, 100, 300])
    assert [row[1] for row in told["losses"]] == [row[1] for row in case["losses"]]


def test_many_seeds_and_where_the_pages_own_lies(here, store, logged, plain):
    words = ("playground", LINK, "--epochs", 30, "--tracking-uri", store.uri, "--name", "many seeds")
    code, output, errors = here(*words, "--seeds", 40)
    assert code == 0, errors
    assert "over 40 seeds the test cost has the median" in output
    assert "The first of them (seed 0) has" in output
    (parent,), runs = logged("many seeds")
    assert len({run.data.tags["config_key"] for run in runs}) == len(runs) == 40
    assert {run.data.params["arithmetic"] for run in runs} == {"matrix"}
    (own,) = [run for run in runs if run.data.params["seed"] == "0"]
    alone = json.loads(here(*words, "--json")[1])
    assert own.data.metrics["test_cost"] == pytest.approx(alone["losses"][-1][2], abs=1e-12)
    assert "diagnosis/seeds.png" in {one.path for one in plain.list_artifacts(parent.info.run_id, "diagnosis")}
    assert (
        LINK in plain.get_experiment_by_name("many seeds").tags["mlflow.note.content"]
    )  # the single run left it alone
    others = [run for run in runs if run.data.params["seed"] == "7"]
    text = others[0].data.tags["mlflow.note.content"]
    assert "seed=0.5-7&" in text  # which the page draws, too
    assert "seed=0.5-7&" in others[0].data.tags["playground"]


def test_several_links_are_a_sweep_over_them_each_as_the_page_has_it(here, store, logged, tmp_path):
    (tmp_path / "links.txt").write_text(f"# two of them\n{LINK}\n\n{OTHER}\n{LINK}\n")
    code, output, errors = here(
        "playground", "links.txt", "--epochs", 12, "--tracking-uri", store.uri, "--name", "links"
    )
    assert code == 0, errors
    _, runs = logged("links")
    assert {run.data.params["arithmetic"] for run in runs} == {"page"}
    assert {Config.from_params(run.data.params) for run in runs} == {
        Config.from_playground(link).replace(epochs=12) for link in (LINK, OTHER)
    }
    assert "xor 3 seed 0.5" in output
    for run in runs:
        back = Config.from_playground(run.data.tags["playground"]).replace(epochs=12)
        assert back == Config.from_params(run.data.params)


def test_what_else_it_could_be(here, store, logged):
    vary = ("--vary", "learning_rate=0.03,0.3", "--vary", "hidden=2|none")
    words = ("playground", LINK, "--epochs", 12, "--tracking-uri", store.uri, "--name", "varied", *vary)
    code, output, errors = here(*words)
    assert code == 0, errors
    _, runs = logged("varied")
    base = Config.from_playground(LINK).replace(epochs=12, arithmetic="matrix")
    expected = {base.replace(learning_rate=rate, hidden=hidden) for rate in (0.03, 0.3) for hidden in ((2,), ())}
    assert {Config.from_params(run.data.params) for run in runs} == expected
    assert "Learning rate" in output


def test_links_and_what_varies_together():
    configs = {link: Config.from_playground(link) for link in (LINK, OTHER, f"{LINK}&x=true")}
    sweep = sweep_of(configs, ["learning_rate=0.01,0.1"], "both", {"hooks": [], "pictures": [], "seeds": 2})
    assert [*sweep.space] == ["link", "learning_rate"]
    assert sweep.space["link"].grid() == ["xor 3 seed 0.5", "circle no layers seed 0.5", "xor 3 seed 0.5 (3)"]
    assert sweep.total == 2 * 2 * 2  # two of the links are the same network
    point = {"link": "circle no layers seed 0.5", "learning_rate": 0.1}
    assert to_config(sweep.base, sweep.space, point) == configs[OTHER].replace(learning_rate=0.1, arithmetic="matrix")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["https://playground.tensorflow.org/"], "it holds no state"),
        (["https://playground.tensorflow.org/#dataset=swissroll"], "unknown dataset 'swissroll'"),
        (["nowhere.txt"], "is no link to TensorFlow Playground, and no file of links"),
        ([LINK, "--epochs", "0"], "epochs is 0"),
        ([LINK, "--vary", "playgrond=1,2"], "playgrond"),
        ([LINK, "--seeds", "0"], "seeds is 0"),
        ([LINK, "--vary", "learning_rate=1,2", "--vary", "learning_rate=3,4"], "varied twice"),
        ([], "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_made(here, tmp_path, words, why):
    code, output, errors = here("playground", *words)
    assert (code, output, errors.count("\n")) == (2, "", 1), errors
    assert why in errors
    assert not (tmp_path / "runs").exists()


def test_files_of_links(tmp_path):
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RequestError, match="holds no link"):
        read_links([str(tmp_path / "empty.txt")])
    with pytest.raises(RequestError, match="no file of links"):
        read_links([str(tmp_path / "bytes")])
    assert read_links([LINK, OTHER, LINK]) == [LINK, OTHER]


def test_runs_of_the_house_carry_a_link_that_opens_them_there(here, store, plain):
    words = [
        "train",
        "--dataset",
        "circle",
        "--hidden",
        "3",
        "--activation",
        "tanh",
        "--epochs",
        "5",
        "--name",
        "shown",
    ]
    assert here(*words, "--tracking-uri", store.uri)[0] == 0
    experiment = plain.get_experiment_by_name("train")
    (run,) = plain.search_runs([experiment.experiment_id], "attributes.run_name = 'shown'")
    link, differences = link_of(Config.from_params(run.data.params))
    text = run.data.tags["mlflow.note.content"]
    assert f"[In TensorFlow Playground]({link}); there it has {', '.join(differences)}." in text
    assert "playground" not in run.data.tags  # it is not the same there
