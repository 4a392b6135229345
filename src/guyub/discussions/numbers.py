"""Finding NIK and family card numbers in what people write, and masking them.

Both have 16 digits: six for a district, six for a date (DDMMYY, with 40 added to the day of birth of
women) and four for a serial (see :mod:`guyub.registry.nik`). People also write them in groups, with
spaces, dots or dashes between.
"""

from __future__ import annotations

import re
from functools import cache

from guyub.access.masking import mask_number
from guyub.areas.services import national_district_codes

LENGTH = 16
_BETWEEN = r"[ \t\u00a0.,:/_\-–—]{1,3}"
# Digits with at most three separators between one and the next.
_RUN = re.compile(rf"[0-9](?:(?:{_BETWEEN})?[0-9])*")
_GROUP = re.compile(r"[0-9]+")
_SAID = re.compile(r"\b(?:nik|kk|ktp)\b\W{0,3}(?:no(?:mor)?\b\W{0,3})?$", re.IGNORECASE)


@cache
def _provinces() -> frozenset[str]:
    return frozenset(code[:2] for code in national_district_codes())


def _is_plausible(digits: str) -> bool:
    """Tell whether 16 digits have the place and date of a NIK or KK number."""
    day, month = int(digits[6:8]), int(digits[8:10])
    return (
        digits[:2] in _provinces() and 1 <= (day - 40 if day > 40 else day) <= 31
    ) and 1 <= month <= 12


def _found_in(run: str, before: str) -> list[tuple[int, int]]:
    """Return where numbers stand in one run of digit groups."""
    groups = [match.span() for match in _GROUP.finditer(run)]
    found = []
    number = 0
    while number < len(groups):
        start, end = groups[number]
        whole = end - start
        if whole % LENGTH == 0:
            # 16 digits in one piece are always taken for a number, as are several glued together.
            found += [(at, at + LENGTH) for at in range(start, end, LENGTH)]
            number += 1
            continue
        digits, last = "", number
        while last < len(groups) and len(digits) < LENGTH:
            digits += run[slice(*groups[last])]
            last += 1
        said = number == 0 and _SAID.search(before)
        if len(digits) == LENGTH and (said or _is_plausible(digits)):
            found.append((start, groups[last - 1][1]))
            number = last
        else:
            number += 1
    return found


def mask_numbers(text: str) -> tuple[str, int]:
    """Mask the NIK and family card numbers in ``text``; return the result and how many there were.

    16 digits in one piece are masked whatever they say; digits in groups only when they read like such
    a number (place and date) or the word NIK, KK or KTP stands before, so that dates, amounts and
    telephone numbers stay. Numbers of other lengths (NIP, accounts) stay too.
    """
    parts: list[str] = []
    done = count = 0
    for run in _RUN.finditer(text):
        for start, end in _found_in(run.group(), text[max(0, run.start() - 20) : run.start()]):
            start, end = run.start() + start, run.start() + end
            parts += [text[done:start], mask_number(re.sub(r"[^0-9]", "", text[start:end]))]
            done = end
            count += 1
    return "".join([*parts, text[done:]]), count
