"""The rooms of the house: who may import whom, and that the front door opens quickly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "sandbox"
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = ["mlflow", "optuna", "matplotlib", "pandas", "sklearn"]
MAY_IMPORT = {  # of the project; rooms that are not named here may import any
    "sandbox/errors.py": [],
    "sandbox/blas.py": [],
    "sandbox/nn": ["sandbox.errors", "sandbox.nn"],
    "sandbox/data": ["sandbox.errors", "sandbox.data"],
    "sandbox/fields.py": ["sandbox.errors"],
    "sandbox/config.py": ["sandbox.errors", "sandbox.fields", "sandbox.nn", "sandbox.data"],
    "sandbox/result.py": ["sandbox.errors", "sandbox.nn", "sandbox.data", "sandbox.config"],
    "sandbox/figures.py": ["sandbox.errors", "sandbox.nn", "sandbox.data", "sandbox.config", "sandbox.result"],
    "sandbox/train.py": [
        "sandbox.result",
        "sandbox.errors",
        "sandbox.nn",
        "sandbox.data",
        "sandbox.config",
        "sandbox.figures",
        "sandbox.blas",
    ],
}


def imports(path):
    """Every module that a file imports, anywhere in it; `from a import b` counts as a.b, which may be a module."""
    package = ["sandbox", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def within(module, rooms):
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def files_of(room):
    return [path for path in FILES if path.relative_to(ROOT.parent).as_posix().startswith(room)]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room):
    assert files_of(room)
    wrong = [
        f"{path.name}: {module}"
        for path in files_of(room)
        for module in imports(path)
        if within(module, ["sandbox"]) and not within(module, MAY_IMPORT[room])
    ]
    assert wrong == []


@pytest.mark.parametrize(("library", "room"), [("mlflow", "sandbox/tracking"), ("optuna", "sandbox/sweeps")])
def test_one_room_knows_the_library(library, room):
    users = {path for path in FILES if any(within(module, [library]) for module in imports(path))}
    assert users
    assert users <= set(files_of(room))


def test_nobody_imports_pyplot():
    assert [path.name for path in FILES if any("pyplot" in module for module in imports(path))] == []


def test_nn_is_numpy_alone():
    modules = {module.partition(".")[0] for path in files_of("sandbox/nn") for module in imports(path)}
    assert modules - set(sys.stdlib_module_names) == {"numpy", "sandbox"}


def test_the_front_door_brings_in_nothing_heavy_and_is_quick():
    code = f"""
import time
start = time.process_time()
import sandbox
print(time.process_time() - start)
import sys
print(*(name for name in {HEAVY} if name in sys.modules))
"""
    seconds = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
        took, heavy = done.stdout.split("\n")[:2]
        assert heavy == ""
        seconds.append(float(took))
    assert min(seconds) < 0.3
