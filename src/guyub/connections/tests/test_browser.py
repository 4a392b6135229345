"""A token made and used, a receiver added and tried out, in a real browser."""

from __future__ import annotations

import http.server
import threading
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from guyub.access.roles import Role
from guyub.connections import webhooks
from guyub.connections.models import ApiToken, Delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_token_is_made_used_and_seen_in_use(browse: Any, live_server: Any, regency: Any) -> None:
    page = browse("/sambungan/token/baru/", Role.AGENCY_HEAD)
    page.get_by_label("Nama sistem").fill("SIM Bansos")
    page.get_by_label("Kegunaan").fill("Menampilkan program")
    page.get_by_label("Baca program (programs:read)").check()
    page.get_by_role("button", name="Buat token").click()
    key = page.get_by_label("Kunci untuk SIM Bansos").input_value()
    page.get_by_role("link", name="Ke halaman token").click()
    expect(page.get_by_text("Belum pernah dipakai.")).to_be_visible()
    assert key not in page.content()
    headers = {"Authorization": f"Bearer {key}"}
    assert requests.get(f"{live_server.url}/api/v1/programs", headers=headers, timeout=10).ok
    refused = requests.get(f"{live_server.url}/api/v1/reports", headers=headers, timeout=10)
    assert refused.status_code == 403
    page.reload()
    expect(page.get_by_role("row", name="GET /api/v1/programs")).to_be_visible()
    expect(page.get_by_role("row", name="GET /api/v1/reports 1 1")).to_be_visible()
    expect(page.get_by_text("Belum pernah", exact=True)).to_have_count(0)
    assert ApiToken.objects.get().last_used_at is not None


def test_a_receiver_is_added_tried_and_its_answer_seen_on_a_phone(
    browse: Any, settings: Any, regency: Any
) -> None:
    settings.OUTGOING_HOSTS = ["127.0.0.1"]
    got: list[tuple[dict[str, str], bytes]] = []
    statuses = [503, 200]

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(({k.lower(): v for k, v in self.headers.items()}, content))
            self.send_response(statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browse("/sambungan/kabar/baru/", Role.AGENCY_HEAD, phone=True)
    page.get_by_label("Alamat penerima").fill(f"http://127.0.0.1:{server.server_port}/kabar")
    page.get_by_label("Kendala dilaporkan").check()
    page.get_by_role("button", name="Simpan").click()
    secret = page.locator("#rahasia").input_value()
    page.get_by_role("link", name="Ke halaman penerima").click()
    expect(page.get_by_text("Belum ada kiriman")).to_be_visible()
    page.get_by_role("button", name="Kirim percobaan").click()
    expect(page.get_by_text("Menunggu", exact=True).last).to_be_visible()
    # The worker's part; the page then shows it by itself.
    webhooks.send(Delivery.objects.get().pk)
    expect(page.get_by_text("galat di pihak penerima")).to_be_visible(timeout=8000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    Delivery.objects.update(state="given_up")
    page.reload()
    page.get_by_role("button", name="Kirim ulang").click()
    webhooks.send(Delivery.objects.get().pk)
    expect(page.get_by_text("Terkirim", exact=True).last).to_be_visible(timeout=8000)
    headers, body = got[-1]
    assert headers["webhook-signature"] == webhooks.sign(
        secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body
    )
    server.shutdown()
    server.server_close()
