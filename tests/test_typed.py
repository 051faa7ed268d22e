"""Commands that are printed work as they are printed: with and without an activated environment, in and beside a clone."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.typed import typed

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
BARE = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != BIN)


@pytest.fixture
def venv(tmp_path, monkeypatch):
    """A directory with an environment in `.venv` that nobody has activated."""
    (tmp_path / ".venv").symlink_to(BIN.parent)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", BARE)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def shell(line):
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", ["ui", "compare"])
def test_it_is_a_target_of_make_only_where_there_is_one(command, monkeypatch, tmp_path):
    assert f"{command}:" in (ROOT / "Makefile").read_text()
    monkeypatch.chdir(ROOT)
    assert typed(command) == f"make {command}"
    assert typed(command, "--tracking-uri", "sqlite:///a.db") == f"sandbox {command} --tracking-uri sqlite:///a.db"
    monkeypatch.chdir(tmp_path)
    assert typed(command) == f"sandbox {command}"
    for content in (b"ui:\n\tnpm start\n", b"\xff\xfe", b""):  # somebody else's
        (tmp_path / "Makefile").write_bytes(content)
        assert typed(command) == f"sandbox {command}"
    (tmp_path / "Makefile").unlink()
    (tmp_path / "Makefile").mkdir()
    assert typed(command) == f"sandbox {command}"


def test_what_a_shell_would_read_otherwise_is_quoted():
    assert shlex.split(typed("predict", "a run", "new rows.csv")) == ["sandbox", "predict", "a run", "new rows.csv"]


@pytest.mark.parametrize("program", [".venv/bin/sandbox", ".venv/bin/python -m sandbox"])
def test_without_an_activated_environment_it_is_a_path(venv, program):
    said = shell(f"{program} datasets").stdout.splitlines()[-1]
    command = said.removeprefix("next: ")
    assert command == ".venv/bin/sandbox train --dataset circle --hidden 8"
    assert shell(f"{command} --epochs 5 --no-track").returncode == 0


def test_from_elsewhere_the_path_is_whole_and_beside_it_has_a_slash(venv, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    path = venv / ".venv" / "bin" / "sandbox"
    assert shell(f"{path} datasets").stdout.splitlines()[-1].startswith(f"next: {path} train")
    monkeypatch.chdir(venv / ".venv" / "bin")
    assert shell("./sandbox datasets").stdout.splitlines()[-1].startswith("next: ./sandbox train")


def test_somebody_elses_command_on_the_path_is_not_taken_for_ours(venv, monkeypatch):
    (venv / "bin").mkdir()
    (venv / "bin" / "sandbox").write_text("#!/bin/sh\necho SELinux\n")
    (venv / "bin" / "sandbox").chmod(0o755)
    monkeypatch.setenv("PATH", f"{venv / 'bin'}{os.pathsep}{BARE}")
    assert shell("sandbox").stdout == "SELinux\n"
    assert shell(".venv/bin/sandbox datasets").stdout.splitlines()[-1].startswith("next: .venv/bin/sandbox train")


@pytest.mark.parametrize("command", ["explain", "compare", "sweep"])
def test_the_examples_of_a_help_are_commands_too(venv, command):
    lines = [line.split() for line in shell(f".venv/bin/sandbox {command} --help").stdout.splitlines()]
    examples = [words for words in lines if words[:1] == [".venv/bin/sandbox"]]
    assert {words[1] for words in examples} == {command}
    assert ["sandbox"] not in [words[:1] for words in lines]
