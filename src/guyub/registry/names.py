"""Spelling-tolerant keys for Indonesian names and addresses.

*Moh. Soekarno*, *Muhammad Sukarno* and *MUHAMAD SUKARNO* get the same keys. What the key does not
forgive, a single slip of the pen does not hide either: keys one letter apart share a variant, after
the symmetric delete idea of SymSpell (W. Garbe, 2012).
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_KEY = 24

TITLES = frozenset(
    [
        "H",
        "HJ",
        "HAJI",
        "DR",
        "DRS",
        "DRA",
        "IR",
        "PROF",
        "SE",
        "SH",
        "SPD",
        "SPDI",
        "MPD",
        "SAG",
        "SKM",
        "ST",
        "MM",
        "MSI",
        "SSOS",
        "ALM",
        "ALMH",
        "BP",
        "BPK",
        "IBU",
        "SDR",
        "TN",
        "NY",
        "NN",
        "AN",
        "BIN",
        "BINTI",
    ]
)
MUHAMMAD = frozenset(
    [
        "MOH",
        "MOCH",
        "MUH",
        "MUCH",
        "MHD",
        "MHMD",
        "MOHD",
        "MUHAMAD",
        "MUHAMMAD",
        "MOHAMAD",
        "MOHAMMAD",
        "MOCHAMAD",
        "MOCHAMMAD",
        "MUCHAMAD",
        "MUCHAMMAD",
        "MUKHAMAD",
        "MUKHAMMAD",
        "MOKHAMAD",
        "MOKHAMMAD",
        "MUHAMMED",
        "MOHAMED",
        "MUHAMMADH",
    ]
)
AHMAD = frozenset(
    ["AHMAD", "ACHMAD", "AKHMAD", "AHMADH", "AHMAT", "ACHMAT", "AKHMAT", "ACH", "AKH", "AMAD"]
)
# Old and dialect spellings, applied in this order.
SPELLINGS = (
    ("OE", "U"), ("DJ", "J"), ("TJ", "C"), ("NJ", "NY"), ("SJ", "SY"), ("CH", "K"), ("KH", "K"),
    ("DH", "D"), ("TH", "T"), ("SH", "S"), ("SY", "S"), ("PH", "P"), ("GH", "G"), ("BH", "B"),
    ("Q", "K"), ("F", "P"), ("V", "P"), ("Z", "S"), ("X", "KS"), ("Y", "I"), ("W", "U"),
    ("AE", "E"), ("AI", "E"), ("EI", "E"), ("II", "I"),
)  # fmt: skip


WORD = re.compile(r"[A-Z0-9]+")


def words_of(text: str) -> list[str]:
    """Return the words of ``text`` in capitals, without accents and punctuation."""
    plain = text.upper()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(c for c in plain if not unicodedata.combining(c))
    return WORD.findall(plain)


def key_of(word: str) -> str:
    """Return the key of one word in capitals; empty for titles and single letters."""
    if word in TITLES or (len(word) == 1 and word.isalpha()):
        return ""
    if word in MUHAMMAD:
        return "MUAMAD"
    if word in AHMAD:
        return "AMAD"
    if any(c.isdigit() for c in word):
        return word.lstrip("0")[:LONGEST_KEY] or "0"
    key = word
    for old, new in SPELLINGS:
        key = key.replace(old, new)
    key = key[0] + key[1:].replace("H", "")
    key = re.sub(r"(.)\1+", r"\1", key)
    return key[:LONGEST_KEY]


def keys_of(text: str) -> tuple[str, ...]:
    """Return the keys of the words of ``text``, each once, in order.

    Word by word: the keys of a text are those of its words.
    """
    return tuple(dict.fromkeys(key for key in map(key_of, words_of(text)) if key))


def variants_of(key: str) -> frozenset[str]:
    """Return ``key`` and every form of it with one letter left out.

    Two keys that differ by one letter put in, left out, changed or swapped with its neighbour share
    a variant. Keys of up to three letters and numbers have none but themselves: too much would match.
    """
    if len(key) <= 3 or any(c.isdigit() for c in key):
        return frozenset({key})
    return frozenset({key} | {key[:i] + key[i + 1 :] for i in range(len(key))})
