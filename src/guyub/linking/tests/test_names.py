"""Whole names brought to one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.linking.whole_names import BREAKS, LEADING, SHORT, name_keys, name_words
from guyub.registry.names import AHMAD, MUHAMMAD, TITLES


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


# Pieces of which names are made, with what changes the meaning of the words around them.
WORDS = st.sampled_from(
    [
        "Siti",
        "siti",
        "SOEKARNO",
        "Budi",
        "Budhi",
        "x",
        "M",
        "St",
        "S",
        "Pd",
        "I",
        "12",
        "0",
        "Ä",
        "ﬁ",
        "H",
    ]
    + sorted(BREAKS | LEADING.keys() | SHORT.keys() | TITLES | MUHAMMAD | AHMAD)
)
BETWEEN = st.sampled_from(
    [" ", "  ", "", ".", ". ", ", ", ",", "-", "'", "\t", "\u00a0", "\u2003", "/"]
)
NAMES = st.lists(st.tuples(WORDS, BETWEEN), max_size=6).map(
    lambda pieces: "".join(word + gap for word, gap in pieces)
)


@given(st.lists(NAMES | st.text(max_size=20), max_size=8))
def test_many_names_at_once_get_what_each_gets_alone(names):
    assert name_keys(names) == [" ".join(name_words(name)) for name in names]
