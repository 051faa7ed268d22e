"""Feature crosses written as people write them, `x1*x2` or `sin(x1)^2`, parsed by hand: nothing is evaluated.

    term   := factor ('*' factor)*
    factor := atom ('^' power)?           power is 1 to 9
    atom   := column | sin(term) | cos(term) | tanh(term) | abs(term) | module:name(term) | module:name
    column := x<number> | name | "name"

Columns are counted from 1: x1, x2, ... Those of one's own data go by their names too, quoted where these are no plain
words. White space is free. A function of one's own, module:name, takes a term (examples,), or, without one, all the features
(examples, features), and gives (examples,): row by row, so that an example's does not depend on the others.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, NoReturn

import numpy as np

from sandbox.errors import RequestError, choose, one_line
from sandbox.own import is_own, look_up

FUNCTIONS = {"sin": np.sin, "cos": np.cos, "tanh": np.tanh, "abs": np.abs}
LONGEST_TEXT = 200
DEEPEST_NESTING = 10
LARGEST_POWER = 9

TOKEN = re.compile(r'"[^"]*"|(?:[^\W\d]\w*\.)*[^\W\d]\w*:[^\W\d]\w*|[^\W\d]\w*|[0-9]+|\S')
Columns = int | Sequence[str]  # how many features there are, or what they are called


@dataclass(frozen=True)
class Atom:
    """A column, counted from 1 and written as `label`, or a function of a term, or of all columns."""

    column: int = 0
    function: str = ""
    term: "Term | None" = None
    label: str = ""

    def __str__(self) -> str:
        return f"{self.function}({self.term})" if self.term else self.function or self.label

    def __call__(self, X: np.ndarray) -> np.ndarray:
        if not self.function:
            return X[:, self.column - 1]
        return get_function(self.function)(self.term(X) if self.term else X)

    @property
    def order(self) -> tuple[int, bool, str]:
        """Where it stands in a canonical product: by its first column, the plain column first."""
        first = self.term.factors[0][0].order[0] if self.term else self.column
        return first, self.term is not None, str(self)


@dataclass(frozen=True)
class Term:
    """A product of atoms, each raised to a power."""

    factors: tuple[tuple[Atom, int], ...]

    def __str__(self) -> str:
        return "*".join(f"{atom}^{power}" if power > 1 else str(atom) for atom, power in self.factors)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return reduce(np.multiply, (atom(X) ** power for atom, power in self.factors))

    @property
    def functions(self) -> set[str]:
        """The functions of one's own that it needs."""
        atoms = [atom for atom, _ in self.factors]
        below = (atom.term.functions for atom in atoms if atom.term)
        return {atom.function for atom in atoms if is_own(atom.function)}.union(*below)


@dataclass(frozen=True)
class Cross:
    """A new feature made of others: `cross(X)` with X (examples, features) gives (examples,).

    `name` is its canonical text: no blanks, factors in the order of their columns, equal ones as one power.
    Crosses of the same name are equal.

    >>> cross = parse_cross("x2*x1", 2)
    >>> cross.name, cross([[3, 2], [5, 1]])
    ('x1*x2', array([6., 5.]))
    """

    name: str
    term: Term = field(repr=False)

    @property
    def functions(self) -> set[str]:
        """The functions of one's own that it needs, "module:name"."""
        return self.term.functions

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X)
        with np.errstate(over="ignore", invalid="ignore"):  # of features so large, networks diverge, and say so
            return self.term(X if np.issubdtype(X.dtype, np.floating) else X.astype(float))


def get_function(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function of a term called `name`, or one's own, "module:name". Raises RequestError, naming the valid ones."""
    return look_up("feature", name, FUNCTIONS, _own)


def _own(name: str, found: Any) -> Any:
    if not callable(found) or isinstance(found, type):
        raise RequestError(f"{name} is no feature: a function of (examples,), or of (examples, features), is needed")
    return found


def _check_own(name: str, shape: tuple[int, ...]) -> None:
    """Raises RequestError where a function of one's own does not give a number for each of the rows of such arrays."""
    X, function = np.random.default_rng(0).normal(size=shape), get_function(name)
    try:
        with np.errstate(all="ignore"):
            whole, rows = np.asarray(function(X), float), np.asarray(function(X[2:5]), float)
    except Exception as error:
        raise RequestError(f"feature {name} for numbers {shape}: {type(error).__name__}: {error}") from error
    if whole.shape != shape[:1]:
        raise RequestError(f"feature {name} gives the shape {whole.shape} for {shape}: {shape[:1]} is needed")
    if not np.allclose(whole[2:5], rows, rtol=1e-9, atol=1e-12, equal_nan=True):
        raise RequestError(f"feature {name} is not the same for a row beside others: it has to work row by row")


def parse_cross(text: str, columns: Columns) -> Cross:
    """The cross that `text` describes, for data with so many features, or with features of these names.

    Raises RequestError saying where the text went wrong and what would be right.

    >>> cross = parse_cross("x2 * x1^2", 2)
    >>> cross.name, cross(np.array([[3.0, 2.0]]))
    ('x1^2*x2', array([18.]))
    >>> parse_cross('"net income" * age * x1', ["age", "net income"]).name
    'age^2*"net income"'
    """
    if not isinstance(text, str):
        raise RequestError(f"a cross is text such as x1*x2, got {one_line(text)}")
    term = _Parser(text, columns).whole()
    return Cross(str(term), term)


def parse_crosses(texts: Iterable[str], columns: Columns) -> tuple[Cross, ...]:
    """The crosses that `texts` describe, in this order, for data with so many features, or with features of these names.

    Raises RequestError for a wrong text, and for two of the same name.

    >>> [cross.name for cross in parse_crosses(["x1*x2", "sin( x1 )"], 2)]
    ['x1*x2', 'sin(x1)']
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise RequestError(f"crosses are a list of texts such as x1*x2, got {one_line(texts)}")
    crosses: dict[str, Cross] = {}
    for text in texts:
        cross = parse_cross(text, columns)
        if cross.name in crosses:
            raise RequestError(f"cross {one_line(text)}: {cross.name} is there already; name every cross once")
        crosses[cross.name] = cross
    return tuple(crosses.values())


def add_crosses(X: np.ndarray, crosses: Sequence[Cross], kept: Sequence[int] | None = None) -> np.ndarray:
    """X (examples, features) with a column more for each cross: (examples, features + crosses), a new array.

    Of the features only those at the places `kept`, where these are given; crosses are of all.

    >>> add_crosses(np.array([[3.0, 2.0]]), parse_crosses(["x1*x2", "x2^3"], 2))
    array([[3., 2., 6., 8.]])
    """
    own = X if kept is None else np.asarray(X)[:, list(kept)]
    return np.column_stack([own, *(cross(X) for cross in crosses)])


def places_kept(omitted: Iterable[str], columns: Columns) -> tuple[int, ...]:
    """The places of the features that are not omitted, which go by x1, x2, ... or by their names. Raises RequestError.

    >>> places_kept(["x1"], 3), places_kept(["age"], ["age", "income"])
    ((1, 2), (1,))
    """
    count, names = (columns, ()) if isinstance(columns, int) else (len(columns), columns)
    known = {f"x{place + 1}": place for place in range(count)} | {name: place for place, name in enumerate(names)}
    gone = {choose("feature to omit", name, known) for name in omitted}
    return tuple(place for place in range(count) if place not in gone)


def quoted(name: str) -> str:
    """A column's name as a cross has it: quoted where it is no plain word, or one of the functions.

    >>> quoted("age"), quoted("net income")
    ('age', '"net income"')
    """
    return name if name.isidentifier() and name not in FUNCTIONS else f'"{name}"'


class _Parser:
    """Recursive descent: one method per line of the grammar, each leaving `next` at what it did not read."""

    def __init__(self, text: str, columns: Columns) -> None:
        self.text = text
        count, names = (columns, ()) if isinstance(columns, int) else (len(columns), columns)
        self.named = bool(names)
        self.places = {f"x{place}": place for place in range(1, count + 1)} | {
            name: place for place, name in enumerate(names, 1)
        }
        self.labels = [quoted(name) for name in names] or [f"x{place}" for place in range(1, count + 1)]
        self.next = 0
        self.depth = 0
        if len(text) > LONGEST_TEXT:
            raise RequestError(f"cross {one_line(text)} has {len(text)} characters: at most {LONGEST_TEXT} are allowed")
        self.tokens = [(match.group(), match.start() + 1) for match in TOKEN.finditer(text)]

    def whole(self) -> Term:
        term = self.term()
        if self.peek():
            self.fail("'*', '^' or the end")
        return term

    def term(self) -> Term:
        powers: dict[Atom, int] = {}
        while True:
            atom, power = self.factor()
            powers[atom] = powers.get(atom, 0) + power
            if powers[atom] > LARGEST_POWER:
                raise RequestError(
                    f"cross {one_line(self.text)}: {atom} has the power {powers[atom]} in all, "
                    f"at most {LARGEST_POWER} is allowed"
                )
            if not self.accept("*"):
                return Term(tuple(sorted(powers.items(), key=lambda item: item[0].order)))

    def factor(self) -> tuple[Atom, int]:
        atom = self.atom()
        if not self.accept("^"):
            return atom, 1
        power = self.peek()
        if power not in set("123456789"):
            self.fail("a power from 1 to 9")
        self.next += 1
        return atom, int(power)

    def atom(self) -> Atom:
        word = self.peek()
        if word in FUNCTIONS:
            self.next += 1
            return Atom(function=word, term=self.argument())
        if is_own(word) and not word.startswith('"'):
            self.next += 1
            term = self.argument() if self.peek() == "(" else None
            _check_own(word, (8,) if term else (8, len(self.labels)))
            return Atom(function=word, term=term)
        name = word.strip('"') if self.named else word
        place = self.places.get(name) or self.places.get(re.sub("^x0+", "x", name))
        if place is None:
            self.fail(f"{self.columns()} or one of {', '.join(f'{name}(...)' for name in FUNCTIONS)}")
        self.next += 1
        return Atom(column=place, label=self.labels[place - 1])

    def argument(self) -> Term:
        if not self.accept("("):
            self.fail("'('")
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise RequestError(f"cross {one_line(self.text)}: functions are nested more than {DEEPEST_NESTING} deep")
        term = self.term()
        if not self.accept(")"):
            self.fail("'*', '^' or ')'")
        self.depth -= 1
        return term

    def peek(self) -> str:
        return self.tokens[self.next][0] if self.next < len(self.tokens) else ""

    def accept(self, token: str) -> bool:
        found = self.peek() == token
        self.next += found
        return found

    def columns(self) -> str:
        if len(self.labels) <= 4:
            return ", ".join(self.labels)
        if not self.named:
            return f"x1 to x{len(self.labels)}"
        return f"{', '.join(self.labels[:8])}{', ...' * (len(self.labels) > 8)}"

    def fail(self, expected: str) -> NoReturn:
        if self.next < len(self.tokens):
            token, position = self.tokens[self.next]
            found = f"{one_line(token)} at character {position}"
        else:
            found = "its end"
        raise RequestError(f"cross {one_line(self.text)}: expected {expected}, found {found}")
