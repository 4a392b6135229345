"""Reading rounds, visits and submissions: what a user may see, and how far a round is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from guyub.access.permissions import (
    ANY,
    OWN_AGENCY,
    OWN_AREA,
    can,
    in_area,
    scope_of,
)
from guyub.accounts.models import User
from guyub.areas.models import Area
from guyub.fieldwork.models import Form, FormVersion, Load, Round, Submission, Visit
from guyub.fieldwork.vocabulary import (
    OPEN_VISITS,
    UNDECIDED,
    RoundState,
    SubmissionState,
    VisitState,
)
from guyub.registry.restriction import open_households


def within(area_code: str, prefix: str = "") -> Q:
    """Return what narrows rows with a village to an area; ``prefix`` leads to what has the village."""
    name = f"{prefix}village__code"
    return Q(**{name: area_code}) | Q(**{f"{name}__startswith": area_code + "."})


def rounds_for(user: Any) -> QuerySet[Round]:
    """Return the rounds that ``user`` runs or may look at, newest first."""
    rows = Round.objects.select_related("agency", "form_version__form")
    scope = scope_of(user, "fieldwork.view_rounds")
    if scope is ANY:
        return rows
    return rows.filter(agency=user.agency_id) if scope is OWN_AGENCY else rows.none()


def form_versions_for(user: Any) -> QuerySet[FormVersion]:
    """Return the newest version of each form that ``user`` may run a round with."""
    rows = FormVersion.objects.select_related("form").order_by("form", "-number")
    if scope_of(user, "fieldwork.manage") is not ANY:
        rows = rows.filter(Q(form__agency=None) | Q(form__agency=user.agency_id))
    newest = {version.form_id: version.pk for version in reversed(rows)}
    return FormVersion.objects.filter(pk__in=newest.values()).select_related("form")


@dataclass(frozen=True)
class Progress:
    """How many visits of a round stand where; what was cancelled does not count."""

    to_go: int = 0
    sent: int = 0
    conflict: int = 0
    done: int = 0

    @property
    def total(self) -> int:
        return self.to_go + self.sent + self.conflict + self.done

    @property
    def visited(self) -> int:
        return self.total - self.to_go

    @property
    def percent(self) -> int:
        return 100 * self.visited // self.total if self.total else 0


_COUNTS = {
    state: Count("pk", filter=Q(state=state)) for state in ("to_go", "sent", "conflict", "done")
}


def progress_of(record: Round) -> Progress:
    return Progress(**record.visits.aggregate(**_COUNTS))


def progress_of_many(rounds: list[Round]) -> dict[int, Progress]:
    """Return the progress of each round, by its key."""
    rows: Any = (
        Visit.objects.filter(round__in=rounds).values("round").annotate(**_COUNTS).order_by()
    )
    return {row.pop("round"): Progress(**row) for row in rows}


def progress_by_village(record: Round) -> list[tuple[Area, Progress]]:
    """Return the progress in each village of a round, what is least done first."""
    rows: list[Any] = list(record.visits.values("village").annotate(**_COUNTS).order_by())
    villages = Area.objects.select_related("parent").in_bulk([row["village"] for row in rows])
    found = [(villages[row.pop("village")], Progress(**row)) for row in rows]
    return sorted(found, key=lambda pair: (pair[1].percent, pair[0].code))


def work_by_officer(record: Round) -> list[dict[str, Any]]:
    """Return who sent how much in a round, and how much of it waits or was not used."""
    rows: Any = (
        record.submissions.exclude(sent_by=None)
        .values("sent_by__full_name", "sent_by__area__name")
        .annotate(
            n=Count("pk"),
            waiting=Count("pk", filter=Q(state__in=UNDECIDED)),
            unused=Count("pk", filter=Q(state=SubmissionState.REJECTED)),
        )
        .order_by("-n", "sent_by__full_name")[:50]
    )
    return list(rows)


def submissions_of(record: Round, *, state: str = "", village: str = "") -> QuerySet[Submission]:
    """Return what came in for a round, newest first; conflicts first where no state is asked for."""
    rows = record.submissions.select_related("visit__household", "household", "village", "sent_by")
    if state:
        rows = rows.filter(state=state)
    if village:
        rows = rows.filter(village__code=village)
    return rows


def submissions_for(user: Any) -> QuerySet[Submission]:
    """Return the submissions that ``user`` may read."""
    rows = Submission.objects.select_related(
        "form_version__form", "round", "visit", "household", "village", "sent_by"
    )
    scope = scope_of(user, "fieldwork.view")
    if scope is ANY:
        return rows
    if scope is OWN_AGENCY:
        own = Q(round__agency=user.agency_id) & ~Q(round=None)
        return rows.filter(own | Q(round=None, form_version__form__agency=user.agency_id))
    return rows.filter(within(user.area_code or "-")) if scope is OWN_AREA else rows.none()


def visits_to(household_id: int, user: Any) -> list[Visit]:
    """Return the newest visits to a household that ``user`` may see."""
    scope = scope_of(user, "fieldwork.view")
    rows = Visit.objects.filter(household=household_id).exclude(state=VisitState.CANCELLED)
    if scope is OWN_AGENCY:
        rows = rows.filter(round__agency=user.agency_id)
    elif scope is None:
        rows = rows.none()
    return list(
        rows.select_related("round", "village", "assignee")
        .prefetch_related("submissions")
        .order_by("-pk")[:5]
    )


def visits_for(user: Any) -> QuerySet[Visit]:
    """Return the visits of running rounds that ``user`` goes to.

    What has an assignee is theirs; the rest is of whoever works in that area: where the household stood when
    it came on the round, and where it lives now. Of what has left the area (:func:`has_left`) they are to
    hear only that it did. Who works for an agency or the secretariat goes only where they are sent by name.
    """
    rows = open_households(
        Visit.objects.filter(round__state=RoundState.OPEN).exclude(state=VisitState.CANCELLED),
        "household__",
    )
    scope = scope_of(user, "fieldwork.visit")
    if scope is None:
        return rows.none()
    if scope is OWN_AREA:
        area = user.area_code or "-"
        own = within(area) | within(area, "household__")
        return rows.filter(own & (Q(assignee=None) | Q(assignee=user.pk)))
    return rows.filter(assignee=user.pk)


def lives_within_reach(user: Any) -> Q:
    """Return what leaves of visits those whose household, if any, lives where ``user`` works."""
    if scope_of(user, "fieldwork.visit") is not OWN_AREA:
        return Q()
    return Q(household=None) | within(user.area_code or "-", "household__")


def has_left(visit: Visit, user: Any) -> bool:
    """Tell whether a visit's household no longer lives where ``user`` works, so that its data are not theirs.

    ``visit`` comes with its household and that one's village. Behind the wall such a household is not there.
    """
    if visit.household_id is None or scope_of(user, "fieldwork.visit") is not OWN_AREA:
        return False
    home = visit.household
    return home is None or not in_area(user.area_code, home.area_code)


def may_send(visit: Visit, user: Any) -> bool:
    """Tell whether ``user`` may send answers about a visit: of where it was planned, or where its household is."""
    if can(user, "fieldwork.visit", visit):
        return True
    is_by_area = scope_of(user, "fieldwork.visit") is OWN_AREA
    return is_by_area and visit.household is not None and not has_left(visit, user)


def to_go(user: Any) -> int:
    """Count the doors that ``user`` has to knock at."""
    return visits_for(user).filter(lives_within_reach(user), state=VisitState.TO_GO).count()


def waiting(user: Any) -> int:
    """Count the submissions that wait for a decision of ``user``'s."""
    scope = scope_of(user, "fieldwork.review")
    rows = Submission.objects.filter(state__in=UNDECIDED, round__isnull=False)
    if scope is OWN_AGENCY:
        return rows.filter(round__agency=user.agency_id).count()
    return rows.filter(round__agency=None).count() if scope is ANY else 0


def villages_of(record: Round) -> list[Area]:
    """Return the villages that a round goes to."""
    found = record.visits.order_by().values("village").distinct()
    return list(Area.objects.filter(pk__in=found).order_by("code"))


def visits_of(record: Round, *, state: str = "", village: str = "") -> QuerySet[Visit]:
    """Return the doors of a round as one would walk."""
    rows = record.visits.select_related("household", "village", "assignee")
    if state:
        rows = rows.filter(state=state)
    if village:
        rows = rows.filter(village__code=village)
    return rows.order_by("village_id", "pk")


def officers_for(record: Round) -> QuerySet[User]:
    """Return who can be sent to doors: area operators, and operators of the round's agency."""
    able = Q(role="area_operator")
    if record.agency_id is not None:
        able |= Q(role="agency_operator", agency=record.agency_id)
    return User.objects.filter(able, is_active=True).select_related("area").order_by("full_name")


def open_visits_in(record: Round, village: str) -> QuerySet[Visit]:
    rows = record.visits.filter(state__in=OPEN_VISITS)
    return rows.filter(village__code=village) if village else rows


def forms_for(user: Any) -> QuerySet[Form]:
    """Return the forms that ``user`` may use, with how many versions each has."""
    rows = Form.objects.select_related("agency").annotate(version_count=Count("versions"))
    rows = rows.order_by("-is_built_in", "id_string")
    if scope_of(user, "fieldwork.view_rounds") is ANY:
        return rows
    return rows.filter(Q(agency=None) | Q(agency=user.agency_id))


def forms_to_load(user: Any) -> QuerySet[Form]:
    """Return the forms whose submissions ``user`` may bring in: those that everybody uses, and own ones."""
    return forms_for(user) if can(user, "fieldwork.load") else Form.objects.none()


def loads_for(user: Any) -> QuerySet[Load]:
    """Return the files of submissions that ``user`` may look after, newest first."""
    rows = Load.objects.select_related("round", "created_by")
    scope = scope_of(user, "fieldwork.load")
    if scope is ANY:
        return rows
    return rows.filter(agency=user.agency_id) if scope is OWN_AGENCY else rows.none()


def outside_rounds(form: Form, user: Any) -> QuerySet[Submission]:
    """Return what came in by a form and belongs to no round, newest first, if ``user`` may read it."""
    rows = Submission.objects.filter(form_version__form=form, round=None)
    if not can(user, "fieldwork.view", form):
        return rows.none()
    return rows.select_related("household", "village", "sent_by")
