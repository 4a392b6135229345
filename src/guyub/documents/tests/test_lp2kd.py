from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.discussions.models import Notification
from guyub.documents import lp2kd, services
from guyub.documents.models import Edition, EditionState, Section, SectionState
from guyub.documents.paper import Paper
from guyub.documents.services import OvertakenError
from guyub.registry.services import edit_household

pytestmark = pytest.mark.django_db


def part(document: Any, key: str) -> Section:
    return document.sections.get(key=key)


def test_a_year_has_every_part_of_the_outline_and_one_for_each_agency(document: Any) -> None:
    keys = list(document.sections.values_list("key", flat=True))

    assert keys == [key for key, _title, _agency in lp2kd.section_plan(2026)]
    assert "perangkat.dinsos" in keys
    assert part(document, "perangkat.dinsos").agency.code == "dinsos"
    with pytest.raises(ValidationError):
        services.start_document(2026, actor=None)


def test_who_opened_an_older_text_is_told_and_overwrites_nothing(
    document: Any, secretary: Any, make_user: Any
) -> None:
    section = part(document, "perangkat.dinsos")
    operator = make_user(Role.AGENCY_OPERATOR)
    services.write(section, text="Dari operator", version=0, done=False, actor=operator)

    with pytest.raises(OvertakenError) as caught:
        services.write(section, text="Dari sekretariat", version=0, done=True, actor=secretary)

    assert str(operator) in caught.value.messages[0]
    section.refresh_from_db()
    assert section.text == "Dari operator"
    services.write(section, text="Gabungan", version=section.version, done=True, actor=secretary)
    section.refresh_from_db()
    assert (section.text, section.state) == ("Gabungan", SectionState.DONE)
    assert list(section.texts.values_list("text", flat=True)) == ["Gabungan", "Dari operator"]


def test_saving_by_itself_makes_one_entry_of_history(document: Any, secretary: Any) -> None:
    section = part(document, "pendahuluan.latar")
    for version, text in enumerate(("La", "Latar", "Latar belakang")):
        services.write(section, text=text, version=version, done=False, actor=secretary)

    assert [entry.text for entry in section.texts.all()] == ["Latar belakang"]


def test_an_empty_part_is_not_done(document: Any, secretary: Any) -> None:
    with pytest.raises(ValidationError):
        services.write(
            part(document, "pendahuluan.latar"), text=" ", version=0, done=True, actor=secretary
        )


def test_agencies_are_told_of_their_part_and_due_date(
    document: Any, secretary: Any, make_user: Any
) -> None:
    operator = make_user(Role.AGENCY_OPERATOR)
    day = timezone.localdate() - dt.timedelta(days=1)

    assert services.ask_agencies(document, due_on=day, actor=secretary) == 1

    assert Notification.objects.filter(user=operator, text__contains="LP2KD 2026").exists()
    assert part(document, "perangkat.dinsos").is_late


def test_an_edition_keeps_its_figures_when_the_data_change(
    document: Any, secretary: Any, homes: Any, reckoned: Any
) -> None:
    reckoned()
    services.write(
        part(document, "penutup.kesimpulan"), text="Turun.", version=0, done=True, actor=secretary
    )
    first = services.issue(document, note="", actor=secretary)
    services.make(first.pk)
    edit_household(homes[0], {"desil": 9}, as_of=dt.date(2026, 5, 1), actor=secretary)
    with pytest.raises(ValidationError):
        services.issue(document, note=" ", actor=secretary)
    reckoned()
    second = services.issue(document, note="Data Mei", actor=secretary)

    first.refresh_from_db()
    assert (first.number, second.number) == (1, 2)
    assert first.state == EditionState.READY
    assert services.digest_of(first.content) == first.digest != second.digest

    def poorest(edition: Edition) -> Any:
        tables = Paper.from_json(edition.content).tables()
        table = next(t for t in tables if t.title.startswith("Keluarga menurut desil"))
        return {row[0]: row[1] for row in table.rows}

    assert poorest(first)["Desil 1"] == 1
    assert "Desil 1" not in poorest(second)
    stored = services.content_of(first, "pdf")
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(stored)).pages)
    assert "Turun." in text
    assert "Edisi 1" in text
    event = Event.objects.filter(action="documents.edition.issue").earliest("sequence")
    assert event.detail["sha256"] == first.digest


def test_nothing_written_nothing_issued(document: Any, secretary: Any) -> None:
    with pytest.raises(ValidationError):
        services.issue(document, note="", actor=secretary)


def test_a_trial_print_has_no_number_and_gives_way_to_the_next(
    document: Any, secretary: Any
) -> None:
    services.issue(document, note="", actor=secretary, trial=True)
    services.issue(document, note="", actor=secretary, trial=True)

    assert [e.number for e in document.editions.all()] == [None]


def test_two_workers_make_an_edition_once(
    document: Any, secretary: Any, monkeypatch: Any, reckoned: Any
) -> None:
    reckoned()
    monkeypatch.setattr(services, "MAKERS", {"pdf": lambda paper: b"%PDF"})
    edition = services.issue(document, note="", actor=secretary, trial=True)
    Edition.objects.filter(pk=edition.pk).update(state=EditionState.WORKING)

    assert services.make(edition.pk) is None
    long_ago = timezone.now() - dt.timedelta(hours=1)
    Edition.objects.filter(pk=edition.pk).update(touched_at=long_ago)
    assert services.abandoned() == [edition]
    assert services.make(edition.pk) == edition


def test_a_file_that_was_tampered_with_is_not_given(
    document: Any, secretary: Any, client_for: Any, monkeypatch: Any, reckoned: Any
) -> None:
    reckoned()
    monkeypatch.setattr(services, "MAKERS", {"pdf": lambda paper: b"%PDF"})
    edition = services.issue(document, note="", actor=secretary, trial=True)
    edition = services.make(edition.pk)
    client = client_for(Role.REGENT)
    url = reverse("documents:edition_file", args=[edition.pk, "pdf"])
    assert client.get(url).content == b"%PDF"

    name = edition.pdf.name
    edition.pdf.storage.delete(name)
    edition.pdf.storage.save(name, ContentFile(b"lain"))

    assert client.get(url).status_code == 302


class TestPages:
    def test_front_document_and_preview(
        self,
        document: Any,
        client_for: Any,
        homes: Any,
        reckoned: Any,
        django_assert_max_num_queries: Any,
    ) -> None:
        client = client_for(Role.AGENCY_HEAD)
        with django_assert_max_num_queries(20):
            page = client.get(reverse("documents:list"))
        assert "Menunggu tulisan perangkat daerah Anda" in page.content.decode()
        with django_assert_max_num_queries(20):
            page = client.get(reverse("documents:document", args=[2026])).content.decode()
        assert "Profil kemiskinan daerah" in page
        assert "Terbitkan edisi pertama" not in page
        reckoned()
        with django_assert_max_num_queries(16):
            page = client.get(reverse("documents:preview", args=[2026])).content.decode()
        assert "Angka dihitung" in page
        assert "Tabel 1." in page
        assert "Sebaran keluarga desil 1–2 menurut kecamatan" in page

    def test_a_conflict_shows_both_texts(
        self, document: Any, secretary: Any, client_for: Any
    ) -> None:
        section = part(document, "perangkat.dinsos")
        client: Client = client_for(Role.AGENCY_OPERATOR)
        services.write(section, text="Tulisan pusat", version=0, done=False, actor=secretary)
        url = reverse("documents:section", args=[section.pk])

        automatic = client.post(
            url, {"text": "Tulisan dinas", "version": 0}, headers={"HX-Request": "true"}
        ).content.decode()
        assert "Wening Prabandari" in automatic
        page = client.post(url, {"text": "Tulisan dinas", "version": 0}).content.decode()
        assert "Tulisan pusat" in page
        assert "Tulisan dinas" in page
        section.refresh_from_db()
        client.post(url, {"text": "Tulisan dinas", "version": section.version})
        section.refresh_from_db()
        assert section.text == "Tulisan dinas"

    def test_saves_by_itself(self, document: Any, client_for: Any) -> None:
        section = part(document, "perangkat.dinsos")
        client = client_for(Role.AGENCY_OPERATOR)
        answer = client.post(
            reverse("documents:section", args=[section.pk]),
            {"text": "Satu", "version": 0},
            headers={"HX-Request": "true"},
        ).content.decode()
        assert "Tersimpan sendiri" in answer
        assert 'name="version" value="1"' in answer

    def test_starting_assigning_and_issuing(self, sub: Any, client_for: Any) -> None:
        client = client_for(Role.SECRETARIAT)
        assert client.post(reverse("documents:start"), {"year": 2999}).status_code == 200
        client.post(reverse("documents:start"), {"year": 2026})
        section = Section.objects.get(key="profil.umum")
        url = reverse("documents:assign", args=[section.pk])
        client.post(url, {"title": "Kondisi", "agency": sub.agency_id, "due_on": "2026-12-01"})
        section.refresh_from_db()
        assert (section.title, section.agency) == ("Kondisi", sub.agency)
        page = client.post(reverse("documents:issue", args=[2026]), follow=True).content.decode()
        assert "Belum ada bagian yang ditulis" in page
