"""Whole names brought to one form, so that two spellings of one person's name compare equal.

Builds on the keys of single words in :mod:`guyub.registry.names` (*Moh.* and *Muhammad*, *oe* and *u*,
*dj* and *j*, double letters) and adds what only shows in the name as a whole: degrees before and behind
it, *bin* and *binti* with the father's name, *alias*, and abbreviations such as *Abd.* and *St.*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from guyub.registry.names import key_of, words_of

# Behind these stands another person's name, or a second name of the same person.
BREAKS = frozenset({"BIN", "BINTI", "BTE", "BT", "ALIAS", "QQ"})
# Abbreviations that a dot or their place tells from degrees: written out before they get a key.
SHORT = {
    "ABD": "ABDUL", "ABDL": "ABDUL", "ABDOEL": "ABDUL", "SR": "SRI", "STI": "SITI", "SITTI": "SITI",
    "NR": "NUR", "NOER": "NUR", "MUHD": "MUHAMMAD", "MUHM": "MUHAMMAD", "AGS": "AGUS", "BMBG": "BAMBANG",
    "WHYU": "WAHYU", "RHMAT": "RAHMAT", "ENDG": "ENDANG",
}  # fmt: skip
# At the head of a longer name these stand for the commonest of all names.
LEADING = {"M": "MUHAMMAD", "MD": "MUHAMMAD", "ST": "SITI"}
# Degrees in the form that dots give them: S.Pd.I, M.Si, A.Md.Kep, S.ST.
DEGREES = re.compile(
    r"(?<![A-Z])(?:[SM]\.\s?(?:PD|H|E|AG|KOM|T|TP|SI|SOS|KEP|KEB|KED|IP|P|PT|KM|HUM|FARM|FIL|PSI|IKOM|AK|ST|M|KES)"
    r"|A\.?\s?M[AD]\.?|DRS|DRA|K\.\s?H|R\.\s?A|R\.\s?NGT|HJ|H)(?:\.\s?(?:I|SD|KEP|KEB|PD|GR|LI))*\.?(?![A-Z])"
)


@lru_cache(maxsize=200_000)
def _key(word: str) -> str:
    return key_of(SHORT.get(word, word))


class _PlainWords(dict[str, "str | None"]):
    """The keys of words whose key does not depend on what stands around them; ``None`` for any other.

    Words are learnt as they are asked for: a million names are made of a few ten thousand.
    """

    def __missing__(self, given: str) -> str | None:
        word = given.upper()
        plain = word.isascii() and word.isalnum() and word not in BREAKS and word not in LEADING
        # Whether a word without a key is left out depends on the others.
        found = self[given] = (_key(word) or None) if plain else None
        return found


def name_words(name: str) -> list[str]:
    """Return the keys of the words of a name, in order: ``["MUAMAD", "SUKARNO"]``.

    Titles, degrees, single letters and what follows *bin* or *binti* are left out. When nothing would
    remain, the words themselves are returned, so that no name compares as empty.
    """
    text = name.upper()
    if "," in text:
        front, _comma, behind = text.partition(",")
        # Degrees follow a comma. A name such as "H., Budi" has nothing but a title in front of it.
        text = front if len(front.strip(" .")) > 3 else behind
    if "." in text:
        text = DEGREES.sub(" ", text)
    words = words_of(text)
    for place, word in enumerate(words):
        if place and word in BREAKS:
            words = words[:place]
            break
    if len(words) > 1 and words[0] in LEADING:
        words[0] = LEADING[words[0]]
    keys = list(dict.fromkeys(key for key in map(_key, words) if key))
    return keys or words_of(name)[:4]


def name_keys(names: Iterable[str]) -> list[str]:
    """Return the words of :func:`name_words` of each name, joined by spaces.

    Made for lists of names: most consist of plain words, each of which is looked at once.
    """
    plain = _PlainWords()
    found = []
    for name in names:
        keys = [plain[word] for word in name.split()]
        if None in keys or len(set(keys)) < len(keys):
            keys = [*name_words(name)]
        found.append(" ".join(keys))  # type: ignore[arg-type]
    return found
