"""Writes on households and people by hand. Every value entered keeps who, when and as of when."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.access import wall
from guyub.access.sealing import seal
from guyub.audit import services as audit
from guyub.registry import bulk
from guyub.registry.models import (
    HOUSEHOLD_FIELDS,
    PERSON_FIELDS,
    AddressKey,
    Channel,
    Household,
    Move,
    Origin,
    Person,
    PersonKey,
    Photo,
    SubjectKind,
    ValueChange,
)
from guyub.registry.names import keys_of, words_of
from guyub.registry.pictures import UnusablePictureError, clean_jpeg
from guyub.registry.vocabulary import Relation, Status

# Years from which nobody is recorded without a NIK.
ADULT = 17


class RegistryError(Exception):
    """The change can't be made; the message tells the user why and what to do."""


class ConflictError(RegistryError):
    """Somebody else changed the record meanwhile."""


def _origin(actor: Any, as_of: dt.date, note: str = "", channel: str = Channel.MANUAL) -> Origin:
    return Origin.objects.create(channel=channel, as_of=as_of, entered_by=actor, note=note[:250])


def stored(name: str, value: Any) -> str:
    """Return a value as history keeps it: a village by its code, a date in ISO, nothing as empty.

    Numbers are sealed.
    """
    if name in ("nik", "kk"):
        return seal(value or "")
    if value is None:
        return ""
    if hasattr(value, "code"):
        return str(value.code)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _lock(model: type[Any], pk: int, seen_at: dt.datetime | None) -> Any:
    record = model.objects.select_for_update().get(pk=pk)
    if record.merged_into_id is not None:
        raise RegistryError(
            _("Data ini sudah digabung ke data lain. Buka data utamanya, lalu ubah di sana.")
        )
    if seen_at is not None and record.updated_at != seen_at:
        raise ConflictError(
            _(
                "Data ini baru saja diubah orang lain. Isian Anda belum disimpan: "
                "periksa perubahan terbaru di bawah, lalu simpan lagi."
            )
        )
    return record


def _change(
    record: Any, values: dict[str, Any], kind: str, household_id: int, origin: Origin
) -> list[str]:
    """Set values, keep the old ones as history, and note where the new ones are from."""
    changed = [name for name, value in values.items() if getattr(record, name) != value]
    now = timezone.now()
    ValueChange.objects.bulk_create(
        ValueChange(
            kind=kind,
            subject_id=record.pk,
            household_id=household_id,
            field=name,
            old=stored(name, getattr(record, name)),
            new=stored(name, values[name]),
            old_origin_id=record.origin_id_of(name),
            new_origin=origin,
            at=now,
        )
        for name in changed
    )
    for name in changed:
        setattr(record, name, values[name])
        record.origins[name] = origin.pk
    if changed:
        record.save()
    return changed


def _refuse_known(model: type[models.Model], field: str, number: str, but: int | None) -> None:
    # Whoever has it in another area counts too.
    with wall.everything():
        taken = (
            bool(number)
            and model._default_manager.filter(**{field: number}).exclude(pk=but or 0).exists()
        )
    if taken:
        raise RegistryError(
            _("NIK ini sudah ada di registri. Cari NIK tersebut, lalu perbarui datanya di sana.")
            if field == "nik"
            else _("Nomor KK ini sudah dipakai keluarga lain di registri. Cari nomor KK tersebut.")
        )


def why_nik_is_needed(values: dict[str, Any]) -> str:
    """Return why somebody can't be recorded without a NIK; empty for a child who has none yet.

    A birth is reported within 60 days, and whoever is 17 has an identity card (UU 24/2013, articles 27 and
    63). Until a NIK is known, a child is known by household, name, birth date and relation.

    Args:
        values: Columns of :class:`Person`.
    """
    born, relation = values.get("birth_date"), values.get("relation")
    if relation == Relation.HEAD:
        return _("Kepala keluarga harus punya NIK.")
    if born is None or not relation:
        return _(
            "Tanpa NIK, seorang anak dikenali dari tanggal lahir dan hubungannya. Isi keduanya, atau "
            "isi NIK-nya."
        )
    today = timezone.localdate()
    if today.year - born.year - ((today.month, today.day) < (born.month, born.day)) >= ADULT:
        return _(
            "Tanpa NIK hanya anak di bawah %(age)d tahun yang bisa dicatat. Bantu keluarganya mengurus "
            "NIK di Disdukcapil, lalu catat di sini."
        ) % {"age": ADULT}
    return ""


def recorded_in(household: Household, values: dict[str, Any]) -> Person | None:
    """Return the member whom ``values`` are about: by NIK, else by name and birth date; ``None`` if nobody."""
    people = list(household.members.filter(merged_into=None).order_by("pk"))
    if values.get("nik"):
        return next((person for person in people if person.nik == values["nik"]), None)
    words, born = words_of(values.get("name") or ""), values.get("birth_date")
    for person in people:
        if born is not None and person.birth_date == born and words_of(person.name) == words:
            return person
    return None


def _refuse_unknowable(household: Household, values: dict[str, Any]) -> None:
    """Refuse somebody without a NIK who is no child, or who is in the household already."""
    if values.get("nik"):
        return
    if why := why_nik_is_needed(values):
        raise RegistryError(why)
    if recorded_in(household, values) is not None:
        raise RegistryError(
            _(
                "Anak dengan nama dan tanggal lahir ini sudah tercatat di keluarga ini. Ubah datanya di sana."
            )
        )


@transaction.atomic
def create_household(
    *,
    household: dict[str, Any],
    head: dict[str, Any],
    as_of: dt.date,
    actor: Any,
    note: str = "",
) -> Household:
    """Add a household with its head. ``note`` says where it is known from.

    Raises:
        RegistryError: NIK or KK number is already in the registry.
    """
    _refuse_known(Household, "kk", household.get("kk", ""), None)
    _refuse_known(Person, "nik", head["nik"], None)
    origin = _origin(actor, as_of, note)
    village = household["village"]
    home = Household.objects.create(origin=origin, district_id=village.parent_id, **household)
    person = Person.objects.create(
        origin=origin,
        household=home,
        **{**head, "relation": Relation.HEAD, "name": head["name"].upper()},
    )
    refresh(home)
    index_person(person, home.village_id)
    index_address(home)
    bulk.recount_areas([home.village_id])
    audit.record("registry.household.create", actor=actor, subject=home)
    return home


@transaction.atomic
def edit_household(
    household: Household,
    values: dict[str, Any],
    *,
    as_of: dt.date,
    actor: Any,
    seen_at: dt.datetime | None = None,
    note: str = "",
    channel: str = Channel.MANUAL,
) -> list[str]:
    """Change values of a household; return the names of those that changed.

    ``seen_at`` is ``updated_at`` as the editor saw it. ``note`` and ``channel`` say where the values are
    known from.

    Raises:
        ConflictError: somebody changed the household meanwhile.
        RegistryError: the KK number belongs to another household.
    """
    record: Household = _lock(Household, household.pk, seen_at)
    values = {name: value for name, value in values.items() if name in HOUSEHOLD_FIELDS}
    _refuse_known(Household, "kk", values.get("kk", ""), record.pk)
    before = record.village_id, address_keys(record)
    if "village" in values:
        record.district_id = values["village"].parent_id
    origin = _origin(actor, as_of, note, channel)
    changed = _change(record, values, SubjectKind.HOUSEHOLD, record.pk, origin)
    if not changed:
        origin.delete()
        return []
    if before != (record.village_id, address_keys(record)):
        AddressKey.objects.filter(
            key__in=before[1], village_id=before[0], household_id=record.pk
        ).delete()
        index_address(record)
    if before[0] != record.village_id:
        for person in record.members.all():
            forget_person(person.pk, person.name, before[0])
            index_person(person, record.village_id)
    bulk.recount_areas([before[0], record.village_id])
    audit.record("registry.household.edit", actor=actor, subject=record, detail={"fields": changed})
    return changed


@transaction.atomic
def take_value(
    record: Household | Person, name: str, value: Any, *, origin: Origin, actor: Any, reason: str
) -> None:
    """Set one value to what a list says, with that list's ``origin``, after people decided for it.

    Raises:
        RegistryError: the record is merged, or the value would make a second head.
    """
    kind = SubjectKind.HOUSEHOLD if isinstance(record, Household) else SubjectKind.PERSON
    held = _lock(type(record), record.pk, None)
    home = held if kind == SubjectKind.HOUSEHOLD else held.household
    before = home.village_id
    people = list(home.members.filter(merged_into=None)) if name == "village" else []
    if kind == SubjectKind.PERSON:
        becoming = {"relation": held.relation, "status": held.status, name: value}
        if becoming["relation"] == Relation.HEAD and becoming["status"] == Status.ACTIVE:
            _refuse_second_head(home, held.pk)
        people = [held]
    else:
        forget_address(held)
    for person in people:
        forget_person(person.pk, person.name, before)
    if name == "village":
        held.district_id = value.parent_id
    _change(held, {name: value}, kind, home.pk, origin)
    for person in people:
        index_person(person, held.village_id if name == "village" else before)
    if kind == SubjectKind.HOUSEHOLD:
        index_address(held)
    else:
        refresh(home)
    bulk.recount_areas([before, home.village_id])
    audit.record(
        "registry.value.take",
        actor=actor,
        subject=held,
        reason=reason,
        detail={"field": name, "origin": origin.pk},
    )


@transaction.atomic
def add_person(
    household: Household,
    values: dict[str, Any],
    *,
    as_of: dt.date,
    actor: Any,
    note: str = "",
    channel: str = Channel.MANUAL,
) -> Person:
    """Add a member to a household. ``note`` and ``channel`` say where the values are known from.

    Raises:
        RegistryError: the NIK is in the registry, or the household has a head already; without a NIK, it is
            no child, or the household has that child already.
    """
    _refuse_known(Person, "nik", values.get("nik", ""), None)
    household = _lock(Household, household.pk, None)
    _refuse_unknowable(household, values)
    if values.get("relation") == Relation.HEAD:
        _refuse_second_head(household, None)
    person = Person.objects.create(
        origin=_origin(actor, as_of, note, channel),
        household=household,
        **{**values, "name": values["name"].upper()},
    )
    refresh(household)
    index_person(person, household.village_id)
    bulk.recount_areas([household.village_id])
    audit.record("registry.person.create", actor=actor, subject=person)
    return person


def _refuse_second_head(household: Household, but: int | None) -> None:
    heads = household.members.filter(relation=Relation.HEAD, status=Status.ACTIVE).exclude(
        pk=but or 0
    )
    if heads.exists():
        raise RegistryError(
            _(
                "Keluarga ini sudah punya kepala keluarga. Ubah dahulu hubungan kepala yang sekarang."
            )
        )


@transaction.atomic
def edit_person(
    person: Person,
    values: dict[str, Any],
    *,
    as_of: dt.date,
    actor: Any,
    seen_at: dt.datetime | None = None,
    reason: str = "",
    channel: str = Channel.MANUAL,
) -> list[str]:
    """Change values of a person; return the names of those that changed.

    ``seen_at`` is ``updated_at`` as the editor saw it. ``reason`` and ``channel`` say where the values are
    known from.

    Raises:
        ConflictError: somebody changed the person meanwhile.
        RegistryError: the NIK is another's or would be taken away, or the household would have a second head
            or one without a NIK.
    """
    record: Person = _lock(Person, person.pk, seen_at)
    values = {name: value for name, value in values.items() if name in PERSON_FIELDS}
    if "name" in values:
        values["name"] = values["name"].upper()
    _refuse_known(Person, "nik", values.get("nik", ""), record.pk)
    nik, relation = values.get("nik", record.nik), values.get("relation", record.relation)
    if not nik and (record.nik or relation == Relation.HEAD):
        raise RegistryError(
            _("NIK yang sudah tercatat tidak bisa dihapus; ganti dengan yang benar.")
            if record.nik
            else _("Kepala keluarga harus punya NIK.")
        )
    home = Household.objects.select_for_update().get(pk=record.household_id)
    if values.get("relation", record.relation) == Relation.HEAD and (
        values.get("status", record.status) == Status.ACTIVE
    ):
        _refuse_second_head(home, record.pk)
    old_name = record.name
    origin = _origin(actor, as_of, reason, channel)
    changed = _change(record, values, SubjectKind.PERSON, home.pk, origin)
    if not changed:
        origin.delete()
        return []
    if old_name != record.name:
        forget_person(record.pk, old_name, home.village_id)
        index_person(record, home.village_id)
    refresh(home)
    bulk.recount_areas([home.village_id])
    audit.record(
        "registry.person.edit",
        actor=actor,
        subject=record,
        reason=reason,
        detail={"fields": changed},
    )
    return changed


@transaction.atomic
def set_household_status(
    household: Household, status: str, *, as_of: dt.date, reason: str, actor: Any
) -> Household:
    """Note that a household moved away, died out, graduated, or is active again, with the reason."""
    record: Household = _lock(Household, household.pk, None)
    origin = _origin(actor, as_of, reason)
    if _change(record, {"status": status}, SubjectKind.HOUSEHOLD, record.pk, origin):
        bulk.recount_areas([record.village_id])
        audit.record(
            "registry.household.status",
            actor=actor,
            subject=record,
            reason=reason,
            detail={"status": status},
        )
    else:
        origin.delete()
    return record


@transaction.atomic
def move_person(
    person: Person,
    target: Household,
    *,
    moved_on: dt.date,
    reason: str,
    relation: str,
    actor: Any,
    new_head: Person | None = None,
) -> Move:
    """Move a person to another household.

    When the head leaves others behind, ``new_head`` says who of them leads from now on.

    Raises:
        RegistryError: same household, no new head named, or a second head in the new one.
    """
    locked = {
        home.pk: home
        for home in Household.objects.select_for_update()
        .filter(pk__in=sorted({person.household_id, target.pk}))
        .order_by("pk")
    }
    record = _lock(Person, person.pk, None)
    if target.merged_into_id is not None:
        raise RegistryError(_("Keluarga tujuan sudah digabung ke keluarga lain."))
    source, target = locked[record.household_id], locked[target.pk]
    if source.pk == target.pk:
        raise RegistryError(_("Orang ini sudah ada di keluarga tersebut."))
    staying = source.members.filter(status=Status.ACTIVE).exclude(pk=record.pk)
    origin = _origin(actor, moved_on, reason)
    if record.relation == Relation.HEAD and staying.exists():
        if new_head is None or new_head.household_id != source.pk or new_head.pk == record.pk:
            raise RegistryError(_("Pilih siapa yang menjadi kepala keluarga yang ditinggalkan."))
        successor = Person.objects.select_for_update().get(pk=new_head.pk)
        _change(successor, {"relation": Relation.HEAD}, SubjectKind.PERSON, source.pk, origin)
    if relation == Relation.HEAD:
        _refuse_second_head(target, record.pk)
    _change(record, {"relation": relation}, SubjectKind.PERSON, target.pk, origin)
    forget_person(record.pk, record.name, source.village_id)
    record.household = target
    record.save()
    record.duplicates.update(household=target)
    index_person(record, target.village_id)
    move = Move.objects.create(
        person=record,
        from_household=source,
        to_household=target,
        moved_on=moved_on,
        reason=reason,
        origin=origin,
    )
    refresh(source)
    refresh(target)
    bulk.recount_areas([source.village_id, target.village_id])
    audit.record("registry.person.move", actor=actor, subject=record, reason=reason)
    return move


def refresh(household: Household) -> None:
    """Bring member count and head's name up to date."""
    active = household.members.filter(status=Status.ACTIVE)
    head = active.filter(relation=Relation.HEAD).first() or active.order_by("id").first()
    household.member_count = active.count()
    household.head_name = head.name if head else household.head_name
    household.save(update_fields=["member_count", "head_name", "updated_at"])


# Search keys


def index_person(person: Person, village_id: int) -> None:
    """Add a person's name to the search keys."""
    keys = keys_of(person.name)
    bulk.learn_keys(set(keys))
    PersonKey.objects.bulk_create(
        (PersonKey(key=key, village_id=village_id, person_id=person.pk) for key in keys),
        ignore_conflicts=True,
    )


def forget_address(household: Household) -> None:
    """Take a household's address out of the search keys."""
    AddressKey.objects.filter(
        key__in=address_keys(household), village_id=household.village_id, household_id=household.pk
    ).delete()


def forget_person(person_id: int, name: str, village_id: int) -> None:
    """Take a person's name out of the search keys."""
    PersonKey.objects.filter(
        key__in=keys_of(name), village_id=village_id, person_id=person_id
    ).delete()


def address_keys(household: Household) -> tuple[str, ...]:
    """Return the search keys of a household's address."""
    return keys_of(f"{household.address} {household.hamlet}")


def index_address(household: Household) -> None:
    """Add a household's address to the search keys."""
    keys = address_keys(household)
    bulk.learn_keys(set(keys))
    AddressKey.objects.bulk_create(
        (
            AddressKey(key=key, village_id=household.village_id, household_id=household.pk)
            for key in keys
        ),
        ignore_conflicts=True,
    )


# Seeing and taking out personal data


def reveal(household: Household, *, reason: str, actor: Any) -> list[Person]:
    """Return the members with their full NIK, and log who asked and why.

    Raises:
        RegistryError: the reason is shorter than ten characters.
    """
    _require_reason(reason)
    members = list(household.members.order_by("id"))
    audit.record(
        "registry.household.reveal",
        actor=actor,
        subject=household,
        reason=reason.strip(),
        detail={"people": len(members)},
    )
    return members


def log_export(
    *, actor: Any, reason: str, rows: int, full_numbers: bool, filters: dict[str, Any]
) -> None:
    """Log that a list was taken out."""
    _require_reason(reason)
    audit.record(
        "registry.list.export",
        actor=actor,
        reason=reason.strip(),
        detail={"rows": rows, "full_numbers": full_numbers, "filters": filters},
    )


def _require_reason(reason: str) -> None:
    if len(reason.strip()) < 10:
        raise RegistryError(_("Tulis alasannya, paling sedikit 10 huruf."))


# Photos


@transaction.atomic
def add_photo(
    household: Household, upload: Any, *, caption: str, taken_on: dt.date | None, actor: Any
) -> Photo:
    """Keep a photo of a house, made smaller and without the place and device that cameras write in.

    Raises:
        RegistryError: it is no picture, or larger than 15 MB.
    """
    try:
        picture = clean_jpeg(upload)
    except UnusablePictureError as error:
        raise RegistryError(str(error)) from error
    photo = Photo(household=household, caption=caption, taken_on=taken_on, added_by=actor)
    photo.file.save("foto.jpg", picture, save=False)
    photo.save()
    audit.record("registry.photo.add", actor=actor, subject=household)
    return photo


@transaction.atomic
def delete_photo(photo: Photo, *, actor: Any) -> None:
    """Remove a photo and its file."""
    household, file = photo.household, photo.file
    photo.delete()
    transaction.on_commit(lambda: file.storage.delete(str(file.name)))
    audit.record("registry.photo.delete", actor=actor, subject=household)
