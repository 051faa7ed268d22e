"""What pyproject.toml asks for is what is installed, what the tests ran with, and what a wheel holds."""

import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = SETTINGS["project"]["optional-dependencies"]
ASKED = list(map(Requirement, [*SETTINGS["project"]["dependencies"], *EXTRAS["dev"]]))
LOCKED = list(map(Requirement, (ROOT / "requirements.lock").read_text().splitlines()))


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def floor_of(requirement):
    (floor,) = (one.version for one in requirement.specifier if one.operator == ">=")
    return floor


@pytest.mark.parametrize("requirement", ASKED, ids=lambda one: one.name)
def test_what_is_installed_is_within_its_bounds(requirement):
    """With FLOORS=1 (`make test-floors`) it is the lowest that is allowed."""
    installed = version(requirement.name)
    assert requirement.specifier.contains(installed)
    if os.environ.get("FLOORS"):
        assert Requirement(f"{requirement.name}=={floor_of(requirement)}").specifier.contains(installed)


@pytest.mark.parametrize("requirement", ASKED, ids=lambda one: one.name)
def test_what_is_locked_is_within_the_bounds(requirement):
    (locked,) = [one for one in LOCKED if canonical(one.name) == canonical(requirement.name)]
    (pin,) = locked.specifier
    assert pin.operator == "=="
    assert requirement.specifier.contains(pin.version)


def test_the_lock_file_names_versions_and_nothing_of_the_machine_that_wrote_it():
    assert [one for one in LOCKED if one.url or one.marker or len(one.specifier) != 1] == []
    assert len({canonical(one.name) for one in LOCKED}) == len(LOCKED)


def test_the_developers_extra_has_what_the_others_have():
    """But for what only a person opens: lessons are executed without Jupyter Lab."""
    assert {one for name in EXTRAS for one in EXTRAS[name] if name not in ("dev", "lessons")} <= set(EXTRAS["dev"])


def test_every_package_is_named():
    packages = {".".join(path.relative_to(ROOT).parts[:-1]) for path in (ROOT / "sandbox").rglob("__init__.py")}
    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == {*packages, "sandbox.experiments"}
