"""Logs without personal data: one JSON object per line, made of what is known to be harmless.

What may be personal can't be told from its looks: a name is a word like any other. So nothing is
filtered out of free text; free text isn't written in the first place. A line holds

- the message's template, which is a constant of the source, filled with numbers, dates, and the names
  of tasks; every other value comes out as ``…``;
- the fields of :data:`FIELDS`, when the caller gave them with ``extra``;
- of an exception its type, those of its causes, and the places in the source, never its text, which
  quotes values (``Key (nik)=(...) already exists``), never the source's variables.

What remains goes through :func:`mask` all the same.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import logging
import re
import traceback
import uuid
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from django.db.models import Model
from pythonjsonlogger.json import JsonFormatter

# What the running request or job is, for every line that it writes.
context: ContextVar[dict[str, Any] | None] = ContextVar("guyub_log_context", default=None)

# Extras that are written, and nothing else of what a caller hands over.
FIELDS = ("method", "route", "status", "ms", "user", "role", "job", "seconds", "count", "limit")

HIDDEN = "…"
_TASK = re.compile(r"(?:guyub|django)\w*(?:\.\w+)+")
_LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[ .-]?\d){15}(?!\d)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\d.])(?:\+?62|0)[ -]?8\d(?:[ -]?\d){6,11}(?![\d.])")
_QUERY = re.compile(r"\?[^\s\"']*")


def mask(text: str) -> str:
    """Return ``text`` with 16-digit numbers, e-mail addresses, telephone numbers and queries hidden."""
    text = _QUERY.sub("?" + HIDDEN, text)
    for pattern in (_LONG_NUMBER, _MAIL, _PHONE):
        text = pattern.sub(HIDDEN, text)
    return text


def shown(value: Any) -> Any:
    """Return what of a message's argument may be written."""
    if isinstance(value, enum.Enum):
        return value.name
    if value is None or isinstance(
        value, bool | int | float | decimal.Decimal | dt.date | dt.time | uuid.UUID
    ):
        return value
    if isinstance(value, BaseException):
        return type_name(type(value))
    if isinstance(value, Model):
        return f"{value._meta.label_lower} {value.pk if isinstance(value.pk, int) else HIDDEN}"
    if isinstance(value, str) and _TASK.fullmatch(value):
        return value
    return HIDDEN


def type_name(kind: type[BaseException] | None) -> str:
    """Return ``module.Name`` of an exception's type."""
    return f"{kind.__module__}.{kind.__qualname__}" if kind is not None else ""


def is_own(record: logging.LogRecord) -> bool:
    """Tell whether Guyub itself wrote ``record``, whose messages are constants of its source."""
    return record.name.partition(".")[0] == "guyub"


def message_of(record: logging.LogRecord) -> str:
    """Return the message of ``record`` without what callers filled in.

    A library's message that came without arguments may have been put together by its caller, so it is
    not written; ``place`` tells where it stands in the source.
    """
    if not isinstance(record.msg, str):
        return HIDDEN
    if not record.args:
        return mask(record.msg) if is_own(record) else HIDDEN
    args: Any = record.args
    try:
        if isinstance(args, dict):
            return mask(record.msg % {key: shown(value) for key, value in args.items()})
        return mask(record.msg % tuple(shown(value) for value in args))
    except (TypeError, ValueError, KeyError):
        # %d and the like do not take a hidden value.
        return mask(re.sub(r"%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]", HIDDEN, record.msg))


def places(trace: TracebackType | None) -> list[str]:
    """Return where an exception passed, outermost first: ``guyub/registry/services.py:120 save``."""
    found = []
    for frame in traceback.extract_tb(trace):
        parts = frame.filename.replace("\\", "/").split("/")
        start = next(
            (
                len(parts) - i
                for i, p in enumerate(reversed(parts))
                if p in ("site-packages", "src")
            ),
            max(0, len(parts) - 2),
        )
        found.append(f"{'/'.join(parts[start:])}:{frame.lineno} {frame.name}")
    return found


def describe(error: BaseException) -> dict[str, Any]:
    """Return what may be told of an exception: its type, its places and the types of its causes."""
    causes, seen = [], {id(error)}
    inner = error.__cause__ or error.__context__
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        causes.append(type_name(type(inner)))
        inner = inner.__cause__ or inner.__context__
    told: dict[str, Any] = {"type": type_name(type(error)), "at": places(error.__traceback__)[-25:]}
    if causes:
        told["causes"] = causes
    return told


class SafeFormatter(JsonFormatter):
    """Writes one record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
                "T", "milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
            "place": f"{record.module}:{record.lineno}",
            **(context.get() or {}),
        }
        for field in FIELDS if is_own(record) else ():
            value = getattr(record, field, None)
            if isinstance(value, bool | int | float | str):
                line[field] = mask(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe(record.exc_info[1])
        return str(self.jsonify_log_record(line))
