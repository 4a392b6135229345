"""Writes on forms, rounds and visits. What comes in: :mod:`receiving`; what is decided: :mod:`deciding`."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.fieldwork.models import Form, FormVersion, Round, Visit
from guyub.fieldwork.vocabulary import OPEN_VISITS, RoundState, VisitState
from guyub.registry.models import Household
from guyub.registry.restriction import open_households
from guyub.registry.vocabulary import Status

BATCH = 1000
MOST_VISITS = 20_000  # of one round


def digest_of(content: Any) -> str:
    """Return the SHA-256 of a JSON value, however its keys are ordered, in hex."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# Forms


@transaction.atomic
def keep_form(
    definition: dict[str, Any],
    *,
    actor: Any,
    agency: Any = None,
    file: Any = None,
    is_built_in: bool = False,
) -> FormVersion:
    """Keep a form, as a new version where its ``id_string`` is known; the same form again is one version.

    Args:
        definition: As :mod:`guyub.fieldwork.definition` writes it.
        actor: Who brings it in.
        agency: Whose a new form is.
        file: The XLSForm that it was read from.
        is_built_in: It comes with Guyub.

    Raises:
        ValidationError: a form with that ``id_string`` is another agency's.
    """
    digest = digest_of(definition)
    form = Form.objects.select_for_update().filter(id_string=definition["id_string"]).first()
    if form is None:
        form = Form.objects.create(
            id_string=definition["id_string"],
            title=definition["title"],
            agency=agency,
            is_built_in=is_built_in,
            created_by=actor,
        )
        audit.record("fieldwork.form.create", actor=actor, subject=form)
    elif form.agency_id != (agency.pk if agency is not None else None):
        raise ValidationError(
            _("Formulir berkode “%(code)s” milik perangkat daerah lain. Ganti form_id-nya.")
            % {"code": form.id_string}
        )
    known = form.versions.filter(digest=digest).first()
    if known is not None:
        return known
    number = (form.versions.aggregate(last=models.Max("number"))["last"] or 0) + 1
    version = FormVersion(
        form=form,
        number=number,
        name=str(definition.get("version") or "")[:100],
        definition=definition,
        digest=digest,
        created_by=actor,
    )
    if file is not None:
        version.file.save("formulir.xlsx", file, save=False)
    version.save()
    if form.title != definition["title"]:
        form.title = definition["title"]
        form.save(update_fields=["title"])
    audit.record(
        "fieldwork.form.version", actor=actor, subject=form, detail={"number": version.number}
    )
    return version


# Rounds


@transaction.atomic
def create_round(form_version: FormVersion, values: dict[str, Any], *, actor: Any) -> Round:
    """Prepare a round. ``values`` are fields of :class:`Round` (title, purpose, note, agency, due_on ...).

    Raises:
        ValidationError: a value is amiss.
    """
    record = Round(form_version=form_version, created_by=actor, **values)
    record.full_clean(exclude=["created_by"])
    record.save()
    audit.record("fieldwork.round.create", actor=actor, subject=record)
    return record


@transaction.atomic
def change_round(record: Round, values: dict[str, Any], *, actor: Any) -> Round:
    """Change title, note or due date of a round.

    Raises:
        ValidationError: it is closed, or a value is amiss.
    """
    held = Round.objects.select_for_update().get(pk=record.pk)
    if held.state == RoundState.CLOSED:
        raise ValidationError(_("Putaran ini sudah ditutup."))
    for name in ("title", "note", "due_on"):
        if name in values:
            setattr(held, name, values[name])
    held.full_clean(exclude=["created_by"])
    held.save()
    audit.record("fieldwork.round.change", actor=actor, subject=held)
    return held


@transaction.atomic
def open_round(record: Round, *, actor: Any) -> Round:
    """Let a round begin: from now on phones get its visits. A closed one is opened again.

    Raises:
        ValidationError: it has no visits, or runs already.
    """
    held = Round.objects.select_for_update().get(pk=record.pk)
    if held.state == RoundState.OPEN:
        raise ValidationError(_("Putaran ini sudah berjalan."))
    if not held.visits.exclude(state=VisitState.CANCELLED).exists():
        raise ValidationError(_("Pilih dahulu keluarga yang akan dikunjungi."))
    held.state, held.opened_at, held.closed_at = RoundState.OPEN, timezone.now(), None
    held.save()
    audit.record("fieldwork.round.open", actor=actor, subject=held)
    return held


@transaction.atomic
def close_round(record: Round, *, actor: Any) -> Round:
    """End a round: phones drop its visits at their next sync. What is still on its way is kept as late.

    Raises:
        ValidationError: it does not run.
    """
    held = Round.objects.select_for_update().get(pk=record.pk)
    if held.state != RoundState.OPEN:
        raise ValidationError(_("Putaran ini tidak sedang berjalan."))
    held.state, held.closed_at = RoundState.CLOSED, timezone.now()
    held.save()
    audit.record("fieldwork.round.close", actor=actor, subject=held)
    return held


# Visits


def _may_grow(record: Round) -> Round:
    held = Round.objects.select_for_update().get(pk=record.pk)
    if held.state == RoundState.CLOSED:
        raise ValidationError(_("Putaran ini sudah ditutup."))
    return held


@transaction.atomic
def add_households(
    record: Round, households: models.QuerySet[Household], *, actor: Any, assignee: Any = None
) -> int:
    """Put households on a round; those that are on it already stay as they are. Return how many came.

    Raises:
        ValidationError: the round is closed, or would have more than :data:`MOST_VISITS` visits.
    """
    held = _may_grow(record)
    known = held.visits.filter(household__isnull=False).values("household_id")
    # Whose data are restricted stands on no new list, and is not carried about on phones.
    wanted = open_households(households.filter(status=Status.ACTIVE).exclude(pk__in=known))
    rows = list(wanted.order_by("pk").values_list("pk", "village_id")[: MOST_VISITS + 1])
    if held.visits.count() + len(rows) > MOST_VISITS:
        raise ValidationError(
            _("Satu putaran paling banyak %(n)d kunjungan. Pilih lebih sedikit desa.")
            % {"n": MOST_VISITS}
        )
    Visit.objects.bulk_create(
        (
            Visit(round=held, household_id=pk, village_id=village, assignee=assignee)
            for pk, village in rows
        ),
        batch_size=BATCH,
    )
    if rows:
        audit.record("fieldwork.visit.add", actor=actor, subject=held, detail={"visits": len(rows)})
    return len(rows)


@transaction.atomic
def add_candidates(record: Round, enrolments: models.QuerySet[Any], *, actor: Any) -> int:
    """Put the households of candidates on a round, each with its enrolment. Return how many came."""
    held = _may_grow(record)
    known = set(held.visits.values_list("household_id", flat=True))
    visits = []
    for enrolment in open_households(enrolments, "household__"):
        if enrolment.household_id not in known:
            known.add(enrolment.household_id)
            visits.append(
                Visit(
                    round=held,
                    household_id=enrolment.household_id,
                    village_id=enrolment.household.village_id,
                    enrolment=enrolment,
                )
            )
    Visit.objects.bulk_create(visits, batch_size=BATCH)
    if visits:
        audit.record(
            "fieldwork.visit.add", actor=actor, subject=held, detail={"visits": len(visits)}
        )
    return len(visits)


@transaction.atomic
def add_proposals(record: Round, proposals: models.QuerySet[Any], *, actor: Any) -> int:
    """Put what the village deliberation has passed on to the field on a round. Return how many came."""
    held = _may_grow(record)
    known = set(held.visits.values_list("proposal_id", flat=True))
    homes = set(held.visits.values_list("household_id", flat=True)) - {None}
    visits = []
    for proposal in open_households(proposals, "household__"):
        if proposal.pk in known or proposal.household_id in homes:
            continue
        homes |= {proposal.household_id} - {None}
        visits.append(
            Visit(
                round=held, household_id=proposal.household_id, village_id=proposal.village_id,
                proposal=proposal, name=proposal.head_name, address=proposal.address,
                rt=proposal.rt, rw=proposal.rw,
            )
        )  # fmt: skip
    Visit.objects.bulk_create(visits, batch_size=BATCH)
    if visits:
        audit.record(
            "fieldwork.visit.add", actor=actor, subject=held, detail={"visits": len(visits)}
        )
    return len(visits)


@transaction.atomic
def add_address(
    record: Round, village: Area, values: dict[str, str], *, actor: Any, proposal: Any = None
) -> Visit:
    """Put somebody on a round who is not in the registry: name, address, RT and RW.

    Raises:
        ValidationError: the round is closed, or neither name nor address is given.
    """
    held = _may_grow(record)
    if not values.get("name", "").strip() and not values.get("address", "").strip():
        raise ValidationError({"name": _("Tulis nama atau alamatnya.")})
    visit = Visit(round=held, village=village, proposal=proposal, **values)
    visit.full_clean()
    visit.save()
    audit.record("fieldwork.visit.add", actor=actor, subject=held, detail={"visits": 1})
    return visit


@transaction.atomic
def assign(visits: models.QuerySet[Visit], assignee: Any, *, actor: Any, record: Round) -> int:
    """Say who goes to visits that are still open; ``None`` is whoever has the area."""
    count = visits.filter(round=record, state__in=OPEN_VISITS).update(
        assignee=assignee, changed_at=timezone.now()
    )
    if count:
        audit.record(
            "fieldwork.visit.assign",
            actor=actor,
            subject=record,
            detail={"visits": count, "to": assignee.pk if assignee is not None else None},
        )
    return count


@transaction.atomic
def cancel_visit(visit: Visit, *, actor: Any, reason: str) -> Visit:
    """Take a visit off a round where nobody has been yet.

    Raises:
        ValidationError: something was sent about it.
    """
    held = Visit.objects.select_for_update().get(pk=visit.pk)
    if held.state != VisitState.TO_GO:
        raise ValidationError(_("Kunjungan ini sudah ada kirimannya; tinjau kirimannya."))
    held.state, held.changed_at = VisitState.CANCELLED, timezone.now()
    held.save(update_fields=["state", "changed_at"])
    audit.record("fieldwork.visit.cancel", actor=actor, subject=held, reason=reason.strip())
    return held


def day_of(moment: dt.datetime | None, received_at: dt.datetime) -> dt.date:
    """Return the day of a visit. A device whose clock is ahead does not make it a day to come."""
    return min(timezone.localdate(moment or received_at), timezone.localdate(received_at))
