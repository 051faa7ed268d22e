"""The rooms of the house: who may import whom, that there is no circle, and that the front door opens quickly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "sandbox"
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = ["mlflow", "optuna", "matplotlib", "pandas", "sklearn"]

# A room is a file or a directory of sandbox/. Each may import what it names here and what that may import, never more.
KNOWS = {
    "errors": [],
    "interrupt": [],
    "lock": [],
    "disk": [],
    "typed": [],
    "names": ["errors"],
    "own": ["errors"],
    "nn": ["errors", "own", "fdlibm"],
    "data": ["errors", "own", "disk", "fdlibm"],
    "fields": ["errors", "own"],
    "fdlibm": [],
    "link": ["errors"],
    "config": ["fields", "nn", "data", "link"],
    "model": ["nn", "data"],
    "result": ["config", "model", "names", "plots", "notebook"],
    "export": ["model"],
    "effort": ["config"],
    "blas": [],
    "scores": [],
    "figures": ["result", "scores"],
    "train": ["figures", "blas", "effort"],
    "landscape": ["result"],
    "kept": ["record", "export", "options", "landscape", "graph"],
    "estimators": ["train"],
    "advice": ["train"],
    "logged": ["record", "names", "typed"],
    "__init__": ["interrupt", "train", "kept", "estimators", "logged"],  # what `import sandbox` gives
    "graph": ["train", "options"],
    "plots": ["data", "nn"],
    "tracking": ["errors", "lock", "names", "disk", "host"],
    "space": ["config"],
    "table": [],
    "notebook": ["table"],
    "answers": ["table", "plots"],
    "provenance": ["result", "tracking"],
    "description": ["result", "tracking", "typed"],
    "record": ["train", "plots", "provenance", "description"],
    "job": ["record"],
    "note": ["names", "disk"],
    "host": [],
    "workers": ["errors"],
    "supply": ["job"],
    "sharing": ["job", "typed"],
    "lot": ["supply", "workers"],
    "campaign": ["lot", "note", "sharing"],
    "options": ["config", "tracking", "interrupt", "typed", "workers"],
    "sweeps": ["campaign", "space", "table", "kept", "answers", "logged"],
    "comparison": ["campaign", "space", "table", "options", "answers"],
    "doctor": ["campaign", "options", "sweeps"],
    "cli": ["doctor", "sweeps", "comparison", "graph", "kept", "logged", "advice"],
    "__main__": ["cli"],
}
ABOVE = {"nn": ["data"], "data": ["nn"], "plots": ["tracking"], "tracking": ["plots"], "sweeps": ["comparison"]}
PARTS = {  # of some rooms one file alone may be known
    "provenance": {"tracking": ["sandbox.tracking.linked"]},
    "record": {"tracking": ["sandbox.tracking.entry"]},
    "description": {"tracking": ["sandbox.tracking.entry"]},
    "options": {"nn": ["sandbox.nn.hooks"]},
}


def module_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def room_of(module):
    return module.split(".")[1] if "." in module else "__init__"


def rooms_known(room):
    """The rooms that a room may import, itself among them."""
    known, left = set(), [room]
    while left:
        one = left.pop()
        if one not in known:
            known.add(one)
            left += KNOWS[one]
    return known


def executed(tree):
    """The nodes of a file, without what only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from executed(node)


def imports(path):
    """Every module that a file imports, anywhere in it; `from a import b` counts as a.b, which may be a module."""
    package = ["sandbox", *path.relative_to(ROOT).parent.parts]
    for node in executed(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value:
            yield from {node.value} & MODULES.keys()  # imported by its name


def targets(path):
    """The modules of the project that a file imports; for a name of a package, the file that the name comes from."""
    found = set()
    for name in imports(path):
        while name not in MODULES and "." in name:
            name = name.rpartition(".")[0]
        if name in MODULES:
            found.add(name)
    return found - {module_of(path)}


def within(module, names):
    return any(module == name or module.startswith(f"{name}.") for name in names)


def files_of(room):
    return [path for module, path in MODULES.items() if room_of(module) == room]


def test_every_file_belongs_to_a_room_and_every_room_has_files():
    assert {room_of(module) for module in MODULES} == set(KNOWS)


@pytest.mark.parametrize("room", KNOWS)
def test_imports_point_one_way(room):
    allowed = rooms_known(room)
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in files_of(room)
        for module in targets(path)
        if room_of(module) not in allowed or not within(module, PARTS.get(room, {}).get(room_of(module), ["sandbox"]))
    ]
    assert wrong == []


def test_rooms_themselves_have_no_circle_and_know_what_the_design_says():
    for room, known in KNOWS.items():
        assert not [below for below in known if room in rooms_known(below)]
    for room, others in ABOVE.items():
        assert not rooms_known(room) & set(others)
    for room in ("nn", "data", "config", "result", "train", "plots", "tracking", "space", "table", "record", "job"):
        assert not rooms_known(room) & {"campaign", "sweeps", "comparison", "options", "doctor", "cli"}
    assert rooms_known("tracking") == {"tracking", "errors", "lock", "names", "disk", "host"}
    assert rooms_known("campaign").isdisjoint({"options", "sweeps", "comparison", "doctor", "cli", "graph"})
    assert "comparison" not in rooms_known("doctor")


def test_no_import_goes_in_a_circle():
    """Whether it stands at the top of a file or within a function."""
    left = {module: targets(path) for module, path in MODULES.items()}
    for module in list(left):  # a package is what its files are, for those outside of it
        left[module] = {
            one for one in left[module] if not (MODULES[one].name == "__init__.py" and within(module, [one]))
        }
    while free := [module for module, needed in left.items() if not needed & left.keys()]:
        for module in free:
            del left[module]
    assert left == {}


@pytest.mark.parametrize(
    ("library", "room"), [("mlflow", "tracking"), ("optuna", "sweeps"), ("sklearn.base", "estimators")]
)
def test_one_room_knows_the_library(library, room):
    users = {path for path in FILES if any(within(module, [library]) for module in imports(path))}
    assert users
    assert users <= set(files_of(room))


def test_nobody_imports_pyplot():
    assert [path.name for path in FILES if any("pyplot" in module for module in imports(path))] == []


def test_nn_is_numpy_alone():
    modules = {module.partition(".")[0] for path in files_of("nn") for module in imports(path)}
    assert modules - set(sys.stdlib_module_names) == {"numpy", "sandbox"}


def loaded(code):
    """Which of the heavy libraries are there after this code."""
    text = f"{code}\nimport sys; print(*(name for name in {HEAVY} if name in sys.modules))"
    words = [sys.executable, "-c", text]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT.parent)
    return done.stdout.splitlines()[-1:][0].split()


def test_the_front_door_brings_in_nothing_heavy():
    assert loaded("import sandbox") == []


TRAIN = """
import sys, contextlib, io
sys.argv = ["sandbox", "train", "--no-track", "--json", "--dataset", "or", "--hidden", "none", "--epochs", "10"]
from sandbox.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
"""


def test_a_training_that_is_not_tracked_brings_in_neither_mlflow_nor_optuna():
    heavy = loaded(TRAIN)
    assert not {"mlflow", "optuna"} & set(heavy)
