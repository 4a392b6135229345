"""What a phone gets to carry: the visits of its officer, their forms, and how what was sent stands.

As little of people as the work needs: name, address, how many they are, the head's masked NIK, and of the
house and its members what the form asks about, NIK masked.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db.models import Case, Count, IntegerField, Q, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.areas.models import Area
from guyub.audit import services as audit
from guyub.audit.models import Event
from guyub.fieldwork import household_fields as fields
from guyub.fieldwork import member_fields, queries
from guyub.fieldwork.answers import household_fields_of
from guyub.fieldwork.members import asked_of_members
from guyub.fieldwork.models import FieldDecision, FormVersion, Submission, Visit
from guyub.fieldwork.vocabulary import ConflictKind, VisitState
from guyub.registry.models import Person
from guyub.registry.restriction import open_people
from guyub.registry.vocabulary import Relation, Status

MOST_VISITS = 300  # on one phone
KEEP_DAYS = 7  # without any contact, then the phone drops its visits
SENT_DAYS = 60  # how far back a phone is told what became of what it sent

_FIRST = Case(
    When(state=VisitState.CONFLICT, then=Value(0)),
    When(state=VisitState.TO_GO, then=Value(1)),
    When(state=VisitState.SENT, then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)


def carried(user: Any, *, village: str = "", have: frozenset[int] = frozenset()) -> dict[str, Any]:
    """Return what ``user``'s phone carries.

    Args:
        user: The officer.
        village: Code of the one village to carry, where there are more visits than a phone takes.
        have: Keys of the form versions that the phone has; they never change, so they are not sent again.
    """
    # Where one goes: where the household lives now, and where it stood if that is out of reach.
    home = Case(
        When(
            queries.lives_within_reach(user) & Q(household__isnull=False), then="household__village"
        ),
        default="village",
    )
    reached = queries.visits_for(user).annotate(place=home)
    counted = reached.order_by().values("place").annotate(n=Count("pk")).values_list("place", "n")
    counts = dict(counted)
    villages = list(Area.objects.filter(pk__in=counts).order_by("code"))
    chosen = [area.pk for area in villages if area.code == village]
    if chosen:
        reached = reached.filter(place__in=chosen)
    rows = list(
        reached.select_related("round__form_version", "household__village", "village")
        .annotate(first=_FIRST)
        .order_by("first", "place", "household__rw", "household__rt", "household__address", "pk")[
            : MOST_VISITS + 1
        ]
    )
    carrying: list[Visit] = list(rows[:MOST_VISITS])
    visits: list[Visit] = []
    left: list[Visit] = []
    for visit in carrying:
        (left if queries.has_left(visit, user) else visits).append(visit)
    rounds = {visit.round_id: visit.round for visit in carrying}
    versions = {record.form_version_id: record.form_version for record in rounds.values()}
    asked = {pk: household_fields_of(one.definition) for pk, one in versions.items()}
    members = _members(visits, versions)
    heads = _heads(visits)
    decisions = _decisions(visits)
    conflicts = _conflicts(visits)
    return {
        "at": timezone.now().isoformat(),
        "user": {"id": user.pk, "name": user.get_short_name()},
        "keep_days": KEEP_DAYS,
        "limited": len(rows) > MOST_VISITS,
        "total": sum(counts.values()),
        "villages": [
            {"code": area.code, "name": area.name, "n": counts[area.pk]} for area in villages
        ],
        "rounds": {
            str(pk): {
                "title": record.title,
                "note": record.note,
                "due": date_format(record.due_on, "j F Y") if record.due_on else "",
            }
            for pk, record in rounds.items()
        },
        "needed_forms": sorted(versions),
        "forms": [_form(one) for pk, one in sorted(versions.items()) if pk not in have],
        "visits": [
            _visit(visit, asked[visit.round.form_version_id], heads, members, decisions, conflicts)
            for visit in visits
        ]
        + [_left(visit) for visit in left],
        "sent": _sent(user),
    }


def _form(version: FormVersion) -> dict[str, Any]:
    return {"id": version.pk, "definition": version.definition}


def _heads(visits: list[Visit]) -> dict[int, str]:
    """Return the masked NIK of the heads, by household."""
    homes = [visit.household_id for visit in visits if visit.household_id is not None]
    people = Person.objects.filter(household__in=homes, relation=Relation.HEAD, merged_into=None)
    return {person.household_id: person.masked_nik for person in people}


def _members(
    visits: list[Visit], versions: dict[int, FormVersion]
) -> dict[int, list[dict[str, Any]]]:
    """Return what is known of the members that forms hand out, by visit; restricted people stay out."""
    asked = {pk: asked_of_members(one.definition) for pk, one in versions.items()}
    wanting = [
        visit
        for visit in visits
        if visit.household_id is not None and member_fields.ID in asked[visit.round.form_version_id]
    ]
    if not wanting:
        return {}
    people: dict[int, list[Person]] = defaultdict(list)
    rows = Person.objects.filter(
        household__in=[visit.household_id for visit in wanting],
        merged_into=None,
        status=Status.ACTIVE,
    )
    for person in open_people(rows).order_by("pk"):
        people[person.household_id].append(person)
    return {
        visit.pk: [
            {
                "id": str(person.pk),
                "values": member_fields.carried(person, asked[visit.round.form_version_id]),
            }
            for person in sorted(
                people[visit.household_id or 0], key=lambda one: one.relation != Relation.HEAD
            )
        ]
        for visit in wanting
    }


def _decisions(visits: list[Visit]) -> dict[int, list[FieldDecision]]:
    """Return what was decided where there was something to choose, by visit."""
    done = [visit.pk for visit in visits if visit.state == VisitState.DONE]
    found: dict[int, list[FieldDecision]] = defaultdict(list)
    rows = FieldDecision.objects.filter(visit__in=done, was_disputed=True)
    for decision in rows.select_related("decided_by", "person").order_by("pk"):
        found[decision.visit_id or 0].append(decision)
    return found


def _conflicts(visits: list[Visit]) -> dict[int, str]:
    """Return why visits are in conflict, by visit."""
    rows = Submission.objects.filter(
        visit__in=[visit.pk for visit in visits if visit.state == VisitState.CONFLICT]
    ).exclude(conflict="")
    return {
        visit: str(ConflictKind(kind).label)
        for visit, kind in rows.values_list("visit", "conflict").order_by("pk")
    }


def _left(visit: Visit) -> dict[str, Any]:
    """Return what an officer hears of a visit whose household has left the area: nothing about anybody."""
    return {
        "key": str(visit.key),
        "round": visit.round_id,
        "form": visit.round.form_version_id,
        "name": _("Keluarga pindah dari wilayah Anda"),
        "where": visit.village.title,
        "nik": "",
        "members": None,
        "note": "",
        "state": visit.state,
        "left": True,
        "seen": {},
        "conflict": "",
        "outcome": [],
        "settled": "",
    }


def _visit(
    visit: Visit,
    asked: list[str],
    heads: dict[int, str],
    members: dict[int, list[dict[str, Any]]],
    decisions: dict[int, list[FieldDecision]],
    conflicts: dict[int, str],
) -> dict[str, Any]:
    home = visit.household
    about: Any = home or visit
    where = [about.address, getattr(about, "hamlet", "")]
    if about.rt or about.rw:
        where.append(f"RT {about.rt or '–'}/RW {about.rw or '–'}")
    where.append((home or visit).village.title)
    settled = decisions.get(visit.pk, [])
    return {
        "key": str(visit.key),
        "round": visit.round_id,
        "form": visit.round.form_version_id,
        "name": str(visit),
        "where": ", ".join(part for part in where if part),
        "nik": heads.get(visit.household_id or 0, ""),
        "members": home.member_count if home is not None else None,
        "note": "",
        "state": visit.state,
        "left": False,
        "seen": {
            "values": fields.values_of(home, asked),
            "members": members.get(visit.pk, []),
        }
        if home is not None
        else {},
        "conflict": conflicts.get(visit.pk, ""),
        "outcome": [f"{one.label}: {one.shown_new or '—'}" for one in settled],
        "settled": _("Diputuskan oleh %(who)s, %(when)s")
        % {
            "who": settled[-1].decided_by or _("Sistem"),
            "when": date_format(timezone.localtime(settled[-1].decided_at), "j F Y H.i"),
        }
        if settled
        else "",
    }


# What one sent is one's own to ask about, also where its household lives elsewhere by now.
@wall.everything()
def _sent(user: Any) -> list[dict[str, Any]]:
    """Return how what ``user`` sent lately stands."""
    since = timezone.now() - dt.timedelta(days=SENT_DAYS)
    rows = Submission.objects.filter(sent_by=user, received_at__gte=since, source="app")
    return [
        {
            "instance": str(one.instance),
            "visit": str(one.visit.key) if one.visit is not None else None,
            "sent_at": one.received_at.isoformat(),
            "state": one.state,
            "label": one.get_state_display(),
            "note": one.decision_note if one.state == "rejected" else "",
        }
        for one in rows.select_related("visit").defer("answers", "seen")[:MOST_VISITS]
    ]


def note_download(user: Any, count: int) -> None:
    """Log, once a day, that an officer's phone took their visits along."""
    action, today = "fieldwork.visit.download", timezone.localdate()
    if not count or Event.objects.filter(action=action, actor_id=user.pk, at__date=today).exists():
        return
    audit.record(action, actor=user, detail={"visits": count})
