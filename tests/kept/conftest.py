"""Data of one's own, as people have them: text columns, numbers and gaps, and three classes to tell."""

from importlib.resources import files

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def birds():
    return pd.read_csv(str(files("palmerpenguins") / "data" / "penguins.csv"))


@pytest.fixture
def penguins(birds, tmp_path):
    """The same as the file penguins.csv, where commands run."""
    birds.to_csv(tmp_path / "penguins.csv", index=False)
    return tmp_path / "penguins.csv"


@pytest.fixture
def train_one(here):
    """A function: train on penguins.csv, gaps filled; the id of the run."""
    import json

    def train(*words):
        data = ("--dataset", "penguins.csv", "--target", "species", "--gaps", "fill")
        code, output, errors = here("train", *data, "--hidden", 4, "--epochs", 100, "--json", *words)
        assert code == 0, errors
        return json.loads(output)["run_id"]

    return train
