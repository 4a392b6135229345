"""Writes about differences: settling them, asking villages, and the rules of which source wins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.datasets.models import Dataset
from guyub.discussions.models import Kind
from guyub.discussions.services import notify
from guyub.discussions.services import settle as settle_news
from guyub.reconciliation.models import (
    WAITING,
    Difference,
    DifferenceState,
    Mode,
    Side,
    SourceRule,
)
from guyub.reconciliation.queue import weighed
from guyub.reconciliation.services import MODELS, require_reason
from guyub.reconciliation.sources import (
    ATTRIBUTES,
    MANUAL,
    Rule,
    Source,
    by_id,
    decide,
    reference_dataset,
    rules_in_force,
)
from guyub.registry import services as registry
from guyub.registry.flat import FLAT_COLUMNS
from guyub.registry.models import Channel, Origin

# Of one settling, so that it stays within a request's time.
MOST_AT_ONCE = 500
STATUS_COLUMNS = ("person_status", "household_status")


# Settling


def python_value(field: str, text: str) -> Any:
    """Return a value that differences keep as text the way the registry's models take it."""
    kind = FLAT_COLUMNS[field]
    if field == "village":
        return Area.objects.get(code=text)
    if kind == "BOOLEAN":
        return text.lower() == "true"
    if kind in ("INTEGER", "TINYINT"):
        return int(text)
    if kind == "DOUBLE":
        return float(text)
    if kind == "DATE":
        return dt.date.fromisoformat(text)
    return text


@transaction.atomic
def settle(
    differences: Iterable[Difference], *, side: str, reason: str, actor: Any
) -> tuple[int, int]:
    """Settle differences; return how many were, and how many were not because they changed meanwhile.

    Args:
        differences: Which, as their page showed them; at most :data:`MOST_AT_ONCE`.
        side: ``ours`` or ``theirs`` for all, or ``suggested`` for what the rule says of each. Where it
            leaves the decision to people, ``suggested`` settles nothing.
        reason: Why; at least ten letters.
        actor: Who decides.

    Raises:
        ValidationError: too many at once, or no reason.
    """
    reason = require_reason(reason)
    shown = {one.pk: one for one in differences}
    if len(shown) > MOST_AT_ONCE:
        raise ValidationError(
            _("Paling banyak %(n)d perbedaan sekali putus.") % {"n": MOST_AT_ONCE}
        )
    if side not in (*Side.values, "suggested"):
        raise ValidationError(_("Pilih isi yang berlaku."))
    held = Difference.objects.select_for_update(of=("self",)).filter(pk__in=shown).order_by("pk")
    settled: list[Difference] = []
    for one in held.select_related("our_origin", "dataset__current_version", "our_dataset"):
        seen = shown[one.pk]
        winner = one.suggested if side == "suggested" else side
        if not winner or not one.is_waiting or (one.theirs, one.ours) != (seen.theirs, seen.ours):
            continue
        if winner == Side.THEIRS and not _adopt(one, reason, actor):
            continue
        one.state, one.winner, one.reason = DifferenceState.SETTLED, winner, reason
        one.settled_by, one.settled_at = actor, timezone.now()
        one.save(update_fields=["state", "winner", "reason", "settled_by", "settled_at"])
        settled.append(one)
    if settled:
        audit.record(
            "reconciliation.difference.settle",
            actor=actor,
            reason=reason,
            detail={
                "differences": [one.pk for one in settled],
                "theirs": sum(one.winner == Side.THEIRS for one in settled),
                "side": side,
            },
        )
        _tell_losers(settled)
        end_questions({one.village_id for one in settled})
    return len(settled), len(shown) - len(settled)


def _adopt(one: Difference, reason: str, actor: Any) -> bool:
    """Write the list's value into the registry with the list's origin; ``False`` when it changed."""
    record = MODELS[one.kind].objects.get(pk=one.subject_id)
    name = "status" if one.field in STATUS_COLUMNS else one.field
    present = registry.stored(name, getattr(record, name))
    ours, value = python_value(one.field, one.ours), python_value(one.field, one.theirs)
    origin = Origin.objects.filter(
        version=one.dataset.current_version, channel=Channel.IMPORT
    ).first()
    if present != registry.stored(name, ours) or record.merged_into_id or origin is None:
        return False
    try:
        registry.take_value(record, name, value, origin=origin, actor=actor, reason=reason)
    except registry.RegistryError:
        return False
    now = timezone.now()
    same = Difference.objects.filter(kind=one.kind, subject_id=one.subject_id, field=one.field)
    if one.our_dataset_id is not None:
        # The list that the registry's value came from is now the one that says otherwise.
        values = {
            "household_id": one.household_id, "village_id": one.village_id,
            "district_id": one.district_id, "theirs": one.ours, "their_as_of": one.our_as_of,
            "ours": one.theirs, "our_origin": origin, "our_dataset_id": one.dataset_id,
            "our_as_of": origin.as_of, "suggested": "", "why": "ask",
            "state": DifferenceState.SETTLED, "winner": Side.OURS, "reason": reason,
            "settled_by": actor, "settled_at": now, "mended_at": None,
        }  # fmt: skip
        Difference.objects.update_or_create(
            kind=one.kind, subject_id=one.subject_id, field=one.field,
            dataset_id=one.our_dataset_id, defaults=values,
            create_defaults={**values, "found_at": now},
        )  # fmt: skip
    rule, reference = rules_in_force().get(one.field, Rule()), reference_dataset()
    for other in same.filter(state__in=WAITING).exclude(pk=one.pk):
        if other.theirs == one.theirs:
            other.state = DifferenceState.GONE
        other.ours, other.our_origin, other.our_dataset_id = one.theirs, origin, one.dataset_id
        other.our_as_of = origin.as_of
        other.suggested, other.why = decide(
            rule, reference, Source.of(origin), Source(other.dataset_id, other.their_as_of)
        )
        other.save()
    return True


def _tell_losers(settled: Sequence[Difference]) -> None:
    """Tell the operators of the agencies whose lists have rows to mend."""
    lists: dict[int, int] = {}
    for one in settled:
        loser = one.dataset_id if one.winner == Side.OURS else one.our_dataset_id
        if loser is not None:
            lists[loser] = lists.get(loser, 0) + 1
    for dataset in Dataset.objects.filter(pk__in=lists):
        people = User.objects.filter(
            role=Role.AGENCY_OPERATOR, agency_id=dataset.owner_id, is_active=True
        )
        waiting = Difference.objects.filter(
            dataset=dataset, state=DifferenceState.SETTLED, winner=Side.OURS
        ).count()
        notify(
            people,
            Kind.TASK,
            _("Daftar %(list)s: %(n)d isian perlu diperbaiki di daftar Anda.")
            % {"list": dataset.code.upper(), "n": waiting},
            _corrections_url(dataset),
        )


def _corrections_url(dataset: Dataset) -> str:
    return reverse("reconciliation:corrections", args=[dataset.code])


def end_corrections() -> None:
    """Wait for nobody to mend a list any more in which nothing is to be mended."""
    waiting = Difference.objects.filter(state=DifferenceState.SETTLED, winner=Side.OURS)
    for dataset in Dataset.objects.exclude(pk__in=waiting.values("dataset")):
        settle_news(_corrections_url(dataset))


@transaction.atomic
def ask_village(differences: Iterable[Difference], *, reason: str, actor: Any) -> int:
    """Send open differences to the villages to be looked at; return how many.

    Raises:
        ValidationError: too many at once, or no reason.
    """
    reason = require_reason(reason)
    ids = [one.pk for one in differences]
    if len(ids) > MOST_AT_ONCE:
        raise ValidationError(
            _("Paling banyak %(n)d perbedaan sekali putus.") % {"n": MOST_AT_ONCE}
        )
    waiting = Difference.objects.filter(pk__in=ids, state=DifferenceState.OPEN)
    villages = set(waiting.values_list("village_id", flat=True))
    count = waiting.update(state=DifferenceState.VERIFY, reason=reason)
    if count:
        audit.record(
            "reconciliation.difference.ask",
            actor=actor,
            reason=reason,
            detail={"differences": ids, "asked": count},
        )
        people = User.objects.filter(role=Role.AREA_OPERATOR, area__in=villages, is_active=True)
        notify(
            people,
            Kind.TASK,
            _("Ada perbedaan data antarperangkat daerah yang perlu dicek di desa Anda."),
            questions_url(),
        )
    return count


def questions_url() -> str:
    """Return the address of what villages are asked."""
    return f"{reverse('reconciliation:queue')}?keadaan=verify"


def end_questions(villages: Iterable[int]) -> None:
    """Wait for nobody any more in those of ``villages`` where no difference is to be looked at."""
    asked = Difference.objects.filter(village__in=villages, state=DifferenceState.VERIFY)
    done = set(villages) - set(asked.values_list("village_id", flat=True))
    if done:
        settle_news(questions_url(), User.objects.filter(role=Role.AREA_OPERATOR, area__in=done))


# Rules


def check_rule(attribute: str, mode: str, ranking: Sequence[str]) -> Rule:
    """Return a rule with datasets by id.

    Raises:
        ValidationError: there is no such attribute, or the ranking names nothing or something twice.
    """
    if attribute not in ATTRIBUTES:
        raise ValidationError(_("Data ini tidak bisa diatur."))
    if mode not in Mode.values:
        raise ValidationError({"mode": _("Pilih cara memutuskan.")})
    known = {MANUAL, *Dataset.objects.values_list("code", flat=True)}
    if mode == Mode.RANKING:
        if not ranking:
            raise ValidationError({"first": _("Pilih paling sedikit satu sumber.")})
        if len(set(ranking)) != len(ranking):
            raise ValidationError({"first": _("Setiap sumber hanya boleh dipilih sekali.")})
        if unknown := [code for code in ranking if code not in known]:
            raise ValidationError({"first": _("Sumber tidak dikenal: %s.") % unknown[0]})
    return by_id(mode, ranking)


@transaction.atomic
def save_rule(
    attribute: str, *, mode: str, ranking: Sequence[str], reason: str, actor: Any
) -> SourceRule:
    """Set the rule of an attribute as its next version, and weigh what waits anew.

    Raises:
        ValidationError: as of :func:`check_rule`, or no reason.
    """
    reason = require_reason(reason)
    ranking = list(ranking) if mode == Mode.RANKING else []
    rule = check_rule(attribute, mode, ranking)
    last = SourceRule.objects.select_for_update().filter(attribute=attribute).first()
    made = SourceRule.objects.create(
        attribute=attribute, number=last.number + 1 if last else 1, mode=mode, ranking=ranking,
        reason=reason, made_by=actor,
    )  # fmt: skip
    for group, (suggested, why), _count in weighed(attribute, rule):
        Difference.objects.filter(field=attribute, state__in=WAITING, **group).update(
            suggested=suggested, why=why
        )
    audit.record(
        "reconciliation.rule.set",
        actor=actor,
        subject=made,
        reason=reason,
        detail={"attribute": attribute, "mode": mode, "ranking": ranking},
    )
    return made


# Taking a correction list out


@transaction.atomic
def log_corrections(dataset: Dataset, *, rows: int, full: bool, reason: str, actor: Any) -> None:
    """Log that the list of what to mend was taken out."""
    audit.record(
        "reconciliation.corrections.export",
        actor=actor,
        subject=dataset,
        reason=require_reason(reason),
        detail={"rows": rows, "full_numbers": full},
    )
