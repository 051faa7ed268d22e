"""The Makefile and the check that runs from nothing."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def make(*words):
    return subprocess.run(
        ["make", "--no-print-directory", *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_help_is_the_default_and_lists_every_target():
    listed = make()
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout == make("help").stdout
    names = {line.split()[1] for line in listed.stdout.splitlines()}
    phony = re.search(r"^\.PHONY: (.*?)(?:\$\(|$)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert names == {*phony[1].split(), "sweep-NAME"}
    assert {"help", "setup", "sweep", "compare", "ui", "test", "lint", "clean"} <= names
    assert all(len(line.split()) > 2 for line in listed.stdout.splitlines())  # each says what it is for


def test_there_is_a_target_for_every_experiment():
    scripts = {path.stem for path in (ROOT / "experiments").glob("[!_]*.py")}
    for name in scripts:
        planned = make("--dry-run", f"sweep-{name}")
        assert f"-m experiments.{name}" in planned.stdout
    everything = re.search(r"^EXPERIMENTS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert everything
    assert set(everything[1].split()) == scripts


def test_a_python_that_is_too_old_is_named(tmp_path):
    """Whatever stands for Python answers with an error: make says it, and makes no environment."""
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\nexec python3 -c "import sys; sys.version_info = (3, 10); exec(sys.argv[1])" "$2"\n')
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    answer = subprocess.run(
        ["make", f"PYTHON={old}", "setup"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 2
    assert "Python 3.11 or later is needed" in answer.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_check_can_be_run():
    check = ROOT / ".ci" / "run"
    assert os.access(check, os.X_OK)
    subprocess.run(["bash", "-n", check], check=True)
    text = check.read_text()
    assert text.index("make lint\n") < text.index("make test\n") < text.index("make test-floors ")
    assert not re.search(r"https?://|/work|/home", text)
