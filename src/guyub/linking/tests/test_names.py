"""Whole names brought to one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.linking.whole_names import name_words


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Moh. Soekarno", "MUHAMMAD SUKARNO"),
        ("M. Soekarno", "Mohamad Sukarno"),
        ("Drs. H. Achmad Djaelani, M.Pd.", "AHMAD JAELANI"),
        ("St. Aminah", "Siti Aminah"),
        ("Sr. Lestari", "SRI LESTARI"),
        ("Abd. Rochman", "ABDUL ROKHMAN"),
        ("Tjipto bin Karto", "CIPTO"),
        ("Wagiyem binti Sanmuhid", "Wagiyem"),
        ("Joko alias Bendot", "Djoko"),
        ("Budi Santoso, S.Pd.I", "Budi Santoso"),
        ("Alm. Tukiman", "Tukiman (Alm)"),
    ],
)
def test_spellings_of_one_name_are_one(left, right):
    assert name_words(left) == name_words(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("Sukarno", "Sukarni"), ("Siti Aminah", "Siti Aisah"), ("Muhammad", "Mustofa")],
)
def test_other_names_stay_others(left, right):
    assert name_words(left) != name_words(right)


def test_a_single_name_is_part_of_a_longer_one():
    assert set(name_words("Soekarno")) < set(name_words("Moh. Sukarno"))


@pytest.mark.parametrize("name", ["H.", "Bin", "M", "S.Pd", "Ibu"])
def test_no_name_becomes_empty(name):
    assert name_words(name)


@given(st.text(max_size=60))
def test_any_text_is_read_the_same_twice(text):
    words = name_words(text)
    assert words == name_words(f" {text} ")
    assert all(word and word == word.strip() for word in words)
