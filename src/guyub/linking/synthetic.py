"""An agency's list as people really keep it, made from clean records: what quality is measured on.

Every row of the list knows which record it was made from, so that right and wrong links can be counted.
The slips are those of lists kept by hand in Indonesia: *Muhammad* as *Moh.*, old spellings, names cut
down to one word, titles and degrees, day and month swapped, the first of January for an unknown
birthday, numbers with a digit wrong or none at all.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Noise:
    """How often a slip happens, as shares of all rows of the list."""

    no_nik: float = 0.35
    slip_in_nik: float = 0.12
    wrong_nik: float = 0.02
    no_kk: float = 0.40
    slip_in_kk: float = 0.06
    other_kk: float = 0.10  # the family has got a new card since
    muhammad: float = 0.8  # of those who bear the name
    old_spelling: float = 0.12
    letter: float = 0.14
    one_word: float = 0.05  # of names of more words
    dropped_word: float = 0.05
    title: float = 0.08
    father: float = 0.02
    swapped_day: float = 0.05
    slip_in_date: float = 0.05
    vague_date: float = 0.03
    wrong_year: float = 0.02
    no_date: float = 0.03
    other_sex: float = 0.01
    no_sex: float = 0.02
    other_village: float = 0.04
    no_village: float = 0.01


MUHAMMAD = ("Moh.", "Moch.", "Muh.", "M.", "Muhamad", "Mohammad", "Mochamad", "Muhammad", "Mohamad")
AHMAD = ("Ach.", "Achmad", "Akhmad", "Ahmad")
LONG = {
    **dict.fromkeys(("MUHAMMAD", "MUHAMAD", "MOHAMMAD", "MOHAMAD", "MOH", "MUH", "M"), MUHAMMAD),
    **dict.fromkeys(("AHMAD", "ACHMAD", "AKHMAD"), AHMAD),
    "SRI": ("Sri", "Sr."), "SITI": ("Siti", "St.", "Sitti"), "ABDUL": ("Abdul", "Abd.", "Abdl"),
    "NUR": ("Nur", "Noer", "Nr."),
}  # fmt: skip
OLD = (("U", "OE"), ("J", "DJ"), ("C", "TJ"), ("Y", "J"))
TWINS = (("F", "P"), ("V", "P"), ("Z", "S"), ("S", "Z"), ("TI", "TY"), ("KH", "H"), ("D", "DH"), ("T", "TH"),
         ("N", "NN"), ("I", "IE"), ("Y", "I"), ("DI", "DY"))  # fmt: skip
TITLES = (
    "H. {}",
    "Hj. {}",
    "Drs. {}",
    "{}, S.Pd",
    "{}, S.H.",
    "Ir. {}",
    "{}, S.Pd.I",
    "Alm. {}",
    "{} (Alm)",
    "Bp. {}",
    "Ibu {}",
)
FATHERS = ("Karto", "Sanmuhid", "Wiryo", "Madrais", "Sukarso", "Tarmidi")


def noisy_list(
    rows: Sequence[dict[str, Any]],
    villages: Sequence[str],
    *,
    seed: int,
    strangers: Sequence[dict[str, Any]] = (),
    noise: Noise | None = None,
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield ``(row of the list, id of the record it was made from)``; ``None`` for a stranger.

    ``rows`` have ``id``, ``nik``, ``kk``, ``name``, ``birth_date``, ``sex`` and ``village``;
    ``strangers`` are such rows that the reference does not hold. Villages are Kemendagri codes.
    """
    noise = noise or Noise()
    draw = random.Random(seed)  # noqa: S311 (nothing secret)
    neighbours: dict[str, list[str]] = {}
    for code in villages:
        neighbours.setdefault(code[:8], []).append(code)
    for record in rows:
        yield blur(record, draw, noise, villages, neighbours), record["id"]
    for record in strangers:
        yield blur(record, draw, noise, villages, neighbours), None


def blur(
    record: dict[str, Any],
    draw: random.Random,
    noise: Noise,
    villages: Sequence[str],
    neighbours: dict[str, list[str]],
) -> dict[str, Any]:
    """Return one record as somebody might have written it down."""
    row = dict(record)
    row["name"] = blur_name(record["name"], record["sex"], draw, noise)
    row["nik"] = blur_number(record["nik"], draw, noise.no_nik, noise.slip_in_nik)
    if row["nik"] and draw.random() < noise.wrong_nik:
        row["nik"] = row["nik"][:12] + f"{draw.randrange(1, 9999):04d}"
    row["kk"] = blur_number(record["kk"], draw, noise.no_kk, noise.slip_in_kk)
    if row["kk"] and draw.random() < noise.other_kk:
        row["kk"] = row["kk"][:6] + f"{draw.randrange(10**9, 10**10)}"
    row["birth_date"] = blur_date(record["birth_date"], draw, noise)
    if draw.random() < noise.no_sex:
        row["sex"] = None
    elif draw.random() < noise.other_sex:
        row["sex"] = "F" if record["sex"] == "M" else "M"
    if draw.random() < noise.no_village:
        row["village"] = None
    elif draw.random() < noise.other_village:
        near = neighbours.get(str(record["village"])[:8], [])
        row["village"] = draw.choice(near if near and draw.random() < 0.6 else list(villages))
    return row


def blur_number(number: str | None, draw: random.Random, missing: float, slip: float) -> str | None:
    """Return a 16-digit number as written down: missing, with a digit wrong, or two swapped."""
    if not number or draw.random() < missing:
        return None
    if draw.random() >= slip:
        return number
    place = draw.randrange(6, len(number) - 1)
    if draw.random() < 0.4 and number[place] != number[place + 1]:
        return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    return (
        number[:place]
        + str((int(number[place]) + draw.randrange(1, 10)) % 10)
        + number[place + 1 :]
    )


def blur_date(date: dt.date | None, draw: random.Random, noise: Noise) -> dt.date | None:
    """Return a birth date as written down."""
    chance = draw.random()
    if date is None or chance < noise.no_date:
        return None
    chance -= noise.no_date
    if chance < noise.swapped_day:
        return date.replace(day=date.month, month=date.day) if date.day <= 12 else date
    chance -= noise.swapped_day
    if chance < noise.slip_in_date:
        return _with_slip(date, draw)
    chance -= noise.slip_in_date
    if chance < noise.vague_date:
        return dt.date(date.year, *draw.choice(((1, 1), (12, 31), (7, 1))))
    chance -= noise.vague_date
    if chance < noise.wrong_year:
        return _in_year(date, date.year + draw.choice((-3, -2, -1, 1, 2, 3)))
    return date


def _with_slip(date: dt.date, draw: random.Random) -> dt.date:
    part = draw.random()
    if part < 0.5:
        day = min(28, max(1, date.day + draw.choice((-10, 10, -1, 1, 2, -2, 3))))
        return date.replace(day=day)
    if part < 0.75:
        return _in_year(date.replace(day=min(date.day, 28), month=draw.randrange(1, 13)), date.year)
    return _in_year(date, date.year + draw.choice((-10, 10, -1, 1)))


def _in_year(date: dt.date, year: int) -> dt.date:
    return date.replace(year=max(1905, year), day=min(date.day, 28))


def blur_name(name: str, sex: str, draw: random.Random, noise: Noise) -> str:
    """Return a name as written down."""
    words = [word.strip(".") for word in name.upper().split()]
    if len(words) > 1:
        if draw.random() < noise.one_word:
            longest = max(words[1:], key=len)
            words = [longest if words[0] in LONG else words[0]]
        elif len(words) > 2 and draw.random() < noise.dropped_word:
            del words[draw.randrange(1, len(words))]
    written = []
    for word in words:
        if word in LONG and draw.random() < noise.muhammad:
            written.append(draw.choice(LONG[word]).upper())
            continue
        if draw.random() < noise.old_spelling:
            word = _replaced(word, OLD if draw.random() < 0.5 else TWINS, draw)
        if draw.random() < noise.letter / max(1, len(words) ** 0.5):
            word = _slipped(word, draw)
        written.append(word)
    text = " ".join(written)
    if draw.random() < noise.father:
        text += f" {'BIN' if sex == 'M' else 'BINTI'} {draw.choice(FATHERS).upper()}"
    if draw.random() < noise.title:
        text = draw.choice(TITLES).format(text)
    return text if draw.random() < 0.6 else text.title()


def _replaced(word: str, pairs: Sequence[tuple[str, str]], draw: random.Random) -> str:
    fitting = [
        (new, old) for new, old in pairs if new in word[1:] or (pairs is OLD and new in word)
    ]
    if not fitting:
        return word
    new, old = draw.choice(fitting)
    return word.replace(new, old, 1)


def _slipped(word: str, draw: random.Random) -> str:
    if len(word) < 4:
        return word
    place = draw.randrange(1, len(word) - 1)
    kinds: tuple[Callable[[], str], ...] = (
        lambda: word[:place] + word[place + 1 :],
        lambda: word[:place] + word[place] + word[place:],
        lambda: word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        lambda: word[:place] + draw.choice("AEIOUNSRT") + word[place + 1 :],
    )
    return draw.choice(kinds)()


# Labelled pairs of files

COLUMNS = ("id", "nik", "kk", "name", "birth_date", "sex", "village")


@dataclass(frozen=True)
class Labelled:
    """Two files and the truth: ``list`` and ``reference`` have the columns of records, ``truth`` says
    which record of the reference (``truth``, or NULL) each row of the list (``id``) was made from."""

    list: Path
    reference: Path
    truth: Path

    def judge(self, links: str) -> tuple[float, float]:
        """Return precision and recall of ``links``: SQL giving ``id_l`` and ``id_r``."""
        ((right, linked),) = duckdb.execute(
            f"SELECT count(*) FILTER (t.truth = k.id_r), count(*) FROM ({links}) k "
            f"JOIN '{self.truth}' t ON t.id = k.id_l"
        ).fetchall()
        ((real,),) = duckdb.execute(f"SELECT count(truth) FROM '{self.truth}'").fetchall()
        return right / max(linked, 1), right / max(real, 1)


def write_labelled(
    population: Path, folder: Path, rows: int, *, seed: int, known: float = 0.9
) -> Labelled:
    """Write a reference of ``rows`` people and a list of as many, of whom ``known`` are in it.

    ``population`` is a file in the registry's flat form with at least ``rows * (2 - known)`` people
    in whole households: the strangers live in households of which the reference knows nobody.

    Raises:
        ValueError: the population is too small.
    """
    found = Labelled(
        folder / "list.parquet", folder / "reference.parquet", folder / "truth.parquet"
    )
    draw = random.Random(seed)  # noqa: S311 (nothing secret)
    everybody = duckdb.execute(
        f"SELECT row_number() OVER (), nik, kk, name, birth_date, sex, village FROM '{population}' "
        "ORDER BY kk, nik"
    ).fetchall()
    people = [dict(zip(COLUMNS, row, strict=True)) for row in everybody]
    homes = list(dict.fromkeys(person["kk"] for person in people))
    draw.shuffle(homes)
    count, outside = 0, set()
    sizes: dict[Any, int] = {}
    for person in people:
        sizes[person["kk"]] = sizes.get(person["kk"], 0) + 1
    for home in homes:
        if count >= rows * (1 - known):
            break
        outside.add(home)
        count += sizes[home]
    reference = [person for person in people if person["kk"] not in outside][:rows]
    strangers = [person for person in people if person["kk"] in outside]
    if len(reference) < rows:
        raise ValueError("the population is too small")
    listed = list(
        noisy_list(
            draw.sample(reference, round(rows * known)),
            sorted({person["village"] for person in people}),
            seed=seed,
            strangers=strangers[: rows - round(rows * known)],
        )
    )
    draw.shuffle(listed)
    numbered = [{**row, "id": number} for number, (row, _true) in enumerate(listed, start=1)]
    for path, records in ((found.list, numbered), (found.reference, reference)):
        pq.write_table(pa.table({c: [record[c] for record in records] for c in COLUMNS}), path)
    truth = pa.array([true for _row, true in listed], pa.int64())
    pq.write_table(pa.table({"id": range(1, len(listed) + 1), "truth": truth}), found.truth)
    return found
