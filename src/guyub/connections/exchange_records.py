"""Records of the registry as the social registry standard writes them, cut to what a partner is given.

They go out as *Group* and *Member* with the field names of the standard's JSON-LD.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from guyub.access.permissions import can
from guyub.audit import services as audit
from guyub.connections import minimising
from guyub.connections.models import Partner
from guyub.registry import queries as registry
from guyub.registry import restriction
from guyub.registry import services as registry_services
from guyub.registry.models import Household, Person
from guyub.registry.vocabulary import Status

SHORTEST_PURPOSE = 10
CONTEXT = {
    "spdci": "https://schema.spdci.org/extensions/social/v1/",
    "common": "https://schema.spdci.org/common/v1/",
}


def given_to(partner: Partner, user: Any) -> QuerySet[Household]:
    """Return the households that a partner's token may see and that lie in its areas.

    Those that are restricted are given to nobody.
    """
    rows = restriction.open_households(registry.visible_to(user))
    areas = list(partner.areas.values_list("pk", flat=True))
    if areas:
        rows = rows.filter(Q(village__in=areas) | Q(district__in=areas))
    return rows


def with_people(rows: QuerySet[Household]) -> QuerySet[Household]:
    """Return ``rows`` with all that a record is made of."""
    return rows.select_related("village", "district").prefetch_related(
        Prefetch("members", restriction.open_people(Person.objects.all()))
    )


def may_be_full(partner: Partner, user: Any, purpose: str, code: str) -> bool:
    """Whether numbers are given in full: by scope, by a stated purpose, and by what was agreed."""
    return (
        len(purpose) >= SHORTEST_PURPOSE
        and minimising.NUMBERS in partner.shares
        and (not partner.purpose_codes or code in partner.purpose_codes)
        and can(user, "registry.reveal")
    )


def hand_over(
    home: Household,
    entity: str,
    *,
    partner: Partner,
    user: Any,
    in_full: bool,
    purpose: str,
    reference: str,
    nik: str = "",
) -> list[dict[str, Any]]:
    """Return the records of one household, and write into the audit log whose data were given to whom.

    ``nik`` narrows members to the one who was asked for.
    """
    shares = frozenset(partner.shares)
    everybody = list(home.members.all())
    if home.status != Status.ACTIVE:
        made, told = [_ended(home, shares, in_full)], []
    elif entity == "Member":
        told = [one for one in everybody if nik in ("", one.nik)]
        if minimising.MEMBERS not in shares:
            told = [one for one in told if one.relation == "head" or one.nik == nik]
        made = [{"@context": CONTEXT, **_member(one, shares, in_full)} for one in told]
    else:
        told = [one for one in everybody if one.status == Status.ACTIVE]
        if minimising.MEMBERS not in shares:
            told = [one for one in told if one.relation == "head"]
        made = [_group(home, told, shares, in_full)]
    audit.record(
        "connections.partner.hand",
        actor=user,
        subject=home,
        reason=purpose,
        detail={"partner": partner.pk, "people": [one.pk for one in told],
                "fields": sorted(shares), "in_full": in_full, "reference": reference},
    )  # fmt: skip
    if in_full:
        registry_services.reveal(home, reason=purpose, actor=user)
    return made


def data_of(entity: str, made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return records as the standard wraps them."""
    return {
        "version": "1.0.0",
        "reg_type": "ns:org:RegistryType:Social",
        "reg_record_type": f"spdci:{entity}",
        "reg_records": made,
    }


def _identifier(kind: str, value: str) -> list[dict[str, str]]:
    if not value:
        return []
    return [{"@type": "Identifier", "identifier_type": kind, "identifier_value": value}]


def _member(person: Person, shares: frozenset[str], in_full: bool) -> dict[str, Any]:
    about: dict[str, Any] = {"@type": "SRPerson"}
    record: dict[str, Any] = {
        "@id": f"{_address(person.household_id)}#{person.pk}",
        "@type": "spdci:Member",
        "demographic_info": about,
        "relationship_type": person.relation or None,
        "registration_date": person.created_at.isoformat(),
        "last_updated": person.updated_at.isoformat(),
    }
    if minimising.NUMBERS in shares:
        nik = _identifier("NationalID", person.nik if in_full else person.masked_nik)
        record["member_identifier"] = about["identifier"] = nik
    if minimising.NAMES in shares:
        about["name"] = {"@type": "Name", "given_name": person.name}
    if minimising.BIRTH in shares:
        about["sex"] = {"M": "male", "F": "female"}.get(person.sex, "unknown")
        about["birth_date"] = person.birth_date.isoformat() if person.birth_date else None
    if minimising.DISABILITY in shares:
        record["is_disabled"] = person.disability not in ("", "none")
    return record


def _address(pk: int) -> str:
    return f"{settings.SITE_URL}/api/v1/registry/households/{pk}"


def _group(
    home: Household, members: list[Person], shares: frozenset[str], in_full: bool
) -> dict[str, Any]:
    head = next((one for one in members if one.relation == "head"), None)
    place: dict[str, Any] = {"@type": "Place"}
    if minimising.ADDRESS in shares:
        place["address"] = home.address
    # Where exactly they live is as personal as their number.
    known = home.latitude is not None and home.longitude is not None
    if minimising.COORDINATES in shares and in_full and known:
        place["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": str(home.latitude),
            "longitude": str(home.longitude),
        }
    record: dict[str, Any] = {
        "@context": CONTEXT,
        "@id": _address(home.pk),
        "@type": "spdci:Group",
        "group_type": "family",
        "place": place,
        "group_head_info": _member(head, shares, in_full) if head is not None else None,
        "group_size": home.member_count,
        "registration_date": home.created_at.isoformat(),
        "last_updated": home.updated_at.isoformat(),
        "additional_attributes": [
            {"village_code": home.village.code, "district_code": home.district.code}
        ],
    }
    if minimising.NUMBERS in shares:
        record["group_identifier"] = _identifier(
            "HouseholdID", home.kk if in_full else home.masked_kk
        )
    if minimising.WELFARE in shares:
        record["poverty_score"], record["poverty_score_type"] = home.desil, "desil"
    if minimising.MEMBERS in shares:
        record["member_list"] = [_member(one, shares, in_full) for one in members]
    return record


def _ended(home: Household, shares: frozenset[str], in_full: bool) -> dict[str, Any]:
    """Return the record of a household that is no longer in the registry: its number and that it ended."""
    record: dict[str, Any] = {
        "@context": CONTEXT,
        "@id": _address(home.pk),
        "@type": "spdci:Group",
        "is_active": False,
        "last_updated": home.updated_at.isoformat(),
    }
    if minimising.NUMBERS in shares:
        record["group_identifier"] = _identifier(
            "HouseholdID", home.kk if in_full else home.masked_kk
        )
    return record
