"""Regular expressions of forms, matched in time that grows only with the length of the text.

The expression engines of Python and of browsers differ in what they accept, and both can take years over
a pattern such as ``(a+)+b``. So a pattern is read once, when the form comes in, into a small program that
Python and ``expressions.js`` run in the same way: all its alternatives side by side, one sign at a time
(K. Thompson, Regular Expression Search Algorithm, CACM 11(6), 1968).

A program is a list of instructions: ``["set", negated, [[from, to], ...], [property, ...]]`` takes one sign
whose code lies in a range or that has a Unicode property; ``["split", a, b]`` goes on at both places;
``["jump", a]``; ``["begin"]`` and ``["end"]`` hold at the ends of the text only; ``["match"]``.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from django.utils.translation import gettext as _

MAX_PROGRAM = 1_500
MAX_COUNT = 500
MAX_DEPTH = 30
LAST = 0x10FFFF
DIGITS = [[48, 57]]
WORDS = [[48, 57], [65, 90], [95, 95], [97, 122]]
SPACES = [[9, 13], [32, 32]]
CLASSES = {"d": DIGITS, "w": WORDS, "s": SPACES}
CONTROLS = {"t": 9, "n": 10, "r": 13, "f": 12, "v": 11}
PROPERTIES = ("L", "Lu", "Ll", "N", "Nd", "P", "Z")


class PatternError(ValueError):
    """The pattern can't be used; ``at`` is the place in it, counted from 0."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


def compile_pattern(text: str) -> list[Any]:
    """Return the program of a pattern, which has to match the whole of a text.

    Raises:
        PatternError: a sign is out of place, unknown or beyond what is supported, or it is too long.
    """
    reader = _Reader(text)
    part = reader.alternatives(0)
    if reader.at < len(text):
        raise PatternError(_("Tanda ) ini tidak punya pasangan pembuka."), reader.at)
    program: list[Any] = []
    _emit(part, program)
    program.append(["match"])
    return program


def matches(program: list[Any], text: str) -> bool:
    """Tell whether the whole of ``text`` is matched."""
    states = _reached(program, [0], True, not text)
    for index, sign in enumerate(text):
        after = [
            state + 1
            for state in states
            if program[state][0] == "set" and _takes(program[state], sign)
        ]
        states = _reached(program, after, False, index == len(text) - 1)
        if not states:
            return False
    return any(program[state][0] == "match" for state in states)


def _reached(program: list[Any], start: list[int], at_begin: bool, at_end: bool) -> list[int]:
    """Return the places that wait for a sign, or have matched, from the places in ``start``."""
    seen = set()
    waiting = []
    todo = list(reversed(start))
    while todo:
        state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        step = program[state]
        if step[0] == "split":
            todo += [step[2], step[1]]
        elif step[0] == "jump":
            todo.append(step[1])
        elif step[0] == "begin":
            todo += [state + 1] if at_begin else []
        elif step[0] == "end":
            todo += [state + 1] if at_end else []
        else:
            waiting.append(state)
    return waiting


def _takes(step: list[Any], sign: str) -> bool:
    code = ord(sign)
    inside = any(low <= code <= high for low, high in step[2]) or (
        bool(step[3]) and any(unicodedata.category(sign).startswith(name) for name in step[3])
    )
    return inside != step[1]


def _emit(part: tuple[Any, ...], program: list[Any]) -> None:
    """Append the instructions of a part: what was read, as nested tuples."""
    if len(program) > MAX_PROGRAM:
        raise PatternError(_("Pola terlalu panjang. Sederhanakan pengulangannya."), 0)
    kind = part[0]
    if kind in ("set", "begin", "end"):
        program.append(list(part))
    elif kind == "sequence":
        for inner in part[1]:
            _emit(inner, program)
    elif kind == "either":
        ends = []
        for inner in part[1][:-1]:
            split = len(program)
            program.append(["split", split + 1, 0])
            _emit(inner, program)
            ends.append(len(program))
            program.append(["jump", 0])
            program[split][2] = len(program)
        _emit(part[1][-1], program)
        for place in ends:
            program[place][1] = len(program)
    else:
        _emit_repeated(part[1], part[2], part[3], program)


def _emit_repeated(
    inner: tuple[Any, ...], least: int, most: int | None, program: list[Any]
) -> None:
    for _number in range(least):
        length = len(program)
        _emit(inner, program)
        if len(program) == length:  # nothing, however often
            return
    if most is None:
        split = len(program)
        program.append(["split", split + 1, 0])
        _emit(inner, program)
        program.append(["jump", split])
        program[split][2] = len(program)
        return
    splits = []
    for _number in range(most - least):
        splits.append(len(program))
        program.append(["split", len(program) + 1, 0])
        _emit(inner, program)
    for split in splits:
        program[split][2] = len(program)


class _Reader:
    """Reads the text of a pattern by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        sign = self.peek()
        self.at += 1
        return sign

    def alternatives(self, depth: int) -> tuple[Any, ...]:
        if depth > MAX_DEPTH:
            raise PatternError(_("Pola bertumpuk terlalu dalam."), self.at)
        branches = [self.sequence(depth)]
        while self.peek() == "|":
            self.take()
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else ("either", branches)

    def sequence(self, depth: int) -> tuple[Any, ...]:
        parts = []
        while self.peek() and self.peek() not in "|)":
            parts.append(self.quantified(self.atom(depth)))
        return ("sequence", parts)

    def quantified(self, part: tuple[Any, ...]) -> tuple[Any, ...]:
        start = self.at
        sign = self.peek()
        if not sign or sign not in "*+?{":
            return part
        if part[0] in ("begin", "end"):
            raise PatternError(_("Tanda ^ dan $ tidak bisa diulang."), start)
        self.take()
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(sign) or self.counts(start)
        if self.peek() == "?":  # lazy: the same when the whole text has to match
            self.take()
        if self.peek() in ("*", "+", "{", "?"):
            raise PatternError(_("Dua tanda ulang tidak boleh berurutan."), self.at)
        return ("repeated", part, least, most)

    def counts(self, start: int) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        inner = self.text[self.at : end] if end >= 0 else ""
        least, comma, most = inner.partition(",")
        numbers = [least, most] if most else [least]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            raise PatternError(_("Banyaknya ulangan ditulis seperti {16} atau {1,3}."), start)
        first = int(least[:6])
        last = int(most[:6]) if most else (None if comma else first)
        if max(first, last or 0) > MAX_COUNT or (last is not None and last < first):
            raise PatternError(
                _("Banyaknya ulangan harus naik dan paling banyak %(most)d.") % {"most": MAX_COUNT},
                start,
            )
        self.at = end + 1
        return first, last

    def atom(self, depth: int) -> tuple[Any, ...]:
        start = self.at
        sign = self.take()
        if sign == "(":
            if self.peek() == "?":
                if self.text[self.at : self.at + 2] != "?:":
                    raise PatternError(_("Kelompok (?…) selain (?:…) belum didukung."), start)
                self.at += 2
            inner = self.alternatives(depth + 1)
            if self.take() != ")":
                raise PatternError(_("Tanda ( ini belum ditutup."), start)
            return inner
        if sign == "[":
            return self.bracket(start)
        if sign == ".":
            return ("set", True, [[10, 10], [13, 13]], [])
        if sign == "^":
            return ("begin",)
        if sign == "$":
            return ("end",)
        if sign == "\\":
            return self.escape(start)
        if sign in "*+?{":
            raise PatternError(_("Tanda ulang ini tidak punya yang diulang."), start)
        return _one(ord(sign))

    def escape(self, start: int) -> tuple[Any, ...]:
        sign = self.take()
        if not sign:
            raise PatternError(_("Tanda \\ di akhir pola tidak berarti apa-apa."), start)
        if sign.lower() in CLASSES:
            return ("set", sign.isupper(), CLASSES[sign.lower()], [])
        if sign in "pP":
            end = self.text.find("}", self.at)
            name = self.text[self.at + 1 : end] if self.peek() == "{" else ""
            if name not in PROPERTIES:
                raise PatternError(
                    _("\\p{…} hanya untuk: %(names)s.") % {"names": ", ".join(PROPERTIES)}, start
                )
            self.at = end + 1
            return ("set", sign == "P", [], [name])
        if sign in CONTROLS:
            return _one(CONTROLS[sign])
        if sign.isascii() and sign.isalnum():
            raise PatternError(_("\\%(sign)s belum didukung dalam pola.") % {"sign": sign}, start)
        return _one(ord(sign))

    def bracket(self, start: int) -> tuple[Any, ...]:
        negated = self.peek() == "^"
        if negated:
            self.take()
        ranges: list[list[int]] = []
        names: list[str] = []
        first = True
        while self.peek() != "]" or first:
            if not self.peek():
                raise PatternError(_("Tanda [ ini belum ditutup."), start)
            first = False
            at = self.at
            part = self.member()
            code = part[2][0][0] if _is_one(part) else None
            following = self.text[self.at + 1 : self.at + 2]
            if code is None:
                if part[1] and part[3]:
                    raise PatternError(_("\\P di dalam [ ] belum didukung."), at)
                ranges += _others(part[2]) if part[1] else part[2]
                names += part[3]
            elif self.peek() == "-" and following not in ("]", ""):
                self.take()
                last = self.member()
                if not _is_one(last) or last[2][0][0] < code:
                    raise PatternError(_("Rentang di dalam [ ] harus naik, misalnya [a-z]."), at)
                ranges.append([code, last[2][0][0]])
            else:
                ranges.append([code, code])
        self.take()
        return ("set", negated, ranges, names)

    def member(self) -> tuple[Any, ...]:
        start = self.at
        sign = self.take()
        return self.escape(start) if sign == "\\" else _one(ord(sign))


def _one(code: int) -> tuple[Any, ...]:
    return ("set", False, [[code, code]], [])


def _is_one(part: tuple[Any, ...]) -> bool:
    ranges: list[list[int]] = part[2]
    return not part[1] and not part[3] and len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _others(ranges: list[list[int]]) -> list[list[int]]:
    """Return what lies outside of sorted ranges."""
    found, start = [], 0
    for low, high in ranges:
        if low > start:
            found.append([start, low - 1])
        start = high + 1
    return [*found, [start, LAST]]
