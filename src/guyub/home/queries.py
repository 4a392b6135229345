"""Reads for the first page of each role.

Numbers of households and people come from :class:`AreaCount` and :class:`VersionCount` alone, so that
no page grows with the registry.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, Max, OuterRef, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import SECOND_FACTOR_ROLES, Scope, scope_of
from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.audit.actions import label_of
from guyub.audit.models import Event
from guyub.audit.queries import anchors
from guyub.datasets.models import Dataset, Freshness, Version
from guyub.imports.models import ImportRun, State
from guyub.registry.measures import Tally
from guyub.registry.models import Household, ValueChange, VersionCount

TREND_POINTS = 12
# How far back the list of recent changes looks; a bound, because changes come by the million.
CHANGES_LOOKED_AT = 1000


def reference_version() -> Version | None:
    """Return the version that is marked as the reference, with its dataset and owner."""
    return (
        Version.objects.filter(is_reference=True)
        .select_related("dataset", "dataset__owner")
        .first()
    )


def trend_of(dataset: Dataset) -> list[tuple[dt.date, Tally]]:
    """Return the numbers of the latest versions of ``dataset``, oldest first.

    Of versions as of the same day only the newest counts: it corrects the others.
    """
    latest: dict[dt.date, int] = {}
    versions = dataset.versions.order_by("-number").values_list("as_of", "pk")
    for as_of, version_id in versions[: 2 * TREND_POINTS]:
        latest.setdefault(as_of, version_id)
    chosen = dict(sorted(latest.items())[-TREND_POINTS:])
    tallies: dict[int, Tally] = {}
    rows = (
        VersionCount.objects.filter(version__in=chosen.values())
        .values_list("version_id", "desil")
        .annotate(Sum("households"), Sum("people"))
    )
    for version_id, desil, households, people in rows:
        tally = tallies.setdefault(version_id, Tally())
        tally.households[desil] += households
        tally.people[desil] += people
    return [(as_of, tallies[pk]) for as_of, pk in chosen.items() if pk in tallies]


FRESHNESS_URGENCY = {
    Freshness.STALE: 0,
    Freshness.DUE: 1,
    Freshness.EMPTY: 2,
    Freshness.CURRENT: 3,
}


def datasets_by_urgency(owner: Agency | None = None) -> list[Dataset]:
    """Return the datasets (of ``owner``), those most in need of renewal first."""
    datasets = Dataset.objects.select_related("owner", "current_version")
    if owner is not None:
        datasets = datasets.filter(owner=owner)
    return sorted(datasets, key=lambda d: (FRESHNESS_URGENCY[d.freshness], d.name))


def freshness_counts(datasets: Iterable[Dataset]) -> dict[str, int]:
    """Return how many of ``datasets`` are current, due, stale and empty, by those words."""
    counts = {freshness.value: 0 for freshness in Freshness}
    for dataset in datasets:
        counts[dataset.freshness.value] += 1
    return counts


@dataclass
class AgencyFreshness:
    """How an agency keeps its datasets: how many are in each state, and the state of the worst."""

    agency: Agency
    counts: dict[str, int] = field(default_factory=lambda: {f.value: 0 for f in Freshness})
    worst: Freshness = Freshness.CURRENT
    newest: dt.date | None = None

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def freshness_by_agency(datasets: Iterable[Dataset]) -> list[AgencyFreshness]:
    """Group ``datasets`` by owner, the owners most in arrears first."""
    found: dict[int, AgencyFreshness] = {}
    for dataset in datasets:
        row = found.setdefault(dataset.owner_id, AgencyFreshness(dataset.owner))
        row.counts[dataset.freshness.value] += 1
        if FRESHNESS_URGENCY[dataset.freshness] < FRESHNESS_URGENCY[row.worst]:
            row.worst = dataset.freshness
        if dataset.current_version is not None:
            as_of = dataset.current_version.as_of
            row.newest = as_of if row.newest is None else max(row.newest, as_of)
    return sorted(found.values(), key=lambda r: (FRESHNESS_URGENCY[r.worst], str(r.agency)))


WAITING_STATES = (State.MAPPING, State.CHECKED)
FAILED_SHOWN_FOR = dt.timedelta(days=14)


def runs_waiting(user: Any, limit: int = 6) -> tuple[list[ImportRun], int]:
    """Return the import runs that wait for a decision of ``user``, and how many there are in all.

    A failed run waits too, for two weeks or until the same dataset got a newer run.
    """
    scope = scope_of(user, "imports.view")
    if scope is None:
        return [], 0
    newer = ImportRun.objects.filter(
        dataset=OuterRef("dataset"), created_at__gt=OuterRef("created_at")
    )
    failed = Q(state=State.FAILED, created_at__gte=timezone.now() - FAILED_SHOWN_FOR) & ~Exists(
        newer
    )
    runs = ImportRun.objects.filter(Q(state__in=WAITING_STATES) | failed)
    if scope is Scope.OWN_AGENCY:
        runs = runs.filter(dataset__owner=user.agency_id)
    runs = runs.select_related("dataset", "dataset__owner").defer("layout", "mapping")
    # One row more than is shown tells whether to count at all.
    found = list(runs.order_by("-created_at")[: limit + 1])
    return found[:limit], runs.count() if len(found) > limit else len(found)


def latest_versions(owner: Agency, limit: int = 5) -> list[Version]:
    """Return the newest versions of the datasets of ``owner``."""
    versions = Version.objects.filter(dataset__owner=owner).select_related("dataset")
    return list(versions.order_by("-created_at", "-pk")[:limit])


@dataclass(frozen=True)
class AccountCounts:
    active: int
    without_second_factor: int  # of those whose role demands one


def account_counts() -> AccountCounts:
    """Return how many accounts are active, and how many of them lack a second factor they need."""
    factor = Authenticator.objects.filter(
        user=OuterRef("pk"), type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    )
    numbers = User.objects.filter(is_active=True).aggregate(
        active=Count("pk"),
        lacking=Count("pk", filter=Q(~Exists(factor), role__in=SECOND_FACTOR_ROLES)),
    )
    return AccountCounts(numbers["active"], numbers["lacking"])


DIRECTORY_FIELDS = (
    ("head_name", _("nama kepala")),
    ("head_title", _("jabatan kepala")),
    ("phone", _("telepon")),
    ("email", _("surel")),
    ("address", _("alamat kantor")),
    ("duty", _("tugas pokok")),
    ("regulation", _("dasar hukum")),
    ("topics", _("kata kunci urusan")),
)


@dataclass(frozen=True)
class Completeness:
    """How much of an agency's directory entry is filled in; ``missing`` names the rest."""

    percent: int
    missing: Sequence[Any]


def completeness_of(agency: Agency) -> Completeness:
    """Judge the directory entry of ``agency``."""
    missing: list[Any] = [label for name, label in DIRECTORY_FIELDS if not getattr(agency, name)]
    if not agency.functions.exists():
        missing.append(_("fungsi"))
    parts = len(DIRECTORY_FIELDS) + 1
    return Completeness(round(100 * (parts - len(missing)) / parts), missing)


@dataclass(frozen=True)
class RecentChange:
    """A household of one's own area some of whose values were replaced of late."""

    household: Household
    fields: Sequence[str]
    at: dt.datetime


def recent_changes(area: Area, limit: int = 8) -> list[RecentChange]:
    """Return the households in ``area`` among the latest changes of the registry, newest first."""
    changes: dict[int, tuple[dt.datetime, list[str]]] = {}
    latest = ValueChange.objects.order_by("-id").values_list("household_id", "kind", "field", "at")
    for household_id, kind, name, at in latest[:CHANGES_LOOKED_AT]:
        _at, names = changes.setdefault(household_id, (at, []))
        label = field_label(kind, name)
        if label not in names:
            names.append(label)
    place = "village" if area.level == Level.VILLAGE else "district"
    households = Household.objects.filter(pk__in=changes, **{place: area}).select_related("village")
    found = [RecentChange(h, changes[h.pk][1], changes[h.pk][0]) for h in households]
    return sorted(found, key=lambda change: change.at, reverse=True)[:limit]


def field_label(kind: str, name: str) -> str:
    """Return what a field of a household (``h``) or person (``p``) is called."""
    from guyub.registry.models import Person, SubjectKind

    model = Household if kind == SubjectKind.HOUSEHOLD else Person
    known = {f.name: f for f in model._meta.get_fields() if hasattr(f, "verbose_name")}
    return str(known[name].verbose_name) if name in known else name


@dataclass(frozen=True)
class Watch:
    """How often something sensitive was done by one role."""

    kind: str  # "reveal" or "export"
    role: str
    today: int
    week: int

    @property
    def role_label(self) -> Any:
        return Role(self.role).label if self.role in Role.values else _("Sistem")


@dataclass(frozen=True)
class Watchfulness:
    """What an auditor looks at first: sensitive acts by role, and sign-ins that failed."""

    acts: Sequence[Watch]
    failed_today: int
    failed_week: int


# Every action that shows or takes away personal numbers has one of these in its name.
SENSITIVE = {"reveal": ".reveal", "export": ".export"}
FAILED_SIGN_INS = ("accounts.login_failed", "accounts.second_factor_failed")


def watchfulness(now: dt.datetime) -> Watchfulness:
    """Count reveals, exports and failed sign-ins since midnight and over the last seven days."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = Q(action__in=FAILED_SIGN_INS)
    for mark in SENSITIVE.values():
        wanted |= Q(action__contains=mark)
    rows = (
        Event.objects.filter(wanted, at__gte=midnight - dt.timedelta(days=6))
        .order_by()
        .values_list("action", "actor_role")
        .annotate(week=Count("sequence"), today=Count("sequence", filter=Q(at__gte=midnight)))
    )
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    failed = [0, 0]
    for action, role, week, today in rows:
        kind = next((k for k, mark in SENSITIVE.items() if mark in action), None)
        count = failed if kind is None else sums[(kind, role)]
        count[0] += today
        count[1] += week
    acts = [Watch(kind, role, *count) for (kind, role), count in sorted(sums.items())]
    return Watchfulness(acts, *failed)


def latest_events(limit: int = 10) -> list[tuple[Event, str]]:
    """Return the newest events of the audit log, each with what its action is called."""
    return [
        (event, label_of(event.action)) for event in Event.objects.order_by("-sequence")[:limit]
    ]


@dataclass(frozen=True)
class ChainState:
    """When the audit log's chain was last checked and found how, and how far it is anchored."""

    check: Event | None
    anchored_at: dt.datetime | None
    anchored_sequence: int
    newest: int

    @property
    def is_sound(self) -> bool:
        return self.check is not None and not self.check.detail.get("fault")

    @property
    def unanchored(self) -> int:
        """How many events are newer than the newest anchor."""
        return max(0, self.newest - self.anchored_sequence)


def chain_state() -> ChainState:
    """Return what is known about the soundness of the audit log, without checking it anew."""
    kept = anchors()
    return ChainState(
        check=Event.objects.filter(action="audit.verify").order_by("-sequence").first(),
        anchored_at=dt.datetime.fromisoformat(kept[-1]["at"]) if kept else None,
        anchored_sequence=kept[-1]["sequence"] if kept else 0,
        newest=Event.objects.aggregate(newest=Max("sequence"))["newest"] or 0,
    )
