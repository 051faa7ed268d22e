"""Every public name says what it is for and shows how it is used; pytest runs the examples (--doctest-modules)."""

import doctest
import importlib
import inspect

import pytest

PACKAGES = ["sandbox", "sandbox.nn", "sandbox.data", "sandbox.plots", "sandbox.tracking", "sandbox.sweeps"]
PUBLIC = {
    f"{package}.{name}": getattr(importlib.import_module(package), name)
    for package in PACKAGES
    for name in importlib.import_module(package).__all__
}
THINGS = {name: thing for name, thing in PUBLIC.items() if callable(thing)}


def test_packages_have_public_names():
    assert {name.rpartition(".")[0] for name in THINGS} == set(PACKAGES)
    assert set(PUBLIC) - set(THINGS) == {"sandbox.data.DATASETS"}  # a table; its examples are those of load_dataset


@pytest.mark.parametrize("name", THINGS)
def test_docstring_with_an_example(name):
    thing = THINGS[name]
    text = vars(thing)["__doc__"] if inspect.isclass(thing) else thing.__doc__  # its own, not one that it inherits
    assert text, f"{name}: no docstring"
    first, *rest = inspect.cleandoc(text).split("\n")
    assert first.endswith((".", ":")), f"{name}: the first line says what it is for"
    assert rest, f"{name}: no example"
    examples = doctest.DocTestParser().get_examples(text)
    assert examples, f"{name}: no example"
    assert any(example.want for example in examples), f"{name}: no example says what comes out"


@pytest.mark.parametrize("name", [name for name, thing in THINGS.items() if inspect.isclass(thing)])
def test_public_methods_say_what_they_do(name):
    """Or the class says it for them, or they do what a base class says."""
    thing = THINGS[name]
    for method, function in inspect.getmembers(thing, lambda member: inspect.isfunction(member)):
        if not method.startswith("_"):
            assert inspect.getdoc(getattr(thing, method)), f"{name}.{method}: {function} has no docstring"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_say_what_they_are_for(package):
    assert importlib.import_module(package).__doc__
