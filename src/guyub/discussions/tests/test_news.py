"""Mentions, followers, read state, notifications in the page and by e-mail."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.discussions import mail, services
from guyub.discussions.models import Following, Kind, MailMode, Notification, Thread
from guyub.discussions.people import names_in
from guyub.discussions.queries import unread_count, unread_threads


@pytest.fixture
def dataset(make_dataset):
    return make_dataset("rtlh", name="Rumah tidak layak huni")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@budi tolong cek", ["budi"]),
        ("Halo @Budi.S, dan @dinsos.", ["budi.s", "dinsos"]),
        ("surel budi@dinsos.go.id", []),
        ("@@budi", []),
        ("(@dinas-sosial)", ["dinas-sosial"]),
        ("@budi @budi", ["budi"]),
    ],
)
def test_names_after_an_at_sign(text, names):
    assert names_in(text) == names


def test_a_mention_notifies_and_reading_clears_it(dataset, client_for, make_user, make_agency):
    head = client_for(Role.AGENCY_HEAD, username="budi", agency=make_agency("dinkes"))
    author = make_user(Role.SECRETARIAT)
    services.write(dataset, "Tolong @budi lihat", author=author)
    note = Notification.objects.get()
    assert (note.user, note.kind) == (head.user, Kind.MENTION)
    assert "Rumah tidak layak huni" in note.text
    assert unread_threads(head.user) == unread_count(head.user) == 1
    response = head.get(reverse("discussions:open_notification", args=[note.pk]))
    assert response["Location"] == "/dataset/rtlh/#pembicaraan"
    head.get("/dataset/rtlh/")
    assert unread_threads(head.user) == unread_count(head.user) == 0
    # Following now, they hear of the next message, once until it is read.
    services.write(dataset, "Sudah?", author=author)
    services.write(dataset, "Bagaimana?", author=author)
    assert [row.kind for row in Notification.objects.filter(read_at=None)] == [Kind.MESSAGE]
    head.get("/dataset/rtlh/")
    assert unread_count(head.user) == unread_threads(head.user) == 0
    assert unread_count(author) == 0


def test_a_mentioned_agency_is_its_head_and_operators(dataset, make_user, make_agency):
    agency = make_agency("dinkes")
    people = {make_user(role, agency=agency) for role in (Role.AGENCY_HEAD, Role.AGENCY_OPERATOR)}
    make_user(Role.AGENCY_HEAD, agency=agency, is_active=False)
    make_user(Role.AGENCY_HEAD)
    services.write(dataset, "Bagaimana @dinkes?", author=make_user(Role.SECRETARIAT))
    assert {note.user for note in Notification.objects.all()} == people


def test_who_may_not_see_the_record_hears_nothing(make_household, make_user):
    home = make_household("33.02.17.2001", name="Tukiman")
    make_user(Role.AREA_OPERATOR, username="jauh")
    make_user(Role.AUDITOR, username="auditor")
    head = make_user(Role.AGENCY_HEAD, username="kepala")
    services.write(home, "@jauh @auditor @kepala lihat", author=make_user(Role.SECRETARIAT))
    assert [note.user for note in Notification.objects.all()] == [head]
    # The name of a poor person stays on their page.
    assert "Tukiman" not in Notification.objects.get().text


def test_completion_offers_agencies_and_people_who_may_read(make_household, client_for, make_user):
    home = make_household("33.02.17.2001")
    make_user(Role.AREA_OPERATOR, username="sari.jauh", full_name="Sari Jauh")
    make_user(Role.AGENCY_HEAD, username="sari", full_name="Sari Dewi")
    url = reverse("discussions:mentions", args=["registry.household", str(home.pk)])
    page = client_for().get(url, {"q": "sari"}).content.decode()
    assert 'data-name="sari"' in page
    assert "sari.jauh" not in page
    assert 'data-name="dinsos"' in client_for().get(url, {"q": "dins"}).content.decode()


def test_agencies_talk_to_each_other(client_for, make_agency, make_user):
    dinkes = make_agency("dinkes", name="Dinas Kesehatan")
    other = client_for(Role.AGENCY_HEAD, agency=dinkes)
    stranger = client_for(Role.AGENCY_HEAD, agency=make_agency("dindik"))
    secretariat = make_user(Role.SECRETARIAT)
    client = client_for(Role.AGENCY_OPERATOR)
    start = reverse("discussions:start")
    refused = client.post(start, {"topic": "", "text": "x"})
    assert "Belum terkirim" in refused.content.decode()
    response = client.post(
        start, {"topic": "Data balita", "agencies": [dinkes.pk], "text": "Mohon data terbaru."}
    )
    url = response["Location"]
    assert {note.user for note in Notification.objects.all()} == {other.user, secretariat}
    page = other.get(reverse("discussions:list")).content.decode()
    assert "Data balita" in page
    assert "badge-info" in page
    assert "Mohon data terbaru." in other.get(url).content.decode()
    assert "badge-info" not in other.get(reverse("discussions:list")).content.decode()
    assert stranger.get(url).status_code == 403
    assert "Data balita" not in stranger.get(reverse("discussions:list")).content.decode()
    auditor = client_for(Role.AUDITOR)
    assert 'name="pesan"' not in auditor.get(url).content.decode()


def test_search_finds_what_one_may_read(client_for, dataset, make_household, make_user):
    home = make_household("33.02.17.2001")
    author = make_user(Role.SECRETARIAT)
    services.write(home, "Atapnya bocor parah", author=author)
    services.write(dataset, "Atap bocor di banyak rumah", author=author)
    url = reverse("discussions:search")
    text = client_for(Role.AGENCY_HEAD).post(url, {"cari": "BOCOR atap"}).content.decode()
    assert "parah" in text
    assert "banyak rumah" in text
    text = client_for(Role.REGENT).post(url, {"cari": "bocor"}).content.decode()
    assert "parah" not in text
    assert "banyak rumah" in text
    assert "Tidak ditemukan" in client_for().post(url, {"cari": "xy zz"}).content.decode()


def test_the_stream_is_one_event_and_ends(client_for, dataset, django_assert_max_num_queries):
    client = client_for()
    services.notify([client.user], Kind.NEWS, "Ada yang baru", "/dataset/rtlh/")
    url = reverse("discussions:stream")
    client.get(url)
    with django_assert_max_num_queries(4):
        response = client.get(url)
    assert response["Content-Type"] == "text/event-stream"
    lines = response.content.decode().split("\n")
    assert lines[0].startswith("retry: ")
    assert lines[1] == "event: kabar"
    assert json.loads(lines[2].removeprefix("data: "))["unread"] == 1
    assert lines[3:] == ["", ""]
    assert "data-unread>1<" in client.get("/dataset/rtlh/").content.decode().replace("\n", "")


def test_notify_once_while_unread_and_never_closed_accounts(make_user):
    user, closed = make_user(Role.SECRETARIAT), make_user(Role.REGENT, is_active=False)
    assert services.notify([user, user, closed], Kind.TASK, "Satu", "/a/") == 1
    services.notify([user], Kind.TASK, "Dua", "/a/")
    assert [note.text for note in Notification.objects.all()] == ["Dua"]
    services.mark_notifications_read(user)
    services.notify([user], Kind.TASK, "Tiga", "/a/")
    assert Notification.objects.count() == 2


def test_one_opens_only_ones_own_news(client_for, make_user):
    services.notify([make_user(Role.REGENT)], Kind.NEWS, "Satu", "/")
    url = reverse("discussions:open_notification", args=[Notification.objects.get().pk])
    assert client_for().get(url).status_code == 404


def test_news_never_leads_off_the_site(client_for):
    client = client_for()
    services.notify([client.user], Kind.NEWS, "Satu", "https://jahat.test/")
    url = reverse("discussions:open_notification", args=[Notification.objects.get().pk])
    assert client.get(url).status_code == 404


def test_all_is_marked_read(client_for):
    client = client_for()
    services.notify([client.user], Kind.NEWS, "Satu", "/a/")
    services.notify([client.user], Kind.NEWS, "Dua", "/b/")
    client.post(reverse("discussions:read_all"))
    assert unread_count(client.user) == 0


def test_the_digest_goes_once_to_who_wants_it(make_user, client_for, mailoutbox, settings, capsys):
    settings.SITE_URL = "https://guyub.contoh.test"
    daily, never = make_user(Role.SECRETARIAT), client_for(Role.REGENT)
    form = {"mail": MailMode.NEVER, "mailed_kinds": [Kind.TASK]}
    never.post(reverse("discussions:preferences"), form)
    for user in (daily, never.user):
        services.notify([user], Kind.TASK, "Ada kendala", "/kendala/1/")
        services.notify([user], Kind.NEWS, "Kabar", "/x/")
    call_command("digest")
    assert [message.to for message in mailoutbox] == [[daily.email]]
    assert "Ada kendala" in mailoutbox[0].body
    assert "https://guyub.contoh.test/kendala/1/" in mailoutbox[0].body
    assert mailoutbox[0].subject == "[Guyub] 2 kabar baru"
    call_command("digest")
    assert len(mailoutbox) == 1
    assert "1 orang dikirimi 2 kabar." in capsys.readouterr().out


def test_what_was_read_or_unwanted_is_not_mailed(make_user, mailoutbox):
    user = make_user(Role.SECRETARIAT)
    services.set_preference(user, mail=MailMode.DAILY, mailed_kinds=[Kind.MENTION])
    services.notify([user], Kind.NEWS, "Kabar", "/x/")
    assert mail.send_digests() == (0, 0)
    services.notify([user], Kind.MENTION, "Disebut", "/y/")
    Notification.objects.filter(kind=Kind.MENTION).update(read_at=timezone.now())
    assert mail.send_digests() == (0, 0)
    assert not mailoutbox


def test_at_once_means_by_the_worker(make_user, mailoutbox, django_capture_on_commit_callbacks):
    from django_tasks_db.models import DBTaskResult

    from guyub.discussions.tasks import mail_news

    user = make_user(Role.SECRETARIAT)
    services.set_preference(user, mail=MailMode.IMMEDIATE, mailed_kinds=Kind.values)
    with django_capture_on_commit_callbacks(execute=True):
        services.notify([user], Kind.MENTION, "Disebut", "/y/")
    assert DBTaskResult.objects.count() == 1
    mail_news.call(user.pk)
    assert [message.to for message in mailoutbox] == [[user.email]]
    assert mail.send_digests() == (0, 0)


def test_a_mail_server_that_refuses_loses_nothing(make_user, settings, monkeypatch):
    user = make_user(Role.SECRETARIAT)
    services.notify([user], Kind.MENTION, "Disebut", "/y/")

    def refuse(self):
        raise OSError("no route")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    assert mail.send(user) == 0
    assert Notification.objects.get().mailed_at is None


def test_a_first_reader_follows_nothing(dataset, client_for, make_user):
    services.write(dataset, "Halo", author=make_user(Role.SECRETARIAT))
    client_for().get("/dataset/rtlh/")
    assert Following.objects.count() == 1
    assert Thread.objects.get().followings.get().read_at is not None


def test_what_was_said_elsewhere_is_kept_in_order_and_in_silence(dataset, make_user):
    author, other = make_user(Role.SECRETARIAT), make_user(Role.AGENCY_HEAD)
    now = timezone.now()
    said = [
        services.Said(dataset, author, "Kedua @kepala", now - dt.timedelta(hours=1)),
        services.Said(dataset, other, "Pertama 3302011203850001", now - dt.timedelta(days=1)),
    ]
    assert services.load(said, actor=author) == 2
    thread = Thread.objects.get()
    assert [message.text for message in thread.messages.all()] == [
        "Pertama 330201••••••••01",
        "Kedua @kepala",
    ]
    assert (thread.message_count, thread.last_message_at) == (2, said[0].at)
    assert not Notification.objects.exists()
    assert unread_threads(other) == 0
    assert Following.objects.count() == 2


def test_what_is_waited_for_no_more_is_settled_and_mailed_to_nobody(
    make_user, client_for, mailoutbox
):
    reader = client_for(Role.SECRETARIAT, email="rini@example.go.id")
    other = make_user(Role.SECRETARIAT)
    services.notify([reader.user, other], Kind.TASK, "Tinjau usulan", "/usul-sanggah/1/")
    services.notify([reader.user], Kind.NEWS, "Usulan masuk", "/usul-sanggah/1/")
    assert services.settle("/usul-sanggah/1/", [reader.user]) == 1
    assert services.settle("/usul-sanggah/2/") == 0
    assert (unread_count(reader.user), unread_count(other)) == (1, 1)
    page = reader.get(reverse("discussions:notifications")).text
    assert "Sudah selesai" in page
    assert "Menunggu tindakan Anda" not in page
    mail.send(reader.user)
    assert "Tinjau usulan" not in mailoutbox[0].body
    # Waited for anew: a new notification, and the old one stays settled.
    services.notify([reader.user], Kind.TASK, "Tinjau lagi", "/usul-sanggah/1/")
    assert services.settle("/usul-sanggah/1/") == 2
    assert unread_count(other) == 0
