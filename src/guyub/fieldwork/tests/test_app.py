"""The field app in a real browser: without signal, cut off in the middle, signed out, in conflict."""

from __future__ import annotations

import datetime as dt
import io
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import PHONE
from django.http import HttpResponse
from PIL import Image

from guyub.access.roles import Role
from guyub.areas.models import Area
from guyub.fieldwork import deciding, services
from guyub.fieldwork.models import Attachment, Submission
from guyub.registry.services import edit_household

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[4] / "tests" / "assets" / "axe-core" / "axe.min.js"
QUEUE = "document.querySelector('#keadaan a')?.textContent"


def until(page: Any, expression: str) -> None:
    """Wait until a JavaScript expression (or promise) is true; the page's own policy forbids eval."""
    deadline = time.monotonic() + 60
    # A promise that nobody keeps would be waited for without end.
    later = "new Promise((tell) => setTimeout(tell, 5000, false))"
    while not page.evaluate(f"Promise.race([(async () => ({expression}))(), {later}])"):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(100)


def picture() -> dict[str, Any]:
    """Return a photo as a phone takes it: larger than what is to be sent."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((2400, 1800)).convert("RGB").save(out, "JPEG")
    return {"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


@pytest.fixture
def phone(browser, live_server, make_user):
    """A phone of an officer: a context of its own, whose page is ready for signal to go."""
    contexts = []

    def make(user=None, by_itself=True):
        from django.test import Client

        user = user or make_user(Role.AREA_OPERATOR)
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        context = browser.new_context(viewport=PHONE, locale="id-ID", base_url=live_server.url)
        contexts.append(context)
        key = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
        if not by_itself:
            # As where browsers have no Background Sync.
            context.add_init_script("delete ServiceWorkerRegistration.prototype.sync")
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto("/lapangan/")
        page.wait_for_selector(".visits a")
        until(page, "navigator.serviceWorker.controller !== null")
        page.user = user
        return page

    yield make
    for context in contexts:
        context.close()


def fill(page, floor: str = "Semen") -> None:
    """Fill in the form on the page up to its end."""
    page.get_by_role("button", name="Mulai isi formulir").click()
    page.get_by_label(floor).check()
    page.get_by_role("button", name="Berikutnya").click()


def finish(page) -> None:
    page.get_by_role("button", name="Selesai, masukkan antrean").click()
    page.wait_for_selector(".visits")


def sent(page) -> None:
    until(page, f"{QUEUE} === '0 di antrean'")


def test_a_visit_without_signal_from_draft_to_server(make_visit, phone):
    visit = make_visit()
    page = phone()
    context = page.context
    context.set_offline(True)
    page.reload()
    page.get_by_role("link", name="TUKIMAN").click()
    page.get_by_role("button", name="Mulai isi formulir").click()
    page.get_by_text("Menurut registri: Tanah").wait_for()
    page.get_by_label("Semen").check()
    page.locator("input[type=file]").set_input_files(picture())
    page.wait_for_selector(".visit-preview canvas")
    page.get_by_label("Catatan").fill("Rumah di tepi sungai")
    # Kept letter by letter, before anything is pressed.
    until(page, "(await lapangan.store.all('drafts'))[0].answers['/catatan']?.endsWith('sungai')")
    page.close()
    page = context.new_page()
    page.goto("/lapangan/")
    page.get_by_role("link", name="Draf").click()
    assert page.get_by_label("Semen").is_checked()
    assert page.get_by_label("Catatan").input_value() == "Rumah di tepi sungai"
    page.wait_for_selector(".visit-preview canvas")
    page.get_by_role("button", name="Berikutnya").click()
    page.get_by_text("Foto dan lampiran: 1").wait_for()
    finish(page)
    assert page.evaluate(QUEUE) == "1 di antrean"
    page.get_by_text("Tanpa sinyal", exact=True).wait_for()
    assert not Submission.objects.exists()
    context.set_offline(False)
    sent(page)
    submission = Submission.objects.get()
    assert submission.answers.pop("/foto").endswith(".jpg")
    assert submission.answers == {"/lantai": "cement", "/catatan": "Rumah di tepi sungai"}
    assert submission.seen["values"]["household.floor"] == "earth"
    photo = submission.attachments.get()
    with photo.file.open("rb") as file:
        assert max(Image.open(file).size) == 1600
    page.wait_for_selector(".visits .badge-good")
    left = page.evaluate("Promise.all(['drafts', 'queue', 'files'].map(lapangan.store.all))")
    assert left == [[], [], []]
    visit.refresh_from_db()
    assert visit.state == "sent"


def test_a_draft_stays_though_its_household_moved_away_or_its_visit_went_to_another(
    make_visit, phone, make_user
):
    moved, given = make_visit(name="Wagiman"), make_visit(name="Sukirah")
    untouched = make_visit(name="Tarsono")
    page = phone()
    for name in ("WAGIMAN", "SUKIRAH"):
        page.get_by_role("link", name=name).click()
        page.get_by_role("button", name="Mulai isi formulir").click()
        page.get_by_label("Catatan").fill(f"Isian {name}")
        page.locator("input[type=file]").set_input_files(picture())
        page.wait_for_selector(".visit-preview canvas")
        until(
            page,
            f"(await lapangan.store.all('drafts')).some((one) => one.answers['/catatan'] === 'Isian {name}')",
        )
        page.goto("/lapangan/#/")
        page.wait_for_selector(".visits a")
    away = Area.objects.get(code="33.02.17.2001")
    for visit in (moved, untouched):
        edit_household(visit.household, {"village": away}, as_of=dt.date(2026, 2, 1), actor=None)
    services.assign(
        given.round.visits.filter(pk=given.pk), make_user(Role.AREA_OPERATOR), actor=None,
        record=given.round,
    )  # fmt: skip
    page.get_by_role("button", name="Sinkronkan").click()
    page.get_by_role("link", name="Pindah wilayah").wait_for()
    assert "TARSONO" not in page.inner_text("main")
    page.get_by_role("link", name="Pindah wilayah").click()
    page.get_by_text("petugas di wilayah barunya").wait_for()
    assert page.get_by_role("button", name="Mulai isi formulir").count() == 0
    for name, told in (
        ("Keluarga pindah dari wilayah Anda", "tercatat pindah dari wilayah Anda"),
        ("SUKIRAH", "tidak ada lagi pada daftar Anda"),
    ):
        page.goto("/lapangan/#/")
        page.get_by_role("link", name=name).filter(has_text="Draf").click()
        page.get_by_text(told).wait_for()
        page.get_by_text("Menurut registri: Tanah").wait_for()
        page.wait_for_selector(".visit-preview canvas")
        page.get_by_label("Semen").check()
        page.get_by_role("button", name="Berikutnya").click()
        finish(page)
    sent(page)
    assert not page.problems
    assert {(one.visit_id, one.answers["/catatan"]) for one in Submission.objects.all()} == {
        (moved.pk, "Isian WAGIMAN"), (given.pk, "Isian SUKIRAH"),
    }  # fmt: skip
    assert not Attachment.objects.filter(stored_at=None).exists()
    assert Attachment.objects.count() == 2


def test_a_list_that_is_drawn_late_does_not_cover_the_visit_one_went_on_to(make_visit, phone):
    make_visit()
    page = phone()
    page.evaluate(
        """() => {
          const { store } = lapangan, all = store.all;
          store.all = async (name) => {
            if (name === "visits") await new Promise((done) => setTimeout(done, 1500));
            return all.call(store, name);
          };
          store.tell("queue");
        }"""
    )
    page.get_by_role("link", name="TUKIMAN").click()
    page.get_by_role("button", name="Mulai isi formulir").wait_for()
    page.wait_for_timeout(2500)
    assert page.get_by_role("button", name="Mulai isi formulir").is_visible()


def test_a_list_with_nothing_new_is_left_alone_under_the_finger(make_visit, phone):
    visit = make_visit()
    page = phone()
    until(page, "(await lapangan.store.meta('outcome'))?.outcome === 'done'")
    page.evaluate(
        "window.link = document.querySelector('.visits a'); lapangan.store.tell('synced')"
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.link.isConnected")
    visit.note = "Rumah di belakang masjid"
    visit.state = "sent"
    visit.save()
    page.get_by_role("button", name="Sinkronkan").click()
    page.wait_for_selector(".visits .badge-good")
    assert not page.evaluate("window.link.isConnected")


def test_an_app_that_could_not_be_kept_says_so_before_it_is_needed(
    make_visit, make_user, browse, monkeypatch
):
    from django.contrib.staticfiles.handlers import StaticFilesHandlerMixin

    make_visit()
    serve = StaticFilesHandlerMixin.get_response
    broken = {"photos.js"}

    def without_some(self, request):
        # The page itself gets everything; what is to be kept is asked for anew.
        anew = request.headers.get("Cache-Control") == "no-cache"
        if anew and any(name in request.path for name in broken):
            return HttpResponse(status=503)
        return serve(self, request)

    monkeypatch.setattr(StaticFilesHandlerMixin, "get_response", without_some)
    page = browse("/lapangan/", make_user(Role.AREA_OPERATOR))
    page.get_by_text("belum tersimpan di ponsel ini").wait_for()
    broken.clear()
    page.reload()
    until(page, "navigator.serviceWorker.controller !== null")
    assert not page.get_by_text("belum tersimpan di ponsel ini").is_visible()


def test_what_was_cut_off_after_the_server_had_stored_it_is_there_once(make_visit, phone):
    make_visit()
    page = phone(by_itself=False)
    page.get_by_role("link", name="TUKIMAN").click()
    page.get_by_role("button", name="Mulai isi formulir").click()
    page.get_by_label("Semen").check()
    page.locator("input[type=file]").set_input_files(picture())
    page.wait_for_selector(".visit-preview canvas")
    page.get_by_role("button", name="Berikutnya").click()
    cut = {"kirim": 0, "lampiran": 0}

    def swallow(route):
        """Let the message arrive and the answer get lost, once each."""
        kind = "kirim" if "/kirim/" in route.request.url else "lampiran"
        cut[kind] += 1
        if cut[kind] > 1:
            route.continue_()
            return
        route.fetch()
        route.abort()

    page.route("**/lapangan/kirim/", swallow)
    page.route("**/lapangan/lampiran/**", swallow)
    finish(page)
    until(page, "(await lapangan.store.meta('outcome')).outcome === 'offline'")
    assert Submission.objects.count() == 1
    assert page.evaluate(QUEUE) == "1 di antrean"
    page.get_by_role("button", name="Sinkronkan").click()
    until(page, "(await lapangan.store.all('queue'))[0]?.stored")
    # The tab dies in the middle of the photo, and another one goes on.
    other = page.context.new_page()
    page.close()
    other.goto("/lapangan/")
    sent(other)
    assert cut == {"kirim": 2, "lampiran": 1}
    submission = Submission.objects.get()
    assert submission.attachments.get().stored_at is not None


def test_an_expired_session_keeps_the_queue_and_says_so(make_visit, phone):
    make_visit()
    page = phone()
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.get_by_role("link", name="TUKIMAN").click()
    fill(page)
    finish(page)
    link = page.get_by_role("link", name="Masuk lagi untuk mengirim")
    link.wait_for()
    assert "/masuk/login/?next=%2Flapangan%2F" in link.get_attribute("href")
    assert page.evaluate(QUEUE) == "1 di antrean"
    assert not Submission.objects.exists()
    page.context.add_cookies([c for c in cookies if c["name"] == "sessionid"])
    page.get_by_role("button", name="Sinkronkan").click()
    sent(page)
    assert Submission.objects.count() == 1


def test_another_user_of_the_phone_does_not_send_what_is_not_theirs(
    make_visit, phone, live_server, client_for
):
    make_visit()
    page = phone()
    page.context.set_offline(True)
    page.get_by_role("link", name="TUKIMAN").click()
    fill(page)
    finish(page)
    key = client_for(Role.AREA_OPERATOR).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": live_server.url}])
    page.context.set_offline(False)
    page.get_by_text("isiannya tidak dikirim atas nama Anda").wait_for()
    assert page.evaluate(QUEUE) == "1 di antrean"
    assert not Submission.objects.exists()


def test_a_conflict_shows_on_the_phone_and_so_does_how_it_was_settled(
    make_visit, phone, send, make_user
):
    visit, office = make_visit(), make_user(Role.SECRETARIAT)
    page = phone()
    send(visit, {"/lantai": "ceramic"})
    page.get_by_role("link", name="TUKIMAN").click()
    fill(page)
    finish(page)
    sent(page)
    page.wait_for_selector(".visits .badge-bad")
    page.get_by_text("Dua kiriman untuk satu kunjungan").wait_for()
    mine = Submission.objects.get(sent_by=page.user)
    deciding.settle(mine, {"household.floor": str(mine.pk)}, actor=office)
    page.get_by_role("button", name="Sinkronkan").click()
    page.wait_for_selector(".visits .badge-good")
    page.get_by_role("link", name="TUKIMAN").click()
    page.get_by_text("lantai: Semen/bata").wait_for()
    page.get_by_text(f"Diputuskan oleh {office}").wait_for()


def test_the_app_by_keyboard_alone_and_before_axe(make_visit, phone):
    make_visit()
    page = phone()
    page.context.add_init_script(path=str(AXE))
    page.reload()
    page.wait_for_selector(".visits a")
    wrong = []

    def look() -> None:
        found = page.evaluate("axe.run({resultTypes: ['violations']})")
        wrong.extend(
            f"{rule['id']}: {node['html'][:150]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        )
        spare = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert spare <= 0

    look()
    page.get_by_label("Cari nama atau alamat").focus()
    page.keyboard.type("tuki")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Mulai isi formulir")
    look()
    page.get_by_role("button", name="Mulai isi formulir").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".visit-form")
    look()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.get_by_label("Semen").is_checked()
    page.get_by_role("button", name="Berikutnya").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Semua isian lengkap.")
    look()
    page.goto("/lapangan/#/antrean")
    page.wait_for_selector("text=Antrean kosong")
    look()
    assert not wrong, "\n".join(wrong)
    assert not page.problems
