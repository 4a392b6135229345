"""A household is as fresh as the freshest list that has it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from guyub.access.roles import Role
from guyub.datasets.services import add_version, mark_reference
from guyub.registry import queries
from guyub.registry.models import Listing, Origin


@pytest.fixture
def lists(homes, make_dataset):
    today = timezone.localdate()
    made = {}
    for code, days in (("segar", 10), ("lama", 1000)):
        dataset = make_dataset(code)
        made[code] = add_version(dataset, as_of=today - dt.timedelta(days=days), created_by=None)
    Origin.objects.update(channel="import")
    Listing.objects.create(
        dataset=made["segar"].dataset, household=homes[0], first_version=made["segar"]
    )
    for home in homes[:2]:
        Listing.objects.create(
            dataset=made["lama"].dataset, household=home, first_version=made["lama"]
        )
    return made


def test_freshness_filters_by_the_freshest_list(homes, lists, make_user):
    secretary = make_user(Role.SECRETARIAT)

    def names(freshness):
        return [
            h.pk for h in queries.listing(secretary, queries.Filters(freshness=freshness), 1, 25)
        ]

    assert names("current") == [homes[0].pk]
    assert names("stale") == [homes[1].pk]
    assert names("due") == []


def test_the_reference_vouches_before_a_newer_list(homes, lists):
    assert queries.confirmations(homes)[homes[0].pk].code == "segar"
    mark_reference(lists["lama"], actor=None, reason="Disepakati")
    assert queries.confirmations(homes)[homes[0].pk].code == "lama"
    assert homes[2].pk not in queries.confirmations(homes)


def test_indonesian_is_spoken_unless_english_was_chosen(regency, client_for):
    client = client_for(Role.SECRETARIAT)
    page = client.get("/registri/", headers={"accept-language": "en-US,en"})
    assert page.headers["Content-Language"] == "id"
    assert 'lang="id"' in page.content.decode()
