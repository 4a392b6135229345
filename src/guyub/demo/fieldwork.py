"""Field work in the demo: a round in two villages under way, with a conflict, and one being prepared."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import uuid
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.agencies.models import Agency
from guyub.demo.proposals import VILLAGE, photo_of_a_house
from guyub.fieldwork import deciding, member_fields, receiving, services
from guyub.fieldwork import household_fields as fields
from guyub.fieldwork.members import people_of
from guyub.fieldwork.models import Visit
from guyub.fieldwork.verification import keep_built_in_form
from guyub.fieldwork.vocabulary import Purpose
from guyub.registry import services as registry
from guyub.registry.models import Household, Person
from guyub.registry.nik import birth_digits
from guyub.registry.vocabulary import Relation, Sex, Status, Work

NEIGHBOUR = "33.02.17.2010"
A_VILLAGE = 14  # visits at most in each of the two
LEFT = 2  # doors where nobody has been, however few there are
# What was found at the door: letter by letter for the first visits, a accepted, w waiting for review,
# t sent twice with different answers, c changed by somebody else meanwhile, m moved away and accepted.
COURSE = "atcwamawaw"


def make_field_work(actors: dict[str, Any], seed: int) -> None:
    """Make the rounds; ``actors`` are the demo's users by name."""
    social = Agency.objects.get(code="dinsospermasdes")
    today, operator = timezone.localdate(), actors["operator"]
    form = keep_built_in_form()
    record = services.create_round(
        form,
        {
            "title": _("Verifikasi keluarga termiskin, Cilongok"),
            "purpose": Purpose.VERIFICATION,
            "agency": social,
            "due_on": today + dt.timedelta(days=21),
            "note": _("Datangi bersama ketua RT. Minta izin sebelum memotret rumah."),
        },
        actor=operator,
    )
    for code in (VILLAGE, NEIGHBOUR):
        poorest = Household.objects.filter(
            village__code=code, status=Status.ACTIVE, merged_into=None
        ).order_by(F("desil").asc(nulls_last=True), "pk")
        chosen = list(poorest.values_list("pk", flat=True)[:A_VILLAGE])
        services.add_households(record, Household.objects.filter(pk__in=chosen), actor=operator)
    if record.visits.exists():
        services.open_round(record, actor=operator)
    chance = random.Random(seed)  # noqa: S311
    visits = list(
        record.visits.filter(village__code=VILLAGE)
        .select_related("household", "round__form_version")
        .order_by("pk")
    )
    visits = visits[: max(0, len(visits) - LEFT)]
    for number, (visit, letter) in enumerate(zip(visits, COURSE, strict=False), 1):
        _visit(visit, letter, number, actors, chance)
    services.create_round(
        form,
        {
            "title": _("Verifikasi lanjutan, kecamatan lain"),
            "purpose": Purpose.VERIFICATION,
            "agency": social,
            "due_on": today + dt.timedelta(days=60),
        },
        actor=operator,
    )


def _visit(
    visit: Visit, letter: str, number: int, actors: dict[str, Any], chance: random.Random
) -> None:
    home = visit.household
    if home is None:
        return
    people = people_of(home)
    seen = {
        "values": fields.values_of(home),
        "members": {
            str(one.pk): member_fields.carried(one, member_fields.FIELDS) for one in people
        },
    }
    answers = _answers(home, letter, chance)
    if letter != "m":
        answers["/anggota"] = _members(people, letter, number)
    if letter == "c":
        # Somebody in the office changed it while the phone was out of reach.
        registry.edit_household(
            home,
            {"floor": "ceramic" if home.floor == "tile" else "tile"},
            as_of=timezone.localdate(),
            actor=actors["sekretariat"],
        )
    sent = _send(visit, answers, actors["desa"], number, seen)
    if letter in "am":
        deciding.accept(sent, actor=actors["operator"], note=_("Sesuai foto dan keterangan RT."))
    elif letter == "t":
        other = _answers(home, letter, chance) | {
            "/rumah/lantai": "earth",
            "/rumah/dinding": "wood",
        }
        _send(visit, other, actors["kecamatan"], number + 50, seen)


def _members(people: list[Person], letter: str, number: int) -> list[dict[str, Any]]:
    """Answer about the members: what one works as now, and in some homes a child who is new there."""
    rows = [
        {"/anggota/anggota_id": str(one.pk), "/anggota/anggota_ada": Status.ACTIVE.value}
        for one in people
        if one.status == Status.ACTIVE
    ]
    if rows:
        rows[0]["/anggota/anggota_pekerjaan"] = Work.LABOUR.value
    if letter == "w" and people:
        born = dt.date(2019, 3, number % 28 + 1)
        rows.append(
            {
                "/anggota/anggota_nama": "Putri Lestari",
                "/anggota/anggota_nik": f"{people[0].nik[:6]}{birth_digits(born, 'F')}{9000 + number}",
                "/anggota/anggota_kelamin": Sex.FEMALE.value,
                "/anggota/anggota_lahir": born.isoformat(),
                "/anggota/anggota_hubungan": Relation.GRANDCHILD.value,
            }
        )
    return rows


def _answers(home: Household, letter: str, chance: random.Random) -> dict[str, Any]:
    if letter == "m":
        return {
            "/kunjungan/masih_tinggal": Status.MOVED.value,
            "/kunjungan/pindah_ke": _("Luar kabupaten, menurut tetangga"),
        }
    return {
        "/kunjungan/masih_tinggal": Status.ACTIVE.value,
        "/kunjungan/ditemui": _("Istri kepala keluarga"),
        "/keluarga/jumlah_anggota": max(1, home.member_count),
        "/keluarga/balita": 0,
        "/keluarga/penghasilan": chance.sample(["tani", "buruh_tani", "buruh", "dagang"], 2),
        "/rumah/lantai": "cement",
        "/rumah/dinding": chance.choice(["brick", "plastered_bamboo"]),
        "/rumah/atap": "tile",
        "/fasilitas/air": chance.choice(["piped", "protected_well", "borehole"]),
        "/fasilitas/jamban": chance.choice(["own", "shared"]),
        "/fasilitas/bahan_bakar": chance.choice(["kayu", "gas3"]),
        "/simpulan/layak": fields.YES,
        "/simpulan/catatan": _("Rumah dihuni, tetangga mengenal keluarganya."),
    }


def _send(
    visit: Visit, answers: dict[str, Any], officer: Any, number: int, seen: dict[str, Any]
) -> Any:
    """Send as a phone does, with a drawn house in place of a photo."""
    finished = timezone.now() - dt.timedelta(days=number % 9 + 1, minutes=number * 7)
    files, picture = [], b""
    if answers["/kunjungan/masih_tinggal"] == Status.ACTIVE:
        picture = photo_of_a_house(number).read()
        name = f"{uuid.uuid4()}.jpg"
        answers = answers | {"/rumah/foto": name}
        files = [
            receiving.Announced(
                key=uuid.uuid4(), name=name, path="/rumah/foto", media_type="image/jpeg",
                sha256=hashlib.sha256(picture).hexdigest(), size=len(picture),
            )
        ]  # fmt: skip
    sent = receiving.receive(
        instance=uuid.uuid4(), form_version=visit.round.form_version, visit=visit, answers=answers,
        source="app", actor=officer, begun_at=finished - dt.timedelta(minutes=14),
        finished_at=finished, seen=seen, attachments=files,
    ).submission  # fmt: skip
    for attachment in sent.attachments.all():
        receiving.keep_file(attachment, picture)
    return sent
