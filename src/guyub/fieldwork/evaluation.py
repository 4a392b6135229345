"""Working out the expressions of a form, by XPath's rules for types.

A value is a text, a number, a truth value or a list of nodes: the answers that a path leads to, each a text
or a number; no answer is the empty text. Beyond XPath 1.0, as tools for XLSForm do: a date in ISO form
counts as the days since 1970-01-01 where a number is wanted, so that ``${lahir} < today()`` compares days;
sums, smallest and largest leave empty answers out. Times count as written, without their offset.

``static/fieldwork/expressions.js`` does the same, step by step, and a test compares the two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from guyub.fieldwork.expressions import Tree
from guyub.fieldwork.patterns import matches

Node = str | float
Value = str | float | bool | list[Node]
NAN = math.nan
# What is repeated into a text must not grow without end.
MAX_TEXT = 100_000
MONTHS = "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember"
DAYS = "Minggu Senin Selasa Rabu Kamis Jumat Sabtu"
SPACE = " \t\r\n"
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]{1,9})?))?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class Surroundings(Protocol):
    """What an expression can see from where it stands."""

    @property
    def now(self) -> str:
        """Local time in ISO form, as 2026-08-17T09:30:00.000+07:00."""

    @property
    def position(self) -> int:
        """Number of the innermost repetition, from 1."""

    @property
    def itself(self) -> Node:
        """The answer to the question itself."""

    def nodes(self, path: str, chosen: dict[str, int] | None = None) -> list[Node]:
        """Return the answers at a path; ``chosen`` picks one repetition (from 1) of some repeats."""

    def choice_label(self, path: str, value: str) -> str:
        """Return how the question at a path words one of its choices."""

    def column(self, name: str) -> str:
        """Return what a column says of the choice that is being looked at."""


@dataclass
class Plain:
    """Surroundings of given values: a question by its path, no repeats."""

    values: dict[str, list[Node]]
    now: str = "2026-01-01T00:00:00.000+07:00"
    position: int = 1
    itself: Node = ""
    columns: dict[str, str] | None = None
    labels: dict[str, str] | None = None

    def nodes(self, path: str, chosen: dict[str, int] | None = None) -> list[Node]:
        found = self.values.get(path, [])
        for number in (chosen or {}).values():
            found = found[number - 1 : number] if number > 0 else []
        return found

    def choice_label(self, path: str, value: str) -> str:
        return (self.labels or {}).get(value, "")

    def column(self, name: str) -> str:
        return (self.columns or {}).get(name, "")


def evaluate(tree: Tree, around: Surroundings) -> Value:
    """Return the value of an expression; never raises for what answers may hold."""
    kind = tree[0]
    if kind in ("num", "str"):
        return tree[1]  # type: ignore[no-any-return]
    if kind == "self":
        return [around.itself]
    if kind == "ref":
        return list(around.nodes(tree[1]))
    if kind == "column":
        return around.column(tree[1])
    if kind == "or":
        return any(to_boolean(evaluate(part, around)) for part in tree[1:])
    if kind == "and":
        return all(to_boolean(evaluate(part, around)) for part in tree[1:])
    if kind in _COMPARISONS:
        return _compare(kind, evaluate(tree[1], around), evaluate(tree[2], around))
    if kind in _ARITHMETIC:
        left, right = (to_number(evaluate(part, around)) for part in tree[1:])
        return _ARITHMETIC[kind](left, right)
    if kind == "neg":
        return -to_number(evaluate(tree[1], around))
    if kind == "position":
        return float(around.position)
    if kind == "regex":
        return matches(tree[2], to_text(evaluate(tree[1], around)))
    if kind == "choice-name":
        return around.choice_label(tree[2], to_text(evaluate(tree[1], around)))
    if kind == "indexed":
        chosen = {}
        for repeat, index in zip(tree[2::2], tree[3::2], strict=True):
            number = to_number(evaluate(index, around))
            chosen[repeat] = int(number) if 0 < number < 1_000_000 else 0
        return list(around.nodes(tree[1], chosen))
    return _call(tree, around)


def _call(tree: Tree, around: Surroundings) -> Value:
    name = tree[1]
    if name == "if":
        picked = tree[3] if to_boolean(evaluate(tree[2], around)) else tree[4]
        return evaluate(picked, around)
    if name == "today":
        return around.now[:10]
    if name == "now":
        return around.now
    if name == "once":
        return around.itself if around.itself != "" else evaluate(tree[2], around)
    return _FUNCTIONS[name](*(evaluate(part, around) for part in tree[2:]))


def to_text(value: Value) -> str:
    """Return a value as text; of nodes the first one."""
    if isinstance(value, list):
        return to_text(value[0]) if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, (int, float)) else value


def number_text(number: float) -> str:
    """Write a number as XPath does: without exponent, and whole numbers without a point."""
    if number != number:
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    mantissa, _e, exponent = repr(float(number)).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _point, rest = mantissa.lstrip("-").partition(".")
    rest = "" if rest == "0" else rest
    digits, place = whole + rest, len(whole) + int(exponent or 0)
    if place <= 0:
        text = "0." + "0" * -place + digits
    elif place >= len(digits):
        text = digits + "0" * (place - len(digits))
    else:
        text = digits[:place] + "." + digits[place:]
    return sign + text


def to_number(value: Value) -> float:
    """Return a value as a number; NaN where it is none."""
    if isinstance(value, list):
        return to_number(value[0]) if value else NAN
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, (int, float)):
        return float(value)
    text = value.strip(SPACE)
    if _NUMBER.fullmatch(text):
        return float(text)
    days = date_number(text)
    return NAN if days is None else days


def to_boolean(value: Value) -> bool:
    """Return whether a value counts as true."""
    if isinstance(value, list):
        return bool(value) and to_boolean(value[0])
    if isinstance(value, str):
        return value != ""
    return value == value and value != 0


def days_of(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01 of a day of the Gregorian calendar."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def day_of(days: int) -> tuple[int, int, int]:
    """Return year, month and day; the reverse of :func:`days_of`."""
    days += 719468
    era = days // 146097
    of_era = days - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def date_number(text: str) -> float | None:
    """Return an ISO date (and time) as days since 1970-01-01; ``None`` if it is none."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    if not (year and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    days = days_of(year, month, day)
    if day_of(days) != (year, month, day):
        return None
    if found[4] is None:
        return float(days)
    part = _part_of_day(found[4], found[5], found[6])
    return None if part is None else days + part


def _part_of_day(hours: str, minutes: str, seconds: str | None) -> float | None:
    if int(hours) > 23 or int(minutes) > 59 or float(seconds or 0) >= 60:
        return None
    return (int(hours) * 3600 + int(minutes) * 60 + float(seconds or 0)) / 86400


def date_text(days: float) -> str:
    """Return days since 1970-01-01 as an ISO date; empty outside of the years 1 to 9999."""
    if not -719162 <= days < 2932897:
        return ""
    year, month, day = day_of(math.floor(days))
    return f"{year:04d}-{month:02d}-{day:02d}"


def _compare(kind: str, left: Value, right: Value) -> bool:
    if isinstance(left, list):
        return any(_compare(kind, node, right) for node in left)
    if isinstance(right, list):
        return any(_compare(kind, left, node) for node in right)
    if kind in ("=", "!="):
        if isinstance(left, bool) or isinstance(right, bool):
            same = to_boolean(left) == to_boolean(right)
        elif isinstance(left, str) and isinstance(right, str):
            same = left == right
        else:
            same = to_number(left) == to_number(right)
        return same == (kind == "=")
    return _COMPARISONS[kind](to_number(left), to_number(right))


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _divide(left: float, right: float) -> float:
    if right == 0:
        if left == 0 or left != left:
            return NAN
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


def _rest(left: float, right: float) -> float:
    if right == 0 or math.isinf(left) or left != left or right != right:
        return NAN
    return math.fmod(left, right)


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "div": _divide,
    "mod": _rest,
}


def words(value: Value) -> list[str]:
    """Return the words of a text, as the choices of a question that takes several."""
    return [word for word in re.split(r"[ \t\r\n]+", to_text(value)) if word]


def _whole(number: float, rounded: Callable[[float], float]) -> float:
    return number if number != number or math.isinf(number) else float(rounded(number))


def _round(value: Value, places: Value = 0.0) -> float:
    number, shift = to_number(value), to_number(places)
    if number != number or math.isinf(number) or shift != shift or abs(shift) > 12:
        return number if abs(shift) <= 12 else NAN
    power = float(f"1e{int(abs(shift))}")
    if shift < 0:
        return math.floor(number / power + 0.5) * power
    return _whole(number * power + 0.5, math.floor) / power


def _power(value: Value, power: Value) -> float:
    number, result = to_number(value), 1.0
    for _time in range(int(to_number(power))):
        result *= number
    return result


def _numbers(values: tuple[Value, ...]) -> list[float]:
    found: list[float] = []
    for value in values:
        nodes = value if isinstance(value, list) else [value]
        found += [to_number(node) for node in nodes if node != ""]
    return found


def _extreme(values: tuple[Value, ...], *, largest: bool) -> float:
    numbers = _numbers(values)
    if not numbers or any(number != number for number in numbers):
        return NAN
    best = numbers[0]
    for number in numbers:
        if (number > best) if largest else (number < best):
            best = number
    return best


def _sum(value: Value) -> float:
    total = 0.0
    for number in _numbers((value,)):
        total += number
    return total


def _texts(values: tuple[Value, ...]) -> list[str]:
    found: list[str] = []
    for value in values:
        found += [to_text(node) for node in value] if isinstance(value, list) else [to_text(value)]
    return found


def _index(number: float, length: int) -> int:
    if number != number:
        return 0
    number = max(-1e9, min(number, 1e9))
    place = math.trunc(number)
    return max(0, min(place if place >= 0 else length + place, length))


def _substr(value: Value, start: Value, end: Value = math.inf) -> str:
    text = to_text(value)
    first, last = _index(to_number(start), len(text)), _index(to_number(end), len(text))
    return text[first:last]


def _translate(value: Value, source: Value, target: Value) -> str:
    replaced: dict[str, str] = {}
    after = to_text(target)
    for place, sign in enumerate(to_text(source)):
        replaced.setdefault(sign, after[place] if place < len(after) else "")
    return "".join(replaced.get(sign, sign) for sign in to_text(value))


def _date(value: Value) -> str:
    days = to_number(value)
    return "" if days != days else date_text(days)


def _date_time(value: Value) -> str:
    text = to_text(value).strip(SPACE)
    if isinstance(value, (str, list)) and "T" in text and date_number(text) is not None:
        return text
    return _date(value)


def _format_date(value: Value, pattern: Value) -> str:
    day = _date(value)
    if not day:
        return ""
    number = to_number(value)
    found = _DATE.fullmatch(to_text(value).strip(SPACE))
    hours, minutes, seconds = (found[4], found[5], found[6]) if found and found[4] else ("00",) * 3
    month, day_number = int(day[5:7]), int(day[8:])
    week_day = DAYS.split()[(math.floor(number) + 4) % 7]
    name = MONTHS.split()[month - 1]
    seconds = seconds or "00"
    thousandths = (seconds[3:] + "000")[:3]
    parts = {
        "Y": day[:4], "y": day[2:4], "m": day[5:7], "n": str(month), "B": name, "b": name[:3],
        "d": day[8:], "e": str(day_number), "A": week_day, "a": week_day[:3], "H": hours,
        "h": str(int(hours)), "M": minutes, "S": seconds[:2], "3": thousandths, "%": "%",
    }  # fmt: skip
    return re.sub(r"%([YymnBbdeAaHhMS3%])", lambda m: parts[m[1]], to_text(pattern))


def _decimal_time(value: Value) -> float:
    found = _TIME.fullmatch(to_text(value).strip(SPACE))
    part = _part_of_day(found[1], found[2], found[3]) if found else None
    return NAN if part is None else part


def _cut(text: str) -> str:
    return text[:MAX_TEXT]


def _at(value: Value, index: Value) -> str:
    number, found = to_number(index), words(value)
    return found[int(number)] if 0 <= number < len(found) else ""


def _before(value: Value, mark: Value) -> str:
    text, sought = to_text(value), to_text(mark)
    place = text.find(sought)
    return text[:place] if place >= 0 else ""


def _after(value: Value, mark: Value) -> str:
    text, sought = to_text(value), to_text(mark)
    place = text.find(sought)
    return text[place + len(sought) :] if place >= 0 else ""


def _nodes(value: Value) -> list[Node]:
    return value if isinstance(value, list) else [to_text(value)]


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "true": lambda: True,
    "false": lambda: False,
    "not": lambda value: not to_boolean(value),
    "boolean": to_boolean,
    "boolean-from-string": lambda value: to_text(value) in ("true", "1"),
    "coalesce": lambda first, second: first if to_text(first) != "" else second,
    "selected": lambda value, choice: to_text(choice).strip(SPACE) in words(value),
    "selected-at": _at,
    "count-selected": lambda value: float(len(words(value))),
    "string": to_text,
    "concat": lambda *values: _cut("".join(_texts(values))),
    "join": lambda mark, *values: _cut(to_text(mark).join(_texts(values))),
    "string-length": lambda value: float(len(to_text(value))),
    "substr": _substr,
    "substring-before": _before,
    "substring-after": _after,
    "contains": lambda value, part: to_text(part) in to_text(value),
    "starts-with": lambda value, part: to_text(value).startswith(to_text(part)),
    "ends-with": lambda value, part: to_text(value).endswith(to_text(part)),
    "translate": _translate,
    "normalize-space": lambda value: " ".join(words(value)),
    "number": to_number,
    "int": lambda value: _whole(to_number(value), math.trunc),
    "round": _round,
    "floor": lambda value: _whole(to_number(value), math.floor),
    "ceiling": lambda value: _whole(to_number(value), math.ceil),
    "abs": lambda value: abs(to_number(value)),
    "sqrt": lambda value: math.sqrt(number) if (number := to_number(value)) >= 0 else NAN,
    "pow": _power,
    "min": lambda *values: _extreme(values, largest=False),
    "max": lambda *values: _extreme(values, largest=True),
    "sum": _sum,
    "count": lambda value: float(len(_nodes(value))),
    "count-non-empty": lambda value: float(sum(node != "" for node in _nodes(value))),
    "date": _date,
    "date-time": _date_time,
    "format-date": _format_date,
    "format-date-time": _format_date,
    "decimal-date-time": to_number,
    "decimal-time": _decimal_time,
}
