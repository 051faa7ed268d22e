"""README: its commands are those of a fresh clone in which nobody has activated anything, and they do what it says."""

import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

from sandbox.cli import cli

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
TEXT = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
WORDS = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)  # without them
BLOCKS = [
    block for block in re.findall(r"(?:^    .*\n)+", WORDS, re.MULTILINE) if re.search(r"(?m)^    (\.venv|make)", block)
]
INLINE = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", WORDS)]
LINES = [line for block in BLOCKS for line in re.sub(r"\\\n", "", block).splitlines()]
COMMANDS = [shlex.split(line, comments=True) for line in [*LINES, *INLINE] if re.match(r" *(\.venv/bin/|make )", line)]
INSTALLED = {"sandbox experiment", "sandbox experiment depth"}  # what `pip install .` gives is on the PATH


def names(words):
    return " ".join(words)


def test_what_is_to_be_typed_needs_no_activated_environment():
    assert len(BLOCKS) >= 5
    assert len(COMMANDS) >= 25
    bare = {code for code in INLINE if re.match(r"(sandbox|python3?) ", code)}
    assert bare - INSTALLED == set()
    assert [line for line in LINES if re.match(r" *(sandbox|python3?) ", line)] == []


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] == "make"], ids=names)
def test_every_target_is_one_of_makes(words):
    planned = subprocess.run([*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert planned.returncode == 0, planned.stderr


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[1:2] == ["-m"]], ids=names)
def test_every_module_is_there(words):
    assert (BIN / Path(words[0]).name).exists()
    assert find_spec(words[2])


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] == ".venv/bin/sandbox"], ids=names)
def test_every_command_is_understood(words):
    """Commands, options and their values, as far as that can be told without running them."""
    group = click.Context(cli)
    command = cli.get_command(group, words[1])
    assert command, words
    command.make_context(words[1], words[2:], parent=group).close()


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A directory with an environment in `.venv`, and the customers of the README: 400, of whom 6 have gaps."""
    directory, rng = tmp_path_factory.mktemp("clone"), np.random.default_rng(0)
    (directory / ".venv").symlink_to(BIN.parent)
    age, income = rng.integers(18, 80, 400).astype(float), rng.normal(3000, 900, 400).round()
    bought = np.where(age * income > 150_000, "yes", "no")
    frame = pd.DataFrame(
        {"age": age, "income": income, "city": rng.choice(["Rome", "Oslo", "Bern"], 400), "bought": bought}
    )
    frame.loc[:5, "age"] = np.nan
    frame.to_csv(directory / "customers.csv", index=False)
    frame.drop(columns="bought").dropna().head(10).to_csv(directory / "new.csv", index=False)
    return directory


@pytest.fixture(scope="module")
def shell(clone):
    """A function: what a shell answers in that directory, where no environment is activated."""
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != BIN)
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}

    def run(script):
        words = ["bash", "-e", "-c", script]
        done = subprocess.run(words, cwd=clone, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done

    return run


def block_with(text):
    """The one block with this text, without what make does."""
    (block,) = (block for block in BLOCKS if text in block)
    return re.sub(r"(?m)^    make .*\n", "", block)


@pytest.mark.slow
def test_the_first_hour(shell):
    output = shell(block_with("sandbox explain or")).stdout
    assert "run_id" in output
    assert "boundary.png" in output


@pytest.mark.slow
def test_the_pictures_of_the_texts(shell, clone):
    assert "dy/dx = 36" in shell(block_with("sandbox landscape")).stdout
    assert all((clone / name).is_file() for name in ("graph.png", "landscape.png", "network.png"))


@pytest.mark.slow
def test_own_data(shell):
    done = shell(block_with("--dataset customers.csv").replace("--n 32,128", "--n 32 --repetitions 5 --epochs 200"))
    summary = re.search(r"\*(394 of 400 rows .*?)\*", TEXT, re.DOTALL)
    assert summary
    assert f"customers.csv: {' '.join(summary[1].split())}" in done.stderr
    run = re.search(r"^run_id +(\w+)$", done.stdout, re.MULTILINE)
    assert run
    predicted = shell(block_with("sandbox predict").replace("RUN", run[1])).stdout.splitlines()
    assert {line.split()[0] for line in predicted[:10]} <= {"yes", "no"}
    script = shell(".venv/bin/python model.py new.csv").stdout.splitlines()
    assert [line.split()[0] for line in script] == [line.split()[0] for line in predicted[:10]]


@pytest.mark.slow
def test_the_python_of_ones_own_question_and_that_of_the_end(shell, clone, plain_of):
    hooks, functions, used, _, read = PYTHON  # that with scikit-learn's habits is run by the estimators' tests
    (clone / "my.py").write_text(hooks)
    assert "dead units" in shell(".venv/bin/python my.py --seeds 1").stdout
    (clone / "my.py").write_text(functions)
    shell(".venv/bin/sandbox train --activation my:swish --epochs 50")
    (clone / "used.py").write_text(used)
    shell(".venv/bin/python used.py")
    assert "or by hand" in {run.info.run_name for run in plain_of(clone, "train")}
    (clone / "read.py").write_text(f"{read}\nprint(len(runs), runs.columns.tolist())")
    assert "params.learning_rate" in shell(".venv/bin/python read.py").stdout
