"""Reading the expressions of a form (XLSForm's dialect of XPath) into a tree of JSON.

``${umur} >= 17 and selected(${bantuan}, 'pkh')`` becomes nested lists, each headed by what it is:

- ``["num", 17.0]``, ``["str", "pkh"]``, ``["self"]`` (``.``, the answer to the question itself),
- ``["ref", "/orang/umur"]`` (``${umur}``), ``["column", "kecamatan"]`` (a column of the sheet of choices),
- ``["or", a, b, ...]``, ``["and", a, b, ...]``, ``["=", a, b]``, ``!= < <= > >= + - * div mod``, ``["neg", a]``,
- ``["call", name, a, ...]``; and where an argument is not a value: ``["regex", a, program]``,
  ``["choice-name", a, path]``, ``["indexed", path, repeat, index, ...]``, ``["position"]``.

:mod:`guyub.fieldwork.evaluation` and ``static/fieldwork/expressions.js`` work the same tree out, so that a
form decides at the door as it does on the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from lark import Lark, Token, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, VisitError
from lark.visitors import Transformer_NonRecursive

from guyub.fieldwork.patterns import PatternError, compile_pattern

MAX_LENGTH = 6_000
MAX_NODES = 1_500
MAX_DEPTH = 60

Tree = list[Any]
# Gives the path of a question by its name; raises LookupError with a message for the user.
Resolver = Callable[[str], str]

GRAMMAR = r"""
?start: alternative
?alternative: conjunction | alternative "or" conjunction -> either
?conjunction: equality | conjunction "and" equality -> both
?equality: relation | equality (EQ | NE) relation -> binary
?relation: addition | relation (LE | LT | GE | GT) addition -> binary
?addition: product | addition (PLUS | MINUS) product -> binary
?product: unary | product (STAR | DIV | MOD) unary -> binary
?unary: primary | MINUS unary -> negative
?primary: NUMBER -> number | STRING -> string | REF -> reference | "." -> itself | ".." -> parent
    | "(" alternative ")" | NAME "(" arguments ")" -> call | NAME -> column
arguments: [alternative ("," alternative)*]

EQ: "="
NE: "!="
LE: "<="
LT: "<"
GE: ">="
GT: ">"
PLUS: "+"
MINUS: "-"
STAR: "*"
DIV: "div"
MOD: "mod"
NUMBER: /[0-9]+(\.[0-9]*)?|\.[0-9]+/
STRING: /"[^"]*"|'[^']*'/
REF: /\$\{[^{}]*\}/
NAME: /[A-Za-z_][A-Za-z0-9_.-]*(:[A-Za-z_][A-Za-z0-9_.-]*)?/
%ignore /[ \t\r\n]+/
"""

# How many arguments each function takes: least, most (None: any number).
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    "true": (0, 0), "false": (0, 0), "not": (1, 1), "boolean": (1, 1), "boolean-from-string": (1, 1),
    "if": (3, 3), "coalesce": (2, 2), "once": (1, 1),
    "selected": (2, 2), "selected-at": (2, 2), "count-selected": (1, 1),
    "string": (1, 1), "concat": (0, None), "join": (1, None), "string-length": (0, 1),
    "substr": (2, 3), "substring-before": (2, 2), "substring-after": (2, 2), "contains": (2, 2),
    "starts-with": (2, 2), "ends-with": (2, 2), "translate": (3, 3), "normalize-space": (0, 1),
    "number": (0, 1), "int": (1, 1), "round": (1, 2), "floor": (1, 1), "ceiling": (1, 1), "abs": (1, 1),
    "sqrt": (1, 1), "pow": (2, 2), "min": (1, None), "max": (1, None), "sum": (1, 1), "count": (1, 1),
    "count-non-empty": (1, 1),
    "today": (0, 0), "now": (0, 0), "date": (1, 1), "date-time": (1, 1), "format-date": (2, 2),
    "format-date-time": (2, 2), "decimal-date-time": (1, 1), "decimal-time": (1, 1),
    "regex": (2, 2), "jr:choice-name": (2, 2), "indexed-repeat": (3, None), "position": (1, 1),
}  # fmt: skip
# Takes the answer to the question itself where its argument is left out.
OF_ITSELF = ("string-length", "number", "normalize-space")
MAX_POWER = 64


class ExpressionError(ValueError):
    """An expression that can't be used; ``start`` and ``end`` are its place in the text, from 0."""

    def __init__(self, message: str, start: int = 0, end: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = start + 1 if end is None else end


def parse(text: str, resolve: Resolver | None = None, *, columns: bool = False) -> Tree:
    """Return the tree of an expression.

    ``resolve`` turns the names in ``${name}`` into paths; without it they stay as they are. ``columns``
    allows plain names, which mean a column of the sheet of choices.

    Raises:
        ExpressionError: it is empty, is not in the language, uses a function or name that is not there,
            or is larger than any form needs.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            _("Rumus lebih dari %(most)d huruf. Pecahlah dengan pertanyaan jenis calculate.")
            % {"most": MAX_LENGTH}
        )
    plain = text.translate(_QUOTES)
    if not plain.strip():
        raise ExpressionError(_("Rumus masih kosong."))
    try:
        found: Tree = _Building(resolve, columns).transform(_PARSER.parse(plain))
    except VisitError as error:
        if isinstance(error.orig_exc, ExpressionError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _explained(error, plain) from None
    _no_parents(found)
    if _depth(found) > MAX_DEPTH:
        raise ExpressionError(
            _("Rumus bertumpuk terlalu dalam. Pecahlah dengan pertanyaan jenis calculate.")
        )
    return found


def paths_of(tree: Tree) -> set[str]:
    """Return the paths whose answers an expression looks at."""
    found = set()
    todo = [tree]
    while todo:
        node = todo.pop()
        if node[0] in ("ref", "indexed"):
            found.add(node[1])
        todo += _parts(node)
    return found


# Word processors turn quotes; whoever wrote them meant the straight ones.
_QUOTES = {ord("‘"): "'", ord("’"): "'", ord("“"): '"', ord("”"): '"', 0xA0: " "}


@v_args(inline=True)
class _Building(Transformer_NonRecursive[Token, Tree]):
    """Turns what the parser recognises into the tree, from the leaves up."""

    def __init__(self, resolve: Resolver | None, columns: bool) -> None:
        super().__init__()
        self.resolve = resolve
        self.columns = columns
        self.nodes = 0

    def _node(self, *parts: Any) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ExpressionError(
                _("Rumus terlalu panjang. Pecahlah dengan pertanyaan jenis calculate.")
            )
        return list(parts)

    def number(self, token: Token) -> Any:
        value = float(token.value)
        if value == float("inf"):
            raise ExpressionError(_("Angka ini terlalu besar."), *_span(token))
        return self._node("num", value)

    def string(self, token: Token) -> Any:
        return self._node("str", token.value[1:-1])

    def reference(self, token: Token) -> Any:
        return self._node("ref", self._path(token.value[2:-1].strip(), *_span(token)))

    def _path(self, name: str, start: int, end: int) -> str:
        if name.startswith("last-saved#"):
            raise ExpressionError(
                _("${last-saved#…} belum didukung. Isi nilai awalnya pada kolom default."),
                start,
                end,
            )
        if not name:
            raise ExpressionError(
                _("Di dalam ${ } belum ada nama pertanyaan, misalnya ${umur}."), start, end
            )
        if self.resolve is None:
            return name
        try:
            return self.resolve(name)
        except LookupError as error:
            raise ExpressionError(str(error.args[0]), start, end) from None

    def itself(self) -> Any:
        return self._node("self")

    def parent(self) -> Any:
        return self._node("parent")

    def column(self, token: Token) -> Any:
        if not self.columns:
            raise ExpressionError(
                _("“%(name)s” tidak dikenal. Nama pertanyaan ditulis ${%(name)s}, teks di antara kutip '…'.")
                % {"name": token.value},
                *_span(token),
            )  # fmt: skip
        return self._node("column", token.value)

    def negative(self, _sign: Token, value: Tree) -> Any:
        return self._node("neg", value)

    def binary(self, left: Tree, operator: Token, right: Tree) -> Any:
        return self._node(operator.value, left, right)

    def either(self, left: Tree, right: Tree) -> Any:
        return self._joined("or", left, right)

    def both(self, left: Tree, right: Tree) -> Any:
        return self._joined("and", left, right)

    def _joined(self, kind: str, left: Tree, right: Tree) -> Any:
        if left[0] == kind:
            self.nodes += 1
            return [*left, right]
        return self._node(kind, left, right)

    def arguments(self, *items: Any) -> Any:
        return [item for item in items if item is not None]

    def call(self, name: Token, values: list[Tree]) -> Any:
        function = name.value
        start, end = _span(name)
        if function not in FUNCTIONS:
            raise ExpressionError(
                _("Fungsi %(name)s() belum didukung di Guyub. Hapus, atau hitung dengan cara lain.")
                % {"name": function},
                start,
                end,
            )
        least, most = FUNCTIONS[function]
        if len(values) < least or (most is not None and len(values) > most):
            raise ExpressionError(_counted(function, least, most), start, end)
        if function in OF_ITSELF and not values:
            values = [["self"]]
        special = {
            "position": self._position,
            "regex": self._regex,
            "jr:choice-name": self._choice_name,
            "indexed-repeat": self._indexed_repeat,
            "pow": self._pow,
        }.get(function)
        found = special(values, start, end) if special else ["call", function, *values]
        return self._node(*found)

    def _position(self, values: list[Tree], start: int, end: int) -> Tree:
        if values != [["parent"]]:
            raise ExpressionError(_("Tulis position(..) untuk nomor ulangan ini."), start, end)
        return ["position"]

    def _regex(self, values: list[Tree], start: int, end: int) -> Tree:
        if values[1][0] != "str":
            raise ExpressionError(
                _("Pola regex() harus ditulis langsung di antara tanda kutip."), start, end
            )
        try:
            return ["regex", values[0], compile_pattern(values[1][1])]
        except PatternError as error:
            raise ExpressionError(
                _("Pola “%(pattern)s”, huruf ke-%(at)d: %(message)s")
                % {"pattern": values[1][1], "at": error.at + 1, "message": error.message},
                start,
                end,
            ) from None

    def _choice_name(self, values: list[Tree], start: int, end: int) -> Tree:
        named = (
            re.fullmatch(r"\s*\$\{([^{}]*)\}\s*", values[1][1]) if values[1][0] == "str" else None
        )
        if named is None:
            raise ExpressionError(
                _("Tulis seperti jr:choice-name(${desa}, '${desa}')."), start, end
            )  # fmt: skip
        return ["choice-name", values[0], self._path(named[1].strip(), start, end)]

    def _indexed_repeat(self, values: list[Tree], start: int, end: int) -> Tree:
        pairs = values[1:]
        plain = [values[0], *pairs[0::2]]
        if len(pairs) % 2 or any(value[0] != "ref" for value in plain):
            raise ExpressionError(
                _("Tulis seperti indexed-repeat(${nama}, ${anggota}, 1)."), start, end
            )
        return ["indexed", values[0][1], *(p[1] if i % 2 == 0 else p for i, p in enumerate(pairs))]

    def _pow(self, values: list[Tree], start: int, end: int) -> Tree:
        power = values[1]
        if power[0] != "num" or power[1] != int(power[1]) or power[1] > MAX_POWER:
            raise ExpressionError(
                _("Pangkat pada pow() harus bilangan bulat 0 sampai %(most)d.")
                % {"most": MAX_POWER},
                start,
                end,
            )
        return ["call", "pow", *values]


_PARSER = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def _span(token: Token) -> tuple[int, int]:
    start = token.start_pos or 0
    return start, token.end_pos if token.end_pos is not None else start + len(token)


def _parts(node: Tree) -> list[Tree]:
    parts = node[1:2] if node[0] == "regex" else node[1:]
    return [part for part in parts if isinstance(part, list)]


def _depth(tree: Tree) -> int:
    deepest, todo = 0, [(tree, 1)]
    while todo:
        node, depth = todo.pop()
        deepest = max(deepest, depth)
        todo += [(part, depth + 1) for part in _parts(node)]
    return deepest


def _no_parents(tree: Tree) -> None:
    todo = [tree]
    while todo:
        node = todo.pop()
        if node[0] == "parent":
            raise ExpressionError(_("Tanda .. hanya untuk position(..). Pakai ${nama}."))
        todo += _parts(node)


def _counted(function: str, least: int, most: int | None) -> str:
    if most is None:
        return _("%(name)s() perlu paling sedikit %(least)d nilai di dalam kurungnya.") % {
            "name": function, "least": least,
        }  # fmt: skip
    if least == most:
        return _("%(name)s() perlu %(least)d nilai di dalam kurungnya, dipisah koma.") % {
            "name": function, "least": least,
        }  # fmt: skip
    return _("%(name)s() perlu %(least)d sampai %(most)d nilai di dalam kurungnya.") % {
        "name": function, "least": least, "most": most,
    }  # fmt: skip


def _explained(error: UnexpectedInput, text: str) -> ExpressionError:
    """Say in plain words what is wrong where the parser stopped, and how to mend it."""
    at = error.pos_in_stream or 0
    if isinstance(error, UnexpectedCharacters):
        return ExpressionError(_unknown_sign(text, at), at)
    token = getattr(error, "token", None)
    if token is None or token.type == "$END":
        if text.count("(") > text.count(")"):
            return ExpressionError(_("Ada tanda ( yang belum ditutup."), text.rfind("("))
        return ExpressionError(
            _("Rumus terputus di akhir: masih kurang satu nilai."), max(len(text.rstrip()) - 1, 0)
        )
    start, end = _span(token)
    if token.value == ")":
        message = _("Tanda ) ini tidak pada tempatnya: kurang satu nilai, atau tanpa pembuka.")
    else:
        message = _(
            "“%(word)s” tidak dapat berdiri di sini. Mungkin kurang and, or, atau koma di depannya."
        ) % {"word": token.value}
    return ExpressionError(message, start, end)


def _unknown_sign(text: str, at: int) -> str:
    sign = text[at : at + 1]
    if sign in "\"'":
        return _("Teks ini belum ditutup dengan tanda kutip.")
    if sign == "$":
        return _("Nama pertanyaan ditulis ${nama}, dengan kurung kurawal.")
    if sign in "/[":
        return _("Jalur XPath (/ dan [ ]) belum didukung. Tunjuk pertanyaan dengan ${nama}.")
    if sign in "&|":
        return _("Penghubung ditulis dengan kata: and atau or.")
    if sign == "!":
        return _("“Bukan” ditulis not(…), “tidak sama” ditulis !=.")
    if sign == ";":
        return _("Nilai di dalam kurung dipisah dengan koma, bukan titik koma.")
    return _("Tanda “%(sign)s” tidak dikenal di sini.") % {"sign": sign}
