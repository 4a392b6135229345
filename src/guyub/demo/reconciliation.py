"""Reconciliation in the demo: sources compared and partly settled, a few duplicates, two of them merged."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guyub.datasets.models import Dataset
from guyub.reconciliation.keeping import detect
from guyub.reconciliation.models import Difference, DifferenceState, Side
from guyub.reconciliation.services import merge_households, unmerge
from guyub.reconciliation.settling import ask_village, save_rule, settle
from guyub.registry.models import Household, Person
from guyub.registry.services import create_household

SETTLED, ASKED, DOUBLES = 30, 8, 5
# What the survey of houses sees with its own eyes.
SEEN = ("floor", "roof")


def make_reconciliation(actors: dict[str, Any], village_code: str, tell: Any) -> None:
    """Compare the demo's lists, set two rules, settle some differences, and merge duplicates.

    ``actors`` are the demo's users by name; duplicates are made in the village of ``village_code``.
    """
    secretary = actors["sekretariat"]
    detect(actor=secretary, tell=tell)
    if Dataset.objects.filter(code="rtlh").exists():
        for attribute in SEEN:
            save_rule(
                attribute, mode="ranking", ranking=["rtlh", "dtsen", "p3ke"], actor=secretary,
                reason=_("Survei RTLH melihat rumahnya langsung."),
            )  # fmt: skip
    _settle(secretary)
    here = Difference.objects.filter(village__code=village_code, state=DifferenceState.OPEN)
    ask_village(
        here.order_by("id")[:ASKED],
        reason=_("Mohon dicek di rumahnya, mana yang benar."),
        actor=secretary,
    )
    _duplicates(village_code, secretary)


def _settle(secretary: Any) -> None:
    """Settle a few for the list and a few for the registry, as the rules suggest."""
    waiting = Difference.objects.filter(state=DifferenceState.OPEN)
    for side, field in ((Side.THEIRS, "floor"), (Side.OURS, "desil")):
        chosen = waiting.filter(suggested=side, field=field).order_by("id")[:SETTLED]
        settle(
            chosen, side="suggested", actor=secretary,
            reason=_("Disepakati dalam rapat pemadanan data."),
        )  # fmt: skip


def _duplicates(village_code: str, secretary: Any) -> None:
    """Record some households of a village a second time, and merge a few of them."""
    homes = list(
        Household.objects.filter(village__code=village_code, status="active", merged_into=None)
        .exclude(kk="")
        .select_related("village")
        .order_by("desil", "id")[:DOUBLES]
    )
    merges = []
    for number, home in enumerate(homes):
        head = home.members.filter(relation="head", status="active").first()
        if head is None:
            continue
        nik, kk = head.nik[:12] + f"98{number:02d}", home.kk[:12] + f"98{number:02d}"
        known = Person.objects.filter(nik=nik).exists() or Household.objects.filter(kk=kk).exists()
        if known:
            continue
        double = create_household(
            household={
                "kk": kk, "village": home.village, "address": home.address.replace("Jl.", "Jalan"),
                "rt": home.rt, "rw": home.rw,
            },
            head={
                "nik": nik, "name": head.name.replace("Y", "I"), "sex": head.sex,
                "birth_date": head.birth_date,
            },
            as_of=home.origin.as_of, actor=secretary, note=_("Dicatat dari surat keterangan."),
        )  # fmt: skip
        if number < 3:
            merges.append(
                merge_households(
                    double,
                    home,
                    picked=(),
                    actor=secretary,
                    reason=_("Kepala keluarganya sama, dibuktikan dengan KK asli."),
                    same_people=[(double.members.get().pk, head.pk)],
                )
            )
    if len(merges) > 2:
        unmerge(
            merges[-1], reason=_("Ternyata saudara kembar yang tinggal serumah."), actor=secretary
        )
