"""Understanding a rule: from its syntax tree to its meaning, or to what is wrong and how to mend it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from guyub.areas.models import Area, Level
from guyub.targeting import cel
from guyub.targeting import meaning as m
from guyub.targeting.attributes import (
    HOUSEHOLD,
    HOUSEHOLD_ATTRIBUTES,
    MEMBER_ATTRIBUTES,
    MEMBERS,
    Attribute,
    Kind,
)
from guyub.targeting.cel import RuleError

# How many members a household could have at the very most.
MOST_MEMBERS = 1_000_000
# `?:` copies its condition; this bounds what all copies come to.
MAX_WEIGHT = 1_000
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
LEVELS = {"village": Level.VILLAGE, "district": Level.DISTRICT}
TEXT_METHODS = {"startsWith": "starts", "endsWith": "ends", "contains": "contains"}


@dataclass(frozen=True)
class Understood:
    """A rule whose text is in order. Without ``any_status``, it is about active households only."""

    text: str
    condition: m.Condition
    any_status: bool


def understand(text: str) -> Understood:
    """Return the meaning of the rule ``text``. At most one query, and only for area codes.

    Raises:
        RuleError: the text is not in the language, names what does not exist, or compares what cannot
            be compared; the error says where and how to mend it.
    """
    checker = _Checker()
    condition = checker.condition(cel.parse(text))
    if _weight(condition) > MAX_WEIGHT:
        raise RuleError(_("Aturan terlalu panjang. Bagilah menjadi beberapa aturan."), 0, len(text))
    return Understood(text, condition, _asks_status(condition, m.Scope.HOUSEHOLD))


def _weight(meaning: m.Meaning) -> int:
    """Return how large a condition is once ``?:`` is written out."""
    total = 1 + sum(_weight(part) for part in meaning.parts())
    if isinstance(meaning, m.Either):
        total += _weight(meaning.condition)
    return total


def _asks_status(condition: m.Condition, scope: m.Scope) -> bool:
    return any(
        isinstance(part, m.CodeIn | m.Present)
        and part.scope is scope
        and part.attribute.name == "status"
        for part in condition.walk()
    )


@dataclass(frozen=True)
class _Reference:
    """An attribute as it stands in the text."""

    node: cel.Node
    scope: m.Scope
    attribute: Attribute

    @property
    def name(self) -> str:
        return self.attribute.name


def _nearest(word: str, names: Mapping[str, str]) -> str:
    """Return the name that ``word`` most resembles, by itself or by its label; empty when none."""
    spellings = {name: name for name in names}
    spellings |= {label.casefold(): name for name, label in names.items()}
    found = process.extractOne(
        word.casefold(), list(spellings), scorer=fuzz.WRatio, score_cutoff=70
    )
    return spellings[found[0]] if found else ""


def _labels(attributes: Mapping[str, Attribute]) -> dict[str, str]:
    return {name: str(attribute.label) for name, attribute in attributes.items()}


@dataclass
class _Checker:
    # The variable that stands for a member, while a condition on members is read.
    variable: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: HOUSEHOLD_ATTRIBUTES)

    # Names

    def reference(self, node: cel.Node) -> _Reference | None:
        """Return the attribute that ``node`` names; ``None`` when it is something else.

        Raises:
            RuleError: it is a name, but there is no such attribute.
        """
        if isinstance(node, cel.Name):
            if node.name == self.variable:
                raise RuleError(
                    _(
                        "“%(name)s” adalah seorang anggota; sebutkan atributnya, misalnya %(name)s.age."
                    )
                    % {"name": node.name},
                    node.start,
                    node.end,
                )
            return self._household(node, node.name, node.start)
        if isinstance(node, cel.Select) and isinstance(node.operand, cel.Name):
            owner = node.operand.name
            start = node.end - len(node.field)
            if owner == HOUSEHOLD:
                return self._household(node, node.field, start)
            if owner == self.variable:
                return self._member(node, node.field, start)
            raise RuleError(
                _(
                    "“%(owner)s” tidak dikenal. Atribut anggota ditulis di dalam members.exists(m, …), "
                    "misalnya members.exists(m, m.age < 5)."
                )
                % {"owner": owner},
                node.start,
                node.end,
            )
        if isinstance(node, cel.Select):
            raise RuleError(_("Atribut ini tidak dikenal."), node.start, node.end)
        return None

    def _household(self, node: cel.Node, name: str, start: int) -> _Reference:
        if name in HOUSEHOLD_ATTRIBUTES:
            return _Reference(node, m.Scope.HOUSEHOLD, HOUSEHOLD_ATTRIBUTES[name])
        if name == MEMBERS:
            message = _(
                "“members” tidak dapat dibandingkan langsung; pakai members.exists(m, …), "
                "members.all(m, …) atau members.size()."
            )
        elif self.variable and name in MEMBER_ATTRIBUTES:
            message = _("“%(name)s” adalah atribut anggota: tulis %(variable)s.%(name)s.") % {
                "name": name,
                "variable": self.variable,
            }
        elif name in MEMBER_ATTRIBUTES:
            message = _(
                "“%(name)s” adalah atribut anggota: tulis di dalam members.exists(m, m.%(name)s …)."
            ) % {"name": name}
        else:
            message = self._unknown(name, HOUSEHOLD_ATTRIBUTES)
        raise RuleError(message, start, node.end)

    def _member(self, node: cel.Node, name: str, start: int) -> _Reference:
        if name in MEMBER_ATTRIBUTES:
            return _Reference(node, m.Scope.MEMBER, MEMBER_ATTRIBUTES[name])
        if name in HOUSEHOLD_ATTRIBUTES:
            message = _("“%(name)s” adalah atribut keluarga: tulis tanpa “%(variable)s.”.") % {
                "name": name,
                "variable": self.variable,
            }
        else:
            message = self._unknown(name, MEMBER_ATTRIBUTES)
        raise RuleError(message, start, node.end)

    @staticmethod
    def _unknown(name: str, attributes: Mapping[str, Attribute]) -> str:
        nearest = _nearest(name, _labels(attributes))
        if nearest:
            return _(
                "Atribut “%(name)s” tidak dikenal. Mungkin maksudnya %(nearest)s (%(label)s)?"
            ) % {
                "name": name,
                "nearest": nearest,
                "label": attributes[nearest].label,
            }
        return _("Atribut “%(name)s” tidak dikenal. Lihat daftar atribut di bawah.") % {
            "name": name
        }

    # Conditions

    def condition(self, node: cel.Node) -> m.Condition:
        """Return the condition that ``node`` is."""
        if isinstance(node, cel.Logic):
            parts = tuple(self.condition(part) for part in node.parts)
            return m.All(parts) if node.operator == "&&" else m.AnyOf(parts)
        if isinstance(node, cel.Unary) and node.operator == "!":
            return m.negated(self.condition(node.operand))
        if isinstance(node, cel.Choice):
            return m.Either(
                self.condition(node.condition), self.condition(node.yes), self.condition(node.no)
            )
        if isinstance(node, cel.Binary) and node.operator == "in":
            return self._membership(node)
        if isinstance(node, cel.Binary) and node.operator in FLIPPED:
            return self._comparison(node)
        if isinstance(node, cel.Call):
            found = self._call(node)
            if isinstance(found, m.Condition):
                return found
        elif isinstance(node, cel.Literal) and isinstance(node.value, bool):
            return m.Always(node.value)
        else:
            reference = self.reference(node)
            if reference is not None and reference.attribute.kind is Kind.FLAG:
                return m.FlagIs(reference.attribute, True)
            if reference is not None:
                raise RuleError(
                    _(
                        "“%(name)s” saja bukan syarat. Bandingkan dengan sesuatu, misalnya %(example)s."
                    )
                    % {"name": reference.name, "example": _example(reference)},
                    node.start,
                    node.end,
                )
        raise RuleError(
            _("Di sini diperlukan syarat yang benar atau salah, misalnya desil <= 2."),
            node.start,
            node.end,
        )

    def _comparison(self, node: cel.Binary) -> m.Condition:
        left, operator, right = node.left, node.operator, node.right
        if isinstance(left, cel.Literal | cel.Sequence) and not isinstance(right, cel.Literal):
            left, operator, right = right, FLIPPED[operator], left
        if isinstance(right, cel.Literal) and right.value is None:
            return self._null(node, left, operator)
        reference = self.reference(left)
        if reference is None:
            self._refuse_mixed(left, right, node)
            return self._numbers(left, operator, right, node)
        kind = reference.attribute.kind
        if kind in (Kind.NUMBER, Kind.AGE):
            return self._numbers(left, operator, right, node)
        other = self.reference(right)
        if other is not None:
            raise RuleError(
                _("“%(name)s” dibandingkan dengan nilai, bukan dengan atribut lain.")
                % {"name": reference.name},
                right.start,
                right.end,
            )
        if kind is Kind.DATE:
            self._ordered(kind, operator, node, reference)
            return m.DateCompared(reference.attribute, operator, self._date(right))
        if kind is Kind.DECIMAL:
            return m.DecimalCompared(reference.attribute, operator, self._decimal(right, reference))
        self._ordered(kind, operator, node, reference)
        if kind is Kind.FLAG:
            if not isinstance(right, cel.Literal) or not isinstance(right.value, bool):
                raise RuleError(
                    _("“%(name)s” bernilai true (ya) atau false (tidak).")
                    % {"name": reference.name},
                    right.start,
                    right.end,
                )
            return m.FlagIs(reference.attribute, right.value is (operator == "=="))
        return self._text(reference, operator, self._string(right, reference), right)

    def _null(self, node: cel.Binary, left: cel.Node, operator: str) -> m.Condition:
        """``x == null`` asks whether ``x`` is unknown."""
        reference = self.reference(left)
        if reference is None or operator not in ("==", "!="):
            raise RuleError(
                _("null hanya untuk menanyakan apakah sebuah atribut terisi: expenditure != null."),
                node.start,
                node.end,
            )
        present = m.Present(reference.scope, reference.attribute)
        return present if operator == "!=" else m.Not(present)

    def _text(
        self, reference: _Reference, operator: str, value: str, node: cel.Node
    ) -> m.Condition:
        return self._one_of(reference, (value,), [node], negated=operator == "!=")

    def _one_of(
        self,
        reference: _Reference,
        values: tuple[str, ...],
        nodes: list[cel.Node],
        negated: bool = False,
    ) -> m.Condition:
        attribute = reference.attribute
        if attribute.kind is Kind.TEXT:
            return m.TextIs(attribute, "differs" if negated else "equals", values)
        if attribute.kind is Kind.AREA:
            for value, node in zip(values, nodes, strict=True):
                self._check_area(attribute, value, node)
            return m.AreaIn(attribute, values, negated)
        if attribute.kind is Kind.CODES:
            raise RuleError(
                _('“%(name)s” berupa daftar: tulis "%(code)s" in %(name)s.')
                % {"name": attribute.name, "code": attribute.codes[0]},
                reference.node.start,
                nodes[-1].end,
            )
        for value, node in zip(values, nodes, strict=True):
            self._check_code(attribute, value, node)
        return m.CodeIn(reference.scope, attribute, values, negated)

    @staticmethod
    def _check_code(attribute: Attribute, value: str, node: cel.Node) -> None:
        if value in attribute.codes:
            return
        nearest = _nearest(value, {c: str(label) for c, label in attribute.choices})
        hint = (
            _('Mungkin maksudnya "%(code)s" (%(label)s)?')
            % {"code": nearest, "label": attribute.label_of(nearest)}
            if nearest
            else _("Yang ada: %(codes)s.") % {"codes": ", ".join(attribute.codes)}
        )
        message = _('%(label)s tidak punya kode "%(value)s". %(hint)s') % {
            "label": attribute.label,
            "value": value,
            "hint": hint,
        }
        raise RuleError(message, node.start, node.end)

    @cached_property
    def _areas(self) -> dict[str, tuple[int, str]]:
        return {
            code: (level, name)
            for code, level, name in Area.objects.values_list("code", "level", "name")
        }

    def _check_area(self, attribute: Attribute, value: str, node: cel.Node) -> None:
        level = LEVELS[attribute.name]
        if self._areas.get(value, (None, ""))[0] == level:
            return
        names = {code: name for code, (at, name) in self._areas.items() if at == level}
        nearest = _nearest(value, names)
        hint = (
            _('Mungkin maksudnya "%(code)s" (%(label)s)?')
            % {"code": nearest, "label": names[nearest]}
            if nearest
            else _('Pakai kode Kemendagri, misalnya "%(code)s".')
            % {"code": min(names, default="33.02.01")}
        )
        raise RuleError(
            _('%(label)s dengan kode "%(value)s" tidak ada. %(hint)s')
            % {"label": attribute.label, "value": value, "hint": hint},
            node.start,
            node.end,
        )

    def _membership(self, node: cel.Binary) -> m.Condition:
        """``x in [..]``, or a code in a list attribute."""
        if isinstance(node.right, cel.Sequence):
            return self._in_list(node.left, node.right, node)
        reference = self.reference(node.right)
        if reference is None or reference.attribute.kind is not Kind.CODES:
            raise RuleError(
                _('Sesudah “in” tulis daftar nilai dalam [ ], misalnya ["bamboo", "wood"].'),
                node.right.start,
                node.right.end,
            )
        code = self._string(node.left, reference)
        self._check_code(reference.attribute, code, node.left)
        return m.HasCode(reference.attribute, code)

    def _in_list(self, left: cel.Node, values: cel.Sequence, node: cel.Node) -> m.Condition:
        reference = self.reference(left)
        if not values.items:
            raise RuleError(_("Daftar nilai ini kosong."), values.start, values.end)
        kind = reference.attribute.kind if reference is not None else Kind.NUMBER
        if reference is None or kind in (Kind.NUMBER, Kind.AGE):
            number = self.number(left)
            return m.NumberIn(number, tuple(self._integer(item) for item in values.items))
        if kind in (Kind.CODE, Kind.AREA, Kind.TEXT, Kind.CODES):
            texts = tuple(self._string(item, reference) for item in values.items)
            return self._one_of(reference, texts, list(values.items))
        raise RuleError(
            _("“%(name)s” tidak dapat dicari dalam daftar.") % {"name": reference.name},
            node.start,
            node.end,
        )

    # Values in the text

    @staticmethod
    def _ordered(kind: Kind, operator: str, node: cel.Node, reference: _Reference) -> None:
        """Refuse to order what has no order."""
        if kind is not Kind.DATE and operator not in ("==", "!="):
            raise RuleError(
                _("“%(name)s” tidak punya urutan: pakai == atau in, misalnya %(example)s.")
                % {"name": reference.name, "example": _example(reference)},
                node.start,
                node.end,
            )

    @staticmethod
    def _string(node: cel.Node, reference: _Reference) -> str:
        if isinstance(node, cel.Literal) and isinstance(node.value, str):
            if node.value:
                return node.value
            raise RuleError(
                _(
                    "Teks kosong tidak berarti di sini. Untuk nilai yang belum diisi tulis !has(%(name)s)."
                )
                % {"name": _written(reference)},
                node.start,
                node.end,
            )
        raise RuleError(
            _("“%(name)s” dibandingkan dengan teks dalam tanda kutip, misalnya %(example)s.")
            % {"name": reference.name, "example": _example(reference)},
            node.start,
            node.end,
        )

    @staticmethod
    def _decimal(node: cel.Node, reference: _Reference) -> float:
        sign = 1
        while isinstance(node, cel.Unary) and node.operator == "-":
            sign, node = -sign, node.operand
        value = node.value if isinstance(node, cel.Literal) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(sign * value)
        raise RuleError(
            _("“%(name)s” dibandingkan dengan angka, misalnya %(example)s.")
            % {"name": reference.name, "example": _example(reference)},
            node.start,
            node.end,
        )

    @staticmethod
    def _date(node: cel.Node) -> dt.date:
        example = 'timestamp("2020-07-01T00:00:00Z")'
        if (
            isinstance(node, cel.Call)
            and node.function == "timestamp"
            and node.target is None
            and len(node.arguments) == 1
            and isinstance(node.arguments[0], cel.Literal)
            and isinstance(node.arguments[0].value, str)
        ):
            found = re.fullmatch(
                r"(\d{4}-\d\d-\d\d)T00:00:00(?:\.0+)?Z", node.arguments[0].value, re.ASCII
            )
            if found:
                try:
                    return dt.date.fromisoformat(found[1])
                except ValueError:
                    pass
        raise RuleError(
            _("Tanggal ditulis seperti ini: %(example)s.") % {"example": example},
            node.start,
            node.end,
        )

    def _integer(self, node: cel.Node) -> int:
        number = self.number(node)
        if isinstance(number, m.Constant):
            return number.value
        raise RuleError(_("Daftar ini hanya boleh berisi angka."), node.start, node.end)

    # Numbers

    def _refuse_mixed(self, left: cel.Node, right: cel.Node, node: cel.Node) -> None:
        """Say what is meant by comparing two conditions, or two texts, with each other."""
        for side in (left, right):
            literal = side.value if isinstance(side, cel.Literal) else None
            logical = isinstance(literal, bool) or isinstance(side, cel.Logic | cel.Choice)
            if (
                logical
                or (isinstance(side, cel.Binary) and side.operator in {*FLIPPED, "in"})
                or (isinstance(side, cel.Unary) and side.operator == "!")
            ):
                raise RuleError(
                    _("Syarat tidak dibandingkan dengan syarat: gabungkan dengan &&, || dan !."),
                    node.start,
                    node.end,
                )

    def _numbers(
        self, left_node: cel.Node, operator: str, right_node: cel.Node, node: cel.Node
    ) -> m.Condition:
        left, right = self.number(left_node), self.number(right_node)
        if isinstance(right, m.Age) and not isinstance(left, m.Age):
            left, operator, right = right, FLIPPED[operator], left
        if isinstance(left, m.Age) and not isinstance(right, m.Constant):
            raise RuleError(
                _("Umur dibandingkan dengan angka tetap, misalnya m.age < 5."),
                node.start,
                node.end,
            )
        return m.Compared(operator, left, right)

    def number(self, node: cel.Node) -> m.Number:
        """Return the whole number that ``node`` is.

        Raises:
            RuleError: it is none, or could leave the range of 64-bit numbers.
        """
        found = self._number(node)
        if _bound(found) > cel.MAX_INTEGER:
            raise RuleError(_("Hasil hitungan ini bisa terlalu besar."), node.start, node.end)
        return found

    def _number(self, node: cel.Node) -> m.Number:
        if isinstance(node, cel.Literal):
            if isinstance(node.value, int) and not isinstance(node.value, bool):
                return m.Constant(node.value)
            if isinstance(node.value, float):
                raise RuleError(
                    _("Pakai bilangan bulat di sini, tanpa koma atau titik."), node.start, node.end
                )
            raise RuleError(
                _("Di sini diperlukan angka tanpa tanda kutip, bukan %(value)s.")
                % {"value": _shown(node)},
                node.start,
                node.end,
            )
        if isinstance(node, cel.Unary) and node.operator == "-":
            operand = self._plain_number(node.operand)
            if isinstance(operand, m.Constant):
                return m.Constant(-operand.value)
            return m.Arithmetic("-", m.Constant(0), operand)
        if isinstance(node, cel.Binary) and node.operator in "+-*/%":
            return self._arithmetic(node)
        if isinstance(node, cel.Call):
            found = self._call(node)
            if isinstance(found, m.Number):
                return found
        reference = None if isinstance(node, cel.Call) else self.reference(node)
        if reference is not None and reference.attribute.kind is Kind.NUMBER:
            return m.Value(reference.attribute)
        if reference is not None and reference.attribute.kind is Kind.AGE:
            return m.Age(reference.attribute)
        if reference is not None:
            raise RuleError(
                _("“%(name)s” bukan angka. Contoh pemakaian: %(example)s.")
                % {"name": reference.name, "example": _example(reference)},
                node.start,
                node.end,
            )
        raise RuleError(_("Di sini diperlukan angka."), node.start, node.end)

    def _plain_number(self, node: cel.Node) -> m.Number:
        found = self.number(node)
        if isinstance(found, m.Age):
            raise RuleError(
                _("Umur tidak dapat dihitung lebih lanjut; bandingkan langsung dengan angka."),
                node.start,
                node.end,
            )
        return found

    def _arithmetic(self, node: cel.Binary) -> m.Number:
        left, right = self._plain_number(node.left), self._plain_number(node.right)
        if node.operator in "/%" and right == m.Constant(0):
            raise RuleError(_("Tidak dapat dibagi nol."), node.right.start, node.right.end)
        if isinstance(left, m.Constant) and isinstance(right, m.Constant):
            return m.Constant(calculated(node.operator, left.value, right.value))
        return m.Arithmetic(node.operator, left, right)

    # Functions

    def _call(self, node: cel.Call) -> m.Condition | m.Number:
        if node.target is None:
            if node.function == "has":
                return self._has(node)
            if node.function == "size" and len(node.arguments) == 1:
                return self._size(node.arguments[0], node)
            if node.function == "timestamp":
                raise RuleError(
                    _("Tanggal hanya untuk dibandingkan dengan birth_date."), node.start, node.end
                )
            raise RuleError(
                _("Fungsi “%(name)s” tidak dikenal. Yang ada: has(…), size(…), timestamp(…).")
                % {"name": node.function},
                node.start,
                node.end,
            )
        if node.function == "size" and not node.arguments:
            return self._size(node.target, node)
        if isinstance(node.target, cel.Name) and node.target.name == MEMBERS:
            return self._of_members(node)
        return self._text_method(node)

    def _has(self, node: cel.Call) -> m.Condition:
        reference = self.reference(node.arguments[0]) if len(node.arguments) == 1 else None
        if reference is None:
            raise RuleError(
                _("has(…) menanyakan satu atribut, misalnya has(expenditure)."),
                node.start,
                node.end,
            )
        return m.Present(reference.scope, reference.attribute)

    def _size(self, node: cel.Node, whole: cel.Node) -> m.Number:
        if isinstance(node, cel.Name) and node.name == MEMBERS:
            self._refuse_nested(node)
            return m.Count(m.Always(True), any_status=False)
        if (
            isinstance(node, cel.Call)
            and node.function == "filter"
            and isinstance(node.target, cel.Name)
            and node.target.name == MEMBERS
        ):
            condition, any_status = self._about_member(node)
            return m.Count(condition, any_status)
        reference = self.reference(node)
        if reference is not None and reference.attribute.kind is Kind.CODES:
            return m.CountOfCodes(reference.attribute)
        raise RuleError(
            _("size() menghitung members, members.filter(m, …) atau assets."),
            whole.start,
            whole.end,
        )

    def _of_members(self, node: cel.Call) -> m.Condition:
        if node.function == "filter":
            raise RuleError(
                _("members.filter(m, …) dilanjutkan dengan .size(), misalnya ….size() >= 2."),
                node.start,
                node.end,
            )
        if node.function not in ("exists", "all", "exists_one"):
            raise RuleError(
                _(
                    "“members.%(name)s” tidak ada. Pakai exists (ada), all (semua), exists_one (tepat "
                    "satu), filter(…).size() (jumlah) atau size()."
                )
                % {"name": node.function},
                node.start,
                node.end,
            )
        condition, any_status = self._about_member(node)
        if node.function == "exists":
            return m.SomeMember(condition, any_status)
        if node.function == "all":
            return m.EveryMember(condition, any_status)
        return m.Compared("==", m.Count(condition, any_status), m.Constant(1))

    def _refuse_nested(self, node: cel.Node) -> None:
        if self.variable:
            raise RuleError(
                _("“members” tidak dapat dipakai lagi di dalam syarat tentang anggota."),
                node.start,
                node.end,
            )

    def _about_member(self, node: cel.Call) -> tuple[m.Condition, bool]:
        """Return the condition on a member, and whether it asks for the member's status itself."""
        self._refuse_nested(node)
        if len(node.arguments) != 2 or not isinstance(node.arguments[0], cel.Name):
            raise RuleError(
                _("Tulis dua bagian: sebutan anggota dan syaratnya, misalnya %(example)s.")
                % {"example": f"members.{node.function}(m, m.age < 5)"},
                node.start,
                node.end,
            )
        variable = node.arguments[0]
        if variable.name in HOUSEHOLD_ATTRIBUTES or variable.name in (MEMBERS, HOUSEHOLD):
            raise RuleError(
                _("“%(name)s” sudah berarti lain; pakai sebutan lain untuk anggota, misalnya m.")
                % {"name": variable.name},
                variable.start,
                variable.end,
            )
        self.variable = variable.name
        condition = self.condition(node.arguments[1])
        self.variable = ""
        return condition, _asks_status(condition, m.Scope.MEMBER)

    def _text_method(self, node: cel.Call) -> m.Condition:
        assert node.target is not None
        reference = self.reference(node.target)
        how = TEXT_METHODS.get(node.function)
        kind = reference.attribute.kind if reference is not None else None
        fits = kind is Kind.TEXT or (kind is Kind.AREA and how == "starts")
        if reference is None or how is None or not fits or len(node.arguments) != 1:
            raise RuleError(
                _(
                    "“%(name)s” tidak dapat dipakai di sini. startsWith berlaku untuk district, village, "
                    "hamlet, rt dan rw; contains dan endsWith untuk hamlet, rt dan rw."
                )
                % {"name": node.function},
                node.start,
                node.end,
            )
        value = self._string(node.arguments[0], reference)
        if kind is Kind.AREA:
            return m.AreaIn(reference.attribute, (value,), prefix=True)
        return m.TextIs(reference.attribute, how, (value,))


def calculated(operator: str, left: int, right: int) -> int:
    """Calculate as CEL and both databases do: division goes towards zero, `%` follows the left sign.

    Raises:
        ZeroDivisionError: division by zero.
    """
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if operator == "/" else left - quotient * right


def _bound(number: m.Number) -> int:
    """Return what the absolute value of ``number`` can't exceed."""
    match number:
        case m.Constant(value):
            return abs(value)
        case m.Value(attribute) | m.Age(attribute):
            return attribute.maximum
        case m.Count():
            return MOST_MEMBERS
        case m.CountOfCodes(attribute):
            return len(attribute.choices) * 100
        case m.Arithmetic("+" | "-", left, right):
            return _bound(left) + _bound(right)
        case m.Arithmetic("*", left, right):
            return _bound(left) * _bound(right)
        case m.Arithmetic(_, left, _right):
            return _bound(left)
    raise AssertionError(number)


def _shown(literal: cel.Literal) -> str:
    if isinstance(literal.value, bool):
        return "true" if literal.value else "false"
    return "null" if literal.value is None else f'"{literal.value}"'


def _written(reference: _Reference) -> str:
    """Return the attribute as the user wrote it, with the member's variable in front."""
    node = reference.node
    owner = node.operand.name if isinstance(node, cel.Select) else ""  # type: ignore[attr-defined]
    return f"{owner}.{reference.name}" if owner else reference.name


def _example(reference: _Reference) -> str:
    """Return how the attribute is used."""
    attribute = reference.attribute
    name = _written(reference)
    match attribute.kind:
        case Kind.NUMBER | Kind.AGE:
            return f"{name} <= 4"
        case Kind.DECIMAL:
            return f"{name} < -7.4"
        case Kind.CODE:
            return f'{name} == "{attribute.codes[0]}"'
        case Kind.CODES:
            return f'"{attribute.codes[0]}" in {name}'
        case Kind.FLAG:
            return f"{name} == true"
        case Kind.DATE:
            return f'{name} >= timestamp("2020-07-01T00:00:00Z")'
        case Kind.AREA:
            return f'{name} == "33.02.01{".2001" if attribute.name == "village" else ""}"'
        case _:
            return f'{name} == "01"'
