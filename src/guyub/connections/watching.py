"""Partners' subscriptions: what they want to be told of, and noticing when it happens.

A change of the registry is put down within its own transaction (the audit log tells of it). The worker
then finds out whose subscriptions it touches and puts notices into the outbox (:mod:`notices` sends them).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from guyub.audit import services as audit
from guyub.audit.models import Event
from guyub.connections import exchange_records as records
from guyub.connections import exchange_search
from guyub.connections.admission import principal_of
from guyub.connections.exchange_messages import REJECTED, SUCCESS, RefusedError, is_short
from guyub.connections.models import (
    Exchange,
    Notice,
    Partner,
    RegistryChange,
    TokenState,
    Watch,
)
from guyub.connections.sealing import seal, unseal
from guyub.imports.models import ImportRun
from guyub.reconciliation.models import Merge
from guyub.registry.models import Household, Move, Origin, Person, SubjectKind
from guyub.registry.vocabulary import Status

# What may be subscribed to. The first two are the standard's, the others ours.
NEW, NEW_MEMBER, CHANGED, ENDED = "REGISTER", "NewHouseHoldMember", "UPDATE", "DEREGISTER"
EVENTS = (NEW, NEW_MEMBER, CHANGED, ENDED)
MOST_REQUESTS = 20
MOST_WATCHES = 50
# Households in one notice, and households looked at in one transaction.
A_NOTICE, A_PAGE = 100, 2000

EVENT, FILTER = "rjct.notify_types.invalid", "rjct.notify_details.invalid"
TWICE, NO_REFERENCE = "rjct.event.already_subscribed", "rjct.reference_id.invalid"
NO_CODE, ENDED_ALREADY = "rjct.subscription_code.invalid", "rjct.event.already_unsubscribed"


# Subscribing


def subscribe(message: dict[str, Any], exchange: Exchange) -> list[dict[str, Any]]:
    """Make the subscriptions that a message asks for; return how each went.

    Raises:
        RefusedError: the message holds no requests, or too many.
    """
    requests = message.get("subscribe_request")
    if not isinstance(requests, list) or not 0 < len(requests) <= MOST_REQUESTS:
        raise RefusedError(
            "err.request.bad", f"subscribe_request holds 1 to {MOST_REQUESTS} requests"
        )
    results = []
    for one in requests:
        one = one if isinstance(one, dict) else {}
        reference = one.get("reference_id")
        result = {"reference_id": str(reference or "")[:99], "status": SUCCESS, "code": ""}
        try:
            if not is_short(reference, 99):
                raise exchange_search.RejectedError(NO_REFERENCE, "reference_id is required")
            result["watch"] = _watch(one.get("subscribe_criteria"), str(reference), exchange).code
        except exchange_search.RejectedError as error:
            result |= {"status": REJECTED, "code": error.code, "reason": str(error)[:500]}
        results.append(result)
    return results


def _watch(criteria: Any, reference: str, exchange: Exchange) -> Watch:
    if not isinstance(criteria, dict):
        raise exchange_search.RejectedError(FILTER, "subscribe_criteria is missing")
    event = str(criteria.get("reg_event_type") or "").rpartition(":")[2]
    if event not in EVENTS:
        raise exchange_search.RejectedError(EVENT, f"reg_event_type: one of {', '.join(EVENTS)}")
    asked = _as_search(criteria)
    try:
        wanted = exchange_search.read(asked)
        exchange_search.check_allowed(wanted, exchange.partner)
    except exchange_search.RejectedError as error:
        raise exchange_search.RejectedError(FILTER, str(error)) from error
    starts_at, ends_at = _span(criteria.get("frequency"))
    fingerprint = hashlib.sha256(json.dumps([event, asked], sort_keys=True).encode()).hexdigest()
    running = Watch.objects.filter(partner=exchange.partner, ended_at=None)
    if running.filter(fingerprint=fingerprint).exists():
        raise exchange_search.RejectedError(TWICE, "there is a subscription like this")
    if running.count() >= MOST_WATCHES:
        raise exchange_search.RejectedError(FILTER, f"at most {MOST_WATCHES} subscriptions")
    made = Watch.objects.create(
        partner=exchange.partner,
        token=exchange.token,
        code=uuid.uuid4().hex,
        reference_id=reference,
        event=event,
        criteria=seal(json.dumps(asked)),
        fingerprint=fingerprint,
        asked_by=sorted(set(wanted.asked_by)),
        entity=wanted.entity,
        purpose=wanted.purpose,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    audit.record(
        "connections.partner.subscribe",
        actor=principal_of(exchange.token),
        subject=exchange.partner,
        reason=wanted.purpose,
        detail={"code": made.code, "event": event, "by": made.asked_by},
    )
    return made


def _as_search(criteria: dict[str, Any]) -> dict[str, Any]:
    """Return a subscription's filter as the search criteria that it stands for."""
    query = criteria.get("filter")
    kind = criteria.get("filter_type")
    if kind is None:
        if isinstance(query, list):
            kind = "predicate"
        else:
            nested = isinstance(query, dict) and isinstance(query.get("value"), dict)
            kind = "expression" if nested else "idtype-value"
    entity = criteria.get("response_entity") or criteria.get("notify_record_type") or "Group"
    # "spdci:Group" and the like.
    entity = str(entity).rpartition(":")[2]
    kept: dict[str, Any] = {n: criteria[n] for n in ("authorize", "consent") if n in criteria}
    return {"query_type": kind, "query": query, "response_entity": entity, **kept}


def _span(frequency: Any) -> tuple[dt.datetime, dt.datetime | None]:
    """Return from when until when a subscription runs; how often is not for the caller to say."""
    now = timezone.now()
    if frequency is None:
        return now, None
    if not isinstance(frequency, dict):
        raise exchange_search.RejectedError(FILTER, "frequency must be an object")
    found: list[dt.datetime | None] = []
    for name in ("start_time", "end_time"):
        value = frequency.get(name)
        try:
            moment = parse_datetime(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if value is not None and (moment is None or moment.tzinfo is None):
            raise exchange_search.RejectedError(FILTER, f"{name} must be a time with its zone")
        found.append(moment)
    starts_at, ends_at = found
    if ends_at is not None and ends_at <= max(now, starts_at or now):
        raise exchange_search.RejectedError(FILTER, "end_time must lie ahead, after start_time")
    return max(now, starts_at or now), ends_at


def subscribe_response(exchange: Exchange) -> list[dict[str, Any]]:
    """Return ``subscribe_response`` of a message that was taken."""
    codes = [result["watch"] for result in exchange.results if "watch" in result]
    known = {watch.code: watch for watch in Watch.objects.filter(code__in=codes)}
    answers = []
    for result in exchange.results:
        answer: dict[str, Any] = {
            "reference_id": result["reference_id"],
            "timestamp": exchange.created_at.isoformat(),
            "status": result["status"],
        }
        watch = known.get(result.get("watch", ""))
        if watch is not None:
            answer["subscriptions"] = [_info(watch)]
        else:
            answer |= {
                "status_reason_code": result["code"],
                "status_reason_message": result.get("reason", ""),
            }
        answers.append(answer)
    return answers


def _info(watch: Watch) -> dict[str, Any]:
    asked = json.loads(unseal(watch.criteria))
    return {
        "version": "1.0.0",
        "code": watch.code,
        "status": "subscribe" if watch.is_running else "unsubscribe",
        "timestamp": watch.created_at.isoformat(),
        "reg_type": "ns:org:RegistryType:Social",
        "reg_event_type": watch.event,
        "frequency": {
            "start_time": watch.starts_at.isoformat(),
            "end_time": watch.ends_at.isoformat() if watch.ends_at else None,
            # As soon as it happens.
            "frequency": "0 * * * * ? *",
        },
        "filter_type": asked["query_type"],
        "filter": asked["query"],
        "notify_record_type": f"spdci:{watch.entity}",
    }


def unsubscribe(message: dict[str, Any], exchange: Exchange) -> list[dict[str, Any]]:
    """End subscriptions by their codes; return how each went.

    Raises:
        RefusedError: the message holds no codes, or too many.
    """
    codes = message.get("subscription_codes")
    if not isinstance(codes, list) or not 0 < len(codes) <= MOST_WATCHES:
        raise RefusedError("err.request.bad", f"subscription_codes holds 1 to {MOST_WATCHES} codes")
    results = []
    for code in codes:
        result = {"reference_id": str(code)[:99], "status": SUCCESS, "code": ""}
        watch = Watch.objects.filter(partner=exchange.partner, code=str(code)[:99]).first()
        if watch is None:
            result |= {"status": REJECTED, "code": NO_CODE}
        elif watch.ended_at is not None:
            result |= {"status": REJECTED, "code": ENDED_ALREADY}
        else:
            end(watch, actor=principal_of(exchange.token))
        results.append(result)
    return results


def unsubscribe_response(exchange: Exchange) -> dict[str, Any]:
    """Return the answer to a message that ended subscriptions."""
    answer: dict[str, Any] = {
        "timestamp": exchange.created_at.isoformat(),
        "subscription_status": [
            {"code": result["reference_id"], "status": "unsubscribe"}
            for result in exchange.results
            if result["code"] != NO_CODE
        ],
    }
    refused = next((result["code"] for result in exchange.results if result["code"]), "")
    return answer | ({"status_reason_code": refused} if refused else {})


@transaction.atomic
def end(watch: Watch, *, actor: Any) -> Watch:
    """End a subscription: its partner asked so, or the secretariat did it."""
    watch.ended_at = timezone.now()
    watch.save(update_fields=["ended_at"])
    audit.record(
        "connections.partner.unsubscribe",
        actor=actor,
        subject=watch.partner,
        detail={"code": watch.code, "event": watch.event},
    )
    return watch


# Noticing changes

SINGLE = {
    "registry.household.create": NEW,
    "registry.household.edit": CHANGED,
    "registry.household.status": CHANGED,
    "registry.person.create": NEW_MEMBER,
    "registry.person.edit": CHANGED,
    "registry.person.move": NEW_MEMBER,
    "registry.value.take": CHANGED,
}
MERGED = frozenset(
    {
        "reconciliation.merge.households",
        "reconciliation.merge.people",
        "reconciliation.merge.undo",
    }
)
IMPORTED = "imports.run.apply"


def keep(event: Event) -> None:
    """Put down the households that ``event`` changed, within its transaction."""
    if event.action not in SINGLE and event.action not in MERGED and event.action != IMPORTED:
        return
    if not Watch.objects.filter(ended_at=None).exists():
        return
    if event.action == IMPORTED:
        made = _imported(event)
    else:
        found = _merged(event) if event.action in MERGED else _touched(event)
        made = [
            RegistryChange(household_id=pk, event=kind, since=event.at, until=event.at)
            for pk, kind in found
        ]
    if made:
        from guyub.connections.tasks import tell_partners

        RegistryChange.objects.bulk_create(made)
        transaction.on_commit(lambda: tell_partners.enqueue())


def _imported(event: Event) -> list[RegistryChange]:
    version = (
        ImportRun.objects.filter(pk=event.subject_id).values_list("version", flat=True).first()
    )
    since = Origin.objects.filter(version=version).aggregate(first=Min("entered_at"))["first"]
    if version is None or since is None:
        return []
    return [RegistryChange(event=CHANGED, since=since, until=event.at)]


def _touched(event: Event) -> list[tuple[int, str]]:
    kind = SINGLE[event.action]
    if event.subject_type == "registry.household":
        return [(int(event.subject_id), kind)]
    home = Person.objects.filter(pk=event.subject_id).values_list("household", flat=True).first()
    if home is None:
        return []
    found = [(home, kind)]
    if event.action == "registry.person.move":
        left = Move.objects.filter(person_id=int(event.subject_id)).order_by("-pk").first()
        if left is not None:
            found.append((left.from_household_id, CHANGED))
    return found


def _merged(event: Event) -> list[tuple[int, str]]:
    merge = Merge.objects.filter(pk=event.subject_id).first()
    if merge is None:
        return []
    ids = [merge.survivor_id, merge.loser_id]
    if merge.kind == SubjectKind.PERSON:
        ids = list(Person.objects.filter(pk__in=ids).values_list("household", flat=True))
    return [(pk, CHANGED) for pk in sorted(set(ids))]


# Whom it concerns


def spread() -> int:
    """Turn what changed into notices, page by page; return how many notices were made."""
    made = 0
    while True:
        with transaction.atomic():
            notices = _spread_page()
        if notices is None:
            return made
        made += notices


def _spread_page() -> int | None:
    """Work off single changes, or a page of a span; ``None`` when nothing is left."""
    first = RegistryChange.objects.select_for_update().first()
    if first is None:
        return None
    if first.household_id is None:
        changed = _page_of(first)
        if changed:
            first.position = max(changed)
            first.save(update_fields=["position"])
        else:
            first.delete()
        return _put(changed)
    batch = list(
        RegistryChange.objects.select_for_update().filter(household_id__isnull=False)[:A_PAGE]
    )
    changed = {}
    for change in batch:
        kind = changed.get(change.household_id or 0)
        # A household that is new and was then changed is new to whoever was not told yet.
        if kind is None or EVENTS.index(change.event) < EVENTS.index(kind):
            changed[change.household_id or 0] = change.event
    RegistryChange.objects.filter(pk__in=[change.pk for change in batch]).delete()
    return _put(changed)


def _page_of(span: RegistryChange) -> dict[int, str]:
    """Return the next households that changed within a span, and how."""
    homes = list(
        Household.objects.filter(
            pk__gt=span.position, updated_at__gte=span.since, updated_at__lte=span.until
        )
        .order_by("pk")
        .values_list("pk", "created_at")[:A_PAGE]
    )
    people = list(
        Person.objects.filter(
            household_id__gt=span.position,
            updated_at__gte=span.since,
            updated_at__lte=span.until,
        )
        .order_by("household_id")
        .values_list("household_id", "created_at")[: 4 * A_PAGE]
    )
    # Where one of the two was cut off, the other counts only up to there.
    ends = [
        rows[-1][0] for rows, most in ((homes, A_PAGE), (people, 4 * A_PAGE)) if len(rows) == most
    ]
    last = min(ends, default=None)
    found: dict[int, str] = {}
    for pk, created_at in people:
        if last is None or pk <= last:
            is_new = created_at >= span.since
            if is_new or pk not in found:
                found[pk] = NEW_MEMBER if is_new else CHANGED
    for pk, created_at in homes:
        if last is None or pk <= last:
            if created_at >= span.since:
                found[pk] = NEW
            else:
                found.setdefault(pk, CHANGED)
    return found


def _put(changed: dict[int, str]) -> int:
    """Put notices of changed households into the outbox, for each subscription that they concern."""
    from guyub.connections.tasks import send_notice

    if not changed:
        return 0
    now = timezone.now()
    watches = Watch.objects.filter(
        ended_at=None, starts_at__lte=now, partner__is_active=True
    ).select_related("partner", "token__agency", "token__account__agency")
    made = []
    for watch in watches:
        if not watch.is_running or watch.token.state != TokenState.ACTIVE:
            continue
        told = concerned(watch, changed)
        ids = sorted(told)
        for start in range(0, len(ids), A_NOTICE):
            made.append(
                Notice(
                    watch=watch,
                    message_id=uuid.uuid4().hex,
                    households={str(pk): told[pk] for pk in ids[start : start + A_NOTICE]},
                    next_at=now,
                )
            )
    Notice.objects.bulk_create(made)
    for notice in made:
        transaction.on_commit(lambda pk=notice.pk: send_notice.enqueue(pk))  # type: ignore[misc]
    return len(made)


def concerned(watch: Watch, changed: dict[int, str]) -> dict[int, str]:
    """Return those of ``changed`` that a subscription is to be told of, and as what."""
    rows = in_scope(watch, changed).order_by().values_list("pk", "status")
    found = {pk: changed[pk] if status == Status.ACTIVE else ENDED for pk, status in rows}
    if watch.event == CHANGED:
        # Whoever wants changes wants new members too; households that are new come as such.
        return {pk: kind for pk, kind in found.items() if kind in (CHANGED, NEW_MEMBER)}
    return {pk: kind for pk, kind in found.items() if kind == watch.event}


def in_scope(watch: Watch, ids: Iterable[int]) -> Any:
    """Return the households among ``ids`` that a subscription's partner may be told of."""
    user = principal_of(watch.token)
    wanted = exchange_search.read(json.loads(unseal(watch.criteria)))
    try:
        exchange_search.check_allowed(wanted, watch.partner)
    except exchange_search.RejectedError:
        # What it asked by is no longer among what it is given.
        return Household.objects.none()
    return records.given_to(watch.partner, user).filter(wanted.condition, pk__in=list(ids))


def running(partner: Partner) -> Any:
    """Return the subscriptions of a partner, running ones first."""
    return Watch.objects.filter(partner=partner).order_by("ended_at", "-pk")
