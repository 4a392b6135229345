"""Which of two sources of a value wins, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from guyub.datasets.models import Version
from guyub.registry.models import Origin


@dataclass(frozen=True)
class Verdict:
    """``left`` or ``right`` wins, or "" where people must decide; ``why`` in the user's words."""

    winner: str
    why: str


def reference_dataset() -> int | None:
    """Return the id of the dataset whose version is the reference."""
    return Version.objects.filter(is_reference=True).values_list("dataset_id", flat=True).first()


def weigh(
    left: Origin, right: Origin, left_value: Any, right_value: Any, reference: int | None
) -> Verdict:
    """Say which of two values of one thing stands by the rule that imports follow.

    An empty value never wins. The reference dataset wins, except over something that a person entered
    on a later date; between others the later date wins, and the left one where dates are the same.
    """
    if right_value in (None, ""):
        return Verdict("left", "")
    if left_value in (None, ""):
        return Verdict("right", _("yang lain kosong"))
    for side, one, other in (("left", left, right), ("right", right, left)):
        if reference is not None and one.dataset_id == reference != other.dataset_id:
            if other.dataset_id is None and other.as_of > one.as_of:
                continue
            return Verdict(side, _("data acuan"))
    if right.as_of > left.as_of:
        return Verdict("right", _("tanggal lebih baru"))
    return Verdict("left", _("tanggal lebih baru") if left.as_of > right.as_of else "")
