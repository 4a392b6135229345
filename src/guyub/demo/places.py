"""What the synthetic population needs to know about each district: size, place and prosperity."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from guyub.areas.services import DATA


class District(NamedTuple):
    """Rough facts about one district.

    ``people`` is in thousands. ``poverty`` tilts the welfare ranks: above zero is poorer than the
    regency. The place is a rough centre in degrees.
    """

    people: float
    latitude: float
    longitude: float
    poverty: float


# Rounded from memory of published sizes: good for a demo, not for a statistic.
DISTRICTS = {
    "33.02.01": District(50, -7.455, 108.965, 0.35),
    "33.02.02": District(86, -7.515, 109.050, 0.05),
    "33.02.03": District(69, -7.535, 109.110, 0.10),
    "33.02.04": District(55, -7.530, 109.170, 0.15),
    "33.02.05": District(68, -7.540, 109.220, 0.25),
    "33.02.06": District(74, -7.590, 109.300, 0.15),
    "33.02.07": District(60, -7.600, 109.360, 0.05),
    "33.02.08": District(51, -7.600, 109.410, 0.10),
    "33.02.09": District(38, -7.525, 109.340, 0.25),
    "33.02.10": District(60, -7.480, 109.305, 0.00),
    "33.02.11": District(54, -7.525, 109.290, -0.05),
    "33.02.12": District(64, -7.480, 109.215, 0.00),
    "33.02.13": District(39, -7.475, 109.115, 0.30),
    "33.02.14": District(106, -7.410, 109.075, 0.00),
    "33.02.15": District(54, -7.375, 109.000, 0.35),
    "33.02.16": District(79, -7.345, 109.070, 0.20),
    "33.02.17": District(131, -7.385, 109.140, 0.20),
    "33.02.18": District(70, -7.420, 109.200, 0.05),
    "33.02.19": District(90, -7.460, 109.290, -0.10),
    "33.02.20": District(82, -7.420, 109.285, 0.00),
    "33.02.21": District(97, -7.375, 109.285, 0.10),
    "33.02.22": District(54, -7.340, 109.230, -0.20),
    "33.02.23": District(65, -7.365, 109.195, 0.10),
    "33.02.24": District(71, -7.440, 109.240, -0.45),
    "33.02.25": District(51, -7.422, 109.222, -0.45),
    "33.02.26": District(55, -7.425, 109.253, -0.55),
    "33.02.27": District(49, -7.402, 109.245, -0.50),
}
# Latitude and longitude that no synthetic house leaves: roughly the regency's bounds.
SOUTH, NORTH, WEST, EAST = -7.68, -7.25, 108.65, 109.50
# Scatter of village centres about their district's, in degrees.
_SPREAD = 0.014


@dataclass(frozen=True)
class Villages:
    """The 331 villages as arrays of equal length, in the order of their codes."""

    codes: np.ndarray
    district: np.ndarray  # position of each village's district in `district_numbers`
    district_numbers: np.ndarray  # the district codes without dots, as integers: 330201
    weight: np.ndarray  # share of the regency's people; sums to 1
    poverty: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    urban: np.ndarray  # a kelurahan


def villages() -> Villages:
    """Return the villages with plausible sizes; the same at every call, whatever the seed."""
    with (DATA / "banyumas.csv").open(encoding="utf-8") as file:
        names = {row["code"]: row["name"] for row in csv.DictReader(file)}
    codes = np.array(sorted(code for code in names if code.count(".") == 3))
    districts = sorted(DISTRICTS)
    position = {code: at for at, code in enumerate(districts)}
    district = np.array([position[code[:8]] for code in codes])
    facts = np.array([DISTRICTS[code] for code in districts])[district]

    rng = np.random.default_rng(3302)
    weight = rng.lognormal(0.0, 0.35, len(codes))
    # The village that its district is named after is mostly the largest.
    weight *= np.where([names[code] == names[code[:8]] for code in codes], 1.5, 1.0)
    within = np.bincount(district, weights=weight)[district]
    weight = weight / within * facts[:, 0]
    return Villages(
        codes=codes,
        district=district,
        district_numbers=np.array([int(code.replace(".", "")) for code in districts]),
        weight=weight / weight.sum(),
        poverty=facts[:, 3] + rng.normal(0, 0.18, len(codes)),
        latitude=facts[:, 1] + rng.normal(0, _SPREAD, len(codes)).clip(-0.03, 0.03),
        longitude=facts[:, 2] + rng.normal(0, _SPREAD, len(codes)).clip(-0.03, 0.03),
        urban=np.array([code[9] == "1" for code in codes]),
    )


# Where people born elsewhere come from: first four digits of the NIK, and the place of birth.
BIRTH_PLACES = {
    "3301": "Cilacap",
    "3303": "Purbalingga",
    "3304": "Banjarnegara",
    "3305": "Kebumen",
    "3306": "Purworejo",
    "3307": "Wonosobo",
    "3327": "Pemalang",
    "3328": "Tegal",
    "3329": "Brebes",
    "3374": "Semarang",
    "3404": "Sleman",
    "3471": "Yogyakarta",
    "3171": "Jakarta",
    "3174": "Jakarta",
    "3273": "Bandung",
    "3275": "Bekasi",
    "3207": "Ciamis",
    "3671": "Tangerang",
    "3578": "Surabaya",
    "1871": "Bandar Lampung",
    "1671": "Palembang",
}
NEIGHBOURS = ("3301", "3303", "3304", "3305", "3328", "3329")
