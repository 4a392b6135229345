"""The demo's targeting rules: who several agencies say that their help is for."""

from __future__ import annotations

from dataclasses import dataclass

from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import HelpKind
from guyub.targeting.models import Rule
from guyub.targeting.services import create_rule, update_rule


@dataclass(frozen=True)
class Wording:
    """One version of a rule."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class RuleMade:
    """A rule, for those of its agency's sub-activities of ``help_kind`` whose name has ``words``."""

    agency: str
    name: str
    description: str
    help_kind: HelpKind
    wordings: tuple[Wording, ...]
    words: str = ""


RULES = (
    RuleMade(
        "dinperkim",
        "Rumah tidak layak huni, desil 1–4",
        "Rumah milik sendiri yang lantainya tanah atau bambu, atau dindingnya bambu atau kayu.",
        HelpKind.HOUSE_REPAIR,
        (
            Wording(
                'desil >= 1 && desil <= 4 && floor == "earth" && wall in ["bamboo", "wood"]',
                "Rumusan awal.",
            ),
            Wording(
                'desil >= 1 && desil <= 4 && ownership == "own"\n'
                '&& (floor in ["earth", "bamboo"] || wall in ["bamboo", "wood"])\n'
                '&& !("car" in assets)',
                "Cukup lantai atau dinding; rumah harus milik sendiri.",
            ),
        ),
        "Perbaikan Rumah",
    ),
    RuleMade(
        "dinkes",
        "Keluarga tanpa jamban sendiri, desil 1–4",
        "Tidak punya jamban atau memakai MCK umum.",
        HelpKind.SANITATION,
        (Wording('desil >= 1 && desil <= 4 && sanitation in ["none", "public"]'),),
    ),
    RuleMade(
        "dinkes",
        "Calon peserta PBI APBD",
        "Anggota keluarga desil 1–5 yang tidak punya jaminan kesehatan.",
        HelpKind.HEALTH_INSURANCE,
        (
            Wording(
                'desil >= 1 && desil <= 4\n&& members.exists(m, m.health_insurance == "none")',
                "Rumusan awal.",
            ),
            Wording(
                'desil >= 1 && desil <= 5\n&& members.exists(m, m.health_insurance == "none")',
                "Sampai desil 5, mengikuti kuota PBI.",
            ),
        ),
    ),
    RuleMade(
        "dinkes",
        "Balita dari keluarga desil 1–5",
        "Sasaran pemberian makanan tambahan di posyandu.",
        HelpKind.NUTRITION,
        (Wording("desil >= 1 && desil <= 5\n&& members.exists(m, m.age < 5)"),),
    ),
    RuleMade(
        "dindik",
        "Anak 7–18 tahun tidak sekolah, desil 1–4",
        "Anak usia sekolah yang belum tamat SMA dan pekerjaannya bukan pelajar.",
        HelpKind.SCHOOLING,
        (
            Wording(
                "desil >= 1 && desil <= 4\n"
                '&& members.exists(m, m.age >= 7 && m.age <= 18 && m.work != "student" '
                '&& m.schooling in ["none", "primary", "lower_secondary"])'
            ),
        ),
    ),
    RuleMade(
        "dinsospermasdes",
        "Lanjut usia tinggal sendiri, desil 1–2",
        "Satu anggota, berumur 60 tahun atau lebih.",
        HelpKind.FOOD,
        (Wording("desil >= 1 && desil <= 2 && member_count == 1\n&& members.all(m, m.age >= 60)"),),
        "Permakanan",
    ),
    RuleMade(
        "dinsospermasdes",
        "Penyandang disabilitas, desil 1–4",
        "Keluarga dengan anggota penyandang disabilitas yang memerlukan alat bantu.",
        HelpKind.SOCIAL_CARE,
        (
            Wording(
                "desil >= 1 && desil <= 4\n"
                '&& members.exists(m, m.disability in ["physical", "visual", "hearing", "multiple"])'
            ),
        ),
        "Alat Bantu",
    ),
    RuleMade(
        "dinsospermasdes",
        "Miskin ekstrem tanpa anggota bekerja",
        "Sasaran BLT Dana Desa: miskin ekstrem, dan tidak ada anggota usia kerja yang bekerja.",
        HelpKind.CASH,
        (
            Wording(
                "extreme_poor == true\n"
                "&& !members.exists(m, m.age >= 15 && m.age <= 64 "
                '&& !(m.work in ["none", "student", "housework"]))'
            ),
        ),
        "Dana Desa",
    ),
    RuleMade(
        "dpu",
        "Keluarga tanpa air minum layak, desil 1–5",
        "Sumber air minum tak terlindung, air permukaan atau air hujan.",
        HelpKind.WATER,
        (
            Wording(
                "desil >= 1 && desil <= 5\n"
                '&& water in ["unprotected_well", "unprotected_spring", "surface", "rain"]'
            ),
        ),
    ),
    RuleMade(
        "baznas",
        "Mustahik tanpa sambungan listrik",
        "Belum memakai listrik PLN dengan meteran sendiri.",
        HelpKind.ELECTRICITY,
        (
            Wording(
                'desil >= 1 && desil <= 3\n&& electricity in ["none", "non_pln", "pln_no_meter"]'
            ),
        ),
    ),
)


def make_rules(secretary: User, year: int) -> list[Rule]:
    """Create the demo's rules for sub-activities of ``year``, written by the agencies' operators.

    Rules of agencies that are not in the directory are passed over; an agency without an operator of
    its own has its rules written by ``secretary``.
    """
    agencies = {agency.code: agency for agency in Agency.objects.filter(is_active=True)}
    operators: dict[int, User] = {}
    for user in User.objects.filter(role="agency_operator").exclude(agency=None).order_by("pk"):
        operators.setdefault(user.agency_id or 0, user)
    made = []
    for wanted in RULES:
        agency = agencies.get(wanted.agency)
        if agency is None:
            continue
        actor = operators.get(agency.pk, secretary)
        helped = SubActivity.objects.filter(
            agency=agency, year=year, help_kind=wanted.help_kind, is_cancelled=False
        ).filter(name__icontains=wanted.words)
        first, *later = wanted.wordings
        rule = create_rule(
            actor=actor,
            agency=agency,
            name=wanted.name,
            description=wanted.description,
            text=first.text,
            note=first.note,
            sub_activities=helped,
        )
        for wording in later:
            update_rule(
                rule,
                actor=actor,
                name=wanted.name,
                description=wanted.description,
                text=wording.text,
                note=wording.note,
                sub_activities=helped,
            )
        made.append(rule)
    return made
