"""A form: its questions in order, what they depend on and which answers they take.

A form is kept as JSON (:meth:`Definition.as_json`), frozen once officers answer by it. Answers are kept as
JSON too: a flat mapping from the *path* of a question to its answer, and from the path of a repeat to a list
of such mappings, one for each repetition. Paths never carry numbers::

    {"/rumah/lantai": "tanah", "/anggota": [{"/anggota/nama": "Sari", "/anggota/umur": 31}]}

An answer is a text; a number for ``integer``, ``decimal`` and ``range``; a list of texts for
``select_multiple``. Dates and times are in ISO form, a ``geopoint`` is "latitude longitude altitude accuracy"
in degrees and metres, a photo the name of its file. What is not answered is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as made_by
from functools import cached_property
from typing import Any

from guyub.fieldwork.expressions import Tree

Texts = dict[str, str]
Answers = dict[str, Any]

NUMBERS = frozenset({"integer", "decimal", "range"})
CHOOSING = frozenset({"select_one", "select_multiple"})
FILES = frozenset({"image", "audio", "video", "file"})
METADATA = frozenset({"start", "end", "today"})
TYPES = (
    NUMBERS | CHOOSING | FILES | METADATA
    | {"text", "date", "time", "datetime", "geopoint", "barcode", "acknowledge", "note", "calculate", "hidden"}
)  # fmt: skip
# Nobody is asked these.
SILENT = METADATA | {"calculate", "hidden"}
OTHER = "other"  # the choice that or_other adds; its words go to the question <name>_other
DEFAULT_LANGUAGE = "id"


@dataclass(frozen=True)
class Expression:
    """What was written, and the tree it means (:mod:`guyub.fieldwork.expressions`)."""

    source: str
    tree: Tree

    def as_json(self) -> dict[str, Any]:
        return {"source": self.source, "tree": self.tree}


@dataclass(frozen=True)
class Choice:
    """One answer to choose; ``extra`` is what further columns say of it, for choice filters."""

    name: str
    label: Texts = made_by(default_factory=dict)
    extra: Texts = made_by(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "label": self.label, "extra": self.extra}


@dataclass(frozen=True)
class Item:
    """A question, or a group or repeat with what it contains.

    ``field`` names the field of the registry that the answer is about; ``default`` is a text, or an
    expression that is worked out once when the form is opened.
    """

    kind: str  # question, group, repeat
    name: str
    path: str
    type: str = ""
    label: Texts = made_by(default_factory=dict)
    hint: Texts = made_by(default_factory=dict)
    required: Expression | None = None
    required_message: Texts = made_by(default_factory=dict)
    relevant: Expression | None = None
    constraint: Expression | None = None
    constraint_message: Texts = made_by(default_factory=dict)
    calculation: Expression | None = None
    choice_filter: Expression | None = None
    choices: tuple[Choice, ...] = ()
    read_only: bool = False
    default: Expression | str | None = None
    appearance: str = ""
    field: str = ""
    parameters: dict[str, str] = made_by(default_factory=dict)
    repeat_count: Expression | None = None
    items: tuple[Item, ...] = ()

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in ("kind", "name", "path", "type", "label", "hint", "required_message",
                    "constraint_message", "read_only", "appearance", "field", "parameters"):  # fmt: skip
            found[key] = getattr(self, key)
        for key in EXPRESSIONS:
            value = getattr(self, key)
            found[key] = value.as_json() if isinstance(value, Expression) else value
        found["choices"] = [choice.as_json() for choice in self.choices]
        found["items"] = [item.as_json() for item in self.items]
        return found

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Item:
        values = dict(content)
        for key in EXPRESSIONS:
            if isinstance(values.get(key), dict):
                values[key] = Expression(**values[key])
        values["choices"] = tuple(Choice(**choice) for choice in values.get("choices", []))
        values["items"] = tuple(cls.from_json(item) for item in values.get("items", []))
        return cls(**values)

    def words(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the question as people read it; its name where nothing is written."""
        return in_language(self.label, language) or self.name

    @cached_property
    def choice_names(self) -> frozenset[str]:
        return frozenset(choice.name for choice in self.choices)

    def choice_label(self, name: str, language: str = DEFAULT_LANGUAGE) -> str:
        """Return how a choice is worded; the name itself if there is no such choice."""
        for choice in self.choices:
            if choice.name == name:
                return in_language(choice.label, language) or name
        return name


# Those of an item that may hold an expression.
EXPRESSIONS = (
    "required",
    "relevant",
    "constraint",
    "calculation",
    "choice_filter",
    "default",
    "repeat_count",
)


def in_language(texts: Texts, language: str = DEFAULT_LANGUAGE) -> str:
    """Return the text in a language, else in Indonesian, else in any."""
    return texts.get(language) or texts.get(DEFAULT_LANGUAGE) or next(iter(texts.values()), "")


@dataclass(frozen=True)
class Definition:
    """One version of a form."""

    id_string: str
    version: str
    title: Texts
    languages: tuple[str, ...]
    items: tuple[Item, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "id_string": self.id_string,
            "version": self.version,
            "title": self.title,
            "languages": list(self.languages),
            "items": [item.as_json() for item in self.items],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Definition:
        return cls(
            id_string=content["id_string"],
            version=content["version"],
            title=content["title"],
            languages=tuple(content["languages"]),
            items=tuple(Item.from_json(item) for item in content["items"]),
        )

    def walk(self) -> Iterator[Item]:
        """Yield every item, those of groups and repeats after them, in the order of the form."""

        def below(items: tuple[Item, ...]) -> Iterator[Item]:
            for item in items:
                yield item
                yield from below(item.items)

        return below(self.items)

    @cached_property
    def by_path(self) -> dict[str, Item]:
        return {item.path: item for item in self.walk()}

    @cached_property
    def questions(self) -> tuple[Item, ...]:
        return tuple(item for item in self.walk() if item.kind == "question")

    @cached_property
    def above(self) -> dict[str, tuple[Item, ...]]:
        """Groups and repeats around each path, from the outermost in."""
        found: dict[str, tuple[Item, ...]] = {}

        def go(items: tuple[Item, ...], around: tuple[Item, ...]) -> None:
            for item in items:
                found[item.path] = around
                go(item.items, (*around, item))

        go(self.items, ())
        return found

    @cached_property
    def repeats(self) -> dict[str, tuple[str, ...]]:
        """Paths of the repeats around each path, from the outermost in."""
        return {
            path: tuple(item.path for item in around if item.kind == "repeat")
            for path, around in self.above.items()
        }

    def title_in(self, language: str = DEFAULT_LANGUAGE) -> str:
        return in_language(self.title, language) or self.id_string
