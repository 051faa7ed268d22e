"""Functions and objects of one's own: found by their names, `module:name`, wherever the sandbox's own go by a name.

A name is what a config, MLflow and another process can keep of a function. It has to stand at the top of a module that can
be imported: a script that is run is the module of its file's name, for those who read of it later.
"""

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, TypeVar

from sandbox.errors import RequestError, choose, one_line

T = TypeVar("T")
Own = Any  # where a name may stand: something of one's own, or the name of it
_sound: dict[tuple[str, str], tuple[Any, Any]] = {}  # (kind, name) -> what stood there, and what it was found to be


class Named:
    """The base of objects that are known by their names, as functions are: copies are the thing itself."""

    def __deepcopy__(self, memo: Any) -> "Named":
        return self

    def __reduce__(self) -> Any:
        return find, (type(self).__name__, name_of(type(self).__name__, self))


def is_own(name: object) -> bool:
    """Whether this is the name of something of one's own."""
    return isinstance(name, str) and ":" in name


def look_up(kind: str, name: str, table: Mapping[str, T], check: Callable[[str, Any], T]) -> T:
    """The entry of `table` called `name`, or what `name` says of one's own, once `check` has found it to be of this kind.

    `check` gets the name and what it found there, once, and gives what is to be used. Raises RequestError.
    """
    if not is_own(name):
        return choose(kind, name, table, " or MODULE:NAME")
    found = find(kind, name)
    known = _sound.get((kind, name))
    if known is None or known[0] is not found:
        try:
            known = found, check(name, found)
        except RequestError:
            raise
        except Exception as error:
            raise RequestError(f"{kind} {name}: {_told(error)}") from error
        _sound[kind, name] = known
    return known[1]


def called(name: str) -> str:
    """What something is called in a picture: one's own without its module.

    >>> called("my:swish"), called("tanh")
    ('swish', 'tanh')
    """
    return name.partition(":")[2] or name


def find(kind: str, name: str) -> Any:
    """What stands at the top of a module under this name, "module:name". Raises RequestError."""
    module, colon, attribute = name.partition(":")
    if not (colon and attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise RequestError(f"{kind} is {one_line(name)}: write MODULE:NAME, such as my_module:my_{kind}")
    main = sys.modules.get("__main__")
    loaded = main if main is not None and _called(main) == module else sys.modules.get(module)
    if loaded is None:
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())  # as `python -m` has it: one's module lies where the command is run
        try:
            loaded = importlib.import_module(module)
        except Exception as error:
            raise RequestError(f"{kind} {name}: {_told(error)}") from error
    there = {one: value for one, value in vars(loaded).items() if not isinstance(value, ModuleType)}
    found = choose(kind, attribute, {one: value for one, value in there.items() if not one.startswith("__")})
    if isinstance(found, BuiltinFunctionType):  # names come out of files too, and os:kill would do what it does
        raise RequestError(f"{kind} {name} is no function that is written in Python, nor one of NumPy's")
    return found


def name_of(kind: str, thing: Any) -> Any:
    """The name, "module:name", of a function or an object of one's own; text, and what cannot be called, stays as it is.

    Raises RequestError where it stands at the top of no module, as lambdas and nested functions do.

    >>> import math
    >>> name_of("schedule", math.exp), name_of("schedule", "cosine")
    ('math:exp', 'cosine')
    """
    if isinstance(thing, str) or not callable(thing):
        return thing
    homes = [getattr(one, "__module__", None) for one in (thing, *_parts(thing))]
    modules = [*(sys.modules.get(home or "") for home in homes), *list(sys.modules.values())]
    for module in modules:
        if isinstance(module, ModuleType):
            for name, value in list(vars(module).items()):
                if value is thing:
                    return f"{_called(module)}:{name}"
    what = getattr(thing, "__qualname__", type(thing).__name__)
    raise RequestError(
        f"{kind} {what} has no name by which others could find it: define it at the top of a module, and not as a "
        "lambda or within a function"
    )


def digest_of(name: str) -> str:
    """A hash of the source that is behind a name of one's own: comments and blanks do not count, what it calls does.

    Raises RequestError.
    """
    import hashlib  # not for `import sandbox`

    return hashlib.sha256("\n".join(_sources(find("name", name), set())).encode()).hexdigest()[:12]


def _sources(thing: Any, seen: set[int]) -> Iterator[str]:
    """The source of a thing, and of what stands beside it in its module and is used by it."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    for part in _parts(thing):
        yield from _sources(part, seen)
    if isinstance(thing, FunctionType):
        yield _source(thing)
        for name in sorted(_names(thing.__code__)):
            beside = thing.__globals__.get(name)
            if isinstance(beside, FunctionType | type) and beside.__module__ == thing.__module__:
                yield from _sources(beside, seen)
            elif isinstance(beside, int | float | str | tuple):
                yield f"{name} = {beside!r}"
    elif isinstance(thing, type):
        yield _source(thing)
    elif isinstance(thing, int | float | str | tuple | dict):
        yield repr(thing)
    else:
        yield getattr(thing, "__name__", type(thing).__qualname__)


def _names(code: Any) -> set[str]:
    """The names that code uses, and the functions within it."""
    inner = [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return {*code.co_names, *(name for one in inner for name in _names(one))}


@cache
def _source(thing: Any) -> str:
    """The source of a function or a class, without comments and blanks; read once, for thousands of configs may name it."""
    import ast  # these two are not for `import sandbox`
    import inspect
    from textwrap import dedent

    try:
        text = dedent(inspect.getsource(thing))
    except (OSError, TypeError):  # typed at a prompt that keeps no lines
        return thing.__code__.co_code.hex() if isinstance(thing, FunctionType) else repr(thing)
    try:
        return ast.unparse(ast.parse(text))
    except SyntaxError:  # a lambda's line may be a part of a sentence
        return text


def _parts(thing: Any) -> list[Any]:
    """The functions, and other values, that an object of one's own is made of."""
    if isinstance(thing, partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, FunctionType | type | ModuleType) or not hasattr(thing, "__dict__"):
        return []
    return [value for _, value in sorted(vars(thing).items())]


def _called(module: ModuleType) -> str:
    """By what name others import a module, the one that is run included."""
    if module.__name__ not in ("__main__", "__mp_main__"):
        return module.__name__
    spec, file = getattr(module, "__spec__", None), getattr(module, "__file__", None)
    return spec.name if spec else Path(file).stem if file else "__main__"


def _told(error: Exception) -> str:
    """An error in one's own module, with the line that it comes from."""
    if isinstance(error, ImportError | SyntaxError):
        return str(error)
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(".py") and Path(__file__).parent not in Path(file).parents:
            where = f" ({Path(file).name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}: {error}{where}"
