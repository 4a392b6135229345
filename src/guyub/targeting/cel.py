"""Reading rules written in CEL (Common Expression Language) into a syntax tree.

The grammar follows https://github.com/google/cel-spec/blob/master/doc/langdef.md, less what rules have
no use for: bytes, unsigned numbers, maps and messages. One thing is added: ``has(x)`` takes a plain name
where CEL wants a field (``has(household.x)``, which is understood too).

Whatever the text, :func:`parse` returns a tree or raises :class:`RuleError`, within bounded time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, VisitError
from lark.visitors import Transformer_NonRecursive

MAX_LENGTH = 6_000
MAX_NODES = 600
MAX_DEPTH = 24
MAX_LIST = 400
MAX_INTEGER = 2**63 - 1

GRAMMAR = r"""
?start: expression
?expression: disjunction | disjunction "?" disjunction ":" expression -> choice
?disjunction: conjunction | disjunction OR conjunction -> logic
?conjunction: relation | conjunction AND relation -> logic
?relation: addition | relation (LT | LE | GE | GT | EQ | NE | IN) addition -> binary
?addition: multiplication | addition (PLUS | MINUS) multiplication -> binary
?multiplication: unary | multiplication (STAR | SLASH | PERCENT) unary -> binary
?unary: member | NOT+ member -> repeated | MINUS+ member -> repeated
?member: primary
    | member "." IDENT -> select
    | member "." IDENT "(" arguments RPAR -> method
    | member "[" expression "]" -> index
?primary: IDENT -> name
    | IDENT "(" arguments RPAR -> call
    | "(" expression ")"
    | LSQB items RSQB -> sequence
    | INT -> integer | FLOAT -> decimal | STRING -> string
    | TRUE -> true | FALSE -> false | NULL -> null
arguments: [expression ("," expression)*]
items: [expression ("," expression)* [","]]

OR: "||"
AND: "&&"
LT: "<"
LE: "<="
GE: ">="
GT: ">"
EQ: "=="
NE: "!="
IN: "in"
NOT: "!"
PLUS: "+"
MINUS: "-"
STAR: "*"
SLASH: "/"
PERCENT: "%"
RPAR: ")"
LSQB: "["
RSQB: "]"
TRUE: "true"
FALSE: "false"
NULL: "null"
IDENT: /[_a-zA-Z][_a-zA-Z0-9]*/
FLOAT: /[0-9]+\.[0-9]+([eE][+-]?[0-9]+)?/ | /[0-9]+[eE][+-]?[0-9]+/ | /\.[0-9]+([eE][+-]?[0-9]+)?/
INT: /0x[0-9a-fA-F]+/ | /[0-9]+/
STRING: /"(?:[^"\\\r\n]|\\.)*"/ | /'(?:[^'\\\r\n]|\\.)*'/
%ignore /[\t\n\f\r ]+/
%ignore /\/\/[^\n]*/
"""

RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var void "
    "while in true false null".split()
)


class RuleError(Exception):
    """A rule that cannot be understood, with the place in its text: ``start`` to ``end``."""

    def __init__(self, message: str, start: int = 0, end: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = start + 1 if end is None else max(end, start + 1)

    def place(self, text: str) -> tuple[int, int]:
        """Return line and column in ``text``, both counted from 1."""
        before = text[: self.start]
        return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


@dataclass(frozen=True)
class Node:
    """Part of a rule, from ``start`` to ``end`` in its text; ``depth`` levels lie below it."""

    start: int
    end: int
    depth: int


@dataclass(frozen=True)
class Literal(Node):
    value: int | float | str | bool | None


@dataclass(frozen=True)
class Name(Node):
    name: str


@dataclass(frozen=True)
class Select(Node):
    """``operand.field``"""

    operand: Node
    field: str


@dataclass(frozen=True)
class Call(Node):
    """``function(arguments)``, or ``target.function(arguments)``"""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Sequence(Node):
    """``[item, item]``"""

    items: tuple[Node, ...]


@dataclass(frozen=True)
class Unary(Node):
    """``!operand`` or ``-operand``"""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    """A comparison, membership (``in``) or arithmetic."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic(Node):
    """Two parts or more joined by ``&&`` or ``||``."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice(Node):
    """``condition ? yes : no``"""

    condition: Node
    yes: Node
    no: Node


def _children(node: Node) -> Iterator[Node]:
    for value in vars(node).values():
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, Node))


@v_args(inline=True)
class _Building(Transformer_NonRecursive[Token, Node]):
    """Turns what the parser recognises into nodes, from the leaves up, counting as it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = 0

    def _node(self, kind: type[Node], start: int, end: int, *values: Any) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise RuleError(_("Aturan terlalu panjang. Bagilah menjadi beberapa aturan."), start)
        children = _children(kind(start, end, 0, *values))
        depth = 1 + max((child.depth for child in children), default=0)
        if depth > MAX_DEPTH:
            raise RuleError(
                _("Rumusan ini bertumpuk terlalu dalam. Pecahlah menjadi beberapa syarat."),
                start,
                end,
            )
        return kind(start, end, depth, *values)

    def _leaf(self, token: Token, value: Any) -> Any:
        start, end = _span(token)
        return self._node(Literal, start, end, value)

    def name(self, token: Token) -> Any:
        if token.value in RESERVED:
            raise RuleError(
                _("“%(word)s” adalah kata khusus CEL dan tidak dapat dipakai di sini.")
                % {"word": token.value},
                *_span(token),
            )
        return self._node(Name, *_span(token), token.value)

    def integer(self, token: Token) -> Any:
        value = int(token.value, 16) if token.value.startswith("0x") else int(token.value)
        if value > MAX_INTEGER:
            raise RuleError(_("Angka ini terlalu besar."), *_span(token))
        return self._leaf(token, value)

    def decimal(self, token: Token) -> Any:
        value = float(token.value)
        if value == float("inf"):
            raise RuleError(_("Angka ini terlalu besar."), *_span(token))
        return self._leaf(token, value)

    def string(self, token: Token) -> Any:
        return self._leaf(token, _unescaped(token))

    def true(self, token: Token) -> Any:
        return self._leaf(token, True)

    def false(self, token: Token) -> Any:
        return self._leaf(token, False)

    def null(self, token: Token) -> Any:
        return self._leaf(token, None)

    def select(self, operand: Node, field: Token) -> Any:
        return self._node(Select, operand.start, _span(field)[1], operand, field.value)

    def call(self, function: Token, arguments: list[Node], close: Token) -> Any:
        start, end = _span(function)[0], _span(close)[1]
        return self._node(Call, start, end, function.value, None, tuple(arguments))

    def method(self, target: Node, function: Token, arguments: list[Node], close: Token) -> Any:
        end = _span(close)[1]
        return self._node(Call, target.start, end, function.value, target, tuple(arguments))

    def index(self, target: Node, key: Node) -> Any:
        raise RuleError(_("Tanda [ ] hanya untuk daftar nilai, misalnya [1, 2]."), key.start)

    def arguments(self, *items: Node | None) -> list[Node]:
        return [item for item in items if item is not None]

    def items(self, *items: Node | None) -> list[Node]:
        return [item for item in items if item is not None]

    def sequence(self, opened: Token, items: list[Node], closed: Token) -> Any:
        start, end = _span(opened)[0], _span(closed)[1]
        if len(items) > MAX_LIST:
            raise RuleError(
                _("Daftar ini berisi lebih dari %(n)d nilai.") % {"n": MAX_LIST}, start, end
            )
        # A long list of villages is one thing to read, not four hundred.
        self.nodes -= max(len(items) - 1, 0)
        return self._node(Sequence, start, end, tuple(items))

    def repeated(self, *parts: Any) -> Any:
        *operators, operand = parts
        for operator in reversed(operators):
            operand = self._node(Unary, _span(operator)[0], operand.end, operator.value, operand)
        return operand

    def binary(self, left: Node, operator: Token, right: Node) -> Any:
        return self._node(Binary, left.start, right.end, operator.value, left, right)

    def logic(self, left: Node, operator: Token, right: Node) -> Any:
        parts: list[Node] = []
        for side in (left, right):
            same = isinstance(side, Logic) and side.operator == operator.value
            parts.extend(side.parts if same else [side])  # type: ignore[attr-defined]
        return self._node(Logic, left.start, right.end, operator.value, tuple(parts))

    def choice(self, condition: Node, yes: Node, no: Node) -> Any:
        return self._node(Choice, condition.start, no.end, condition, yes, no)


_PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def _span(token: Token) -> tuple[int, int]:
    start = token.start_pos or 0
    return start, token.end_pos if token.end_pos is not None else start + len(token)


_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\?"'`])|(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"""
    r"""|([0-3][0-7]{2})|(.?))"""
)
_PLAIN_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescaped(token: Token) -> str:
    """Return the string that a literal stands for.

    Raises:
        RuleError: an escape that CEL does not know, or a control character.
    """

    def meant(found: re.Match[str]) -> str:
        plain, *hexadecimal, octal, _unknown = found.groups()
        if plain is not None:
            return _PLAIN_ESCAPES.get(plain, plain)
        number = int(octal, 8) if octal else int(next(filter(None, hexadecimal), "110000"), 16)
        # The one that is no character stands for every escape that is none.
        return chr(number) if number <= 0x10FFFF else "\x00"

    inner = _ESCAPE.sub(meant, token.value[1:-1])
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in inner):
        raise RuleError(
            _("Teks ini memuat tanda \\ yang salah tempat atau tanda yang tidak tampak."),
            *_span(token),
        )
    return inner


def parse(text: str) -> Node:
    """Return the syntax tree of ``text``.

    Raises:
        RuleError: ``text`` is empty, not in the language, or beyond the limits on its size.
    """
    if len(text) > MAX_LENGTH:
        raise RuleError(
            _("Aturan terlalu panjang: paling banyak %(n)d huruf.") % {"n": MAX_LENGTH}, MAX_LENGTH
        )
    if not re.sub(r"//[^\n]*", "", text).strip():
        raise RuleError(_("Rumusan masih kosong."), 0, len(text))
    try:
        return _Building().transform(_PARSER.parse(text))
    except VisitError as error:
        if isinstance(error.orig_exc, RuleError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _explained(error, text) from None


def _explained(error: UnexpectedInput, text: str) -> RuleError:
    """Say in plain words what is wrong where the parser stopped, and how to mend it."""
    at = error.pos_in_stream
    if isinstance(error, UnexpectedCharacters):
        return RuleError(_unknown_sign(text, at or 0), at or 0)
    token = getattr(error, "token", None)
    if token is None or token.type == "$END" or at is None:
        return _cut_off(text)
    start, end = _span(token)
    word = token.value
    before = re.search(r"(\w+)\s*$", text[:start])
    if before is not None and before[1].lower() in ("not", "bukan", "tidak"):
        return RuleError(_("Untuk “bukan” tulis tanda ! di depannya."), before.start(1), end)
    joint = {"and": "&&", "dan": "&&", "or": "||", "atau": "||"}.get(word.lower())
    if joint:
        return RuleError(
            _("Penghubung ditulis dengan tanda: ganti “%(word)s” dengan %(sign)s.")
            % {"word": word, "sign": joint},
            start,
            end,
        )
    if "IDENT" in (getattr(error, "accepts", None) or ()):
        return RuleError(
            _("Sebelum “%(word)s” masih kurang satu nilai atau syarat.") % {"word": word},
            start,
            end,
        )
    if word in ")]":
        return RuleError(
            _("Tanda “%(word)s” ini tidak punya pasangan pembuka.") % {"word": word}, start, end
        )
    return RuleError(
        _("“%(word)s” tidak dapat berdiri di sini. Mungkin kurang && atau || di depannya.")
        % {"word": word},
        start,
        end,
    )


def _unknown_sign(text: str, at: int) -> str:
    sign = text[at : at + 1]
    if sign == "=":
        return _("Untuk “sama dengan” tulis dua tanda: ==")
    if sign in "&|":
        return _("Penghubung ditulis dobel: && untuk “dan”, || untuk “atau”.")
    if sign in "\"'":
        return _("Teks ini belum ditutup dengan tanda kutip.")
    if sign in "“”‘’":
        return _('Pakai tanda kutip lurus (") di sini.')
    return _("Tanda “%(sign)s” tidak dikenal di sini.") % {"sign": sign}


def _cut_off(text: str) -> RuleError:
    """Explain a text that ends too early: an open bracket, or a part that is missing."""
    opened: list[int] = []
    plain = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|//[^\n]*|[()\[\]]")
    for found in plain.finditer(text):
        if found[0] in "([":
            opened.append(found.start())
        elif found[0] in ")]" and opened:
            opened.pop()
    if opened:
        return RuleError(
            _("Tanda “%(sign)s” ini belum ditutup.") % {"sign": text[opened[-1]]}, opened[-1]
        )
    end = len(text.rstrip())
    return RuleError(
        _("Rumusan terputus di akhir: masih kurang satu nilai atau syarat."), max(end - 1, 0), end
    )
