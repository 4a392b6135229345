"""Plain questions in Indonesian or English: their words, word stems and synonyms."""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

SYNONYMS_FILE = Path(__file__).parent / "data" / "synonyms.csv"

# Words that carry a question but do not say what it is about.
STOP_WORDS = frozenset(
    """
    siapa siapakah sapa apa apakah mana manakah dimana kemana bagaimana gimana kapan berapa kenapa
    yang untuk dari pada kepada dengan dalam oleh tentang atau dan serta juga agar supaya karena
    akibat bila jika kalau saat sejak sampai bagi antara di ke ini itu ada adalah ialah jadi menjadi
    bisa boleh dapat harus akan sudah belum sedang masih lagi saja pun nya tidak tak
    saya aku kami kita anda mereka dia ia orang seseorang warga masyarakat
    ingin mau minta mohon tolong perlu butuh cari mencari tanya bertanya lapor melapor melaporkan
    hubungi menghubungi datang pergi
    tangani menangani penanganan ditangani urus mengurus ngurus urusan pengurusan diurus kelola
    mengelola pengelolaan bertanggung tanggung jawab bertanggungjawab penanggung berwenang wewenang
    tugas fungsi membantu melaksanakan menyelenggarakan penyelenggaraan pelaksanaan kegiatan program
    dinas badan kantor instansi lembaga opd skpd perangkat bagian bidang pemerintah pemkab
    kabupaten daerah cara soal masalah hal terkait mengenai bupati
    who whom whose what which where when how why the a an of for to from in on at by with about and
    or is are be am was do does did can could should would i we you they my our your it its this
    that there any have has get need want report handle handles handled handling manage manages
    responsible charge take takes care deal deals agency agencies office department government
    people person service services near help
    """.split()
)

_PREFIXES = (
    "memper", "diper", "meng", "meny", "peng", "peny", "mem", "men", "pem", "pen", "ber", "bel",
    "per", "pel", "ter", "me", "pe", "be", "di", "ke", "se",
)  # fmt: skip
# What a nasal prefix may have swallowed: menyalurkan < salur, memadamkan < padam.
_SWALLOWED = {"meny": "s", "peny": "s", "mem": "p", "pem": "p", "men": "t", "pen": "t"}
_SWALLOWED |= {"meng": "k", "peng": "k"}
_SUFFIXES = ("nya", "kan", "an", "i")
_SHORTEST_STEM = 4


def words(text: str) -> list[str]:
    """Split ``text`` into lower-case words of letters and digits, without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c)))


@lru_cache(maxsize=20_000)
def stems(word: str) -> frozenset[str]:
    """Return what an Indonesian ``word`` may be built from, itself included.

    Affixes are taken off blindly (*perumahan* gives *rumah*, *menyalurkan* gives *salur*), so some
    of the stems are no words; two words belong together when they share any stem.
    """
    found = {word}
    bare = {word} | {word.removesuffix(s) for s in _SUFFIXES if word.endswith(s)}
    for form in bare:
        found.add(form)
        for prefix in _PREFIXES:
            if not form.startswith(prefix):
                continue
            rest = form.removeprefix(prefix)
            found.add(rest)
            if rest[:1] in "aeiou":
                found.add(_SWALLOWED.get(prefix, "") + rest)
    return frozenset(stem for stem in found if len(stem) >= _SHORTEST_STEM) | {word}


@cache
def synonyms() -> dict[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the synonyms: words asked to terms meant, each term a choice of words."""
    with SYNONYMS_FILE.open(encoding="utf-8") as file:
        return {
            tuple(row["asked"].split()): tuple(
                tuple(term.split(";")) for term in row["means"].split()
            )
            for row in csv.DictReader(file)
        }


def terms(question: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return what ``question`` asks about: each term as it was written, and the words it may mean.

    Stop words are left out; words that synonyms know are joined by what they mean.
    """
    asked = words(question)
    known = synonyms()
    longest = max(map(len, known))
    found: list[tuple[str, tuple[str, ...]]] = []
    position = 0
    while position < len(asked):
        for length in range(min(longest, len(asked) - position), 0, -1):
            phrase = tuple(asked[position : position + length])
            meant = known.get(phrase) or known.get((*phrase[:-1], _singular(phrase[-1])))
            if meant:
                written = " ".join(phrase)
                found += [
                    (written, (*choice, written) if length == 1 else choice) for choice in meant
                ]
                position += length
                break
        else:
            word = asked[position]
            if word not in STOP_WORDS and len(word) > 1:
                found.append((word, (word,)))
            position += 1
    return list(dict.fromkeys(found))


def _singular(word: str) -> str:
    """Take an English plural ending off."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
