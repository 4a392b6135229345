"""Making scenarios, reckoning them, choosing one, and making candidates of whom it names."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.allocation import outcome
from guyub.allocation.facts import gather
from guyub.allocation.models import Scenario, ScenarioOffer, State
from guyub.allocation.optimum import MOST_OFFERS, NoPlanError, gain_of_more, solve
from guyub.audit import services as audit
from guyub.beneficiaries import sets
from guyub.beneficiaries.applying import not_in
from guyub.beneficiaries.models import Entry
from guyub.beneficiaries.queries import stage_counts
from guyub.beneficiaries.services import BeneficiariesError, hold, refuse_closed
from guyub.discussions.models import Kind
from guyub.discussions.services import notify
from guyub.longruns import running
from guyub.overlaps.definitions import COMPARED
from guyub.programs.models import SubActivity
from guyub.programs.vocabulary import Recipient
from guyub.registry.models import Household, Person
from guyub.registry.vocabulary import Relation, Status
from guyub.targeting.models import Rule
from guyub.targeting.queries import people_matching

# Ids in one statement; SQLite takes 32,766 parameters at most.
BATCH = 5_000
ABOUT = (
    "name", "note", "severe_desil", "extreme_is_severe", "moderate_desil", "most_kinds", "pool",
)  # fmt: skip
GIVES = ("included", "places", "money", "unit_cost", "importance")


def left_over(year: int) -> list[ScenarioOffer]:
    """Return what each sub-activity of a year has left to give, as unsaved offers. Four queries.

    Quota and budget less what those take who are chosen already; one recipient costs the budget divided by
    the quota. One that has neither quota nor budget can't be planned and stands aside.
    """
    subs = list(
        SubActivity.objects.filter(year=year, is_cancelled=False, help_kind__in=COMPARED)
        .exclude(recipient=Recipient.COMMUNITY)
        .select_related("agency")
        .annotate(budget=Sum("fundings__amount"))
        .order_by("help_kind", "name", "pk")
    )
    counts = stage_counts(subs)
    offers = []
    for sub in subs:
        budget = sub.budget or 0
        taken = counts[sub.pk].helped
        unit = budget // sub.quota if sub.quota else 0
        offers.append(
            ScenarioOffer(
                sub_activity=sub,
                included=bool(sub.quota),
                places=max(0, sub.quota - taken) if sub.quota else None,
                money=max(0, budget - taken * unit) if budget else None,
                unit_cost=unit,
            )
        )
    return offers


@transaction.atomic
def create_scenario(
    year: int,
    *,
    values: dict[str, Any],
    priority_rules: Iterable[Rule] = (),
    base: Scenario | None = None,
    actor: Any,
) -> Scenario:
    """Make a scenario from what the sub-activities have left, or as a copy of ``base``.

    ``values`` are the fields of :class:`Scenario` that a person sets.

    Raises:
        ValidationError: a value is not possible, or the year has no sub-activity to plan.
    """
    scenario = Scenario(year=year, created_by=actor)
    _set(scenario, values)
    offers = left_over(year)
    if not offers:
        raise ValidationError(
            _("Tahun %(year)s belum punya sub kegiatan dengan penerima keluarga atau perorangan.")
            % {"year": year}
        )
    scenario.save()
    scenario.priority_rules.set(priority_rules)
    before = {offer.sub_activity_id: offer for offer in base.offers.all()} if base else {}
    for offer in offers:
        offer.scenario = scenario
        known = before.get(offer.sub_activity_id)
        for field in GIVES if known is not None else ():
            setattr(offer, field, getattr(known, field))
    ScenarioOffer.objects.bulk_create(offers)
    audit.record("allocation.scenario.create", actor=actor, subject=scenario)
    return scenario


def _set(scenario: Scenario, values: dict[str, Any]) -> None:
    for field in ABOUT:
        if field in values:
            setattr(scenario, field, values[field])
    if scenario.moderate_desil < scenario.severe_desil:
        raise ValidationError(
            {"moderate_desil": _("Paling sedikit sama dengan batas kebutuhan berat.")}
        )
    scenario.full_clean(exclude=["result", "state", "created_by", "chosen_by"])


@transaction.atomic
def change_scenario(
    scenario: Scenario,
    *,
    values: dict[str, Any],
    priority_rules: Iterable[Rule],
    offers: dict[int, dict[str, Any]],
    actor: Any,
) -> Scenario:
    """Change what a scenario assumes; its plan is gone then until it is reckoned again.

    ``offers`` maps ids of :class:`ScenarioOffer` to their new values.

    Raises:
        ValidationError: a value is not possible, or the scenario is chosen or being reckoned.
    """
    scenario = Scenario.objects.select_for_update().get(pk=scenario.pk)
    _refuse_fixed(scenario)
    _set(scenario, values)
    scenario.state, scenario.error, scenario.result, scenario.token = State.DRAFT, "", {}, ""
    scenario.save()
    scenario.priority_rules.set(priority_rules)
    for offer in scenario.offers.filter(pk__in=offers):
        for field, value in offers[offer.pk].items():
            if field in GIVES:
                setattr(offer, field, value)
        offer.result = {}
        offer.save()
    audit.record("allocation.scenario.change", actor=actor, subject=scenario)
    return scenario


def _refuse_fixed(scenario: Scenario) -> None:
    if scenario.is_chosen:
        raise ValidationError(
            _("Skenario ini sudah dipilih menjadi rencana. Salin dahulu untuk mencoba yang lain.")
        )
    if scenario.state == State.RUNNING:
        raise ValidationError(_("Skenario ini sedang dihitung. Tunggu sampai selesai."))


@transaction.atomic
def delete_scenario(scenario: Scenario, *, actor: Any) -> None:
    """Remove a scenario that was not chosen.

    Raises:
        ValidationError: it was chosen, or is being reckoned.
    """
    scenario = Scenario.objects.select_for_update().get(pk=scenario.pk)
    _refuse_fixed(scenario)
    folder = outcome.ScenarioFolder(scenario.pk)
    audit.record("allocation.scenario.delete", actor=actor, subject=scenario)
    scenario.delete()
    transaction.on_commit(folder.remove)


# Reckoning


@transaction.atomic
def start(scenario: Scenario, *, actor: Any, at_once: bool = False) -> Scenario:
    """Have the plan reckoned by the worker; ``at_once`` leaves that to the caller (:func:`work`).

    Raises:
        ValidationError: nothing takes part, too much does, or it is chosen or being reckoned already.
    """
    from guyub.allocation.tasks import work_on_scenario

    scenario = Scenario.objects.select_for_update().get(pk=scenario.pk)
    _refuse_fixed(scenario)
    taking_part = scenario.offers.filter(included=True).count()
    if not taking_part:
        raise ValidationError(_("Pilih paling sedikit satu sub kegiatan yang ikut."))
    if taking_part > MOST_OFFERS:
        raise ValidationError(
            _("Paling banyak %(most)s sub kegiatan dalam satu skenario; sekarang %(n)s.")
            % {"most": MOST_OFFERS, "n": taking_part}
        )
    scenario.state, scenario.error = State.RUNNING, ""
    scenario.save(update_fields=["state", "error"])
    outcome.ScenarioFolder(scenario.pk).make()
    audit.record("allocation.scenario.reckon", actor=actor, subject=scenario)
    if not at_once:
        transaction.on_commit(lambda: work_on_scenario.enqueue(scenario.pk))
    return scenario


def abandoned() -> list[Scenario]:
    """Return the scenarios that are said to be reckoned while no process does."""
    return running.abandoned(Scenario.objects.filter(state=State.RUNNING), outcome.ScenarioFolder)


def work(scenario_id: int) -> Scenario | None:
    """Reckon a scenario that waits for it. Does nothing when another process is at it."""
    folder = outcome.ScenarioFolder(scenario_id)
    with running.held(folder) as mine:
        scenario = Scenario.objects.filter(pk=scenario_id).first()
        if scenario is not None and mine and scenario.state == State.RUNNING:
            found = scenario
            running.carry_out(
                lambda: _reckon_or_refuse(found, folder),
                about=f"scenario {scenario_id}",
                refusals=(ValidationError,),
                cancelled=lambda: _fail(found, _("Dihentikan.")),
                failed=lambda error: _fail(found, error),
            )
        return scenario


def _fail(scenario: Scenario, error: str) -> None:
    scenario.state, scenario.error = State.FAILED, error
    scenario.save(update_fields=["state", "error"])


def _reckon_or_refuse(scenario: Scenario, folder: outcome.ScenarioFolder) -> None:
    try:
        _reckon(scenario, folder)
    except NoPlanError as error:
        raise ValidationError(
            _("Tidak ada rencana yang ditemukan dalam batas waktu. Kurangi batasnya.")
        ) from error


def _reckon(scenario: Scenario, folder: outcome.ScenarioFolder) -> None:
    begun = time.monotonic()
    folder.report("gather", 0, 1)
    facts = gather(scenario, lambda done, total: folder.report("gather", done, total))
    folder.report("solve", 0, 1)
    problem = outcome.problem_of(scenario, facts)
    plan = solve(problem)
    result = outcome.sums(facts, plan)
    for number, offer in enumerate(facts.offers):
        folder.report("explain", number, len(facts.offers))
        offer.result = outcome.offer_sums(facts, plan, number)
        kind = offer.sub_activity.help_kind
        needs, met = result["by_kind"][kind]
        # Where all severe needs of the kind are met, more of it meets none.
        more = gain_of_more(problem, number, outcome.MORE) if needs[2] > met[2] else 0
        if more is not None:
            offer.result["more"] = more
    token = outcome.store(scenario, facts, plan)
    result["seconds"] = round(time.monotonic() - begun, 2)
    result["spent"] = sum(offer.result["spent"] for offer in facts.offers)
    result["added"] = sum(plan.added)
    with transaction.atomic():
        ScenarioOffer.objects.bulk_update(facts.offers, ["result"])
        scenario.state, scenario.result, scenario.token = State.DONE, result, token
        scenario.reckoned_at = timezone.now()
        scenario.save(update_fields=["state", "result", "token", "reckoned_at"])
        audit.record(
            "allocation.scenario.reckoned",
            subject=scenario,
            detail={"met": result["met"], "needs": result["needs"], "seconds": result["seconds"]},
        )
    outcome.sweep(scenario)


# Deciding


@transaction.atomic
def choose(scenario: Scenario, *, reason: str, actor: Any) -> Scenario:
    """Make a scenario the year's plan, and tell the agencies that take part.

    Raises:
        ValidationError: it has no plan, or another is chosen and already being carried out.
    """
    scenario = Scenario.objects.select_for_update().get(pk=scenario.pk)
    if not scenario.is_current:
        raise ValidationError(_("Hitung dahulu; skenario ini belum punya hasil."))
    if len(reason.strip()) < 10:
        raise ValidationError({"reason": _("Tulis alasannya, paling sedikit 10 huruf.")})
    former = Scenario.objects.filter(year=scenario.year, chosen_at__isnull=False).first()
    if former is not None and former.pk != scenario.pk:
        if former.offers.filter(adopted_at__isnull=False).exists():
            raise ValidationError(
                _("Rencana “%(name)s” sudah mulai dijalankan, jadi tidak bisa diganti lagi.")
                % {"name": former.name}
            )
        former.chosen_at = former.chosen_by = None
        former.save(update_fields=["chosen_at", "chosen_by"])
        audit.record("allocation.scenario.unchoose", actor=actor, subject=former, reason=reason)
    scenario.chosen_by, scenario.chosen_at = actor, timezone.now()
    scenario.chosen_reason = reason.strip()
    scenario.save(update_fields=["chosen_by", "chosen_at", "chosen_reason"])
    agencies = scenario.offers.filter(included=True).values("sub_activity__agency")
    people = User.objects.filter(
        is_active=True, agency__in=agencies, role__in=(Role.AGENCY_HEAD, Role.AGENCY_OPERATOR)
    )
    notify(
        list(people),
        Kind.NEWS,
        _("Rencana alokasi %(year)s dipilih: %(name)s")
        % {"year": scenario.year, "name": scenario.name},
        f"/alokasi/{scenario.pk}/",
    )
    audit.record(
        "allocation.scenario.choose", actor=actor, subject=scenario, reason=scenario.chosen_reason
    )
    return scenario


@transaction.atomic
def adopt(offer: ScenarioOffer, *, actor: Any) -> int:
    """Make candidates of those whom the chosen plan names for a sub-activity; return how many are new.

    Who is in the sub-activity already stays as they are; who is no longer active is left out. Nobody
    is enrolled by this: candidates are verified and chosen as always.

    Raises:
        ValidationError: the plan is not chosen, was adopted already, or the sub-activity takes nobody.
    """
    offer = (
        ScenarioOffer.objects.select_for_update(of=("self",))
        .select_related("scenario")
        .get(pk=offer.pk)
    )
    scenario = offer.scenario
    if not scenario.is_chosen:
        raise ValidationError(_("Skenario ini belum dipilih menjadi rencana."))
    if offer.adopted_at is not None:
        raise ValidationError(_("Calon penerima dari rencana ini sudah didaftarkan."))
    try:
        ids = recipients(scenario, offer.sub_activity_id)
    except outcome.PlanMissingError as error:
        raise ValidationError(
            _("Berkas hasilnya tidak ada lagi. Hitung ulang skenarionya.")
        ) from error
    sub = hold(offer.sub_activity_id)
    try:
        refuse_closed(sub)
    except BeneficiariesError as error:
        raise ValidationError(str(error)) from error
    now, count = timezone.now(), 0
    for start_at in range(0, len(ids), BATCH):
        part = ids[start_at : start_at + BATCH].tolist()
        rows: Any
        if sub.recipient == Recipient.PERSON:
            rows = Person.objects.filter(pk__in=_one_each(sub, part))
        else:
            rows = Household.objects.filter(pk__in=part, status=Status.ACTIVE)
        count += sets.add(sub, not_in(sub, rows), entry=Entry.PLAN, actor=actor, at=now)
    offer.adopted_by, offer.adopted_at, offer.adopted_count = actor, now, count
    offer.save(update_fields=["adopted_by", "adopted_at", "adopted_count"])
    audit.record(
        "allocation.offer.adopt",
        actor=actor,
        subject=scenario,
        detail={"sub_activity": sub.pk, "candidates": count},
    )
    return count


def _one_each(sub: SubActivity, households: list[int]) -> list[int]:
    """Return one person of each household: one whom the sub-activity's rules ask for, else the head."""
    found: dict[int, int] = {}
    for rule in sub.targeting_rules.select_related("current_version"):
        if rule.current_version is not None:
            people = people_matching(rule.current_version).filter(household__in=households)
            for pk, household in people.order_by("pk").values_list("pk", "household_id"):
                found.setdefault(household, pk)
    heads = Person.objects.filter(
        household__in=households, relation=Relation.HEAD, status=Status.ACTIVE
    )
    for pk, household in heads.order_by("pk").values_list("pk", "household_id"):
        found.setdefault(household, pk)
    return list(found.values())


def recipients(scenario: Scenario, sub_activity_id: int) -> Any:
    """Return the ids of the households that get something of a sub-activity, the worst off first.

    Raises:
        PlanMissingError: the plan's files are gone.
    """
    arrays = outcome.load(scenario)
    if sub_activity_id not in arrays.offers:
        return np.zeros(0, dtype=np.int64)
    number = list(arrays.offers).index(sub_activity_id)
    return np.asarray(arrays.ids[arrays.gets(number)])


def log_export(scenario: Scenario, *, reason: str, rows: int, actor: Any) -> None:
    """Note that a list of names was taken out."""
    with transaction.atomic():
        audit.record(
            "allocation.list.export",
            actor=actor,
            subject=scenario,
            reason=reason,
            detail={"rows": rows},
        )
