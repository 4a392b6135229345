"""Messages to other systems: signed, retried, never sent inwards, without personal data."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import http.server
import json
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.connections import outgoing, tasks, webhooks
from guyub.connections.events import KINDS
from guyub.connections.models import Attempt, Delivery, DeliveryState, Subscription


class Receiver:
    """A real server that answers with the statuses it is given, then with 204."""

    def __init__(self):
        self.statuses, self.got = [], []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/kabar"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver(settings):
    settings.OUTGOING_HOSTS = ["127.0.0.1"]
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def subscribed(receiver, make_agency):
    return webhooks.subscribe(
        agency=make_agency(), url=receiver.url, events=["obstacle.reported"], actor=None
    )


@pytest.fixture
def report_obstacle(make_user, make_agency):
    def report(title="Data belum padan"):
        from guyub.obstacles.services import report

        return report(
            title=title, description="Menunggu data Tukiman.", category="data", severity=2,
            needed_agency=make_agency("dinkes"), due_on=timezone.localdate(),
            actor=make_user(Role.AGENCY_OPERATOR),
        )  # fmt: skip

    return report


def come_due():
    Delivery.objects.filter(state=DeliveryState.WAITING).update(next_at=timezone.now())


def test_a_message_is_signed_retried_and_delivered(subscribed, receiver, report_obstacle):
    _subscription, secret = subscribed
    obstacle = report_obstacle()
    delivery = Delivery.objects.get()
    receiver.statuses = [500, 302]
    for state in (DeliveryState.WAITING, DeliveryState.WAITING, DeliveryState.DELIVERED):
        assert webhooks.send(delivery.pk) == state
        assert webhooks.send(delivery.pk) is None, "not due yet"
        come_due()
    assert [attempt.status for attempt in Attempt.objects.all()] == [500, 302, 204]
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    headers, body = receiver.got[-1]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    message = json.loads(body)
    assert message["type"] == "obstacle.reported"
    assert message["data"]["url"].endswith(f"/api/v1/obstacles/{obstacle.pk}")
    assert b"Tukiman" not in body
    assert obstacle.title.encode() not in body


def test_the_example_of_the_standard_is_signed_as_it_says():
    # The example of the Standard Webhooks specification.
    signature = webhooks.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_is_rolled_back_is_told_to_nobody(subscribed, report_obstacle):
    with transaction.atomic():
        report_obstacle()
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()


def test_only_what_is_wanted_by_the_active_is_kept(subscribed, report_obstacle):
    subscription, _secret = subscribed
    webhooks.set_active(subscription, False, actor=None)
    report_obstacle()
    assert not Delivery.objects.exists()
    webhooks.set_active(subscription, True, actor=None)
    Subscription.objects.update(events=["report.accepted"])
    report_obstacle()
    assert not Delivery.objects.exists()


def test_waits_grow_and_end(monkeypatch):
    waits = [webhooks.wait_after(tries) for tries in range(1, len(webhooks.WAITS) + 1)]
    assert all(
        0.8 * usual <= wait.total_seconds() <= 1.2 * usual
        for wait, usual in zip(waits, webhooks.WAITS, strict=True)
    )
    assert webhooks.wait_after(len(webhooks.WAITS) + 1) is None
    assert len({webhooks.wait_after(3) for _ in range(5)}) > 1


def test_what_was_given_up_can_be_sent_again(subscribed, receiver, report_obstacle, client_for):
    report_obstacle()
    delivery = Delivery.objects.get()
    Delivery.objects.update(tries=len(webhooks.WAITS))
    receiver.statuses = [503]
    assert webhooks.send(delivery.pk) == DeliveryState.GIVEN_UP
    client = client_for(Role.AGENCY_HEAD)
    page = client.get(f"/sambungan/kabar/{delivery.subscription_id}/").content.decode()
    assert "Kirim ulang" in page
    assert "503" in page
    client.post(f"/sambungan/kabar/kiriman/{delivery.pk}/ulang/")
    assert webhooks.send(delivery.pk) == DeliveryState.DELIVERED
    assert Event.objects.filter(action="connections.webhook.resend").exists()


def test_a_receiver_that_is_gone_is_told_no_more(subscribed, receiver, report_obstacle):
    report_obstacle()
    receiver.statuses = [410]
    assert webhooks.send(Delivery.objects.get().pk) == DeliveryState.GIVEN_UP
    assert not Subscription.objects.get().is_active


def test_the_worker_takes_up_what_is_due(subscribed, report_obstacle):
    report_obstacle()
    assert tasks.take_up_due() == 1
    Delivery.objects.update(next_at=timezone.now() + dt.timedelta(hours=1))
    assert tasks.take_up_due() == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://10.0.0.8/", "https://[::1]/",
        "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/",
        "https://[64:ff9b::a00:1]/", "https://server.internal/", "http://sim.contoh.go.id/",
        "https://a:b@sim.contoh.go.id/", "ftp://sim.contoh.go.id/", "sim.contoh.go.id", "https://",
        "https://sim.contoh.go.id:99999/", "https://224.0.0.1/", "https://100.64.0.1/",
    ],
)  # fmt: skip
def test_addresses_within_are_refused(url, db, make_agency):
    with pytest.raises(ValidationError):
        webhooks.subscribe(agency=make_agency(), url=url, events=list(KINDS), actor=None)


def test_a_name_that_points_inwards_is_not_sent_to(monkeypatch):
    def resolve(host, port, **options):
        return [(0, 0, 0, "", (address, port)) for address in ("93.184.216.34", "10.1.2.3")]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    with pytest.raises(outgoing.UnreachableError, match="jaringan dalam"):
        outgoing.post("https://sim.contoh.go.id/", b"", {})


def test_nobody_at_home_is_a_failed_try(subscribed, receiver, report_obstacle):
    report_obstacle()
    receiver.server.shutdown()
    receiver.server.server_close()
    assert webhooks.send(Delivery.objects.get().pk) == DeliveryState.WAITING
    assert "tersambung" in Attempt.objects.get().error


def test_the_secret_is_sealed_and_can_be_renewed(subscribed, client_for):
    subscription, secret = subscribed
    assert secret not in subscription.secret
    client = client_for(Role.AGENCY_HEAD)
    page = client.post(f"/sambungan/kabar/{subscription.pk}/rahasia/").content.decode()
    subscription.refresh_from_db()
    from guyub.connections.sealing import unseal

    assert unseal(subscription.secret) in page
    assert secret not in page


def test_pages_in_few_queries(
    client_for, subscribed, report_obstacle, django_assert_max_num_queries
):
    client = client_for(Role.SECRETARIAT)
    subscription, _secret = subscribed
    for number in range(27):
        report_obstacle(f"Kendala nomor {number}")
    with django_assert_max_num_queries(14):
        assert "Dijeda" not in client.get("/sambungan/kabar/").content.decode()
    with django_assert_max_num_queries(14):
        assert "Berikutnya" in client.get(f"/sambungan/kabar/{subscription.pk}/").content.decode()
    answer = client.post("/sambungan/kabar/baru/", {
        "agency": subscription.agency_id, "url": "http://10.0.0.1/", "events": ["report.accepted"],
    })  # fmt: skip
    assert answer.context["form"].errors["url"]
