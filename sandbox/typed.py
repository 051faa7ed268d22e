"""Commands as they are typed here: what is printed as the next one works as it is printed, activated environment or not."""

import os
import shlex
import shutil
import sys
import sysconfig
from pathlib import Path

NAME = "sandbox"
TARGETS = ("ui", "compare")  # that make has too
MADE = "-m studies.features_vs_layers"  # what no other project's Makefile runs


def typed(*words: str) -> str:
    """`sandbox` with these words, as a shell here takes it: by its name where that is on the PATH, else by its path.

    A bare `ui` or `compare` goes by make where this project's Makefile is, which installs what is missing.
    """
    if len(words) == 1 and words[0] in TARGETS and _in_the_clone():
        return f"make {words[0]}"
    return shlex.join([*_program(), *words])


def program(name: str) -> str:
    """How a program of this environment is typed here: by its path, where a shell would find none or another one."""
    path = shutil.which(name, path=os.path.dirname(sys.executable))
    if path is None or shutil.which(name) == path:
        return name
    return shlex.quote(_from_here(path))


def next_commands(*commands: str) -> str:
    """What can be typed next, a line each, so that none has to be cut out of a line."""
    return "next: " + "\n      ".join(commands)


def near(path: str | os.PathLike[str]) -> str:
    """A file's path as one opens it here: from the working directory where it lies below."""
    path = os.path.abspath(path)
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else path


def _program() -> list[str]:
    scripts = sysconfig.get_path("scripts")
    own = sys.argv[0] if Path(sys.argv[0]).stem == NAME and os.path.isfile(sys.argv[0]) else None
    own = own or shutil.which(NAME, path=scripts)
    if own is None:
        return [_from_here(sys.executable), "-m", NAME]
    on_path = shutil.which(NAME)  # perhaps somebody else's
    return [NAME if on_path and os.path.samefile(on_path, own) else _from_here(own)]


def _from_here(program: str) -> str:
    """The path of a program, with a slash, or no shell would look for it here."""
    path = near(program)
    return path if os.sep in path else os.path.join(os.curdir, path)


def _in_the_clone() -> bool:
    try:
        return MADE in Path("Makefile").read_text()
    except (OSError, UnicodeDecodeError):
        return False
