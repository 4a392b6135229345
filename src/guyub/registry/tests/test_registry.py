"""Search, pages and writes of the registry."""

from __future__ import annotations

import datetime as dt
import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.registry import queries, services
from guyub.registry.models import AreaCount, Household, Move, Person, PersonKey, Photo, ValueChange
from guyub.registry.services import ConflictError, RegistryError

TODAY = dt.date(2026, 2, 1)


@pytest.fixture
def secretary(make_user):
    return make_user(Role.SECRETARIAT)


def found(user, text, **filters):
    answer = queries.search(user, text, queries.Filters(**filters))
    return answer.kind, [
        row.person.name if row.person else row.household.head_name for row in answer.rows
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("moh soekarno", "MOH. SOEKARNO"),
        ("Muhammad Soekarno", "MOH. SOEKARNO"),
        ("mochamad sukarno", "MUHAMMAD SUKARNO"),
        ("sity aminah", "SITI AMINAH"),
        ("tukimn", "TUKIMAN"),
        ("tuki", "TUKIMAN"),
    ],
)
def test_names_are_found_whatever_their_spelling(homes, secretary, text, first):
    kind, names = found(secretary, text)
    assert kind == "name"
    assert first in names[:2]


def test_numbers_match_exactly_or_not_at_all(homes, secretary):
    assert found(secretary, "3302 0112 0385 0001") == ("nik", ["MOH. SOEKARNO"])
    assert found(secretary, "3302010101010002") == ("kk", ["TUKIMAN"])
    assert found(secretary, "3302011203850009") == ("number_unknown", [])
    assert found(secretary, "33020112038") == ("partial_number", [])


def test_addresses_are_found(homes, secretary):
    assert found(secretary, "jalan melati") == ("address", ["TUKIMAN"]) or found(
        secretary, "melati"
    ) == ("address", ["TUKIMAN"])


def test_filters_narrow_the_search(homes, secretary):
    assert found(secretary, "sukarno", area="33.02.17")[1] == ["MUHAMMAD SUKARNO"]
    assert found(secretary, "sukarno", desil=(1,))[1] == ["MOH. SOEKARNO"]
    assert [
        h.head_name for h in queries.listing(secretary, queries.Filters(desil=(2, 3)), 1, 25)
    ] == [
        "TUKIMAN",
        "MUHAMMAD SUKARNO",
    ]
    assert queries.total(secretary, queries.Filters(area="33.02.01")) == 2


def test_a_village_operator_finds_only_their_village(homes, make_user):
    operator = make_user(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.17.2001"))
    assert found(operator, "sukarno")[1] == ["MUHAMMAD SUKARNO"]
    assert found(operator, "3302011203850001")[0] == "number_unknown"
    assert [h.pk for h in queries.listing(operator, queries.Filters(), 1, 25)] == [homes[2].pk]
    assert queries.total(operator, queries.Filters()) == 1


def test_creating_refuses_a_known_nik_or_card(homes, regency, secretary, person_values):
    village = Area.objects.get(code="33.02.01.2001")
    with pytest.raises(RegistryError, match="NIK"):
        services.create_household(
            household={"village": village}, head=person_values, as_of=TODAY, actor=secretary
        )
    with pytest.raises(RegistryError, match="KK"):
        services.create_household(
            household={"village": village, "kk": homes[0].kk},
            head={**person_values, "nik": "3302011203850077"},
            as_of=TODAY,
            actor=secretary,
        )


def test_an_edit_keeps_the_old_value_and_who_changed_it(homes, secretary):
    home = homes[0]
    changed = services.edit_household(
        home, {"desil": 4, "address": "Jl Mawar"}, as_of=TODAY, actor=secretary
    )
    assert changed == ["desil"]
    home.refresh_from_db()
    change = ValueChange.objects.get(household_id=home.pk)
    assert (change.old, change.new, change.new_origin.entered_by) == ("1", "4", secretary)
    assert home.origin_id_of("desil") == change.new_origin_id
    assert home.origin_id_of("address") == home.origin_id
    assert AreaCount.objects.get(village=home.village, desil=4).households == 1
    assert not AreaCount.objects.filter(village=home.village, desil=1).exists()


def test_an_edit_over_somebody_elses_is_refused(homes, secretary):
    seen = homes[0].updated_at
    services.edit_household(homes[0], {"desil": 4}, as_of=TODAY, actor=secretary)
    with pytest.raises(ConflictError):
        services.edit_household(homes[0], {"desil": 5}, as_of=TODAY, actor=secretary, seen_at=seen)
    assert Household.objects.get(pk=homes[0].pk).desil == 4


def test_renaming_moves_the_search_keys(homes, secretary):
    person = Person.objects.get(name="TUKIMAN")
    services.edit_person(person, {"name": "Wagiman"}, as_of=TODAY, actor=secretary)
    assert found(secretary, "wagiman")[1] == ["WAGIMAN"]
    assert "TUKIMAN" not in found(secretary, "tukiman")[1]
    assert Household.objects.get(pk=person.household_id).head_name == "WAGIMAN"


def test_a_move_keeps_history_and_wants_a_new_head(homes, secretary):
    head = Person.objects.get(name="MOH. SOEKARNO")
    spouse = Person.objects.get(name="SITI AMINAH")
    asked = {"moved_on": TODAY, "reason": "Ikut anak", "relation": "other_kin", "actor": secretary}
    with pytest.raises(RegistryError, match="kepala keluarga"):
        services.move_person(head, homes[2], **asked)
    services.move_person(head, homes[2], new_head=spouse, **asked)
    move = Move.objects.get()
    assert (move.from_household, move.to_household) == (homes[0], homes[2])
    first, third = Household.objects.get(pk=homes[0].pk), Household.objects.get(pk=homes[2].pk)
    assert (first.head_name, first.member_count, third.member_count) == ("SITI AMINAH", 1, 2)
    assert (
        PersonKey.objects.filter(person_id=head.pk).values_list("village_id", flat=True)[0]
        == third.village_id
    )


def test_a_household_has_one_head(homes, secretary):
    with pytest.raises(RegistryError, match="sudah punya kepala"):
        services.edit_person(
            Person.objects.get(name="SITI AMINAH"),
            {"relation": "head"},
            as_of=TODAY,
            actor=secretary,
        )


def test_graduation_leaves_the_counts(homes, secretary):
    services.set_household_status(
        homes[0], "graduated", as_of=TODAY, reason="Penghasilan naik", actor=secretary
    )
    assert queries.total(secretary, queries.Filters(desil=(1,))) == 0
    assert Event.objects.get(action="registry.household.status").reason == "Penghasilan naik"


# Pages


def test_pages_mask_numbers(homes, client_for):
    client = client_for(Role.SECRETARIAT)
    for url in (reverse("registry:search"), reverse("registry:household", args=[homes[0].pk]),
                reverse("registry:edit", args=[homes[0].pk]),
                reverse("registry:edit_person", args=[Person.objects.first().pk])):  # fmt: skip
        page = client.get(url).content.decode()
        assert "3302011203850001" not in page, url
        assert homes[0].kk not in page, url
    assert (
        "330201••••••••01"
        in client.get(reverse("registry:household", args=[homes[0].pk])).content.decode()
    )


def test_revealing_wants_a_reason_and_is_logged(homes, client_for):
    client = client_for(Role.SECRETARIAT)
    url = reverse("registry:reveal", args=[homes[0].pk])
    refused = client.post(url, {"reason": "ya"})
    assert refused.status_code == 422
    assert "3302011203850001" not in refused.content.decode()
    assert not Event.objects.filter(action="registry.household.reveal").exists()
    shown = client.post(url, {"reason": "Mencocokkan dengan KTP di balai desa"})
    assert "3302011203850001" in shown.content.decode()
    event = Event.objects.get(action="registry.household.reveal")
    assert (event.actor_id, event.reason) == (
        client.user.pk,
        "Mencocokkan dengan KTP di balai desa",
    )
    assert "3302011203850001" not in str(event.detail)


def test_an_export_says_where_it_is_from_and_is_logged(homes, client_for):
    client = client_for(Role.SECRETARIAT)
    Household.objects.filter(pk=homes[0].pk).update(address="=HYPERLINK(1)")
    given = {"reason": "Bahan rapat koordinasi", "format": "xlsx"}
    response = client.post(reverse("registry:export") + "?wilayah=33.02.01", given)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(response.streaming_content)))
    rows = list(book["Data"].iter_rows(values_only=True))
    assert len(rows) == 4
    assert rows[1][0] == "330201••••••••01"
    assert book["Data"]["N2"].data_type == "s"
    assert "Bahan rapat koordinasi" in str(list(book["Keterangan"].values))
    assert Event.objects.get(action="registry.list.export").detail["rows"] == 3
    text = b"".join(
        client.post(
            reverse("registry:export"), {**given, "format": "csv", "full_numbers": "on"}
        ).streaming_content
    ).decode("utf-8-sig")
    assert "3302011203850001" in text
    assert "'=HYPERLINK" in text


def test_entering_a_household_by_hand(regency, client_for):
    client = client_for(Role.AREA_OPERATOR, area=Area.objects.get(code="33.02.01.2001"))
    village = Area.objects.get(code="33.02.01.2001")
    form = {
        "village": village.pk, "as_of": "2026-01-05", "kk": "", "rt": "1", "rw": "2", "desil": "1",
        "kepala-nik": "3302011203850001", "kepala-name": "Budi", "kepala-sex": "M",
        "kepala-birth_date": "1985-03-12", "extreme_poor": "true", "assets": ["motorcycle", "car"],
    }  # fmt: skip
    bad = client.post(reverse("registry:create"), {**form, "kepala-birth_date": "1986-03-12"})
    assert bad.status_code == 422
    assert "Tanggal lahir tidak cocok" in bad.content.decode()
    elsewhere = {**form, "village": Area.objects.get(code="33.02.17.2001").pk}
    assert client.post(reverse("registry:create"), elsewhere).status_code == 422
    assert client.post(reverse("registry:create"), form).status_code == 302
    home = Household.objects.get()
    assert (home.head_name, home.rt, home.assets, home.extreme_poor) == (
        "BUDI",
        "001",
        "car,motorcycle",
        True,
    )
    assert home.origin.entered_by == client.user


def test_editing_through_the_pages(homes, client_for):
    client = client_for(Role.SECRETARIAT)
    url = reverse("registry:edit", args=[homes[0].pk])
    page = client.get(url)
    form = page.context["forms"][0]
    data = {
        name: form[name].value() if form[name].value() is not None else "" for name in form.fields
    }
    data |= {"desil": "5", "as_of": "2026-02-01", "assets": []}
    assert client.post(url, data).status_code == 302
    assert Household.objects.get(pk=homes[0].pk).desil == 5
    assert client.post(url, data).status_code == 422
    person = Person.objects.get(name="SITI AMINAH")
    form = {"nik": "", "name": "Siti Aminah", "sex": "F", "relation": "spouse", "as_of": "2026-02-01",
            "birth_date": "1987-03-12", "work": "trade"}  # fmt: skip
    assert client.post(reverse("registry:edit_person", args=[person.pk]), form).status_code == 302
    person.refresh_from_db()
    assert (person.work, person.nik) == ("trade", "3302015203870004")


def test_photos_lose_what_the_camera_wrote(homes, client_for, django_capture_on_commit_callbacks):
    client = client_for(Role.SECRETARIAT)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Kamera Rahasia"
    Image.new("RGB", (3000, 2000), "green").save(out, "JPEG", exif=exif)
    upload = SimpleUploadedFile("rumah.jpg", out.getvalue(), "image/jpeg")
    url = reverse("registry:add_photo", args=[homes[0].pk])
    assert client.post(url, {"file": upload, "caption": "Depan"}).status_code == 302
    photo = Photo.objects.get()
    data = b"".join(client.get(reverse("registry:photo", args=[photo.pk])).streaming_content)
    assert b"Kamera Rahasia" not in data
    assert max(Image.open(io.BytesIO(data)).size) == 1600
    bad = client.post(url, {"file": SimpleUploadedFile("x.jpg", b"bukan foto", "image/jpeg")})
    assert "bukan foto" in bad.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("registry:delete_photo", args=[photo.pk]))
    assert not photo.file.storage.exists(photo.file.name)


def test_search_text_stays_out_of_addresses_and_the_log(homes, client_for, caplog):
    client = client_for(Role.SECRETARIAT)
    response = client.post(reverse("registry:search"), {"cari": "tukiman"})
    assert "TUKIMAN" in response.content.decode()
    assert "tukiman" not in caplog.text.lower()
    assert 'hx-get="?cari' not in response.content.decode()


def test_pages_read_few_queries(homes, client_for, django_assert_max_num_queries):
    client = client_for(Role.SECRETARIAT)
    with django_assert_max_num_queries(12):
        client.get(reverse("registry:search"))
    with django_assert_max_num_queries(20):
        client.post(reverse("registry:search"), {"cari": "moh sukarno"})
    # With what seven apps further down show there.
    with django_assert_max_num_queries(22):
        client.get(reverse("registry:household", args=[homes[0].pk]) + "?asal=1")


def test_the_empty_registry_says_so(regency, client_for):
    page = client_for(Role.SECRETARIAT).get(reverse("registry:search")).content.decode()
    assert "Tidak ada keluarga" in page


def test_the_list_is_narrowed_by_boxes_for_each_desil(homes, client_for):
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("registry:search"), {"desil": ["2", "3"]}).content.decode()
    boxes = re.findall(r'<input type="checkbox" name="desil" value="(\d+)"[^>]*?( checked)?>', page)
    assert [number for number, _checked in boxes] == [str(n) for n in range(1, 11)]
    assert [number for number, checked in boxes if checked] == ["2", "3"]
    assert "TUKIMAN" in page
    assert "MOH. SOEKARNO" not in page


def test_history_is_told_in_words(homes, secretary, client_for):
    values = {"extreme_poor": True, "expenditure": 577000, "assets": "car", "sanitation": "own"}
    services.edit_household(homes[0], values, as_of=dt.date(2026, 2, 1), actor=secretary)
    services.edit_household(
        homes[0], {"extreme_poor": False}, as_of=dt.date(2026, 3, 1), actor=secretary
    )
    services.edit_person(
        homes[0].members.first(), {"birth_date": dt.date(1985, 3, 13), "status": "died"},
        as_of=dt.date(2026, 3, 1), actor=secretary,
    )  # fmt: skip
    page = client_for(Role.SECRETARIAT).get(reverse("registry:household", args=[homes[0].pk]))
    text = " ".join(page.content.decode().split())
    for told in ("Ya → Tidak", "— → Rp 577.000", "— → Mobil", "— → Jamban sendiri",
                 "12 Mar 1985 → 13 Mar 1985", "Aktif → Meninggal"):  # fmt: skip
        assert told in text


@pytest.mark.usefixtures("as_web_role")
def test_the_page_tells_of_who_went_to_another_area_and_who_came(make_household, client_for):
    home, other = make_household(), make_household("33.02.17.2001")
    gone = services.add_person(
        home, {"nik": "3302015203900009", "name": "Sutinah", "sex": "F"}, as_of=TODAY, actor=None
    )
    come = services.add_person(
        other, {"nik": "3302175203900009", "name": "Wagini", "sex": "F"}, as_of=TODAY, actor=None
    )
    for person, target in ((gone, other), (come, home)):
        services.move_person(
            person, target, moved_on=TODAY, reason="Menikah", relation="spouse", actor=None
        )
    page = client_for(Role.AREA_OPERATOR).get(reverse("registry:household", args=[home.pk]))
    text = page.content.decode()
    assert "SUTINAH pindah ke" in text
    assert "WAGINI datang dari" in text
