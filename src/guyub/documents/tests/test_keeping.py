"""Figures that take long: computed in the worker, kept, shown with their date, and never lost."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.documents import keeping, lp2kd, question, services, tasks
from guyub.documents.models import EditionState, Figures, FiguresState
from guyub.documents.paper import Paper

pytestmark = pytest.mark.django_db


def test_pages_read_what_is_kept_and_never_compute(
    document: Any, homes: Any, reckoned: Any, client_for: Any, monkeypatch: Any
) -> None:
    client = client_for(Role.SECRETARIAT)
    preview = reverse("documents:preview", args=[2026])
    first = client.get(preview).content.decode()
    assert "Menunggu giliran" in first
    assert "Tabel 1." not in first
    asked = Figures.objects.get()
    assert keeping.compute(asked.pk)

    def never(*_args: Any) -> None:
        raise AssertionError("computed within a request")

    monkeypatch.setattr(lp2kd, "blocks_of", never)
    assert "Sebaran keluarga desil 1–2 menurut kecamatan" in client.get(preview).content.decode()
    section = document.sections.get(key="profil.kesejahteraan")
    page = client.get(reverse("documents:section", args=[section.pk])).content.decode()
    assert "Angka dihitung" in page
    assert "Desil 1" in page
    # Nobody's writing is swept away by new figures.
    progress = reverse("documents:figures_progress", args=[2026])
    piece = client.get(progress, {"bagian": section.key})
    assert "HX-Refresh" not in piece.headers
    assert "setelah tulisan Anda tersimpan" in piece.content.decode()
    assert client.get(progress)["HX-Refresh"] == "true"
    # A part without figures asks for none.
    section = document.sections.get(key="penutup.kesimpulan")
    page = client.get(reverse("documents:section", args=[section.pk])).content.decode()
    assert "Angka yang menyertai" not in page


def test_computing_anew_keeps_the_former_figures_until_the_new_ones_stand(
    document: Any, homes: Any, reckoned: Any, client_for: Any, monkeypatch: Any
) -> None:
    figures = reckoned()
    client = client_for(Role.AGENCY_OPERATOR)
    client.post(reverse("documents:compute_figures", args=[2026]))
    figures.refresh_from_db()
    assert figures.state == FiguresState.WAITING
    # Asked twice, done once.
    client.post(reverse("documents:compute_figures", args=[2026]))
    page = client.get(reverse("documents:preview", args=[2026])).content.decode()
    assert "Tabel 1." in page
    assert "hx-trigger" in page
    piece = client.get(reverse("documents:figures_progress", args=[2026]))
    assert "HX-Refresh" not in piece.headers

    def fails(*_args: Any) -> None:
        raise ArithmeticError

    with monkeypatch.context() as broken:
        broken.setattr(lp2kd, "blocks_of", fails)
        with pytest.raises(ArithmeticError):
            keeping.compute(figures.pk)
    page = client.get(reverse("documents:preview", args=[2026])).content.decode()
    assert "Penghitungan gagal." in page
    assert "Tabel 1." in page
    assert client.get(reverse("documents:figures_progress", args=[2026]))["HX-Refresh"] == "true"


def test_a_dead_worker_is_told_and_another_begins_anew(
    document: Any, homes: Any, reckoned: Any, client_for: Any
) -> None:
    figures = reckoned()
    Figures.objects.update(state=FiguresState.WORKING, percent=40, touched_at=timezone.now())
    assert keeping.compute(figures.pk) is None
    long_ago = timezone.now() - dt.timedelta(hours=1)
    Figures.objects.update(touched_at=long_ago)
    client = client_for(Role.SECRETARIAT)
    page = client.get(reverse("documents:preview", args=[2026])).content.decode()
    assert "berhenti di tengah jalan" in page
    assert "Hitung ulang" in page
    assert keeping.abandoned() == [figures.pk]
    assert tasks.take_up_abandoned() == 1
    assert keeping.compute(figures.pk).state == FiguresState.READY
    Figures.objects.update(state=FiguresState.WAITING, touched_at=long_ago)
    page = client.get(reverse("documents:preview", args=[2026])).content.decode()
    assert "Belum ada pekerja yang mulai menghitung" in page


def test_an_edition_waits_for_figures_with_its_words_frozen(
    document: Any, secretary: Any, homes: Any, client_for: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(services, "MAKERS", {"pdf": lambda paper: b"%PDF"})
    section = document.sections.get(key="penutup.kesimpulan")
    services.write(section, text="Turun.", version=0, done=True, actor=secretary)
    edition = services.issue(document, note="", actor=secretary)
    assert (edition.state, edition.digest) == (EditionState.COUNTING, "")
    services.write(section, text="Naik.", version=1, done=True, actor=secretary)
    client = client_for(Role.REGENT)
    page = client.get(reverse("documents:edition", args=[edition.pk])).content.decode()
    assert "angkanya masih dihitung" in page
    assert services.make(edition.pk) is None
    keeping.compute(Figures.objects.get().pk)
    edition.refresh_from_db()
    assert edition.state == EditionState.WAITING
    assert services.digest_of(edition.content) == edition.digest
    paper = Paper.from_json(edition.content)
    assert [table.number for table in paper.tables()][:2] == [1, 2]
    texts = [part.text for chapter in paper.chapters for part in chapter.parts]
    assert "Turun." in texts
    assert "Naik." not in texts
    assert services.make(edition.pk).state == EditionState.READY
    # Wanted anew, it waits once more; when figures fail it says so and may be tried again.
    second = services.issue(document, note="Angka baru", actor=secretary, anew=True)
    services.fail_waiting(Figures.objects.get())
    second.refresh_from_db()
    assert second.state == EditionState.FAILED
    services.make_again(second, actor=secretary)
    keeping.compute(Figures.objects.get().pk)
    second.refresh_from_db()
    assert second.state == EditionState.WAITING


def test_figures_speak_the_readers_language(
    document: Any, homes: Any, reckoned: Any, client_for: Any
) -> None:
    reckoned()
    client = client_for(Role.SECRETARIAT)
    client.cookies["guyub_bahasa"] = "en"
    client.get(reverse("documents:preview", args=[2026]))
    english = Figures.objects.exclude(language="id").get()
    keeping.compute(english.pk)
    page = client.get(reverse("documents:preview", args=[2026])).content.decode()
    assert "Households by welfare rank" in page or "Keluarga menurut desil" not in page


def test_the_regencys_report_is_computed_in_the_worker(
    homes: Any, client_for: Any, monkeypatch: Any
) -> None:
    client = client_for(Role.REGENT)
    area = Area.objects.get(code="33.02")
    asked = client.get(reverse("documents:area_report", args=[area.code, "pdf"]), {"tahun": 2026})
    page = client.get(asked.url).content.decode()
    assert "Menunggu giliran" in page
    assert "tersimpan=1" not in page
    figures = keeping.compute(Figures.objects.get().pk)
    assert figures.seconds > 0
    page = client.get(asked.url).content.decode()
    assert "Angka dihitung" in page
    file = reverse("documents:area_report", args=[area.code, "pdf"])
    content = client.get(file, {"tahun": 2026, "tersimpan": 1}).content
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    assert str(client.user) in text
    assert "Keluarga menurut desil" in text
    # A district's is made at once.
    district = reverse("documents:area_report", args=["33.02.01", "pdf"])
    assert client.get(district).content.startswith(b"%PDF")
    again = client.post(reverse("documents:compute_area", args=[area.code]) + "?tahun=2026")
    assert again.url.endswith("?tahun=2026")
    figures.refresh_from_db()
    assert figures.state == FiguresState.WAITING


def test_questions_over_a_large_registry_are_answered_by_the_worker(
    homes: Any, client_for: Any, monkeypatch: Any
) -> None:
    client = client_for(Role.SECRETARIAT)
    asked = {"topik": "keluarga", "baris": "kecamatan", "kolom": "desil"}
    build = reverse("documents:build")
    # Small as the tests' registry is, it is answered at once.
    assert "Dihitung" in client.get(build, asked).content.decode()
    assert not Figures.objects.exists()
    cache.clear()
    monkeypatch.setattr(question, "LONG", 0.0)
    page = client.get(build, asked).content.decode()
    assert "Menunggu giliran" in page
    assert "Lumbir" not in page.split("</form>")[-1]
    figures = Figures.objects.get()
    file = client.get(reverse("documents:build_file", args=["xlsx"]), asked, follow=True)
    assert "Unduh lagi" in file.content.decode()
    assert Figures.objects.count() == 1
    progress = reverse("documents:question_progress")
    assert "HX-Refresh" not in client.get(progress, asked).headers
    keeping.compute(figures.pk)
    assert client.get(progress, asked)["HX-Refresh"] == "true"

    def never(*_args: Any) -> None:
        raise AssertionError("computed within a request")

    monkeypatch.setattr(question, "_reckon", never)
    page = client.get(build, {**asked, "segar": "1"}).content.decode()
    assert "Angka dihitung" in page
    assert "Lumbir" in page
    content = client.get(reverse("documents:build_file", args=["csv"]), asked)
    assert b"Lumbir" in b"".join(content.streaming_content)
    back = client.post(f"{reverse('documents:compute_question')}?{urlencode(asked)}")
    assert back.url.startswith(build)
    figures.refresh_from_db()
    assert figures.state == FiguresState.WAITING
    # Somebody of another reach has figures of their own.
    other = client_for(Role.AREA_OPERATOR)
    monkeypatch.undo()
    assert other.get(build, asked).status_code == 200
    Figures.objects.update(touched_at=timezone.now() - dt.timedelta(days=2))
    assert keeping.forget_questions() == 1
