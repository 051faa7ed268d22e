"""studies/texts.md: every command of the table runs as it is typed, and shows what the table says that it shows.

The experiments are asked for two seeds: what all of theirs come to is in FINDINGS, which `make answers` looks after.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| (?P<says>[^|]+)\| (?P<here>[^|]*)\| `(?P<command>[^`|]+)` \| (?P<shows>`[^|]+`) \|")
LINES = [line for line in (ROOT / "studies" / "texts.md").read_text().splitlines() if line.startswith("| ")]
TABLES = [line for line in LINES if not line.startswith("| the text says")]
ROWS = [found for line in TABLES if (found := ROW.fullmatch(line))]


def slow(command):
    return " -m " in command


def shown_by(row):
    return re.findall(r"`([^`]+)`", row["shows"])


def look(output, row, folder):
    for words in shown_by(row):
        assert words in output
    for name in re.findall(r"^picture: (\S+)$", output, re.MULTILINE):
        with Image.open(folder / name) as picture:
            assert picture.width >= 380
            assert len({*np.asarray(picture.convert("L")).ravel()}) > 20


def test_every_row_is_read_and_the_texts_are_all_there():
    assert len(ROWS) == len(TABLES) > 40
    for number in range(1, 6):
        assert any(f"[{number}]" in row["says"] for row in ROWS)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if not slow(row["command"])], ids=lambda row: row["command"][18:58]
)
def test_the_command_shows_it(here, tmp_path, row):
    program, *words = shlex.split(row["command"])
    assert program == ".venv/bin/sandbox"
    code, output, _ = here(*words)
    assert code == 0
    look(output, row, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("command", sorted({row["command"] for row in ROWS if slow(row["command"])}))
def test_the_study_or_experiment_shows_it(tmp_path, command):
    program, *words = shlex.split(command)
    assert program == ".venv/bin/python"
    few = ["--seeds", "2"] if "experiments." in command else []
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, *words, *few], capture_output=True, text=True, cwd=tmp_path, env=where)
    assert done.returncode == 0, done.stderr
    for row in ROWS:
        if row["command"] == command:
            look(done.stdout, row, tmp_path)
