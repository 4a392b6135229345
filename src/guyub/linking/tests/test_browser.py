"""The review queue, by the keyboard alone."""

from __future__ import annotations

import pytest
from django.urls import reverse

from guyub.linking.models import Decision, Pair

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_queue_is_worked_through_by_keys(browse, doubtful, link, people):
    (first,) = doubtful.pairs.all()
    second = Pair.objects.create(
        run=doubtful, record=3, person=people["Tukiman"], weight=first.weight - 1,
        weights=first.weights,
    )  # fmt: skip
    page = browse(reverse("linking:review", args=[doubtful.pk]), link.operator)
    page.locator("#chart-waterfall svg, #chart-waterfall canvas").first.wait_for()
    page.keyboard.press("l")
    page.get_by_text("Baris 3 dalam daftar").wait_for()
    page.keyboard.press("b")
    page.get_by_text("Putusan terakhir Anda: Orang yang berbeda").wait_for()
    page.get_by_text("Baris 2 dalam daftar").wait_for()
    page.keyboard.press("s")
    page.get_by_text("Semua pasangan sudah diputuskan").wait_for()
    page.keyboard.press("u")
    page.get_by_text("Baris 2 dalam daftar").wait_for()
    second.refresh_from_db()
    assert second.verdict == "different"
    assert second.decided_by == link.operator
    first.refresh_from_db()
    assert first.verdict == ""
    assert Decision.objects.get().verdict == "different"
