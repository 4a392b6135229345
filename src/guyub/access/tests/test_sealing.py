"""Sealed numbers and files: what comes back, what is refused."""

from __future__ import annotations

import io

import pytest
from django.core.exceptions import FieldError
from django.core.files.base import ContentFile
from hypothesis import given
from hypothesis import strategies as st

from guyub.access import sealed_files, sealing
from guyub.access.sealed_files import (
    CHUNK,
    SealedStorage,
    SealedWriter,
    chunks_of,
    memory_file,
    opened,
    seal_file,
)
from guyub.access.sealing import SealError, is_sealed, reseal, seal, seal_all, unseal

NIK = "3302011203850001"


@given(st.text(min_size=1, max_size=20).filter(lambda text: not text.startswith("s")))
def test_what_was_sealed_comes_back(text):
    assert unseal(seal(text)) == text


@given(st.from_regex(r"\A\d{16}\Z").filter(str.isascii))
def test_one_number_has_one_sealed_form_that_shows_nothing_of_it(number):
    sealed = seal(number)
    assert sealed == seal(number) == seal(sealed)
    assert len(sealed) == sealing.SEALED_LENGTH
    assert is_sealed(sealed)
    assert unseal(sealed) == number
    assert number[:6] not in sealed


def test_many_are_sealed_like_one():
    assert seal_all([NIK, None, "", NIK, seal(NIK)]) == [seal(NIK), None, "", seal(NIK), seal(NIK)]


def test_a_changed_text_is_refused():
    sealed = seal(NIK)
    for place in (3, 20, 30):
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(SealError):
            unseal(sealed[:place] + other + sealed[place + 1 :])


def test_keys_change(settings):
    old = seal(NIK)
    before = settings.DATA_KEY
    settings.DATA_KEY = "another key of fifty letters, as production asks for"
    with pytest.raises(SealError):
        unseal(old)
    settings.OLD_DATA_KEYS = [before]
    assert unseal(old) == NIK
    assert seal(NIK) != old
    assert reseal(old) == seal(NIK)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_files_come_back_whole(tmp_path, size):
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    seal_file(path, path)
    assert size < 100 or content[:100] not in path.read_bytes()
    with opened(path) as clear:
        assert clear.read_bytes() == content
    storage = SealedStorage(location=tmp_path)
    assert storage.size("a.bin") == size


def test_a_file_that_was_cut_or_changed_is_refused(tmp_path):
    out = io.BytesIO()
    with SealedWriter(out) as writer:
        writer.write(b"x" * (2 * CHUNK))
    whole = out.getvalue()
    cut = whole[: sealed_files.HEADER + CHUNK + sealed_files.TAG]
    for damaged in (cut, whole[:-1], whole[:100] + b"?" + whole[101:]):
        with pytest.raises(SealError):
            list(chunks_of(io.BytesIO(damaged)))


def test_stored_uploads_are_sealed_and_read_as_before(tmp_path):
    storage = SealedStorage(location=tmp_path)
    name = storage.save("foto.jpg", ContentFile(NIK.encode() * 10))
    assert NIK.encode() not in (tmp_path / name).read_bytes()
    with storage.open(name, "rb") as file:
        assert file.read() == NIK.encode() * 10


def test_without_files_in_memory_a_temporary_one_serves(tmp_path, monkeypatch):
    monkeypatch.delattr("os.memfd_create")
    with memory_file(tmp_path) as (path, out):
        out.write(b"abc")
        out.flush()
        assert path.read_bytes() == b"abc"
    assert not path.exists()


def test_fields_find_whole_numbers_only(make_household):
    from guyub.registry.models import Household, Person

    home = make_household()
    person = home.members.get()
    assert Person.objects.get(nik=person.nik) == person
    assert list(Household.objects.filter(kk__in=[home.kk, "3302010101010999"])) == [home]
    assert list(Person.objects.values_list("nik", flat=True)) == [person.nik]
    with pytest.raises(FieldError):
        Person.objects.filter(nik__startswith="3302").exists()
