"""Telling a rule in plain Indonesian, from its meaning."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guyub.areas.models import Area
from guyub.targeting import meaning as m
from guyub.targeting.attributes import Attribute
from guyub.targeting.checking import Understood

SIGNS = {"*": "×", "/": "÷", "+": "+", "-": "−"}


@dataclass(frozen=True)
class Clause:
    """One line, and the lines below it that it speaks of."""

    text: str
    items: tuple[Clause, ...] = ()


def told(rule: Understood) -> Clause:
    """Return the rule as lines within lines. At most one query, for names of areas."""
    teller = _Teller(_names_of_areas(rule.condition))
    clause = teller.clause(rule.condition)
    if isinstance(rule.condition, m.All | m.AnyOf) and clause.items:
        return clause
    return Clause(_("Keluarga dengan syarat ini:"), (clause,))


def _names_of_areas(condition: m.Condition) -> dict[str, str]:
    codes = [c for part in condition.walk() if isinstance(part, m.AreaIn) for c in part.codes]
    if not codes:
        return {}
    return {area.code: area.title for area in Area.objects.filter(code__in=codes)}


@dataclass(frozen=True)
class _Teller:
    areas: dict[str, str]

    def clause(self, condition: m.Condition) -> Clause:
        match condition:
            case m.All(parts):
                between = self._between(condition)
                if between:
                    return Clause(between)
                return Clause(_("Semua syarat ini terpenuhi:"), self._all(parts))
            case m.AnyOf(parts):
                return Clause(_("Salah satu syarat ini terpenuhi:"), self._each(parts))
            case m.Either(asked, yes, no):
                return Clause(
                    _("Tergantung syarat pertama:"),
                    (
                        Clause(_("Bila:"), (self.clause(asked),)),
                        Clause(_("maka:"), (self.clause(yes),)),
                        Clause(_("dan bila tidak:"), (self.clause(no),)),
                    ),
                )
            case m.Not(inner):
                return self._not(inner)
            case m.SomeMember(inner, _any):
                return Clause(_("Ada anggota dengan syarat:"), self._below(inner))
            case m.EveryMember(inner, _any):
                return Clause(_("Setiap anggota memenuhi:"), self._below(inner))
            case m.Compared(operator, m.Count(inner, _any), m.Constant(value)) if inner != m.Always(
                True
            ):
                how_many = _compared(operator, _("%(n)s orang") % {"n": _figure(value)})
                return Clause(
                    _("Jumlah anggota dengan syarat berikut %(how_many)s:")
                    % {"how_many": how_many},
                    self._below(inner),
                )
            case _:
                return Clause(self._leaf(condition))

    def _all(self, parts: tuple[m.Condition, ...]) -> tuple[Clause, ...]:
        """Tell each part, two borders of one value together."""
        told: list[Clause] = []
        rest = list(parts)
        while rest:
            pair = m.All((rest[0], rest[1])) if len(rest) > 1 else None
            between = self._between(pair) if pair is not None else ""
            if between:
                told.append(Clause(between))
                rest = rest[2:]
            else:
                told.append(self.clause(rest.pop(0)))
        return tuple(told)

    def _each(self, parts: tuple[m.Condition, ...]) -> tuple[Clause, ...]:
        return tuple(self.clause(part) for part in parts)

    def _below(self, condition: m.Condition) -> tuple[Clause, ...]:
        return (
            self._all(condition.conditions)
            if isinstance(condition, m.All)
            else (self.clause(condition),)
        )

    @staticmethod
    def _between(condition: m.All) -> str:
        """Tell two borders as a range, such as an age from 7 to 18; empty when they are no range."""
        match condition.conditions:
            case (
                m.Compared(">=", m.Value(one) | m.Age(one), m.Constant(low)),
                m.Compared("<=", m.Value(other) | m.Age(other), m.Constant(high)),
            ) if one == other:
                return _("%(label)s %(low)s sampai %(high)s") % {
                    "label": one.label,
                    "low": _figure(low),
                    "high": _with_unit(high, one),
                }
        return ""

    def _not(self, inner: m.Condition) -> Clause:
        match inner:
            case m.Present(_scope, attribute):
                return Clause(_("%(label)s tidak terisi") % {"label": attribute.label})
            case m.HasCode(attribute, code):
                return Clause(
                    _("Tidak punya %(asset)s") % {"asset": attribute.label_of(code).lower()}
                )
            case m.CodeIn(_scope, attribute, codes, False):
                return Clause(
                    _("%(label)s bukan %(values)s (atau tidak diketahui)")
                    % {"label": attribute.label, "values": _or(attribute, codes)}
                )
            case m.AreaIn(attribute, codes, False, False):
                return Clause(self._area(attribute, codes, True))
            case m.SomeMember(condition, _any):
                return Clause(_("Tidak ada anggota dengan syarat:"), self._below(condition))
            case m.EveryMember(condition, _any):
                return Clause(_("Tidak setiap anggota memenuhi:"), self._below(condition))
        return Clause(
            _("Tidak memenuhi syarat ini, termasuk bila datanya tidak diketahui:"),
            (self.clause(inner),),
        )

    def _area(self, attribute: Attribute, codes: tuple[str, ...], negated: bool) -> str:
        names = [self.areas.get(code, code) for code in codes]
        shown = _listed(names[:8]) + (
            _(" dan %(n)d lainnya") % {"n": len(names) - 8} if len(names) > 8 else ""
        )
        return (_("Tidak di %(areas)s") if negated else _("Di %(areas)s")) % {"areas": shown}

    def _leaf(self, condition: m.Condition) -> str:
        match condition:
            case m.Always(value):
                return _("Selalu") if value else _("Tidak pernah")
            case m.Compared(operator, left, right):
                return f"{_upper(_number(left))} {_compared(operator, _right(left, right))}"
            case m.NumberIn(number, values):
                return f"{_upper(_number(number))}: {_listed([_figure(v) for v in values])}"
            case m.CodeIn(_scope, attribute, codes, negated):
                if negated:
                    return _("%(label)s terisi dan bukan %(values)s") % {
                        "label": attribute.label,
                        "values": _or(attribute, codes),
                    }
                return f"{attribute.label}: {_or(attribute, codes)}"
            case m.AreaIn(attribute, codes, negated, prefix):
                if prefix:
                    return _("Kode %(label)s diawali %(code)s") % {
                        "label": str(attribute.label).lower(),
                        "code": codes[0],
                    }
                return self._area(attribute, codes, negated)
            case m.TextIs(attribute, how, values):
                form = {
                    "equals": _("%(label)s: %(values)s"),
                    "differs": _("%(label)s terisi dan bukan %(values)s"),
                    "starts": _("%(label)s diawali %(values)s"),
                    "ends": _("%(label)s diakhiri %(values)s"),
                    "contains": _("%(label)s memuat %(values)s"),
                }[how]
                quoted = _listed([f"“{value}”" for value in values])
                return form % {"label": attribute.label, "values": quoted}
            case m.FlagIs(attribute, value):
                return f"{attribute.label}: {_('ya') if value else _('tidak')}"
            case m.DecimalCompared(attribute, operator, number):
                shown = number_format(number, use_l10n=True)
                return f"{attribute.label} {_compared(operator, shown)}"
            case m.DateCompared(attribute, operator, day):
                words = {
                    "<": _("sebelum %(day)s"),
                    "<=": _("paling lambat %(day)s"),
                    ">": _("sesudah %(day)s"),
                    ">=": _("paling awal %(day)s"),
                    "==": _("tepat %(day)s"),
                    "!=": _("bukan %(day)s"),
                }[operator]
                return f"{attribute.label} {words % {'day': date_format(day, 'j F Y')}}"
            case m.HasCode(attribute, code):
                return _("Punya %(asset)s") % {"asset": attribute.label_of(code).lower()}
            case m.Present(_scope, attribute):
                return _("%(label)s terisi") % {"label": attribute.label}
        raise AssertionError(condition)


def _compared(operator: str, value: str) -> str:
    return {
        "<": _("kurang dari %(value)s"),
        "<=": _("%(value)s atau kurang"),
        ">": _("lebih dari %(value)s"),
        ">=": _("%(value)s atau lebih"),
        "==": _("tepat %(value)s"),
        "!=": _("bukan %(value)s"),
    }[operator] % {"value": value}


def _figure(value: int) -> str:
    return number_format(value, use_l10n=True, force_grouping=True)


def _with_unit(value: int, attribute: Attribute) -> str:
    unit = str(attribute.unit)
    # "rupiah per orang per bulan" follows the sum by its first word only.
    return f"{_figure(value)} {unit.split()[0]}" if unit else _figure(value)


def _right(left: m.Number, right: m.Number) -> str:
    match left, right:
        case (m.Value(attribute) | m.Age(attribute), m.Constant(value)):
            return _with_unit(value, attribute)
        case (m.Count(m.Always(True)), m.Constant(value)):
            return ngettext("%(n)s orang", "%(n)s orang", value) % {"n": _figure(value)}
    return _number(right)


def _number(number: m.Number) -> str:
    match number:
        case m.Constant(value):
            return _figure(value)
        case m.Value(attribute) | m.Age(attribute):
            return str(attribute.label).lower()
        case m.CountOfCodes(attribute):
            return _("banyaknya %(label)s") % {"label": str(attribute.label).lower()}
        case m.Count(m.Always(True)):
            return _("banyaknya anggota")
        case m.Count(condition):
            return _("banyaknya anggota (%(condition)s)") % {
                "condition": _flat(_Teller({}).clause(condition))
            }
        case m.Arithmetic("%", left, right):
            return _("sisa %(left)s dibagi %(right)s") % {
                "left": _number(left),
                "right": _number(right),
            }
        case m.Arithmetic(operator, left, right):
            sides = [
                f"({_number(side)})" if isinstance(side, m.Arithmetic) else _number(side)
                for side in (left, right)
            ]
            return f" {SIGNS[operator]} ".join(sides)
    raise AssertionError(number)


def _flat(clause: Clause) -> str:
    """Return a clause and all below it as one line."""
    if not clause.items:
        return clause.text[0].lower() + clause.text[1:]
    return clause.text + " " + "; ".join(_flat(item) for item in clause.items)


def _or(attribute: Attribute, codes: tuple[str, ...]) -> str:
    return _listed([attribute.label_of(code) for code in codes])


def _listed(values: list[str]) -> str:
    if len(values) < 2:
        return "".join(values)
    return _("%(first)s atau %(last)s") % {"first": ", ".join(values[:-1]), "last": values[-1]}


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
