"""A sandbox that was installed, not cloned: all of it is there, and it works from any folder."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
QUICK = ("--dataset", "quadrants", "--n", 16, "--repetitions", 2, "--seeds", 2, "--trials", 2, "--epochs", 20, "--json")
ARMS = ("--arm", "raw: hidden=none", "--arm", "cross: crosses=x1*x2")


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The site-packages of an environment that `pip install .` put the sandbox into, from a copy of the clone.

    What the sandbox needs is not installed once more: it is read from the environment of the tests.
    """
    there = tmp_path_factory.mktemp("install")
    for name in ("sandbox", "experiments"):
        shutil.copytree(ROOT / name, there / "clone" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, there / "clone")
    subprocess.run([sys.executable, "-m", "venv", there / "venv"], check=True)
    python = there / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", there / "clone"], check=True)
    (packages,) = (there / "venv" / "lib").glob("python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    shutil.rmtree(there / "clone")
    return packages


@pytest.fixture
def installed(packages, tmp_path):
    """A function: what the installed `sandbox` answers in a folder that knows nothing of it: the object of --json."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}

    def call(*words):
        command = [packages.parents[2] / "bin" / "sandbox", *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout) if "--json" in words else done.stdout

    return call


def test_every_file_is_there_and_no_other_package(packages):
    names = {path.name for path in packages.iterdir() if path.name.partition("-")[0] not in ("pip", "setuptools")}
    assert {name for name in names if not name.endswith((".dist-info", ".pth"))} - {
        "_distutils_hack",
        "pkg_resources",
    } == {"sandbox"}
    for source, target in ((ROOT / "sandbox", "sandbox"), (ROOT / "experiments", "sandbox/experiments")):
        files = {path.relative_to(source) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        assert files
        assert [str(path) for path in files if not (packages / target / path).is_file()] == []


def test_experiments_are_listed(installed):
    scripts = {path.stem for path in (ROOT / "experiments").glob("[!_]*.py")}
    listed = installed("experiment").partition("Commands:\n")[2].splitlines()
    assert {line.split()[0] for line in listed} == scripts


def test_an_experiment_keeps_its_runs_in_the_folder_it_was_asked_in(installed, tmp_path):
    report = installed("experiment", "depth", "--trials", 4, "--seeds", 1, "--epochs", 20, "--json")
    assert (report["finished"], report["sweeps"][0]["new"]) == (True, 4)
    assert (tmp_path / "runs" / "mlflow.db").is_file()
    assert (tmp_path / "runs" / "optuna.journal").is_file()


def test_a_table_is_trained_on_and_a_comparison_reported(installed, tmp_path):
    assert installed("train", "--dataset", "breast_cancer", "--epochs", 20, "--json")["run_id"]
    report = installed("compare", *QUICK, *ARMS)
    assert report["finished"]
    assert "</html>" in (tmp_path / report["report"]).read_text()
