"""Command lines: those that should work, small, and the same with something hostile in them.

The commands and their options are read from the command line itself, so that whatever comes to it is drawn too.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import click

from sandbox.cli import cli
from sandbox.config import FIELDS
from tests.fuzz.values import GOOD, HOSTILE, LIKELY, NUMBERS, TEXTS

SHARES = {"train": 48, "sweep": 6, "explain": 24, "experiment": 3, "compare": 2.5, "doctor": 5, "sync": 5, "ui": 0.5}
TAKEN = {  # options whose value is taken as it is, to be used later on, and how often it is one of them alone
    **{"--name": 6, "--tracking-uri": 2, "--arm": 4, "--checkpoint": 2, "--out": 3, "--png": 3, "--plane": 2},
    **{"--artifacts": 2, "--objective": 1, "--vary": 1, "--hook": 1, "--host": 1},
}
PLACES = ("--tracking-uri", "--artifacts", "--checkpoint", "--out", "--png")
SCRIPTS = ["depth", "feature_crosses", "initializers", "learning_rate"]
Group = list[str]


@dataclass
class Command:
    """A drawn command line. For an experiment's, `script` is which, and `name` what its sweep is called instead."""

    number: int
    words: list[str]
    script: str = ""
    name: str = ""

    def __str__(self) -> str:
        who = f"experiments.{self.script} (as {self.name!a})" if self.script else "sandbox"
        line = shlex.join(self.words) if all(map(str.isprintable, self.words)) else ascii(self.words)
        return f"{self.number}: {who} {line if len(line) < 500 else line[:240] + ' ... ' + line[-240:]}"

    @property
    def asks_only_to_train(self) -> bool:
        """Whether it names no place, which may be away or full: it can be done, or the request is wrong."""
        trains = bool(self.script) or self.words[0] in ("train", "sweep", "compare", "explain", "experiment")
        return trains and not any(word.startswith(PLACES) for word in self.words)


def subcommands() -> dict[str, click.Command]:
    """Every command of `sandbox` by name."""
    context = click.Context(cli)
    return {name: found for name in cli.list_commands(context) if (found := cli.get_command(context, name))}


def draw(seed: int, number: int) -> Command:
    """The command of this number: always the same."""
    luck = Random(f"{seed}/{number}")
    known = subcommands()
    shares = {name: SHARES.get(name, 4) for name in [*known, "experiment"]}
    (chosen,) = luck.choices(list(shares), list(shares.values()))
    command = known["sweep" if chosen == "experiment" else chosen]
    options = [one for one in command.params if isinstance(one, click.Option) and "--help" not in one.opts]
    if chosen == "experiment":
        options = [one for one in options if one.opts[0] not in ("--vary", "--name")]
    groups = BASES[chosen](luck) if chosen in BASES else [[luck.choice(TEXTS)] for _ in _arguments(command)]
    for _ in range(luck.choice([0, 0, 1, 1, 2, 3])):
        option = _choose(options, luck)
        if option.is_flag:
            groups.append([option.opts[0]])
        elif option.opts[0] in GOOD:
            groups.append([option.opts[0], luck.choice(GOOD[option.opts[0]])])
    if (taken := [one.opts[0] for one in options if one.opts[0] in TAKEN]) and luck.random() < 0.5:
        _give(groups, luck.choices(taken, [TAKEN[name] for name in taken])[0], luck)
    else:
        for _ in range(luck.choices([0, 1, 2, 4], [2, 10, 6, 2])[0]):
            _spoil(groups, options, luck)
    words = [word for group in groups for word in group]
    if chosen == "experiment" and luck.random() < 0.3:
        return Command(number, ["experiment", luck.choice([*SCRIPTS, *SCRIPTS, luck.choice(TEXTS)]), *words])
    if chosen == "experiment":
        name = luck.choice(["", luck.choice([*TEXTS, "a\0b"])])
        return Command(number, words, luck.choice(SCRIPTS), name)
    if luck.random() < 0.02:
        chosen = luck.choice([chosen[:-1], *TEXTS])
    return Command(number, [chosen, *words])


def _choose(options: list[click.Option], luck: Random) -> click.Option:
    """One of a command's options, more often one of its own than one of Config's, of which there are so many."""
    return luck.choices(options, [1 if one.name in FIELDS else 3 for one in options])[0]


def _arguments(command: click.Command) -> list[click.Parameter]:
    return [one for one in command.params if isinstance(one, click.Argument)]


def _give(groups: list[Group], option: str, luck: Random) -> None:
    """Give an option a hostile value, in place of the one that it has."""
    places = [place for place, group in enumerate(groups) if group[0] == option]
    place = places[0] if places else len(groups)
    groups[place : place + 1] = [[option, hostile(option, luck)]]


def _spoil(groups: list[Group], options: list[click.Option], luck: Random) -> None:
    """Do something hostile to a command line."""
    how = luck.choices(["add", "change", "drop", "stray", "join", "again"], [8, 8, 1, 1, 1, 1])[0]
    place = luck.randrange(len(groups)) if groups else 0
    if how == "add" or not groups:
        option = _choose(options, luck)
        groups.append([option.opts[0]] if option.is_flag else [option.opts[0], hostile(option.opts[0], luck)])
    elif how == "change":
        group = groups[place]
        groups[place] = [group[0], hostile(group[0], luck)] if len(group) == 2 else [luck.choice(TEXTS[:-1])]
    elif how == "drop":
        groups[place] = groups[place][: len(groups[place]) - 1]
    elif how == "stray":
        groups.insert(place, [luck.choice([*TEXTS, *NUMBERS])])
    elif how == "join":
        groups[place] = ["=".join(groups[place])]
    else:
        groups.append(groups[place])


def hostile(option: str, luck: Random) -> str:
    """A value that this option may not be ready for."""
    if option in HOSTILE:
        return luck.choice(HOSTILE[option])
    pools = [LIKELY[option], LIKELY[option], TEXTS, NUMBERS] if option in LIKELY else [NUMBERS, NUMBERS, TEXTS]
    return luck.choice(luck.choice(pools))


def _train(luck: Random) -> list[Group]:
    tracked = [] if luck.random() < 0.4 else [["--no-track"]]
    return [["--epochs", luck.choice(GOOD["--epochs"])], *tracked, *([["--json"]] if luck.random() < 0.5 else [])]


def _sweep(luck: Random) -> list[Group]:
    json = [["--json"]] if luck.random() < 0.7 else []
    base = [["--epochs", luck.choice(GOOD["--epochs"])], ["--seeds", "1"], ["--writers", "1"], *json]
    return [["--vary", luck.choice(GOOD["--vary"])], ["--trials", "3"], *base]


def _experiment(luck: Random) -> list[Group]:
    return [["--trials", "3"], *_sweep(luck)[2:]]


def _compare(luck: Random) -> list[Group]:
    arms = [["--arm", "raw: hidden=none"], ["--arm", "deep: hidden=2"]]
    counts = [["--seeds", "2"], ["--trials", "1"], ["--epochs", "2"], ["--n", "16"]]
    return [["--dataset", "circle"], *arms, *counts, *([["--json"]] if luck.random() < 0.5 else [])]


def _explain(luck: Random) -> list[Group]:
    return [[luck.choice(GOOD["--dataset"])], *([["--weights", "1,2"]] if luck.random() < 0.3 else [])]


def _ui(luck: Random) -> list[Group]:
    """Mostly refused; what is not is interrupted."""
    option = luck.choice(["--port", "--host", "--tracking-uri"])
    port = ["--port", str(luck.randrange(20_000, 30_000))]  # not that of another process, which serves too
    return [port, [option, luck.choice(HOSTILE.get(option, NUMBERS))]]


BASES: dict[str, Callable[[Random], list[Group]]] = {
    "train": _train,
    "sweep": _sweep,
    "experiment": _experiment,
    "compare": _compare,
    "explain": _explain,
    "ui": _ui,
}
