"""Which of two sources of a value wins, and why: the rules, once in Python and once in SQL.

Rules are put to a pair: what stands in the registry (*ours*) and what a list says (*theirs*). Reasons are
codes; :data:`REASONS` has their words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from guyub.datasets.models import Dataset, Version
from guyub.reconciliation.models import Mode, Side, SourceRule
from guyub.registry.flat import HOUSEHOLD_COLUMNS, PERSON_COLUMNS
from guyub.registry.models import Origin

MANUAL = "manual"
# Numbers are what records are known by, not what sources differ about.
ATTRIBUTES = tuple(
    name for name in (*HOUSEHOLD_COLUMNS, *PERSON_COLUMNS) if name not in ("nik", "kk")
)
REASONS = {
    "reference": _("data acuan menang"),
    "hand_newer": _("isian langsung yang lebih baru menang"),
    "ranking": _("urutan sumber untuk data ini"),
    "newer": _("tanggal terbaru menang"),
    "same_date": _("tanggalnya sama, jadi isi registri tetap"),
    "ask": _("data ini selalu diputuskan orang"),
    "empty": _("yang lain kosong"),
    "": "",
}


@dataclass(frozen=True)
class Source:
    """Where a value is from (``dataset_id`` None: entered by hand), and of when."""

    dataset_id: int | None
    as_of: dt.date

    @classmethod
    def of(cls, origin: Origin) -> Source:
        return cls(origin.dataset_id, origin.as_of)


@dataclass(frozen=True)
class Rule:
    """A rule with datasets by id, strongest first; None stands for what is entered by hand."""

    mode: str = Mode.DEFAULT
    ranking: tuple[int | None, ...] = ()

    def place(self, dataset_id: int | None) -> int:
        """Return how strong a source is by the ranking: 0 is strongest, unnamed ones come last."""
        found = self.ranking
        return found.index(dataset_id) if dataset_id in found else len(found)


def decide(rule: Rule, reference: int | None, ours: Source, theirs: Source) -> tuple[str, str]:
    """Return which side wins ("" where people decide), and the code of the reason."""
    if rule.mode == Mode.ASK:
        return "", "ask"
    if rule.mode == Mode.RANKING:
        mine, other = rule.place(ours.dataset_id), rule.place(theirs.dataset_id)
        if mine != other:
            return (Side.OURS if mine < other else Side.THEIRS), "ranking"
    if rule.mode == Mode.DEFAULT and reference is not None:
        for side, one, other_side, rival in (
            (Side.THEIRS, theirs, Side.OURS, ours),
            (Side.OURS, ours, Side.THEIRS, theirs),
        ):
            if one.dataset_id == reference != rival.dataset_id:
                if rival.dataset_id is None and rival.as_of > one.as_of:
                    return other_side, "hand_newer"
                return side, "reference"
    if theirs.as_of == ours.as_of:
        return Side.OURS, "same_date"
    return (Side.THEIRS if theirs.as_of > ours.as_of else Side.OURS), "newer"


def decide_sql() -> str:
    """Return SQL for ``winner || ':' || reason`` as :func:`decide` gives them.

    It speaks of the columns ``mode``, ``our_place``, ``their_place``, ``reference``, ``our_dataset``,
    ``their_dataset``, ``our_as_of`` and ``their_as_of``.
    """
    newest = (
        "WHEN their_as_of = our_as_of THEN 'ours:same_date' "
        "WHEN their_as_of > our_as_of THEN 'theirs:newer' ELSE 'ours:newer' END"
    )
    by_default = "mode = 'default' AND reference IS NOT NULL AND"
    return (
        "CASE WHEN mode = 'ask' THEN ':ask' "
        "WHEN mode = 'ranking' AND our_place < their_place THEN 'ours:ranking' "
        "WHEN mode = 'ranking' AND our_place > their_place THEN 'theirs:ranking' "
        f"WHEN {by_default} their_dataset = reference AND our_dataset IS NULL "
        "AND our_as_of > their_as_of THEN 'ours:hand_newer' "
        f"WHEN {by_default} their_dataset = reference "
        "AND our_dataset IS DISTINCT FROM reference THEN 'theirs:reference' "
        f"WHEN {by_default} our_dataset = reference AND their_dataset IS NULL "
        "AND their_as_of > our_as_of THEN 'theirs:hand_newer' "
        f"WHEN {by_default} our_dataset = reference "
        f"AND their_dataset IS DISTINCT FROM reference THEN 'ours:reference' {newest}"
    )


def reference_dataset() -> int | None:
    """Return the id of the dataset whose version is the reference."""
    return Version.objects.filter(is_reference=True).values_list("dataset_id", flat=True).first()


def by_id(mode: str, ranking: Iterable[str]) -> Rule:
    """Return a rule whose datasets are named by code; codes that are no dataset's count for nothing."""
    ids: dict[str, int | None] = dict(Dataset.objects.values_list("code", "id"))
    ids[MANUAL] = None
    return Rule(mode, tuple(ids[code] for code in ranking if code in ids))


def current_rules() -> dict[str, SourceRule]:
    """Return the rule in force of every attribute that has one."""
    found: dict[str, SourceRule] = {}
    for rule in SourceRule.objects.select_related("made_by").order_by("attribute", "-number"):
        found.setdefault(rule.attribute, rule)
    return found


def rules_in_force() -> dict[str, Rule]:
    """Return the same, with datasets by id."""
    return {name: by_id(rule.mode, rule.ranking) for name, rule in current_rules().items()}


@dataclass(frozen=True)
class Verdict:
    """``left`` or ``right`` wins, or "" where people decide; ``why`` in the user's words."""

    winner: str
    why: Any


def weigh(
    left: Origin,
    right: Origin,
    left_value: Any,
    right_value: Any,
    rule: Rule,
    reference: int | None,
) -> Verdict:
    """Say which of two values of one thing stands by a rule. An empty value never wins."""
    if right_value in (None, ""):
        return Verdict("left", "")
    if left_value in (None, ""):
        return Verdict("right", REASONS["empty"])
    winner, why = decide(rule, reference, Source.of(left), Source.of(right))
    return Verdict({"ours": "left", "theirs": "right"}.get(winner, ""), REASONS[why])
