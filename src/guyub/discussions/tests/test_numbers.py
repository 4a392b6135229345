"""What counts as a NIK or KK number in running text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.areas.services import national_district_codes
from guyub.discussions.numbers import mask_numbers

NIK = "3302011203850001"
WOMAN = "3302015203850002"


@pytest.mark.parametrize(
    "text",
    [
        NIK,
        f"NIK {NIK}.",
        f"nik:{NIK}, mohon dicek",
        f"({NIK})",
        "3302 0112 0385 0001",
        "3302.0112.0385.0001",
        "330201-120385-0001",
        "330201 120385 0001",
        "3302 - 0112 0385 0001",
        "RT 12 3302 0112 0385 0001",
        "tahun 2026, 3302 0112 0385 0001",
        # Not of a known shape, but said to be one.
        "NIK 9999 9999 9999 9999",
        "No. KK: 0000.0000.0000.0001",
        "KTP nomor 1234 5678 9012 3456",
        "9999999999999999",
    ],
)
def test_numbers_are_masked(text):
    masked, count = mask_numbers(text)
    assert count == 1
    assert "••••••••" in masked
    assert not re.search(r"\d{4}\W{0,2}0385", masked)


def test_several_numbers_are_each_masked():
    assert mask_numbers(f"{NIK} {WOMAN}")[0] == "330201••••••••01 330201••••••••02"
    assert mask_numbers(f"{NIK}/{WOMAN}")[1] == 2
    assert mask_numbers(f"{NIK}{WOMAN}") == ("330201••••••••01330201••••••••02", 2)
    assert mask_numbers(f"1. {NIK}\n2. {WOMAN}")[1] == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rapat 24-11-2026 sampai 01-12-2026",
        "2026-11-24 s.d. 2026-12-01",
        "Anggaran Rp 1.250.000.000 dan Rp 750.000.000",
        "Hubungi 0812-3456-7890 atau 0813 1234 5678",
        "NIP 19850312 201001 1 001",
        "NIP 198503122010011001",
        "Rekening 1234567890123",
        "kode 1.06.05.2.01.0003",
        "12 keluarga, 3302 jiwa",
        "33.02.01.2001",
        "12345678901234567",
    ],
)
def test_other_numbers_stay(text):
    assert mask_numbers(text) == (text, 0)


districts = st.sampled_from(sorted(national_district_codes())[:400])
numbers = st.builds(
    lambda district, day, woman, month, year, serial: (
        f"{district}{day + 40 * woman:02d}{month:02d}{year:02d}{serial:04d}"
    ),
    districts,
    st.integers(1, 28),
    st.booleans(),
    st.integers(1, 12),
    st.integers(0, 99),
    st.integers(1, 9999),
)
words = st.text(alphabet=st.characters(exclude_categories=("Nd", "Cs")), max_size=30)


@st.composite
def grouped(draw):
    """A number in groups of digits, as people write them."""
    number = draw(numbers)
    separator = draw(st.sampled_from(["", " ", ".", "-", " - ", "\u00a0"][:4]))
    size = draw(st.sampled_from([(6, 6, 4), (4, 4, 4, 4), (2, 2, 2, 6, 4), (8, 8), (1,) * 16]))
    parts, at = [], 0
    for length in size:
        parts.append(number[at : at + length])
        at += length
    return number, separator.join(parts)


@given(words, grouped(), words)
def test_a_number_among_words_never_survives(before, written, after):
    number, text = written
    masked, count = mask_numbers(before + text + after)
    digits = re.sub(r"\D", "", masked)
    assert number not in digits
    assert number[6:12] not in digits
    assert count >= 1


@given(st.text(max_size=200))
def test_masking_again_changes_nothing(text):
    once, _count = mask_numbers(text)
    assert mask_numbers(once) == (once, 0)


@given(st.text(alphabet="0123456789 .-\n", max_size=200))
def test_no_sixteen_digits_in_one_piece_remain(text):
    masked, _count = mask_numbers(text)
    assert not re.search(r"(?<!\d)\d{16}(?!\d)", masked)
