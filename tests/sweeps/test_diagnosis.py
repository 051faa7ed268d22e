"""The diagnosis of real sweeps: on the parent run, beside the answer, made once, and never the sweep's undoing."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox import Config
from sandbox.answers import diagnosis
from sandbox.answers.diagnosis import FOLDER, LATER, PAGE
from sandbox.answers.pages import write_files
from sandbox.answers.trials import Point, Trial
from sandbox.space import Range, parse_dimension
from sandbox.sweeps import Sweep, arms, choice
from sandbox.sweeps.afterwards import settle
from sandbox.sweeps.diagnosis import at_the_edge
from sandbox.tracking import Store, tables
from sandbox.tracking.entry import LONGEST_NOTE
from sandbox.tracking.reading import Pages

TWO = {"learning_rate": choice(0.1, 1.0), "hidden": choice((2,), (4,))}
ARMS = arms({"plain": {"hidden": ()}, "deep, with a long name": {"hidden": (3,)}})


def parent_of(logged, name):
    ((parent,), _) = logged(name)
    return parent


def on_parent(plain, parent):
    return sorted(one.path.removeprefix(f"{FOLDER}/") for one in plain.list_artifacts(parent.info.run_id, FOLDER))


def pixels(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def test_all_of_it_is_on_the_parent_and_beside_the_answer(small, run_here, store, logged, plain):
    outcome = run_here(small("diagnosed", space=TWO, seeds=5))
    assert (outcome.left, outcome.undiagnosed) == ("", "")
    parent = parent_of(logged, "diagnosed")
    names = ["boundaries.png", "curves.png", "importance.csv", "importance.png", "isolation.png", "response.png"]
    assert on_parent(plain, parent) == sorted([*names, PAGE])
    page = (outcome.directory / FOLDER / PAGE).read_text()
    assert LATER not in page
    assert re.findall(r"!\[.*\]\((.*)\)", page) == [
        "isolation.png",
        "importance.png",
        "response.png",
        "curves.png",
        "boundaries.png",
    ]
    for name in [*names, PAGE]:
        content = store.artifact(parent.info.run_id, f"{FOLDER}/{name}")
        assert content == (outcome.directory / FOLDER / name).read_bytes()
        if name.endswith(".png"):
            seen = pixels(content)
            assert seen.shape[1] >= 600
            assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 20
    note = parent.data.tags["mlflow.note.content"]
    shown = re.findall(r"get-artifact\?path=diagnosis/(\S+)&run_uuid=(\w+)\)", note)
    assert {name for name, _ in shown} == {name for name in names if name.endswith(".png")}
    assert {run for _, run in shown} == {parent.info.run_id}
    assert note.index(outcome.answer.sentences[0]) < note.index("**Diagnosis**")
    assert len(note) < LONGEST_NOTE + 300  # the ids of the run
    assert f"{FOLDER}/{PAGE}" in outcome.said()
    assert outcome.importance["importance"].sum() == pytest.approx(1)


def test_it_is_made_once_and_again_where_it_is_missing(small, run_here, store, logged, plain):
    sweep = small("diagnosed again", space=TWO)
    directory = run_here(sweep).directory / FOLDER
    parent = parent_of(logged, "diagnosed again")

    def times():
        place = str(parent.info.artifact_uri).removeprefix("file://")
        return {path.name: path.stat().st_mtime_ns for path in (Path(place) / FOLDER).iterdir()}

    before, page = times(), (directory / PAGE).read_bytes()
    (directory / "curves.png").unlink()
    run_here(sweep)
    assert times() == before
    assert (directory / PAGE).read_bytes() == page
    assert (directory / "curves.png").read_bytes() == store.artifact(parent.info.run_id, f"{FOLDER}/curves.png")
    store.attach(parent.info.run_id, {f"{FOLDER}/{PAGE}": LATER.encode()}, {})
    run_here(sweep)
    assert store.artifact(parent.info.run_id, f"{FOLDER}/{PAGE}") == page
    assert times().keys() == before.keys()
    run_here(sweep.replace(seeds=3))
    assert times()["curves.png"] > before["curves.png"]


def test_a_store_that_is_away_costs_a_note(small, run_here, root, store, logged):
    """The runs are there; only who asks for them afterwards is not answered."""
    sweep = small("away afterwards", space=TWO)
    outcome = run_here(sweep)
    page = outcome.directory / FOLDER / PAGE
    write_files(outcome.directory, outcome.files)
    settle(outcome, Store("http://127.0.0.1:9"), root)
    assert outcome.status == "FINISHED"
    assert outcome.left.startswith("the best runs are no models yet and the diagnosis is not whole yet (")
    assert outcome.left.endswith("): the same command makes them when it is run again")
    assert LATER in page.read_text()
    assert (outcome.directory / FOLDER / "isolation.png").exists()
    assert run_here(sweep).left == ""
    assert page.read_bytes() == store.artifact(parent_of(logged, sweep.name).info.run_id, f"{FOLDER}/{PAGE}")


@pytest.mark.parametrize(
    ("name", "changes", "missing"),
    [
        ("one dimension", {}, {"importance.png", "response.png"}),
        ("texts", {"space": {"arm": ARMS, "learning_rate": choice(0.1, 1.0)}}, set()),
        ("one seed", {"space": TWO, "seeds": 1}, set()),
        (
            "problems",
            {"space": {"dataset": choice("circle", "quadrants"), "arm": ARMS}},
            {"importance.png", "response.png"},
        ),
        (
            "drawn",
            {
                "space": {"learning_rate": Range(0.1, 2.0, log=True), "l2": Range(0.0, 0.1)},
                "sampler": "sobol",
                "trials": 16,
            },
            set(),
        ),
    ],
)
def test_other_sweeps_have_what_there_is_to_draw(small, run_here, logged, plain, name, changes, missing):
    outcome = run_here(small(f"diagnosis of {name}", **changes))
    assert (outcome.status, outcome.left, outcome.undiagnosed) == ("FINISHED", "", "")
    there = {one for one in on_parent(plain, parent_of(logged, f"diagnosis of {name}")) if one.endswith(".png")}
    sheets = {one for one in there if one.startswith("boundaries")}
    assert there - sheets == {"isolation.png", "importance.png", "response.png", "curves.png"} - missing
    assert sheets == (
        {"boundaries-circle.png", "boundaries-quadrants.png"} if name == "problems" else {"boundaries.png"}
    )


def test_where_all_diverges_the_sweep_ends_all_the_same(small, run_here, logged, plain):
    base = Config(dataset="moons", n_examples=40, hidden=(4,), activation="relu", output="linear", cost="squared_error")
    sweep = small("diagnosis of nothing", base=base.replace(epochs=100), space={"learning_rate": choice(1e3, 1e4)})
    outcome = run_here(sweep)
    assert (outcome.status, outcome.diverged, outcome.left, outcome.undiagnosed) == ("FINISHED", 4, "", "")
    assert "isolation.png" not in on_parent(plain, parent_of(logged, sweep.name))


def test_what_cannot_be_drawn_fails_nothing(small, run_here, monkeypatch):
    def fail(*_, **__):
        raise ArithmeticError("no such picture")

    monkeypatch.setattr(diagnosis, "draw_isolation", fail)
    outcome = run_here(small("undrawable", space=TWO))
    assert outcome.status == "FINISHED"
    assert outcome.left.startswith("the diagnosis is not whole yet (RuntimeError: \"ArithmeticError: 'no such picture'")
    assert outcome.models
    assert (outcome.directory / "answer.png").exists()
    assert FOLDER not in outcome.said()


def test_without_tables_that_are_known_the_pictures_are_the_same(small, run_here, store, root, monkeypatch, logged):
    sweep = small("through the client", space=TWO)
    outcome = run_here(sweep)
    parent = parent_of(logged, sweep.name).info.run_id
    store.attach(parent, {f"{FOLDER}/{PAGE}": LATER.encode()}, {})
    before = store.artifact(parent, f"{FOLDER}/curves.png")
    monkeypatch.setattr(tables, "REVISION", "another")
    other = Store(store.uri, root)
    assert isinstance(other.reader, Pages)
    settle(outcome, other, root)
    assert outcome.left == ""
    assert store.artifact(parent, f"{FOLDER}/{PAGE}") == (outcome.directory / FOLDER / PAGE).read_bytes()
    assert store.artifact(parent, f"{FOLDER}/curves.png") == before


def points(shares, dimension):
    """Points of a range where the objective is best at its lower end, at these shares of its scale."""
    low, high = np.log([dimension.low, dimension.high]) if dimension.log else (dimension.low, dimension.high)
    values = [low + share * (high - low) for share in shares]
    values = np.exp(values).tolist() if dimension.log else values
    return [
        Point({"learning_rate": value}, [Trial({"learning_rate": value}, 0, float(rank), 0.5)])
        for rank, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ((0.03, 0.2, 0.5, 0.9), "lower"),
        ((0.97, 0.8, 0.5, 0.1), "upper"),
        ((0.03, 0.6, 0.5, 0.9), ""),
        ((0.5, 0.03, 0.2, 0.9), ""),
        ((0.2, 0.03, 0.1, 0.9), ""),
        ((0.03,), ""),
    ],
)
def test_the_best_points_near_an_end_of_a_range_are_warned_of_with_what_to_type(shares, says):
    rates = Range(0.01, 1.0, log=True)
    sweep = Sweep("edges", Config(), {"learning_rate": rates}, sampler="sobol", trials=8)
    said = at_the_edge(sweep, "learning_rate", points(shares, rates))
    if not says:
        assert said == ""
        return
    assert f"near the {says} end of its range" in said
    name, wider = parse_dimension(re.findall("--vary (.*)`", said)[0])
    assert (name, wider) == (
        "learning_rate",
        Range(0.001, 1.0, log=True) if says == "lower" else Range(0.01, 10.0, log=True),
    )


def test_a_range_is_not_widened_to_values_that_there_are_not():
    for name, old, says in (
        ("l2", Range(0.0, 1.0), "beyond which there is no value"),
        ("learning_rate", Range(0.1, 1.0), "--vary learning_rate=0.01..1`"),
        ("batch_size", Range(1, 8, integer=True), "beyond which there is no value"),
        ("n_examples", Range(40, 80, integer=True), "--vary n_examples=20..80:int`"),
    ):
        sweep = Sweep("edges", Config(dataset="moons", n_examples=40), {name: old}, sampler="sobol", trials=8)
        some = [
            Point({name: value}, [Trial({name: value}, 0, value, 0.5)])
            for value in (old.low, old.low + 0.1 * (old.high - old.low))
        ]
        assert says in at_the_edge(sweep, name, some)
