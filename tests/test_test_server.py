"""The server that browsers of the tests talk to: its requests meet in a real database, and end."""

from __future__ import annotations

import threading
import time
import urllib.request

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path

from guyub import testing
from guyub.agencies.models import Agency

pytestmark = pytest.mark.django_db(transaction=True)
STEP = 10  # seconds; nothing here takes one
written, looked = threading.Event(), threading.Event()


def write_and_wait(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        Agency.objects.create(code="uji", name="Dinas Uji")
        written.set()
        looked.wait(STEP)
    return HttpResponse()


def write_late(request: HttpRequest) -> HttpResponse:
    written.set()
    time.sleep(0.5)
    Agency.objects.create(code="uji", name="Dinas Uji")
    return HttpResponse()


urlpatterns = [path("menunggu/", write_and_wait), path("lambat/", write_late)]


@pytest.fixture
def ask(live_server, settings):
    """Ask the server for a path from another thread, and return once the view is in its midst."""
    settings.ROOT_URLCONF = __name__
    written.clear()
    looked.clear()
    threads = []

    def ask_for(path: str) -> threading.Thread:
        thread = threading.Thread(target=lambda: urllib.request.urlopen(live_server.url + path))
        thread.start()
        threads.append(thread)
        assert written.wait(STEP)
        return thread

    yield ask_for
    looked.set()
    for thread in threads:
        thread.join(STEP)


def test_what_a_request_has_not_finished_is_nobody_elses(ask):
    asking = ask("/menunggu/")
    assert not Agency.objects.exists()
    looked.set()
    asking.join(STEP)
    assert Agency.objects.count() == 1


def test_a_test_ends_after_the_requests_it_caused(ask):
    ask("/lambat/")
    testing.let_requests_end()
    assert Agency.objects.count() == 1
