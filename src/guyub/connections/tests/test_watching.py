"""Partners' subscriptions: made and ended by message, told of what changes in their scope, and no more."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.utils import timezone

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.connections import exchange, notices, partners, tasks, watching
from guyub.connections.models import (
    DeliveryState,
    Exchange,
    ExchangeState,
    Notice,
    RegistryChange,
    Watch,
)
from guyub.connections.services import revoke_token
from guyub.connections.tests.partner_system import check_ours
from guyub.imports import services as imports
from guyub.imports.tests.conftest import MAN, NEIGHBOUR, WOMAN, changed, csv_bytes
from guyub.registry import services as registry
from guyub.registry.models import Household, Person

PURPOSE = {"purpose": {"text": "Pemutakhiran penerima PKH", "code": "PKH"}}
POOR = [{"expression1": {"attribute_name": "desil", "operator": "le", "attribute_value": 2}}]


def criteria(event, query=POOR, **more):
    return {"reg_event_type": event, "filter": query, "notify_record_type": "spdci:Group", **more}


@pytest.fixture
def subscribed(system):
    """Subscribe and hand over the answer; returns the subscriptions' codes."""

    def subscribe(*wanted):
        taken = system.subscribe(*wanted)
        assert taken.status_code == 202, taken.content
        asked = Exchange.objects.filter(kind="subscribe").first()
        assert exchange.answer_later(asked.pk) == ExchangeState.DONE
        answers = system.opened(system.got[-1])["subscribe_response"]
        return [one.get("subscriptions", [{}])[0].get("code") for one in answers]

    return subscribe


def told(system):
    """Spread what changed, send all notices, and return (event, heads' names) of each part."""
    watching.spread()
    before = len(system.got)
    for notice in Notice.objects.filter(state=DeliveryState.WAITING).order_by("pk"):
        notices.send(notice.pk)
    parts = []
    for body in system.got[before:]:
        assert body["header"]["action"] == "notify"
        for one in system.opened(body)["notify_event"]:
            names = [
                (r.get("group_head_info") or {})
                .get("demographic_info", {})
                .get("name", {})
                .get("given_name")
                for r in one["data"]["reg_records"]
            ]
            parts.append((one["reg_event_type"], names))
    return parts


def edited(home, **values):
    registry.edit_household(home, values, as_of=timezone.localdate(), actor=None)


def test_a_subscription_is_confirmed_signed_and_tells_of_what_is_new_in_scope(
    system, subscribed, make_household
):
    make_household(name="Lama")
    (code,) = subscribed(criteria("REGISTER", authorize=PURPOSE))
    body = system.got[-1]
    assert (body["header"]["action"], system.paths[-1]) == ("on-subscribe", "/on-subscribe")
    (info,) = check_ours(body)["subscribe_response"][0]["subscriptions"]
    assert (info["status"], info["filter"]) == ("subscribe", POOR)
    new = make_household(name="Baru", desil=1)
    make_household(name="Mampu", desil=9)
    assert told(system) == [("REGISTER", ["BARU"])]
    assert system.paths[-1] == "/notify"
    message = check_ours(system.got[-1])
    assert message["notify_event"][0]["subscription_code"] == code
    (group,) = message["notify_event"][0]["data"]["reg_records"]
    assert group["group_identifier"][0]["identifier_value"] == new.kk
    hand = Event.objects.get(action="connections.partner.hand")
    assert (hand.subject_id, hand.detail["reference"]) == (str(new.pk), code)
    assert hand.reason.startswith("Pemutakhiran penerima PKH")
    # All was told; nothing is told twice.
    assert not RegistryChange.objects.exists()
    assert told(system) == []


def test_changes_new_members_and_ends_are_told_to_those_who_asked(
    system, subscribed, make_household
):
    home = make_household(name="Tarno", desil=2)
    other = make_household(name="Jauh", desil=8)
    subscribed(criteria("UPDATE"), criteria("spdci:common:RegistryEventType:NewHouseHoldMember"),
               criteria("DEREGISTER"))  # fmt: skip
    edited(home, address="Jalan Mawar 3")
    edited(other, address="Jalan Mawar 4")
    assert told(system) == [("UPDATE", ["TARNO"])]
    registry.add_person(
        home, {"nik": "3302014101150009", "name": "Anak", "sex": "F", "relation": "child",
               "birth_date": dt.date(2015, 1, 1)},
        as_of=timezone.localdate(), actor=None,
    )  # fmt: skip
    assert sorted(told(system)) == [("NewHouseHoldMember", ["TARNO"])] * 2
    registry.set_household_status(
        home, "moved", as_of=timezone.localdate(), reason="Pindah ke luar daerah", actor=None
    )
    assert told(system) == [("DEREGISTER", [None])]
    (record,) = check_ours(system.got[-1])["notify_event"][0]["data"]["reg_records"]
    assert record["is_active"] is False
    assert "group_head_info" not in record


def test_an_import_is_told_in_pages_and_may_stop_in_between(
    system, subscribed, make_household, monkeypatch
):
    monkeypatch.setattr(watching, "A_PAGE", 3)
    monkeypatch.setattr(watching, "A_NOTICE", 2)
    old = [make_household(name=f"Lama{n}") for n in range(3)]
    subscribed(criteria("REGISTER"), criteria("UPDATE"))
    before = timezone.now()
    new_homes = [make_household(name=f"Baru{n}") for n in range(5)]
    RegistryChange.objects.all().delete()
    Household.objects.filter(pk__in=[h.pk for h in old[:2]]).update(updated_at=timezone.now())
    Person.objects.filter(household=old[2]).update(updated_at=timezone.now())
    RegistryChange.objects.create(event="UPDATE", since=before, until=timezone.now())
    assert watching._spread_page() == 3
    told_of = Notice.objects.filter(watch__event="UPDATE")
    seen = [pk for notice in told_of for pk in notice.households]
    assert sorted(map(int, seen)) == sorted(h.pk for h in old)
    assert tasks.take_up_due() >= 1
    watching.spread()
    new = [pk for n in Notice.objects.filter(watch__event="REGISTER") for pk in n.households]
    assert sorted(map(int, new)) == sorted(h.pk for h in new_homes)
    assert not RegistryChange.objects.exists()
    assert max(len(n.households) for n in Notice.objects.all()) == 2


def test_partners_hear_of_a_whole_list(system, subscribed, make_dataset):
    subscribed(criteria("REGISTER"), criteria("UPDATE"))
    dataset = make_dataset()
    poor = MAN, WOMAN, NEIGHBOUR

    def bring(rows, day):
        run = imports.start(
            dataset, as_of=day, file_name="a.csv", chunks=[csv_bytes(rows)], actor=None
        )
        run = imports.work(imports.confirm_mapping(run, run.mapping, None).pk)
        assert imports.work(imports.approve(run, None).pk).state == "done"

    bring(poor, dt.date(2026, 1, 1))
    assert [(event, sorted(names)) for event, names in told(system)] == [
        ("REGISTER", ["MOH. SOEKARNO", "TUKIMAN"])
    ]
    bring((MAN, WOMAN, changed(NEIGHBOUR, Alamat="Jl Anggrek 9")), dt.date(2026, 2, 1))
    assert told(system) == [("UPDATE", ["TUKIMAN"])]


def test_a_notice_is_retried_with_its_id_and_given_up_when_the_token_ends(
    system, subscribed, make_household
):
    subscribed(criteria("REGISTER"))
    make_household(name="Baru")
    watching.spread()
    notice = Notice.objects.get()
    system.statuses = [503]
    assert notices.send(notice.pk) == DeliveryState.WAITING
    assert notices.send(notice.pk) is None
    Notice.objects.update(next_at=timezone.now())
    assert notices.due() == [notice.pk]
    assert notices.send(notice.pk) == DeliveryState.DELIVERED
    first, second = system.got[-2:]
    assert first["header"]["message_id"] == second["header"]["message_id"] == notice.message_id
    notice.refresh_from_db()
    assert (notice.tries, notice.told) == (2, 1)
    make_household(name="Lagi")
    watching.spread()
    revoke_token(system.token, reason="Bocor ke luar", actor=None)
    late = Notice.objects.get(state=DeliveryState.WAITING)
    assert notices.send(late.pk) == DeliveryState.GIVEN_UP
    assert "tokennya" in Notice.objects.get(pk=late.pk).error


def test_what_left_the_scope_before_it_went_is_not_told(system, subscribed, make_household):
    subscribed(criteria("REGISTER"))
    home = make_household(name="Baru", desil=1)
    watching.spread()
    Household.objects.filter(pk=home.pk).update(desil=9)
    calls = len(system.got)
    assert notices.send(Notice.objects.get().pk) == DeliveryState.DELIVERED
    assert len(system.got) == calls
    assert not Event.objects.filter(action="connections.partner.hand").exists()


def test_notices_are_encrypted_where_the_partner_has_a_key(system, subscribed, make_household):
    system.registers_encryption_key()
    subscribed(criteria("REGISTER", authorize=PURPOSE))
    home = make_household(name="Baru")
    assert told(system) == [("REGISTER", ["BARU"])]
    assert home.kk not in json.dumps(system.got[-1])


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (None, "rjct.notify_details.invalid"),
        (criteria("BIRTH"), "rjct.notify_types.invalid"),
        (criteria("UPDATE", None), "rjct.notify_details.invalid"),
        (criteria("UPDATE", {"type": "NIK", "value": "1"}), "rjct.notify_details.invalid"),
        (criteria("UPDATE", frequency={"end_time": "2020-01-01T00:00:00Z"}), "rjct.notify_details.invalid"),
        (criteria("UPDATE", frequency={"start_time": "besok"}), "rjct.notify_details.invalid"),
    ],
)  # fmt: skip
def test_what_cannot_be_subscribed_to_is_rejected_alone(system, subscribed, wanted, code):
    first, second = subscribed(wanted, criteria("UPDATE"))
    assert first is None
    assert second
    answer = check_ours(system.got[-1])["subscribe_response"][0]
    assert (answer["status"], answer["status_reason_code"]) == ("rjct", code)
    (again,) = subscribed(criteria("UPDATE"))
    assert again is None
    answer = check_ours(system.got[-1])["subscribe_response"][0]
    assert answer["status_reason_code"] == "rjct.event.already_subscribed"


def test_a_subscription_ends_by_its_code_and_only_its_own(
    system, subscribed, make_household, make_agency
):
    (code,) = subscribed(criteria("REGISTER"))
    foreign = Watch.objects.get()
    partner = partners.admit(
        name="Lain", sender_id="lain", agency=make_agency(), actor=None,
        keys=json.dumps(system.keys()),
    )  # fmt: skip
    foreign.pk, foreign.partner, foreign.code = None, partner, "asing"
    foreign.save()
    message = {"transaction_id": "t2", "timestamp": timezone.now().isoformat(),
               "subscription_codes": [code, "asing"]}  # fmt: skip
    assert system.send("/unsubscribe", system.message("unsubscribe", message)).status_code == 202
    exchange.answer_later(Exchange.objects.get(kind="unsubscribe").pk)
    answer = check_ours(system.got[-1])
    assert system.paths[-1] == "/on-unsubscribe"
    assert answer["subscription_status"] == [{"code": code, "status": "unsubscribe"}]
    assert answer["status_reason_code"] == "rjct.subscription_code.invalid"
    assert Watch.objects.get(code="asing").ended_at is None
    assert Watch.objects.get(code=code).ended_at is not None
    Watch.objects.filter(code="asing").delete()
    make_household(name="Baru")
    assert told(system) == []
    assert not RegistryChange.objects.exists()


def test_the_secretariat_sees_and_ends_subscriptions(
    system, subscribed, make_household, client_for, django_assert_max_num_queries
):
    subscribed(criteria("REGISTER"), criteria("UPDATE"))
    make_household(name="Baru")
    watching.spread()
    system.statuses = [404]
    for notice in Notice.objects.all():
        notices.send(notice.pk)
    Notice.objects.update(state=DeliveryState.GIVEN_UP)
    client = client_for(Role.SECRETARIAT)
    path = f"/sambungan/mitra/{system.partner.pk}/"
    with django_assert_max_num_queries(16):
        page = client.get(path, {"bagian": "langganan"}).content.decode()
    assert "REGISTER" in page
    page = client.get(path, {"bagian": "pemberitahuan"}).content.decode()
    assert "404" in page
    notice = Notice.objects.get()
    client.post(f"/sambungan/mitra/pemberitahuan/{notice.pk}/ulang/")
    notice.refresh_from_db()
    assert notice.state == DeliveryState.WAITING
    watch = Watch.objects.filter(event="REGISTER").get()
    client.post(f"/sambungan/mitra/langganan/{watch.pk}/akhiri/")
    watch.refresh_from_db()
    assert watch.ended_at is not None
    assert notices.send(notice.pk) == DeliveryState.GIVEN_UP
