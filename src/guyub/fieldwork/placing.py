"""Where a form's questions about the registry have to stand, so that their answers are read.

A submission is about one household: what it says of the household stands once, and what it says of members
in one repeat with a row for each. Elsewhere an answer is kept with its submission and read for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from guyub.fieldwork.definition import Definition, Item
from guyub.fieldwork.member_fields import PREFIX, TELLING


def misplaced(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield the paths of questions about members that can't be used where they stand, and how to mend it."""
    told: set[str] = set()
    for item in definition.questions:
        around = definition.repeats[item.path]
        if not item.field.startswith(PREFIX):
            continue
        if not around:
            yield (
                item.path,
                _("Isian tentang anggota harus berada di dalam bagian berulang anggota. Letakkan di antara begin_repeat dan end_repeat, dengan satu baris per anggota.")
            )  # fmt: skip
        elif len(around) > 1:
            yield item.path, _too_deep(definition, around)
        elif around[0] not in told:
            told.add(around[0])
            if not TELLING & set(_fields_of(definition.by_path[around[0]])):
                yield (
                    item.path,
                    _("Bagian berulang ini tidak menanyakan siapa orangnya. Tambahkan member.id, member.nik, atau member.name.")
                )  # fmt: skip


def _too_deep(definition: Definition, around: tuple[str, ...]) -> str:
    """Say why a question about a member within several repeats can't be read, and how to mend it."""
    inner = definition.by_path[around[-1]]
    for path in around[:-1]:
        outer = definition.by_path[path]
        if any(name.startswith(PREFIX) for name in _fields_of(outer)):
            return _(
                "Bagian berulang “%(inner)s” ada di dalam bagian anggota “%(outer)s”, jadi satu orang bisa "
                "punya banyak jawaban, sedangkan registri menyimpan satu. Pindahkan pertanyaan ini ke luar "
                "“%(inner)s”, atau kosongkan kolom guyub bila jawabannya cukup disimpan."
            ) % {"inner": inner.name, "outer": outer.name}
    return _(
        "Bagian anggota “%(inner)s” ada di dalam bagian berulang “%(outer)s”, sedangkan satu kiriman hanya "
        "tentang satu keluarga. Hapus begin_repeat dan end_repeat “%(outer)s” dan isi formulirnya sekali per "
        "keluarga, atau kosongkan kolom guyub bila jawabannya cukup disimpan."
    ) % {"inner": inner.name, "outer": definition.by_path[around[-2]].name}


def unread(definition: Definition) -> Iterator[tuple[str, str, str]]:
    """Yield what is asked and kept, but not read for the registry: path, column of the sheet, and why."""
    for item in definition.walk():
        around = definition.repeats[item.path]
        if not around:
            continue
        if item.kind == "repeat":
            yield (
                item.path,
                "type",
                _("Bagian berulang “%(inner)s” ada di dalam “%(outer)s”. Jawabannya disimpan dan tampil di halaman kiriman, tetapi tidak dibaca untuk data anggota. Yang perlu dibaca: tanyakan langsung di dalam “%(outer)s”, dengan kolom guyub.")
                % {"inner": item.name, "outer": definition.by_path[around[-1]].name},
            )  # fmt: skip
        elif item.kind == "question" and item.field and not item.field.startswith(PREFIX):
            yield (
                item.path,
                "guyub",
                _("“%(field)s” tidak dibaca di dalam bagian berulang “%(outer)s”, karena registri menyimpan satu nilai per keluarga. Pindahkan pertanyaannya ke luar bagian berulang; di sini jawabannya hanya disimpan.")
                % {"field": item.field, "outer": definition.by_path[around[-1]].name},
            )  # fmt: skip


def _fields_of(item: Item) -> Iterator[str]:
    """Yield what a repeat asks about in its own rows, not in repeats within it."""
    for inner in item.items:
        yield inner.field
        if inner.kind != "repeat":
            yield from _fields_of(inner)
