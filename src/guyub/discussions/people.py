"""Whom a thread concerns: those who take part, and those whom a text mentions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import Q

from guyub.access.roles import AGENCY_ROLES, Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.discussions.models import Conversation
from guyub.discussions.subjects import Place

# A name of an account or the code of an agency, as in "@budi.s" or "@dinsos"; not part of an address.
MENTION = re.compile(r"(?<![\w@.+-])@(\w[\w.+-]*)")
MOST_MENTIONS = 20  # names in one message
OFFERED = 8


def names_in(text: str) -> list[str]:
    """Return what follows each @ in ``text``, lower case, each once, without a closing full stop."""
    names = (match.rstrip(".+-").lower() for match in MENTION.findall(text))
    return list(dict.fromkeys(names))[:MOST_MENTIONS]


def people_of(agencies: Iterable[Agency | int]) -> list[User]:
    """Return the heads and operators of ``agencies`` whose accounts are open."""
    return list(
        User.objects.filter(
            agency__in=[getattr(agency, "pk", agency) for agency in agencies],
            role__in=AGENCY_ROLES,
            is_active=True,
        )
    )


def secretariat() -> list[User]:
    """Return the people of the secretariat."""
    return list(User.objects.filter(role=Role.SECRETARIAT, is_active=True))


def mentioned_in(text: str, place: Place) -> list[User]:
    """Return whom ``text`` mentions, of those who may read what is said at ``place``."""
    names = names_in(text)
    if not names:
        return []
    named = Q()
    for name in names:
        named |= Q(username__iexact=name)
    codes = [name for name in names if re.fullmatch(r"[\w-]+", name)]
    people = User.objects.select_related("area").filter(
        named | Q(agency__code__in=codes, role__in=AGENCY_ROLES), is_active=True
    )
    return [user for user in people if place.readable_by(user)]


def offers(start: str, place: Place) -> list[tuple[str, str]]:
    """Return ``(name to mention, what it stands for)`` of those whose name begins like ``start``.

    Agencies first, then people who may read at ``place``; at most :data:`OFFERED`.
    """
    start = start.strip()[:40]
    agencies = Agency.objects.filter(
        Q(code__istartswith=start) | Q(short_name__istartswith=start) | Q(name__icontains=start),
        is_active=True,
        user__role__in=AGENCY_ROLES,
        user__is_active=True,
    ).distinct()
    found = [(agency.code, agency.name) for agency in agencies[: OFFERED // 2]]
    people = (
        User.objects.select_related("area", "agency")
        .filter(
            Q(username__istartswith=start) | Q(full_name__icontains=start),
            is_active=True,
        )
        .order_by("full_name", "pk")
    )
    # Some of them may not read here, so a few more are looked at than are offered.
    for user in people[: 5 * OFFERED]:
        if len(found) == OFFERED:
            break
        if place.readable_by(user):
            belongs = user.agency or user.area or user.get_role_display()
            found.append((user.username, f"{user.full_name} · {belongs}"))
    return found


def participants(conversation: Conversation) -> list[User]:
    """Return who takes part in a conversation between agencies."""
    agencies = conversation.agencies.values_list("pk", flat=True)
    return [*people_of(agencies), *secretariat()]


def takes_part(user: User, conversation: Conversation) -> bool:
    """Tell whether ``user`` may read a conversation between agencies; the auditor reads all."""
    if user.role in (Role.SECRETARIAT, Role.AUDITOR):
        return True
    return user.role in AGENCY_ROLES and any(
        agency.pk == user.agency_id for agency in conversation.agencies.all()
    )
