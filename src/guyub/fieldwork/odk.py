"""Reading single submissions as ODK and KoboToolbox send them: OpenRosa XML, and the JSON of Kobo's API.

Both become the answers of :mod:`guyub.fieldwork.definition`. What a submission says of itself (its number,
which one it corrects, when it was filled in, of which version of the form) goes along.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from guyub.fieldwork.checking import unfit
from guyub.fieldwork.definition import CHOOSING, FILES, NUMBERS, Answers, Definition, Item

# Gives the wording of a form that a submission was filled in with, by the version it names.
Chooser = Callable[[str], Definition]
MAX_XML = 5 * 1024 * 1024
MAX_REPETITIONS = 500
MAX_ELEMENTS = 20_000
# Names of our own for what has no number: the same content has the same one.
NAMESPACE = uuid.UUID("6f1c1c2e-52d4-4f7e-8f6b-0d6f3f1f5b0a")
_INSTANCE_KEYS = ("meta/instanceID", "instanceID", "_uuid", "KEY", "meta-instanceID")
# Kobo's newer exports name the first wording of an edited submission instead of the one before.
_DEPRECATED_KEYS = (
    "meta/deprecatedID", "deprecatedID", "meta-deprecatedID", "meta/rootUuid", "meta-rootUuid",
)  # fmt: skip
VERSION_KEYS = ("__version__", "_version_", "_version", "FormVersion")
SENT_KEYS = ("_submission_time", "SubmissionDate")
# What tools put beside the answers.
ASIDE = re.compile(
    r"_.*|meta|meta[/-].*|formhub|formhub/.*|instanceID|instanceName|deprecatedID|start|end|today|deviceid"
    r"|username|phonenumber|email|audit|KEY|PARENT_KEY|SubmissionDate|SubmitterID|SubmitterName|Status"
    r"|AttachmentsPresent|AttachmentsExpected|ReviewState|DeviceID|Edits|FormVersion"
)


class UnreadableSubmissionError(ValueError):
    """A submission that can't be taken; ``column`` names the question, where it is about one."""

    def __init__(self, message: str, column: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column


@dataclass
class Found:
    """One submission that was read.

    ``files`` gives for each file that an answer names where its content lies in what was read (empty where
    it does not come along); ``unknown`` are questions that the form does not have.
    """

    instance: uuid.UUID
    answers: Answers
    form_id: str = ""
    version: str = ""
    replaces: uuid.UUID | None = None
    begun_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    files: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    # Where it stands: file, sheet, row as Excel counts.
    file: str = ""
    sheet: str = ""
    row: int = 0


def instance_of(text: str) -> uuid.UUID | None:
    """Return the UUID of an ``instanceID``; one of our own for a number in another form."""
    plain = text.strip()
    if not plain:
        return None
    try:
        return uuid.UUID(plain.removeprefix("uuid:"))
    except ValueError:
        return uuid.uuid5(NAMESPACE, plain)


def moment(text: Any) -> dt.datetime | None:
    """Return a time as tools write it; without an offset it is local time. ``None`` if it is none."""
    try:
        found = parse_datetime(str(text or "").strip())
    except ValueError:
        return None
    if found is None:
        return None
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def answer_of(item: Item, value: Any) -> Any:
    """Return an answer from its text (or number), ``None`` for no answer.

    Raises:
        UnreadableSubmissionError: it is not of the question's type.
    """
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, (dict, bool)):
        value = str(value)
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = text.strip() if item.type != "text" else text
    if not text:
        return None
    answer: Any = text
    if item.type in NUMBERS:
        answer = _number(text)
    elif item.type == "select_multiple":
        answer = list(dict.fromkeys(text.split()))
    elif item.type == "acknowledge":
        answer = "OK"
    elif item.type in FILES:
        answer = text.replace("\\", "/").rsplit("/", 1)[-1]
    elif item.type in ("date", "today") and len(text) > 10:
        answer = text[:10]
    elif item.type in ("start", "end", "datetime"):
        found = moment(text)
        answer = found.isoformat() if found is not None else text
    elif re.fullmatch(r"#[0-9]{15,}", text):
        raise UnreadableSubmissionError(
            _("Nomor panjang ini tersimpan sebagai bilangan. Ubah kolomnya menjadi teks, lalu ekspor ulang."),
            item.name,
        )  # fmt: skip
    if item.type not in CHOOSING and item.type != "calculate":
        message = unfit(item, answer)
        if message:
            raise UnreadableSubmissionError(
                _("“%(value)s”: %(message)s") % {"value": text[:40], "message": message}, item.name
            )
    return answer


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def finish(found: Found, definition: Definition) -> Found:
    """Fill in when a submission was begun and finished, and which files its answers name."""
    for item in definition.questions:
        value = found.answers.get(item.path)
        if item.type == "start":
            found.begun_at = found.begun_at or moment(value)
        elif item.type == "end":
            found.finished_at = moment(value) or found.finished_at
    for name in _names_of_files(definition, definition.items, found.answers):
        found.files.setdefault(name, "")
    return found


def _names_of_files(
    definition: Definition, items: tuple[Item, ...], given: Answers
) -> Iterator[str]:
    for item in items:
        if item.kind == "group":
            yield from _names_of_files(definition, item.items, given)
        elif item.kind == "repeat":
            for row in given.get(item.path) or []:
                yield from _names_of_files(definition, item.items, row)
        elif item.type in FILES and given.get(item.path):
            yield str(given[item.path])


# OpenRosa XML


def _tag(element: Element) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def read_xml(content: bytes, choose: Chooser) -> Found:
    """Read a submission as OpenRosa XML.

    Raises:
        UnreadableSubmissionError: it is no XML or none of a form, or an answer is not of its question's type.
    """
    if len(content) > MAX_XML:
        raise UnreadableSubmissionError(_("Kiriman lebih dari %(n)d MB.") % {"n": MAX_XML >> 20})
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableSubmissionError(
            _("Isi XML rusak. Ekspor atau kirim ulang kiriman ini.")
        ) from error
    if sum(1 for _element in root.iter()) > MAX_ELEMENTS:
        raise UnreadableSubmissionError(_("Kiriman ini punya terlalu banyak isian."))
    # Central's exports wrap the answers together with what the server knows.
    if _tag(root) == "submission" and len(root):
        root = next((e for e in root.iter() if e.get("id") and _tag(e) != "submission"), root)
    meta = {
        _tag(part): (part.text or "").strip()
        for element in root
        if _tag(element) == "meta"
        for part in element
    }
    instance = instance_of(meta.get("instanceID", "") or root.get("instanceID", ""))
    if instance is None:
        raise UnreadableSubmissionError(
            _("Kiriman ini tanpa nomor (meta/instanceID), sehingga tidak bisa dikenali ulang.")
        )
    version = root.get("version") or next(
        ((e.text or "").strip() for e in root if _tag(e) == "__version__"), ""
    )
    definition = choose(version)
    found = Found(
        instance,
        {},
        form_id=root.get("id") or "",
        version=version,
        replaces=instance_of(meta.get("deprecatedID", "")),
        finished_at=moment(root.get("submissionDate")),
    )
    _read_element(root, "", found.answers, definition, found)
    return finish(found, definition)


def _read_element(
    element: Element, above: str, given: Answers, definition: Definition, found: Found
) -> None:
    for child in element:
        name = _tag(child)
        path = f"{above}/{name}"
        item = definition.by_path.get(path)
        if item is None:
            if not ASIDE.fullmatch(name) and (len(child) or (child.text or "").strip()):
                found.unknown.append(path)
        elif any(_local(key) == "template" for key in child.attrib):
            continue
        elif item.kind == "group":
            _read_element(child, path, given, definition, found)
        elif item.kind == "repeat":
            rows = given.setdefault(path, [])
            if len(rows) >= MAX_REPETITIONS:
                raise UnreadableSubmissionError(_("Terlalu banyak ulangan."), name)
            rows.append({})
            _read_element(child, path, rows[-1], definition, found)
        else:
            answer = answer_of(item, child.text)
            if answer is not None:
                given[path] = answer


def _local(key: str) -> str:
    return key.rsplit("}", 1)[-1]


# JSON of Kobo's API, which is also what its REST services send


def first_of(content: dict[str, Any], keys: tuple[str, ...]) -> str:
    """Return the first of several keys that is filled."""
    return next((str(content[key]) for key in keys if content.get(key)), "")


def read_kobo(content: Any, choose: Chooser) -> Found:
    """Read one submission of Kobo's API version 2: flat keys, *group/question*.

    Raises:
        UnreadableSubmissionError: it is none, or an answer is not of its question's type.
    """
    if not isinstance(content, dict):
        raise UnreadableSubmissionError(_("Kiriman harus berupa objek JSON seperti dari Kobo."))
    instance = instance_of(first_of(content, _INSTANCE_KEYS))
    if instance is None:
        raise UnreadableSubmissionError(_("Kiriman ini tanpa nomor (_uuid)."), "_uuid")
    version = first_of(content, VERSION_KEYS)
    definition = choose(version)
    found = Found(
        instance,
        {},
        form_id=str(content.get("_xform_id_string") or ""),
        version=version,
        replaces=instance_of(first_of(content, _DEPRECATED_KEYS)),
        finished_at=utc_moment(first_of(content, SENT_KEYS)),
    )
    _read_flat(content, found.answers, definition, found)
    return finish(found, definition)


def utc_moment(text: str) -> dt.datetime | None:
    """Return the time of a server, which Kobo writes in UTC without saying so."""
    found = parse_datetime(text) if text else None
    if found is not None and timezone.is_naive(found):
        return found.replace(tzinfo=dt.UTC)
    return found


def _read_flat(
    content: dict[str, Any], given: Answers, definition: Definition, found: Found
) -> None:
    for key, value in content.items():
        path = f"/{key}"
        item = definition.by_path.get(path)
        if item is None:
            if not ASIDE.fullmatch(key) and value not in (None, "", []):
                found.unknown.append(path)
        elif item.kind == "repeat":
            if not isinstance(value, list) or len(value) > MAX_REPETITIONS:
                raise UnreadableSubmissionError(_("Bagian berulang ini tidak terbaca."), item.name)
            given[path] = []
            for row in value:
                inner: Answers = {}
                if isinstance(row, dict):
                    _read_flat(row, inner, definition, found)
                given[path].append(inner)
        elif item.kind == "question":
            answer = answer_of(item, value)
            if answer is not None:
                given[path] = answer


def instance_in(cells: dict[str, Any]) -> uuid.UUID | None:
    """Return the number of a submission among the cells of a row."""
    return instance_of(first_of(cells, _INSTANCE_KEYS))


def replaced_in(cells: dict[str, Any]) -> uuid.UUID | None:
    """Return the number of the submission that a row corrects."""
    return instance_of(first_of(cells, _DEPRECATED_KEYS))
