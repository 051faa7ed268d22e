"""An expression as a graph: `(x^2+1)^3`, or several equations whose gradients add up, `a = x^2; b = 3*x; y = a*b`.

equations := [name '='] expression (';' name '=' expression)*      the last one is what is differentiated
expression                                                           numbers, names, + - * / ^, parentheses, functions
"""

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from sandbox.errors import RequestError, choose, one_line
from sandbox.graph.graph import Graph
from sandbox.graph.node import Edge, Node
from sandbox.graph.operations import ACTIVATIONS, leaf

LONGEST, MOST = 500, 200  # characters of a text, and operations
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, str]]] = {
    **{name: ACTIVATIONS[name] for name in ("sin", "cos", "tanh", "sigmoid", "relu", "softplus")},
    "exp": lambda x: (np.exp(x), np.exp(x), "{a}"),
    "log": lambda x: (np.log(x), 1 / x, "1/{z}"),
    "sqrt": lambda x: (np.sqrt(x), 0.5 / np.sqrt(x), "1/(2*{a})"),
    "abs": lambda x: (np.abs(x), np.sign(x), "sign({z})"),
}
SIGNS: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}
SPARE = "uvwpqrst"

Term = Node | float


def variables(text: str) -> list[str]:
    """The names that an expression's equations use and do not define, in the order of the alphabet.

    >>> variables("a = x^2; y = a*b + pi")
    ['b', 'x']
    """
    used: set[str] = set()
    defined: set[str] = set()
    for name, tree in _equations(text):
        called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
        used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called} - defined
        defined |= {name} if name else set()
    return sorted(used - CONSTANTS.keys())


def is_expression(text: str) -> list[str]:
    """The variables of a text that computes something from them; none where it is a word, or no expression.

    >>> is_expression("x^2"), is_expression("spiral"), is_expression("a b")
    (['x'], [], [])
    """
    try:
        computes = any(not isinstance(tree, ast.Name | ast.Attribute) for _, tree in _equations(text))
        return variables(text) if computes else []
    except RequestError:
        return []


def values_of(text: str) -> dict[str, float]:
    """Values by names, from text such as `x=3,y=-1`. Raises RequestError for another.

    >>> values_of("x=3, y=-1")
    {'x': 3.0, 'y': -1.0}
    """
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not name.isidentifier() or not math.isfinite(number):
            raise RequestError(f"{one_line(part.strip())} gives no name a number: --at x=3,y=-1")
        if name in values:
            raise RequestError(f"{name} is given twice in {one_line(text)}")
        values[name] = number
    return values


def expression_graph(text: str, at: Mapping[str, Any]) -> Graph:
    """The graph of an expression, and its derivatives by everything in it, at the values `at` of its variables.

    Values are numbers, or arrays of one shape: then it is computed at many points at once. Raises RequestError for a text
    that is no expression, and for a variable without a value or a value without a variable.

    >>> graph = expression_graph("(x^2+1)^3", {"x": 3})
    >>> graph.loss.value.item(), graph["x"].gradient.item()
    (1000.0, 1800.0)
    """
    needed = variables(text)
    if missing := [name for name in needed if name not in at]:
        raise RequestError(f"{missing[0]} has no value: --at {','.join(f'{name}=1' for name in needed)}")
    if extra := [name for name in at if name not in needed]:
        raise RequestError(
            f"{one_line(text)} has no variable {one_line(extra[0])}: it has {', '.join(needed) or 'none'}"
        )
    if not needed:
        raise RequestError(f"{one_line(text)} has no variable: write one, such as x^2")
    equations = list(_equations(text))
    named = {name for name, _ in equations} | {*needed}
    last = next(name for name in ("y", "f", "out") if name not in named)
    building = _Building({name: leaf(name, "variable", at[name]) for name in needed}, named | {last})
    with np.errstate(all="ignore"):
        for name, tree in equations:
            if name in building.known:
                raise RequestError(f"{name} is defined twice in {one_line(text)}")
            building.define(name or last, tree)
        return Graph(building.nodes)


class _Building:
    """The nodes so far, by their names."""

    def __init__(self, leaves: dict[str, Node], taken: set[str]) -> None:
        self.known: dict[str, Term] = {**leaves}
        self.nodes = [*leaves.values()]
        self._spare = (name for name in _spare_names() if name not in taken)

    def define(self, name: str, tree: ast.expr) -> None:
        """Name the value of an expression; one that is a name or a number alone becomes a node, too."""
        term = self.term(tree, name)
        if not (isinstance(term, Node) and term.name == name):
            term = self._node(name, _word(term), np.asarray(_value(term)), [(term, 1.0, "1")])
        self.known[name] = term

    def term(self, tree: ast.expr, name: str = "") -> Term:
        """A node, called `name`, or a number."""
        match tree:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return _float(value)
            case ast.Name(id=known) if known in self.known:
                return self.known[known]
            case ast.Name(id=known) if known in CONSTANTS:
                return CONSTANTS[known]
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.term(inner, name)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                x = self.term(inner)
                return self._node(name, f"-{_word(x)}", np.asarray(-_value(x)), [(x, -1.0, "-1")])
            case ast.Call(func=ast.Name(id=called), args=[inner], keywords=[]):
                function = choose("function", called, FUNCTIONS)
                x = self.term(inner)
                value, local, formula = function(np.asarray(_value(x), np.float64))
                name = name or (next(self._spare) if isinstance(x, Node) else "")
                return self._node(
                    name, f"{called}({_word(x)})", value, [(x, local, formula.format(a=name, z=_word(x)))]
                )
            case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
                return self._operation(SIGNS[type(op)], self.term(left), self.term(right), name)
        part = ast.unparse(tree).replace("**", "^")
        raise RequestError(f"{one_line(part)} is not known: numbers, names, + - * / ^, {', '.join(FUNCTIONS)}")

    def _operation(self, sign: str, left: Term, right: Term, name: str) -> Term:
        a, b, x, y = _value(left), _value(right), _word(left), _word(right)
        parts: list[tuple[Term, Any, str]]
        if sign in "+-":
            value, parts = a + b if sign == "+" else a - b, [(left, 1.0, "1"), (right, 1.0, "1")]
            parts[1] = parts[1] if sign == "+" else (right, -1.0, "-1")
        elif sign == "*":
            value, parts = a * b, [(left, b, y), (right, a, x)]
        elif sign == "/":
            value, parts = a / b, [(left, 1 / b, f"1/{y}"), (right, -a / b**2, f"-{x}/{y}^2")]
        else:
            value = a**b
            slope = f"{y}*{x}" + (f"^{b - 1:g}" if b != 2 else "") if not np.ndim(b) else f"{y}*{x}^({y}-1)"
            parts = [(left, b * a ** (b - 1), slope), (right, value * np.log(a), f"{x}^{y}*log({x})")]
        between = sign if sign in "*/^" else f" {sign} "
        return self._node(name, f"{x}{between}{y}", np.asarray(value), parts)

    def _node(self, name: str, formula: str, value: np.ndarray, parts: list[tuple[Term, Any, str]]) -> Term:
        """A node that depends on those of its parts that are nodes; a number where none is and it needs no name."""
        edges = [
            Edge(term, np.broadcast_to(local, value.shape), text)
            for term, local, text in parts
            if isinstance(term, Node)
        ]
        if not edges and not name:
            return _float(value.item())
        self.nodes.append(Node(name or next(self._spare), "sum", value, formula, tuple(edges)))
        if len(self.nodes) > MOST:
            raise RequestError(f"more than {MOST} operations are too many to see")
        return self.nodes[-1]


def _equations(text: str) -> Iterator[tuple[str, ast.expr]]:
    """Each equation's name, "" for one that has none, and what it says."""
    parts = [part.strip() for part in text.split(";")]
    if len(text) > LONGEST:
        raise RequestError(f"an expression of {len(text)} characters is too long: {LONGEST} are the most")
    for at, part in enumerate(parts, 1):
        name, equals, formula = part.rpartition("=")
        name = name.strip()
        if (equals or at < len(parts)) and not (name.isidentifier() and name not in {*FUNCTIONS, *CONSTANTS}):
            raise RequestError(f"{one_line(part)} is no equation: write a = x^2; b = 3*x; y = a*b")
        try:
            yield name, ast.parse(formula.strip().replace("^", "**"), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise RequestError(f"{one_line(formula.strip() or part)} is no expression, such as (x^2+1)^3") from None


def _spare_names() -> Iterator[str]:
    yield from SPARE
    yield from (f"u{number}" for number in range(1, MOST + 1))


def _value(term: Term) -> Any:
    return term.value if isinstance(term, Node) else np.float64(term)


def _word(term: Term) -> str:
    return term.name if isinstance(term, Node) else f"{term:.6g}"


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise RequestError("a number is too large: beyond 1e308") from None
