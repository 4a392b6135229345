"""A synthetic population of Banyumas, in the registry's flat form, made in bulk.

Nobody in it exists. Everything is drawn with numpy for some tens of thousands of households at a
time, so that the whole regency (600,000 households) takes seconds and little memory, and the same
seed always gives the same people.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from guyub.areas.services import national_district_codes
from guyub.demo import names, places
from guyub.registry.flat import FLAT_COLUMNS
from guyub.registry.vocabulary import (
    Asset,
    Disability,
    Electricity,
    Floor,
    HealthInsurance,
    Ownership,
    Relation,
    Roof,
    Sanitation,
    Schooling,
    Sex,
    Status,
    Wall,
    Water,
    Work,
)

CHUNK = 50_000  # households
_ARROW_TYPES = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "INTEGER": pa.int32(),
    "TINYINT": pa.int8(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
}
SCHEMA = pa.schema([(name, _ARROW_TYPES[kind]) for name, kind in FLAT_COLUMNS.items()])


@dataclass(frozen=True)
class Counts:
    """How many were written."""

    households: int
    people: int
    extreme_households: int


def write_population(
    path: Path,
    households: int,
    seed: int = 1,
    progress: Callable[[int], None] = lambda done: None,
    as_of: dt.date = dt.date(2026, 1, 1),
) -> Counts:
    """Write ``households`` synthetic households to a Parquet file in the flat form.

    Args:
        path: The file to write; one row per person, the rows of a household together, its head
            first, villages in the order of their codes.
        households: How many households, spread over all villages by size.
        seed: Another seed gives other people.
        progress: Called with the number of further households that are done.
        as_of: The day on which ages are right. Nobody is born later.

    Raises:
        ValueError: ``households`` is not positive, or so large that NIK run out.
    """
    if households < 1:
        raise ValueError("households must be positive")
    villages = places.villages()
    village_of = np.repeat(np.arange(len(villages.codes)), _share(households, villages.weight))
    chunks = -(-households // CHUNK)
    people = extreme = 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for number in range(chunks):
            part = village_of[number * CHUNK : (number + 1) * CHUNK]
            rng = np.random.default_rng([seed, number])
            drawn = _Households(villages, part, rng)
            table = _People(drawn, rng, as_of, serial=(number, chunks)).table()
            writer.write_table(table, row_group_size=122_880)
            people += table.num_rows
            extreme += int(drawn.extreme_poor.sum())
            progress(len(part))
    return Counts(households=households, people=people, extreme_households=extreme)


def _share(total: int, weight: np.ndarray) -> np.ndarray:
    """Split ``total`` by ``weight`` into whole numbers that add up to it (largest remainder)."""
    exact = total * weight
    counts = np.floor(exact).astype(np.int64)
    most = np.argsort(counts - exact, kind="stable")[: total - int(counts.sum())]
    counts[most] += 1
    return counts


def _pick(table: np.ndarray, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a column of ``table`` for each entry of ``row``; a row holds the columns' shares."""
    bounds = np.cumsum(table, axis=1)
    bounds = bounds / bounds[:, -1:]
    chance = rng.random(len(row))
    drawn = np.zeros(len(row), dtype=np.int16)
    for column in range(table.shape[1] - 1):
        drawn += chance >= bounds[row, column]
    return drawn


class _Shares:
    """Answers whose shares run from those of the poorest tenth to those of the richest."""

    def __init__(self, *answers: tuple[str | None, float, float]) -> None:
        self.codes = pa.array([code for code, _poor, _rich in answers], pa.string())
        poor = np.array([share for _code, share, _rich in answers])
        rich = np.array([share for _code, _poor, share in answers])
        # More than straight: what only the poor lack goes fast in the first deciles.
        step = np.linspace(0, 1, 10)[:, None] ** 0.8
        self.table = poor / poor.sum() * (1 - step) + rich / rich.sum() * step

    def draw(self, desil: np.ndarray, rng: np.random.Generator) -> pa.Array:
        return self.codes.take(pa.array(_pick(self.table, desil - 1, rng)))


# (answer, share among the poorest tenth, share among the richest tenth)
_FLOOR = _Shares(
    (Floor.EARTH, 16, 0), (Floor.BAMBOO, 1, 0), (Floor.WOOD, 4, 0.5), (Floor.CEMENT, 45, 3),
    (Floor.TILE, 14, 6), (Floor.CERAMIC, 20, 90),
)  # fmt: skip
_WALL = _Shares(
    (Wall.BAMBOO, 14, 0), (Wall.WOOD, 15, 0.5), (Wall.PLASTERED_BAMBOO, 8, 0.5),
    (Wall.BRICK, 62, 99), (Wall.OTHER, 1, 0),
)  # fmt: skip
_ROOF = _Shares(
    (Roof.THATCH, 1, 0), (Roof.ASBESTOS, 9, 2), (Roof.ZINC, 9, 2), (Roof.WOOD, 1, 0),
    (Roof.TILE, 80, 88), (Roof.CONCRETE, 0, 8),
)  # fmt: skip
_SANITATION = _Shares(
    (Sanitation.OWN, 58, 99), (Sanitation.SHARED, 17, 0.8), (Sanitation.PUBLIC, 10, 0.2),
    (Sanitation.NONE, 15, 0),
)  # fmt: skip
_WATER = _Shares(
    (Water.PIPED, 12, 38), (Water.BOTTLED, 4, 30), (Water.BOREHOLE, 8, 18),
    (Water.PROTECTED_WELL, 32, 12), (Water.UNPROTECTED_WELL, 11, 0.2),
    (Water.PROTECTED_SPRING, 20, 1.6), (Water.UNPROTECTED_SPRING, 10, 0.2),
    (Water.SURFACE, 2, 0), (Water.RAIN, 1, 0),
)  # fmt: skip
_ELECTRICITY = _Shares(
    (Electricity.NONE, 0.6, 0), (Electricity.NON_PLN, 0.4, 0), (Electricity.PLN_NO_METER, 11, 0.2),
    (Electricity.PLN_450, 62, 4), (Electricity.PLN_900, 25, 28), (Electricity.PLN_1300, 1, 42),
    (Electricity.PLN_2200, 0, 26),
)  # fmt: skip
_OWNERSHIP = _Shares(
    (Ownership.OWN, 82, 90), (Ownership.RENT, 3, 6), (Ownership.RENT_FREE, 14.5, 2),
    (Ownership.OFFICIAL, 0, 2), (Ownership.OTHER, 0.5, 0),
)  # fmt: skip
_INSURANCE = _Shares(
    (HealthInsurance.NONE, 15, 6), (HealthInsurance.PBI_NATIONAL, 60, 1),
    (HealthInsurance.PBI_LOCAL, 20, 3), (HealthInsurance.SELF_PAID, 3, 35),
    (HealthInsurance.EMPLOYER, 1.5, 52), (HealthInsurance.OTHER, 0.5, 3),
)  # fmt: skip
# Highest school completed, by generation.
_SCHOOLING = {
    generation: _Shares(*zip(
        (Schooling.NONE, Schooling.PRIMARY, Schooling.LOWER_SECONDARY, Schooling.UPPER_SECONDARY,
         Schooling.DIPLOMA, Schooling.DEGREE), poor, rich, strict=True))
    for generation, poor, rich in (
        ("old", (50, 44, 4, 2, 0, 0), (10, 30, 15, 25, 6, 14)),
        ("middle", (12, 56, 22, 10, 0, 0), (1, 9, 12, 43, 9, 26)),
        ("young", (3, 22, 42, 32, 0.5, 0.5), (0.3, 2, 8, 54, 8, 27.7)),
    )
}  # fmt: skip
_WORK_OF_MEN = _Shares(
    (Work.NONE, 7, 2), (Work.FARM_OWN, 17, 5), (Work.FARM_LABOUR, 24, 0.3), (Work.LABOUR, 38, 5),
    (Work.TRADE, 9, 28), (Work.EMPLOYEE, 4, 41), (Work.CIVIL_SERVANT, 0, 16), (Work.OTHER, 1, 2.7),
)  # fmt: skip
_WORK_OF_WOMEN = _Shares(
    (Work.NONE, 5, 2), (Work.HOUSEWORK, 55, 33), (Work.FARM_OWN, 5, 2), (Work.FARM_LABOUR, 11, 0.2),
    (Work.LABOUR, 12, 2), (Work.TRADE, 9, 21), (Work.EMPLOYEE, 2.5, 25), (Work.CIVIL_SERVANT, 0, 13),
    (Work.OTHER, 0.5, 1.8),
)  # fmt: skip
_WORK_OF_THE_OLD = _Shares(
    (Work.NONE, 44, 30), (Work.FARM_OWN, 20, 12), (Work.FARM_LABOUR, 16, 1), (Work.LABOUR, 8, 1),
    (Work.TRADE, 8, 12), (Work.RETIRED, 0, 40), (Work.OTHER, 4, 4),
)  # fmt: skip
# Share of the poorest and of the richest tenth that have each asset.
_ASSETS = {
    Asset.CAR: (0.002, 0.48),
    Asset.COMPUTER: (0.01, 0.62),
    Asset.GAS_12KG: (0.01, 0.42),
    Asset.GOLD: (0.02, 0.55),
    Asset.LAND: (0.09, 0.42),
    Asset.LIVESTOCK: (0.20, 0.10),
    Asset.MOBILE_PHONE: (0.74, 0.995),
    Asset.MOTORCYCLE: (0.42, 0.97),
    Asset.REFRIGERATOR: (0.22, 0.97),
    Asset.TELEVISION: (0.62, 0.97),
}
# National deciles; Banyumas is a little poorer than the country.
_DESIL_SHARES = np.array([118, 115, 112, 108, 104, 100, 97, 90, 83, 73]) / 1000
_EXPENDITURE = np.array([430, 540, 630, 725, 830, 960, 1120, 1350, 1750, 2900]) * 1000  # median, Rp
_EXTREME_SHARE = 0.09  # of desil 1
_STREETS = """Melati Mawar Kenanga Anggrek Cempaka Flamboyan Dahlia Teratai Bougenville Kamboja Jambu
    Mangga Rambutan Durian Nangka Kelapa Merdeka Pahlawan Kartini Diponegoro Sudirman Gatot-Subroto
    Pramuka Pemuda Masjid Pasar Balai-Desa Lapangan Raya Stasiun Serayu Logawa Banjaran Kauman
    Pesantren Makam Irigasi Bendungan Kali-Putih Gunung-Slamet""".split()
_HAMLETS = """Karangsari Karanganyar Karangtengah Karangnangka Kedungwaru Kalisalak Kalibening Sawangan
    Pekuncen Cikidang Windusari Kebonagung Gununglurah Pejaten Sokawera Pagertawon Semingkir
    Wanasari Purwosari Sidamulya Banjarsari Tegalsari Petir Kubangsari Jatisaba Glempang Cipete
    Rawakuda Bojongsari Ciberem Sambirata Telaga Depok Dukuhwaluh Larangan Pesawahan Pliken Planjan
    Randudongkal Silado""".split()


class _Households:
    """The values of some households, as arrays of equal length."""

    def __init__(
        self, villages: places.Villages, village: np.ndarray, rng: np.random.Generator
    ) -> None:
        self.count = len(village)
        self.village = village
        self.codes = pa.array(villages.codes).take(pa.array(village))
        self.district = villages.district[village]
        self.all_districts = villages.district_numbers
        self.district_number = villages.district_numbers[self.district]
        self.desil = self._ranks(villages, rng)
        self.expenditure, self.extreme_poor = self._expenditure(rng)
        self._place(villages, rng)
        self._house(rng)

    def _ranks(self, villages: places.Villages, rng: np.random.Generator) -> np.ndarray:
        tilt = np.exp(-villages.poverty[:, None] * np.linspace(-1.6, 1.6, 10))
        return _pick(_DESIL_SHARES * tilt, self.village, rng) + 1

    def _expenditure(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        spent = _EXPENDITURE[self.desil - 1] * rng.lognormal(0, 0.07, self.count)
        # In the top tenth the spread is wide.
        spent *= np.where(self.desil == 10, rng.lognormal(0, 0.3, self.count), 1)
        extreme = (self.desil == 1) & (rng.random(self.count) < _EXTREME_SHARE)
        spent = np.where(extreme, rng.uniform(210_000, 330_000, self.count), spent)
        return (spent // 1000 * 1000).astype(np.int32), extreme

    def _place(self, villages: places.Villages, rng: np.random.Generator) -> None:
        n = self.count
        rw = rng.integers(1, 9, n) if n else np.empty(0, int)
        rt = rng.integers(1, 7, n)
        three = pa.array([f"{number:03d}" for number in range(10)])
        self.rw, self.rt = three.take(pa.array(rw)), three.take(pa.array(rt))
        urban = villages.urban[self.village]
        # Two RW make a dusun; a kelurahan has none.
        dusun = pa.array(["Dusun I", "Dusun II", "Dusun III", "Dusun IV"])
        grumbul = pa.array(_HAMLETS)
        grumbul_at = (self.village * 7 + rw) % len(_HAMLETS)
        self.hamlet = dusun.take(pa.array((rw - 1) // 2, mask=urban))
        street = pa.array([name.replace("-", " ") for name in _STREETS]).take(
            pa.array((self.village * 5 + rw * 3 + rng.integers(0, 4, n)) % len(_STREETS))
        )
        number = pa.array(rng.integers(1, 160, n)).cast(pa.string())
        numbered = pc.binary_join_element_wise(pa.scalar("Jl."), street, "No.", number, " ")
        lane = pc.binary_join_element_wise(pa.scalar("Gg."), street, " ")
        village_style = pc.binary_join_element_wise(
            pa.scalar("Grumbul"), grumbul.take(pa.array(grumbul_at)), " "
        )
        chance = rng.random(n)
        on_street = pa.array(chance < np.where(urban, 0.72, 0.38))
        in_lane = pa.array(chance > np.where(urban, 0.72, 0.93))
        self.address = pc.if_else(on_street, numbered, pc.if_else(in_lane, lane, village_style))
        known = rng.random(n) < np.where(self.desil <= 4, 0.55, 0.2)
        latitude = villages.latitude[self.village] + rng.normal(0, 0.004, n)
        longitude = villages.longitude[self.village] + rng.normal(0, 0.004, n)
        self.latitude = pa.array(latitude.clip(places.SOUTH, places.NORTH).round(6), mask=~known)
        self.longitude = pa.array(longitude.clip(places.WEST, places.EAST).round(6), mask=~known)

    def _house(self, rng: np.random.Generator) -> None:
        # A house is not as poor or rich as its people's rank says: it lags and strays.
        stray = np.clip(self.desil + rng.integers(-1, 2, self.count), 1, 10)
        self.floor = _FLOOR.draw(stray, rng)
        self.wall = _WALL.draw(stray, rng)
        self.roof = _ROOF.draw(stray, rng)
        self.sanitation = _SANITATION.draw(stray, rng)
        self.water = _WATER.draw(stray, rng)
        self.electricity = _ELECTRICITY.draw(stray, rng)
        self.ownership = _OWNERSHIP.draw(stray, rng)
        self.insurance = _INSURANCE.draw(self.desil, rng)
        combination = np.zeros(self.count, dtype=np.int16)
        assets = sorted(_ASSETS)
        for bit, asset in enumerate(assets):
            poor, rich = _ASSETS[asset]
            share = poor + (rich - poor) * ((stray - 1) / 9) ** 0.8
            combination |= (rng.random(self.count) < share).astype(np.int16) << bit
        lists = [
            ",".join(asset for bit, asset in enumerate(assets) if number >> bit & 1) or None
            for number in range(1 << len(assets))
        ]
        self.assets = pa.array(lists).take(pa.array(combination))
        chance = rng.random(self.count)
        moved = chance < 0.006
        graduated = (chance > 0.995) & (self.desil >= 5)
        self.moved = moved
        states = pa.array([Status.ACTIVE.value, Status.MOVED.value, Status.GRADUATED.value])
        self.status = states.take(pa.array(moved + 2 * graduated))


# The places at a household's table, in the order in which a family card lists them.
_CHILDREN, _GRANDCHILDREN = 6, 3
_SLOTS = (
    [Relation.HEAD, Relation.SPOUSE]
    + [Relation.CHILD] * _CHILDREN
    + [Relation.CHILD_IN_LAW]
    + [Relation.GRANDCHILD] * _GRANDCHILDREN
    + [Relation.PARENT, Relation.OTHER_KIN, Relation.OTHER]
)
_CHILD, _IN_LAW, _GRANDCHILD = 2, 2 + _CHILDREN, 3 + _CHILDREN
_PARENT, _KIN, _OTHER = len(_SLOTS) - 3, len(_SLOTS) - 2, len(_SLOTS) - 1
_OLDEST = 97.0  # so that two digits of a year suffice


class _People:
    """The members of some households, first as a grid of places, then as rows."""

    def __init__(
        self,
        households: _Households,
        rng: np.random.Generator,
        as_of: dt.date,
        serial: tuple[int, int],
    ) -> None:
        self.households, self.rng, self.as_of = households, rng, as_of
        self.chunk, self.chunks = serial
        self.taken = np.zeros((households.count, len(_SLOTS)), dtype=bool)
        self.ages = np.zeros(self.taken.shape)
        self.female = rng.random(self.taken.shape) < 0.5
        self._seat_couple()
        self._seat_children()
        self._seat_grandchildren()
        self._seat_others()

    def _seat(self, slot: int, present: np.ndarray, age: np.ndarray) -> None:
        self.taken[:, slot] = present & (age >= 0.02) & (age <= _OLDEST)
        self.ages[:, slot] = age

    def _seat_couple(self) -> None:
        n, rng, desil = self.households.count, self.rng, self.households.desil
        bands = np.array([20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 96.0])
        share = np.array([[1.2, 4.5, 8, 11, 12.5, 13, 12.5, 11, 9, 7, 5, 3, 2.3]])
        band = _pick(share, np.zeros(n, dtype=int), rng)
        age = bands[band] + rng.random(n) * (bands[band + 1] - bands[band])
        # Women head a household mostly as widows, and more often a poor one.
        widow = 0.05 + 0.34 * np.clip((age - 40) / 45, 0, 1) + 0.03 * (desil <= 3)
        female = rng.random(n) < widow
        self.female[:, 0] = female
        self.female[:, 1] = ~female
        self._seat(0, np.ones(n, dtype=bool), age)
        married = np.where(female, 0.06, 0.93 - 0.35 * np.clip((age - 60) / 35, 0, 1))
        married = np.where(age < 25, married * 0.75, married)
        gap = rng.normal(4, 3.5, n) * np.where(female, -1, 1)
        self._seat(1, rng.random(n) < married, np.maximum(age - gap, 18.5))

    def _seat_children(self) -> None:
        n, rng, desil = self.households.count, self.rng, self.households.desil
        # Years since the mother could have had a child; the head stands in where there is none.
        parent = np.where(
            self.taken[:, 1], np.minimum(self.ages[:, 0], self.ages[:, 1]), self.ages[:, 0]
        )
        mean = 2.15 - 0.05 * desil
        mean = mean * np.where(self.taken[:, 1] | self.female[:, 0], 1, 0.35)
        number = np.minimum(rng.poisson(mean), _CHILDREN)
        first_at = 19.5 + rng.gamma(2.2, 2.2, n)
        age = parent - first_at
        for child in range(_CHILDREN):
            # Grown children have mostly left; a few stay with the old.
            stays = np.where(age > 22, 0.62, 1.0) * np.where(age > 30, 0.42, 1.0)
            stays = np.where(age > 45, 0.2, stays)
            young_enough = parent - age < 46
            self._seat(
                _CHILD + child, (child < number) & young_enough & (rng.random(n) < stays), age
            )
            age = age - (1.2 + rng.gamma(2.4, 1.7, n))

    def _seat_grandchildren(self) -> None:
        n, rng = self.households.count, self.rng
        grown = self.taken[:, _CHILD] & (self.ages[:, _CHILD] > 22)
        family = grown & (rng.random(n) < 0.3)
        eldest = self.ages[:, _CHILD]
        self.female[:, _IN_LAW] = ~self.female[:, _CHILD]
        self._seat(
            _IN_LAW, family & (rng.random(n) < 0.85), np.maximum(eldest + rng.normal(0, 3, n), 19)
        )
        number = np.where(family, rng.poisson(1.1, n), 0)
        # Some old people raise grandchildren whose parents work far away.
        left = (self.ages[:, 0] > 52) & ~family & (rng.random(n) < 0.07)
        number = np.minimum(np.where(left, 1, number), _GRANDCHILDREN)
        age = np.where(left, rng.uniform(2, 14, n), eldest - 21 - rng.gamma(2, 1.5, n))
        age = np.minimum(age, self.ages[:, 0] - 40)
        for grandchild in range(_GRANDCHILDREN):
            self._seat(_GRANDCHILD + grandchild, grandchild < number, age)
            age = age - (1.5 + rng.gamma(2, 1.7, n))

    def _seat_others(self) -> None:
        n, rng, head = self.households.count, self.rng, self.ages[:, 0]
        self.female[:, _PARENT] = rng.random(n) < 0.74
        parent = (head > 24) & (head < 66) & (rng.random(n) < 0.07)
        self._seat(_PARENT, parent, head + 19 + rng.gamma(3, 2.6, n))
        self._seat(_KIN, rng.random(n) < 0.045, rng.uniform(3, 70, n))
        self._seat(_OTHER, rng.random(n) < 0.004, rng.uniform(17, 55, n))

    def table(self) -> pa.Table:
        """Return the rows, household by household, as the flat form's columns."""
        h, rng = self.households, self.rng
        household, slot = np.nonzero(self.taken)
        age, female = self.ages[household, slot], self.female[household, slot]
        desil = h.desil[household]
        born = np.datetime64(self.as_of) - np.ceil(age * 365.25).astype("timedelta64[D]")
        day, month, year = _parts(born)
        origin, place = self._origins(household, slot, age)
        work = self._work(age, female, desil, slot)
        nik = self._numbered(origin, day + 40 * female, month, year)

        sexes = pa.array([Sex.MALE.value, Sex.FEMALE.value])
        person = {
            "nik": nik,
            "name": names.draw_names(female, year, rng),
            "sex": sexes.take(pa.array(female.astype(np.int8))),
            "birth_date": pa.array(born),
            "birth_place": place,
            "relation": pa.array([slot.value for slot in _SLOTS]).take(pa.array(slot)),
            "disability": self._disability(age),
            "work": work,
            "schooling": self._schooling(age, year, desil, work),
            "health_insurance": h.insurance.take(pa.array(household)),
            "person_status": self._person_status(household, slot, age),
        }
        rows = pa.array(household)
        family = {
            "kk": self._family_cards(),
            "village": h.codes,
            "address": h.address,
            "hamlet": h.hamlet,
            "rt": h.rt,
            "rw": h.rw,
            "floor": h.floor,
            "wall": h.wall,
            "roof": h.roof,
            "sanitation": h.sanitation,
            "water": h.water,
            "electricity": h.electricity,
            "ownership": h.ownership,
            "assets": h.assets,
            "expenditure": pa.array(h.expenditure, mask=rng.random(h.count) < 0.12),
            "desil": pa.array(h.desil),
            "extreme_poor": pa.array(h.extreme_poor),
            "latitude": h.latitude,
            "longitude": h.longitude,
            "household_status": h.status,
        }
        columns = person | {name: values.take(rows) for name, values in family.items()}
        return pa.table(columns).select(SCHEMA.names).cast(SCHEMA)

    def _numbered(
        self, district: np.ndarray, day: np.ndarray, month: np.ndarray, year: np.ndarray
    ) -> pa.Array:
        """Return district + DDMMYY + a serial that is unique in the whole population."""
        key = ((district * 100 + day) * 100 + month) * 100 + year % 100
        order = np.argsort(key, kind="stable")
        in_order = key[order]
        starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])
        rank = np.empty(len(key), dtype=np.int64)
        lengths = np.diff(np.r_[starts, len(key)])
        rank[order] = np.arange(len(key)) - np.repeat(starts, lengths)
        # Each chunk has its own serials, so that no chunk need know another's.
        serial = rank * self.chunks + self.chunk + 1
        if len(serial) and serial.max() > 9999:
            raise ValueError("Too many households: the serials of NIK run out.")
        return pa.array(key * 10_000 + serial).cast(pa.string())

    def _family_cards(self) -> pa.Array:
        since = np.datetime64("2008-01-01")
        days = (np.datetime64(self.as_of) - np.timedelta64(400, "D") - since).astype(int)
        issued = since + self.rng.integers(0, days, self.households.count)
        day, month, year = _parts(issued)
        return self._numbered(self.households.district_number, day, month, year)

    def _origins(
        self, household: np.ndarray, slot: np.ndarray, age: np.ndarray
    ) -> tuple[np.ndarray, pa.Array]:
        """Return the district that issued each NIK, and the place of birth."""
        rng, n = self.rng, len(household)
        here = self.households.district_number[household]
        married_in = np.isin(slot, [1, _IN_LAW])
        chance = rng.random(n)
        other_district = chance < np.where(married_in, 0.22, np.where(age > 18, 0.06, 0.01))
        elsewhere = chance > np.where(married_in, 0.88, np.where(age > 18, 0.965, 0.992))
        district = np.where(other_district, rng.choice(self.households.all_districts, n), here)

        regions = list(places.BIRTH_PLACES)
        weight = np.array([6.0 if region in places.NEIGHBOURS else 1.0 for region in regions])
        region = rng.choice(len(regions), n, p=weight / weight.sum())
        by_region = [
            np.array(sorted(int(c) for c in national_district_codes() if c.startswith(prefix)))
            for prefix in regions
        ]
        sizes = np.array([len(codes) for codes in by_region])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        far = np.concatenate(by_region)[
            starts[region] + (rng.random(n) * sizes[region]).astype(int)
        ]
        district = np.where(elsewhere, far, district)

        place_names = ["Banyumas", "Purwokerto", *places.BIRTH_PLACES.values()]
        at_home = (rng.random(n) < 0.12).astype(int)
        return district, pa.array(place_names).take(
            pa.array(np.where(elsewhere, region + 2, at_home))
        )

    def _disability(self, age: np.ndarray) -> pa.Array:
        rng, n = self.rng, len(age)
        chance = 0.006 + 0.05 * np.clip((age - 45) / 45, 0, 1)
        kinds = np.array([[30, 20, 17, 12, 14, 7.0]])
        kind = _pick(kinds, np.zeros(n, dtype=int), rng) + 1
        codes = pa.array([
            Disability.NONE.value, Disability.PHYSICAL.value, Disability.VISUAL.value,
            Disability.HEARING.value, Disability.INTELLECTUAL.value, Disability.MENTAL.value,
            Disability.MULTIPLE.value,
        ])  # fmt: skip
        return codes.take(pa.array(np.where(rng.random(n) < chance, kind, 0)))

    def _work(
        self, age: np.ndarray, female: np.ndarray, desil: np.ndarray, slot: np.ndarray
    ) -> pa.Array:
        rng, n = self.rng, len(age)
        grown = pc.if_else(
            pa.array(female), _WORK_OF_WOMEN.draw(desil, rng), _WORK_OF_MEN.draw(desil, rng)
        )
        old = _WORK_OF_THE_OLD.draw(desil, rng)
        work = pc.if_else(pa.array(age >= 62), old, grown)
        studying = np.select(
            [age < 6.2, age < 16, age < 19, age < 23],
            [0.0, 0.985, 0.62 + 0.033 * desil, 0.02 + 0.05 * desil],
            0.0,
        )
        studies = (rng.random(n) < studying) & (slot > 1)
        work = pc.if_else(pa.array((age < 17) & ~studies), Work.NONE.value, work)
        return pc.if_else(pa.array(studies), Work.STUDENT.value, work)

    def _schooling(
        self, age: np.ndarray, year: np.ndarray, desil: np.ndarray, work: pa.Array
    ) -> pa.Array:
        by_generation = [
            _pick(_SCHOOLING[generation].table, desil - 1, self.rng)
            for generation in names.GENERATIONS
        ]
        level = np.choose(np.digitize(year, [1964, 1995]), by_generation)
        # The young have completed at most what their age allows.
        most = np.select([age < 12.5, age < 15.5, age < 18.5, age < 23], [0, 1, 2, 3], 5)
        # Nobody joins the civil service without a secondary school.
        serves = pc.is_in(work, pa.array([Work.CIVIL_SERVANT.value, Work.RETIRED.value]))
        level = np.maximum(level, np.where(serves.to_numpy(zero_copy_only=False), 3, 0))
        return _SCHOOLING["old"].codes.take(pa.array(np.minimum(level, most)))

    def _person_status(self, household: np.ndarray, slot: np.ndarray, age: np.ndarray) -> pa.Array:
        n = len(household)
        chance = 0.0004 + 0.02 * np.clip((age - 55) / 40, 0, 1)
        # A dead head would leave the household without one.
        died = (self.rng.random(n) < chance) & (slot != 0)
        moved = self.households.moved[household] & ~died
        states = pa.array([Status.ACTIVE.value, Status.DIED.value, Status.MOVED.value])
        return states.take(pa.array(died + 2 * moved))


def _parts(date: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return day, month and year of dates."""
    months = date.astype("datetime64[M]")
    day = (date - months).astype(int) + 1
    month = months.astype(int) % 12 + 1
    year = date.astype("datetime64[Y]").astype(int) + 1970
    return day, month, year
