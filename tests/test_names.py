"""Names: all that MLflow takes work everywhere, and others are refused in one line."""

import json

import pytest

from sandbox.names import is_safe, safe
from sandbox.sweeps import Sweep
from sandbox.tracking import Destination

NAMES = [
    "a'b\"c",
    "bob's",
    "team/depth",
    "../x",
    "..",
    ".",
    " ",
    "-lead",
    "a\\b",
    "ü ☃ \u202e",
    "%41?#&=",
    "n" * 256,
    "a\nb",
]
NONE = ["", "n" * 257, "a\0b", "half \ud800"]
WORDS = ["--epochs", "10", "--hidden", "2", "--vary", "learning_rate=0.1,1", "--seeds", "1"]


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_for_a_name_is_safe_short_and_its_own(name):
    word = safe(name)
    assert is_safe(word)
    assert len(word) <= 100
    assert safe(word) == word
    assert sum(safe(other) == word for other in NAMES) == 1


def test_a_plain_name_stands_for_itself():
    assert [safe(name) for name in ("depth", "learning_rate", "v1.2", "x-1")] == [
        "depth",
        "learning_rate",
        "v1.2",
        "x-1",
    ]


@pytest.mark.parametrize("names", [NAMES[:2], pytest.param(NAMES[2:], marks=pytest.mark.slow)])
def test_a_sweep_of_any_name_runs_goes_on_and_is_sound(names, here, plain_of, tmp_path):
    for name in names:
        code, output, _ = here("sweep", *WORDS, "--name", name, "--json")
        assert (name, code, json.loads(output)["finished"]) == (name, 0, True)
    for name in names:
        code, output, _ = here("sweep", *WORDS, "--name", name)
        assert (name, code, "nothing left to do" in output) == (name, 0, True)
        runs = plain_of(tmp_path, name)
        assert sorted(run.info.status for run in runs) == ["FINISHED"] * 3
        places = {run.info.artifact_uri.removeprefix("file://") for run in runs}
        assert all(place.startswith(f"{tmp_path}/runs/artifacts/") for place in places)
    assert here("doctor")[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}


@pytest.mark.parametrize("name", NONE)
def test_what_no_store_takes_is_refused_in_one_line(name, small):
    with pytest.raises(ValueError, match=r"^the name of the sweep is .*: a text of 1 to 256 characters is needed$"):
        small(name)


def test_an_arm_of_300_characters_is_refused_in_one_line(here, tmp_path):
    code, output, errors = here("compare", "--arm", f"{'x' * 300}: hidden=2", "--arm", "raw: hidden=none")
    assert (code, output, list(tmp_path.iterdir())) == (2, "", [])
    assert "a text of 1 to 100 characters is needed" in errors
    assert len(errors.splitlines()) == 1


def test_the_id_of_a_campaign_can_stand_in_files_and_filters(small):
    with pytest.raises(ValueError, match=r"campaign '\.\./x' is none"):
        Destination("depth", campaign="../x")
    sweep = small("../x")
    assert isinstance(sweep, Sweep)
    assert sweep.destination.experiment == "../x"
    assert is_safe(sweep.id)
