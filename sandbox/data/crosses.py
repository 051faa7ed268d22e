"""Feature crosses written as people write them, `x1*x2` or `sin(x1)^2`, parsed by hand: nothing is evaluated.

    term   := factor ('*' factor)*
    factor := atom ('^' power)?           power is 1 to 9
    atom   := x<number> | sin(term) | cos(term) | tanh(term) | abs(term)

Columns are counted from 1 whatever they are called in the data set. White space is free.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from sandbox.errors import RequestError, one_line

FUNCTIONS = {"sin": np.sin, "cos": np.cos, "tanh": np.tanh, "abs": np.abs}
LONGEST_TEXT = 200
DEEPEST_NESTING = 10
LARGEST_POWER = 9

TOKEN = re.compile(r"[A-Za-z_][A-Za-z_0-9]*|[0-9]+|\S")


@dataclass(frozen=True)
class Atom:
    """A column, counted from 1, or a function of a term."""

    column: int = 0
    function: str = ""
    term: "Term | None" = None

    def __str__(self) -> str:
        return f"{self.function}({self.term})" if self.term else f"x{self.column}"

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return FUNCTIONS[self.function](self.term(X)) if self.term else X[:, self.column - 1]

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

    def __call__(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X)
        with np.errstate(over="ignore", invalid="ignore"):  # of features so large, networks diverge, and say so
            return self.term(X if np.issubdtype(X.dtype, np.floating) else X.astype(float))


def parse_cross(text: str, n_features: int) -> Cross:
    """The cross that `text` describes, for data with that many features.

    Raises RequestError saying where the text went wrong and what would be right.

    >>> cross = parse_cross("x2 * x1^2", 2)
    >>> cross.name, cross(np.array([[3.0, 2.0]]))
    ('x1^2*x2', array([18.]))
    """
    if not isinstance(text, str):
        raise RequestError(f"a cross is text such as x1*x2, got {one_line(text)}")
    term = _Parser(text, n_features).whole()
    return Cross(str(term), term)


def parse_crosses(texts: Iterable[str], n_features: int) -> tuple[Cross, ...]:
    """The crosses that `texts` describe, in this order, for data with that many features.

    Raises RequestError for a wrong text, and for two of the same name.

    >>> [cross.name for cross in parse_crosses(["x1*x2", "sin( x1 )"], 2)]
    ['x1*x2', 'sin(x1)']
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise RequestError(f"crosses are a list of texts such as x1*x2, got {one_line(texts)}")
    crosses: dict[str, Cross] = {}
    for text in texts:
        cross = parse_cross(text, n_features)
        if cross.name in crosses:
            raise RequestError(f"cross {one_line(text)}: {cross.name} is there already; name every cross once")
        crosses[cross.name] = cross
    return tuple(crosses.values())


def add_crosses(X: np.ndarray, crosses: Sequence[Cross]) -> np.ndarray:
    """X (examples, features) with a column more for each cross: (examples, features + crosses), a new array.

    >>> add_crosses(np.array([[3.0, 2.0]]), parse_crosses(["x1*x2", "x2^3"], 2))
    array([[3., 2., 6., 8.]])
    """
    return np.column_stack([X, *(cross(X) for cross in crosses)])


class _Parser:
    """Recursive descent: one method per line of the grammar, each leaving `next` at what it did not read."""

    def __init__(self, text: str, n_features: int) -> None:
        self.text = text
        self.n_features = n_features
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
        if not re.fullmatch("x[0-9]+", word) or not 1 <= int(word[1:]) <= self.n_features:
            self.fail(f"{self.columns()} or one of {', '.join(f'{name}(...)' for name in FUNCTIONS)}")
        self.next += 1
        return Atom(column=int(word[1:]))

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
        if self.n_features <= 4:
            return ", ".join(f"x{column + 1}" for column in range(self.n_features))
        return f"x1 to x{self.n_features}"

    def fail(self, expected: str) -> None:
        if self.next < len(self.tokens):
            token, position = self.tokens[self.next]
            found = f"{one_line(token)} at character {position}"
        else:
            found = "its end"
        raise RequestError(f"cross {one_line(self.text)}: expected {expected}, found {found}")
