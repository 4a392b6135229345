"""Rules told in plain Indonesian."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from guyub.targeting.cel import RuleError
from guyub.targeting.checking import understand
from guyub.targeting.tests.random_rules import rules
from guyub.targeting.wording import Clause, told


def lines(clause: Clause, depth: int = 0) -> list[str]:
    return ["  " * depth + clause.text] + [
        line for item in clause.items for line in lines(item, depth + 1)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("desil <= 2", ["Keluarga dengan syarat ini:", "  Desil kesejahteraan 2 atau kurang"]),
        (
            'desil >= 1 && desil <= 4 && (floor == "earth" || wall in ["bamboo", "wood"])',
            [
                "Semua syarat ini terpenuhi:",
                "  Desil kesejahteraan 1 sampai 4",
                "  Salah satu syarat ini terpenuhi:",
                "    Lantai: Tanah",
                "    Dinding: Bambu/anyaman atau Kayu/papan",
            ],
        ),
        (
            'members.exists(m, m.age >= 7 && m.age <= 18 && m.work != "student")',
            [
                "Keluarga dengan syarat ini:",
                "  Ada anggota dengan syarat:",
                "    Umur 7 sampai 18 tahun",
                "    Pekerjaan terisi dan bukan Pelajar/mahasiswa",
            ],
        ),
        (
            'district == "33.02.01" || !("car" in assets)',
            [
                "Salah satu syarat ini terpenuhi:",
                "  Di Kecamatan Lumbir",
                "  Tidak punya mobil",
            ],
        ),
        (
            "expenditure * member_count < 2000000",
            [
                "Keluarga dengan syarat ini:",
                "  Pengeluaran per kapita × jumlah anggota kurang dari 2.000.000",
            ],
        ),
        (
            "members.filter(m, m.age < 18).size() >= 3",
            [
                "Keluarga dengan syarat ini:",
                "  Jumlah anggota dengan syarat berikut 3 orang atau lebih:",
                "    Umur kurang dari 18 tahun",
            ],
        ),
        (
            "!(desil > 2)",
            [
                "Keluarga dengan syarat ini:",
                "  Tidak memenuhi syarat ini, termasuk bila datanya tidak diketahui:",
                "    Desil kesejahteraan lebih dari 2",
            ],
        ),
    ],
)
def test_rules_as_they_are_told(regency, text, expected):
    assert lines(told(understand(text))) == expected


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rule=rules)
def test_every_rule_can_be_told(regency, rule):
    try:
        meant = understand(rule.text)
    except RuleError:
        return
    for line in lines(told(meant)):
        assert line.strip()
        assert "%(" not in line
