"""Disposing of what is past its time: proposed, held back, approved by two, erased everywhere, certified."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from guyub.access.roles import Role
from guyub.access.sealed_files import opened
from guyub.access.sealing import is_sealed, seal, unseal
from guyub.audit.models import Event
from guyub.audit.queries import verify_chain
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.models import Delivery, Enrolment
from guyub.datasets.models import Version
from guyub.datasets.store import version_path
from guyub.discussions import services as talk
from guyub.imports.folder import RunFolder
from guyub.imports.tests.conftest import MAN, NEIGHBOUR, WOMAN, importing  # noqa: F401
from guyub.linking import services as linking
from guyub.linking.lists import LinkFolder
from guyub.privacy import services as privacy
from guyub.privacy.models import SubjectRequest
from guyub.proposals.models import Proposal
from guyub.proposals.services import submit as propose_household
from guyub.reconciliation import following
from guyub.registry import services as registry
from guyub.registry.models import AreaCount, Household, Listing, Person, Photo
from guyub.retention import carrying_out, erasing, lists, queries, services
from guyub.retention.models import Disposal, Hold, ItemState, Schedule, State

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
LONG_AGO = timezone.now() - dt.timedelta(days=366 * 12)


@pytest.fixture
def two(make_user):
    return make_user(Role.SECRETARIAT), make_user(Role.SECRETARIAT)


def carried_out(disposal, two):
    if disposal.state == State.PROPOSED:
        services.submit(disposal, actor=two[0])
    services.approve(disposal, actor=two[1])
    return carrying_out.carry_out(disposal.pk)


def of_class(code):
    return next(one for one in services.propose(TODAY) if one.code == code)


def photo_of(home, user, added_at=LONG_AGO):
    photo = Photo(household=home, caption="Depan", added_by=user)
    photo.file.save("a.jpg", ContentFile(b"\xff\xd8\xff"), save=True)
    Photo.objects.filter(pk=photo.pk).update(added_at=added_at)
    return photo


# Everything that points at a person or household


def test_it_is_said_of_everything_that_points_at_a_person_what_erasing_does():
    pointing = {f"{model._meta.label}.{field}" for model, field in following.pointers()}
    assert not pointing - set(erasing.declared()), "Say so with erase_with() or keep()"


# From the proposal to the certificate


def test_two_people_stand_between_a_proposal_and_the_end_of_a_photo(make_household, client_for):
    first, second = client_for(Role.SECRETARIAT), client_for(Role.SECRETARIAT)
    home, kept = make_household(), make_household(name="Wagiman")
    old, held = photo_of(home, first.user), photo_of(kept, first.user)
    young = photo_of(home, first.user, timezone.now())
    first.post(reverse("retention:propose"))
    disposal = Disposal.objects.get()
    assert (disposal.code, disposal.items.count()) == ("photos", 2)
    assert disposal.cutoff == services.years_before(TODAY, 5)
    # While it is open, the same is not proposed twice.
    assert services.propose(TODAY) == []
    page = first.get(reverse("retention:disposal", args=[disposal.pk])).content.decode()
    assert "Cirahab" in page
    assert "TUKIMAN" not in page

    item = disposal.items.get(record_id=held.pk)
    hold = reverse("retention:hold", args=[item.pk])
    assert first.post(hold, {"reason": "ya"}).status_code == 422
    first.post(hold, {"reason": "Bukti perkara di pengadilan"})
    first.post(reverse("retention:approve", args=[disposal.pk]))
    first.post(reverse("retention:submit", args=[disposal.pk]))
    answer = first.post(reverse("retention:approve", args=[disposal.pk]), follow=True)
    assert "harus dua orang" in answer.content.decode()
    second.post(reverse("retention:approve", args=[disposal.pk]))
    assert not carrying_out.carry_out(disposal.pk).is_open
    assert set(Photo.objects.values_list("pk", flat=True)) == {held.pk, young.pk}
    assert not default_storage.exists(str(old.file.name))
    assert default_storage.exists(str(held.file.name))

    page = second.get(reverse("retention:disposal", args=[disposal.pk])).content.decode()
    assert "1 dimusnahkan, 1 ditahan" in page
    answer = second.get(reverse("retention:certificate", args=[disposal.pk]))
    text = " ".join(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())
    for said in (
        "Berita acara pemusnahan",
        "Foto rumah",
        str(first.user),
        str(second.user),
        "5 tahun",
    ):
        assert said in text, said
    actions = set(
        Event.objects.filter(action__startswith="retention.").values_list("action", flat=True)
    )
    assert actions >= {"retention.disposal.propose", "retention.disposal.submit",
                       "retention.disposal.approve", "retention.disposal.done", "retention.hold.place"}  # fmt: skip
    assert verify_chain().is_sound
    # A hold keeps it from what is proposed next, until it is lifted.
    assert services.propose(TODAY) == []
    second.post(reverse("retention:lift", args=[Hold.objects.get().pk]))
    assert [one.code for one in services.propose(TODAY)] == ["photos"]


def test_a_proposal_can_be_dropped_and_a_class_switched_off(make_household, client_for):
    client = client_for(Role.SECRETARIAT)
    photo_of(make_household(), client.user)
    (disposal,) = services.propose(TODAY)
    drop = reverse("retention:drop", args=[disposal.pk])
    assert client.post(drop, {"reason": ""}).status_code == 422
    client.post(drop, {"reason": "Menunggu jadwal retensi baru"})
    disposal.refresh_from_db()
    assert disposal.state == State.DROPPED
    schedule = reverse("retention:schedule", args=["photos"])
    assert client.post(schedule, {"years": "0", "basis": "JRA"}).status_code == 422
    client.post(schedule, {"years": "5", "basis": "JRA", "is_active": ""})
    assert services.propose(TODAY) == []
    client.post(schedule, {"years": "20", "basis": "JRA", "is_active": "on"})
    assert services.propose(TODAY) == []
    assert Schedule.objects.get(code="photos").basis == "JRA"
    assert Photo.objects.exists()
    with pytest.raises(ValidationError):
        services.approve(disposal, actor=client.user)


def test_what_came_back_meanwhile_is_left_alone(make_household, two):
    home = make_household()
    photo = photo_of(home, two[0])
    disposal = of_class("photos")
    Photo.objects.filter(pk=photo.pk).update(added_at=timezone.now())
    done = carried_out(disposal, two)
    assert (done.outcome["done"], done.outcome["skipped"]) == (0, 1)
    assert Photo.objects.filter(pk=photo.pk).exists()


# People


class Known:
    """A family that left all lists long ago, with everything about them, and a neighbour who stays."""

    def __init__(self, importing, make_sub_activity, two):  # noqa: F811
        user = two[0]
        self.run = importing([MAN, WOMAN, NEIGHBOUR])
        self.later = importing([NEIGHBOUR], dataset=self.run.dataset, as_of=dt.date(2026, 2, 1))
        self.home = Household.objects.get(kk=MAN[1])
        self.neighbour = Household.objects.get(kk=NEIGHBOUR[1])
        registry.edit_household(self.home, {"address": "Jl Soekarno 9"}, as_of=TODAY, actor=user)
        self.photo = photo_of(self.home, user, timezone.now())
        written = talk.write(
            self.home, "Pak Soekarno pindah.", author=user,
            uploads=[ContentFile(b"%PDF-1.7", "a.pdf")],
        )  # fmt: skip
        self.attachment = str(written.message.attachments.get().file.name)
        propose_household(
            village=self.home.village, kind="object", household=self.home, actor=user,
            values={"reason_kind": "moved", "reason": "Soekarno sudah lama pindah ke kota."},
        )  # fmt: skip
        sub, other = make_sub_activity(), make_sub_activity("Jamban", help_kind="sanitation")
        given = beneficiaries.enrol(sub, household=self.home, person=None, actor=user)
        for stage in ("verified", "enrolled"):
            beneficiaries.move(given, stage, actor=user)
        beneficiaries.record_delivery(
            given, delivered_on=dt.date(2026, 1, 5), amount=500_000, actor=user
        )
        beneficiaries.enrol(other, household=self.home, person=None, actor=user)
        self.link = linking.start_version(self.run.dataset.versions.get(number=1), actor=user)
        linking.work(self.link.pk)

    def age(self):
        """Let all of it be long ago."""
        Household.objects.filter(pk=self.home.pk).update(updated_at=LONG_AGO)
        for model, name in (("registry.Origin", "as_of"), ("datasets.Version", "as_of")):
            apps.get_model(model).objects.update(**{name: LONG_AGO.date()})
        apps.get_model("proposals.Proposal").objects.update(submitted_at=LONG_AGO)
        Enrolment.objects.update(stage_since=LONG_AGO)


# Numbers and samples in their sealed form: opened, to see what they hold.
SEALED_TEXT = re.compile(r"s[\w-]{10,}={0,2}")


def opened_texts(text):
    return [unseal(one) if is_sealed(one) else "" for one in SEALED_TEXT.findall(text)]


@pytest.fixture(autouse=True)
def nothing_left_of_other_tests():
    """Their rows are gone by now, and their files are not."""
    for name in ("datasets", "imports", "linking"):
        shutil.rmtree(Path(settings.DATA_DIR) / name, ignore_errors=True)


def traces():
    """Yield where Soekarno's or Siti's names or numbers stand, in any table and any file."""
    words = [
        "soekarno",
        "siti aminah",
        MAN[0],
        WOMAN[0],
        MAN[1],
        seal(MAN[0]),
        seal(WOMAN[0]),
        seal(MAN[1]),
    ]
    words = [word.lower() for word in words]
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values_list():
            text = f"{row} {opened_texts(str(row))}"
            if any(word in text.lower() for word in words):
                yield model._meta.label
                break
    root = Path(settings.DATA_DIR)
    for path in [*root.glob("datasets/*/*"), *root.glob("imports/*/*"), *root.glob("linking/*/*")]:
        if not path.is_file() or path.stat().st_size == 0:
            continue
        with opened(path) as clear:
            content = Path(clear).read_bytes()
            if content.startswith(b"PAR1"):
                content = str(
                    duckdb.execute(f"SELECT * FROM read_parquet('{clear}')").fetchall()
                ).encode()
        if any(word.encode() in content.lower() for word in words):
            yield path.relative_to(root).as_posix()


@pytest.fixture
def known(importing, make_sub_activity, two):  # noqa: F811
    return Known(importing, make_sub_activity, two)


def test_a_family_off_all_lists_is_gone_from_tables_and_files(known, two):
    assert {one.code for one in services.propose(TODAY)} == set()
    known.age()
    assert len(set(traces())) >= 9, set(traces())
    disposal = of_class("people-off-lists")
    assert list(disposal.items.values_list("record_id", flat=True)) == [known.home.pk]
    (item,) = queries.described(disposal, list(disposal.items.all()))
    assert MAN[1] not in item.called
    done = carried_out(disposal, two)
    assert set(traces()) == set()
    assert done.outcome["done"] == 1
    assert (done.outcome["versions"], done.outcome["linkings"], done.outcome["imports"]) == (
        1,
        2,
        1,
    )
    assert list(done.items.values_list("files", "numbers")) == [([], [])]
    for name in (str(known.photo.file.name), known.attachment):
        assert not default_storage.exists(name)
    assert not RunFolder(known.run.pk).path.exists()
    # What was spent still counts, and says of nobody.
    delivery = Delivery.objects.get()
    assert (delivery.amount, str(delivery.enrolment.household)) == (
        500_000,
        f"Keluarga {known.home.pk}",
    )
    assert Enrolment.objects.count() == 1
    # The neighbour is whole, in tables and in files.
    assert Person.objects.get(nik=NEIGHBOUR[0]).name == "TUKIMAN"
    rows = duckdb.execute(f"SELECT name FROM '{version_path('dtsen', 1)}'").fetchall()
    assert rows == [("TUKIMAN",)]
    assert LinkFolder(known.link.pk).people.exists()
    assert sum(AreaCount.objects.values_list("households", flat=True)) == 1
    assert verify_chain().is_sound
    # An empty shell is not proposed again.
    assert all(one.code != "people-off-lists" for one in services.propose(TODAY))


def test_whoever_comes_back_on_a_list_is_known_anew(known, two, importing):  # noqa: F811
    known.age()
    carried_out(of_class("people-off-lists"), two)
    importing([MAN], dataset=known.run.dataset, as_of=dt.date(2026, 3, 1))
    person = Person.objects.get(nik=MAN[0])
    assert person.household_id != known.home.pk
    assert Listing.objects.filter(household=person.household, dropped_version=None).exists()


def test_erasing_a_child_without_a_nik_empties_nothing_of_others_without_one(
    make_household, village
):
    child = registry.add_person(
        make_household(),
        {"name": "Sari", "birth_date": timezone.localdate(), "relation": "child"},
        as_of=timezone.localdate(),
        actor=None,
    )
    proposal = Proposal.objects.create(
        village=village, head_name="Wagiman", kind="add", reason_kind="poor", reason="-", code="1"
    )
    with transaction.atomic():
        left = erasing.erase_person(child)
    assert left.numbers == []
    proposal.refresh_from_db()
    assert proposal.head_name == "Wagiman"
    child.refresh_from_db()
    assert child.name == ""


def test_a_crash_leaves_nothing_half_erased_and_is_taken_up(make_household, two, monkeypatch):
    homes = [
        make_household(name=name, kk=f"330201010101{n:04d}")
        for n, name in enumerate(("Asih", "Bejo", "Cipto"), 1)
    ]
    photos = [photo_of(home, two[0]) for home in homes]
    Household.objects.update(updated_at=LONG_AGO)
    apps.get_model("registry.Origin").objects.update(as_of=LONG_AGO.date())
    disposal = of_class("people-off-lists")
    services.submit(disposal, actor=two[0])
    services.approve(disposal, actor=two[1])
    monkeypatch.setattr(carrying_out, "CHUNK", 1)

    # Dies within the second household: it is as it was, photo and all.
    real, calls = erasing.forget_address, []

    def dying(home):
        calls.append(home)
        if len(calls) == 2:
            raise RuntimeError("killed")
        real(home)

    monkeypatch.setattr(erasing, "forget_address", dying)
    with pytest.raises(RuntimeError):
        carrying_out.carry_out(disposal.pk)
    state = dict(disposal.items.values_list("record_id", "state"))
    assert state[homes[0].pk] in (ItemState.DONE, ItemState.FILES)
    assert state[homes[1].pk] == state[homes[2].pk] == ItemState.WAITING
    homes[1].refresh_from_db()
    assert (homes[1].head_name, homes[1].members.get().name) == ("BEJO", "BEJO")
    assert default_storage.exists(str(photos[1].file.name))
    assert not default_storage.exists(str(photos[0].file.name))

    # Dies between the database and the files: the notes tell what is left.
    monkeypatch.setattr(erasing, "forget_address", real)
    remove = carrying_out._remove
    monkeypatch.setattr(carrying_out, "_remove", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        carrying_out.carry_out(disposal.pk)
    assert disposal.items.exclude(files=[]).exists()
    # Dies while lists are written anew.
    monkeypatch.setattr(carrying_out, "_remove", remove)
    monkeypatch.setattr(lists, "take_out", lambda numbers: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        carrying_out.carry_out(disposal.pk)
    assert Disposal.objects.get(pk=disposal.pk).state == State.APPROVED
    monkeypatch.undo()
    done = carrying_out.carry_out(disposal.pk)
    assert (done.state, done.outcome["done"]) == (State.DONE, 3)
    assert not any(default_storage.exists(str(photo.file.name)) for photo in photos)
    assert not Person.objects.exclude(name="").exists()
    # Once more does nothing.
    assert carrying_out.carry_out(disposal.pk).finished_at == done.finished_at


# Other classes


def test_files_of_imports_and_old_versions_go_and_what_was_counted_stays(importing, two):  # noqa: F811
    first = importing([MAN, NEIGHBOUR])
    second = importing([MAN], dataset=first.dataset, as_of=dt.date(2026, 2, 1))
    type(first).objects.filter(pk=first.pk).update(finished_at=LONG_AGO)
    Version.objects.update(as_of=LONG_AGO.date())
    made = {one.code: one for one in services.propose(TODAY)}
    assert {"import-files", "list-versions"} <= set(made)
    carried_out(made["import-files"], two)
    assert not RunFolder(first.pk).path.exists()
    assert RunFolder(second.pk).path.exists()
    carried_out(made["list-versions"], two)
    assert not version_path("dtsen", 1).exists()
    # The newest version of a list stays however old it is.
    assert version_path("dtsen", 2).exists()
    assert first.dataset.versions.get(number=1).people == 2
    assert {"import-files", "list-versions"}.isdisjoint(one.code for one in services.propose(TODAY))


def test_words_of_long_ago_are_emptied(make_household, make_user, two, regency):
    home, user = make_household(), two[0]
    talk.write(home, "Rahasia", author=user)
    apps.get_model("discussions.Message").objects.update(written_at=LONG_AGO)
    complaint = propose_household(
        village=home.village, kind="complaint",
        values={"reason_kind": "help_missing", "reason": "Rahasia besar tentang bantuan", "citizen_name": "Wagiyem"},
    )  # fmt: skip
    type(complaint).objects.update(submitted_at=LONG_AGO, state="answered", due_on=None)
    registry.edit_household(home, {"address": "Rahasia"}, as_of=TODAY, actor=user)
    registry.edit_household(home, {"address": "Baru"}, as_of=TODAY, actor=user)
    apps.get_model("registry.ValueChange").objects.update(at=LONG_AGO)
    asked = privacy.lodge({"right": "access", "name": "Wagiyem", "nik": "3302014507900007"})
    privacy.close(asked, answer="Tidak.", granted=False, actor=user)
    SubjectRequest.objects.update(closed_at=LONG_AGO)
    made = services.propose(TODAY)
    assert {one.code for one in made} == {
        "messages",
        "proposals",
        "value-changes",
        "privacy-requests",
    }
    for one in made:
        assert carried_out(one, two).outcome["done"] == 1
    words = {
        str(row) for model in apps.get_models() if model is not Event for row in model._default_manager.values_list()
    }  # fmt: skip
    assert not any("Rahasia" in text or "Wagiyem" in text for text in words)
    complaint.refresh_from_db()
    assert (complaint.kind, complaint.state) == ("complaint", "answered")
    assert services.propose(TODAY) == []


# At a person's own request


def test_erasure_granted_on_request_is_held_back_at_once_and_done_after_a_second_look(
    known, two, client_for
):
    wife = Person.objects.get(nik=WOMAN[0])
    made = privacy.lodge({"right": "erase", "name": "Siti", "nik": WOMAN[0]})
    made = privacy.verify(made, identity="KTP asli", actor=two[0])
    made = privacy.close(made, answer="Akan dihapus.", granted=True, actor=two[0])
    assert made.disposal.state == State.SUBMITTED
    assert made.restriction.person == wife
    with pytest.raises(ValidationError, match="dua orang"):
        services.approve(made.disposal, actor=two[0])
    done = carried_out(made.disposal, two)
    assert done.outcome["done"] == 1
    wife.refresh_from_db()
    assert (wife.name, wife.status) == ("", "erased")
    known.home.refresh_from_db()
    assert (known.home.head_name, known.home.member_count) == ("MOH. SOEKARNO", 1)
    rows = duckdb.execute(f"SELECT name FROM '{version_path('dtsen', 1)}' ORDER BY 1").fetchall()
    assert rows == [("MOH. SOEKARNO",), ("TUKIMAN",)]
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("registry:household", args=[known.home.pk])).content.decode()
    assert "SITI" not in page
    answer = client.get(reverse("retention:certificate", args=[done.pk]))
    assert f"no. {made.pk}" in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


# Pages


def test_pages_read_few_queries(make_household, client_for, two, django_assert_max_num_queries):
    for number in range(30):
        photo_of(make_household(kk=f"33020101010{number:05d}"), two[0])
    disposal = of_class("photos")
    client = client_for(Role.SECRETARIAT)
    with django_assert_max_num_queries(16):
        client.get(reverse("retention:disposal", args=[disposal.pk]))
    with django_assert_max_num_queries(14):
        client.get(reverse("retention:list"))
    services.submit(disposal, actor=two[0])
    services.approve(disposal, actor=two[1])
    page = client.get(reverse("retention:progress", args=[disposal.pk])).content.decode()
    assert "30 lagi" in page
    carrying_out.carry_out(disposal.pk)
    answer = client.get(reverse("retention:progress", args=[disposal.pk]))
    assert answer["HX-Refresh"] == "true"
    assert client.get(reverse("retention:list")).status_code == 200
