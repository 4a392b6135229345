"""Tokens: who may make them, what they let in, and what is kept of their calls."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from guyub.access.guards import PUBLIC
from guyub.access.permissions import GRANTS
from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.audit.models import Event
from guyub.connections import services
from guyub.connections.models import ApiToken, TokenUse
from guyub.connections.scopes import IDENTIFIERS, SCOPES, scopes_for
from guyub.connections.tests.conftest import Caller

PROGRAMS = "/api/v1/programs"
# What the secretariat alone does, while a token may what an agency's operator may.
FOR_THE_SECRETARIAT = ("reconciliation.settle",)


def test_every_scope_lies_within_what_an_agency_operator_may():
    for name, scope in SCOPES.items():
        for permission in scope.permissions:
            assert Role.AGENCY_OPERATOR in GRANTS[permission], (name, permission)


def test_every_operation_of_the_api_can_be_had_by_a_scope():
    from guyub.api import api

    for _prefix, router in api._routers:
        for path in router.path_operations.values():
            for operation in path.operations:
                permission = operation.view_func.required_permission
                if permission not in (PUBLIC, *FOR_THE_SECRETARIAT):
                    assert scopes_for(permission), (operation.path, permission)


def test_a_token_reads_what_its_scopes_say_and_no_more(caller, make_sub_activity):
    make_sub_activity()
    found = caller("programs:read")
    answer = found.get(PROGRAMS)
    assert answer.status_code == 200
    assert answer.json()["count"] == 1
    assert answer["Cache-Control"] == "private, no-store"
    refused = found.get("/api/v1/registry/households")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["title"] == "Tidak diizinkan"


def test_only_the_hash_of_a_key_is_kept(token_for):
    token, key = token_for()
    secret = key.split("_", 2)[2]
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert secret not in str(row)
    assert not Event.objects.filter(detail__icontains=secret).exists()


@pytest.mark.parametrize("change", ["", "x", "guyub_", "guyub_ab_cd", "Bearer x"])
def test_what_is_no_token_is_not_let_in(change, db):
    client = Client(headers={"Authorization": f"Bearer {change}"})
    answer = client.get(PROGRAMS)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["status"] == 401


def test_a_key_with_a_letter_changed_is_not_let_in(token_for):
    _token, key = token_for()
    other = key[:-1] + ("A" if key[-1] != "A" else "B")
    client = Client(headers={"Authorization": f"Bearer {other}"})
    assert client.get(PROGRAMS).status_code == 401


def test_ended_tokens_and_closed_agencies_are_turned_away(caller):
    found = caller()
    ApiToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert "habis" in found.get(PROGRAMS).json()["detail"]
    ApiToken.objects.update(expires_at=timezone.now() + dt.timedelta(days=1))
    found.token.agency.is_active = False
    found.token.agency.save()
    assert found.get(PROGRAMS).status_code == 403
    found.token.agency.is_active = True
    found.token.agency.save()
    services.revoke_token(found.token, reason="Server diganti", actor=None)
    assert "dicabut" in found.get(PROGRAMS).json()["detail"]


def test_a_token_may_be_bound_to_networks(caller):
    near = caller(networks="127.0.0.0/8\n2001:db8::/32")
    assert near.get(PROGRAMS).status_code == 200
    far = caller(networks="203.0.113.0/24")
    answer = far.get(PROGRAMS)
    assert answer.status_code == 403
    assert "alamat" in answer.json()["detail"]


def test_who_calls_too_often_is_told_when_to_come_back(caller, monkeypatch):
    monkeypatch.setattr("guyub.connections.admission.time.time", lambda: 1_800_000_015)
    found = caller(per_minute=2)
    assert [found.get(PROGRAMS).status_code for _ in range(3)] == [200, 200, 429]
    answer = found.get(PROGRAMS)
    assert answer["Retry-After"] == "45"
    assert answer.json()["title"] == "Terlalu sering"
    # A new minute begins anew.
    ApiToken.objects.update(minute=1)
    assert found.get(PROGRAMS).status_code == 200


def test_calls_are_summed_by_day_and_logged_once(caller, make_sub_activity):
    sub = make_sub_activity()
    found = caller()
    for _ in range(2):
        found.get(f"/api/v1/programs/sub-activities/{sub.pk}")
    found.get("/api/v1/programs/sub-activities/999999")
    found.get("/api/v1/reports")
    rows = {use.operation: (use.calls, use.refused) for use in TokenUse.objects.all()}
    assert rows == {
        "GET /api/v1/programs/sub-activities/…": (3, 1),
        "GET /api/v1/reports": (1, 1),
    }
    assert services.log_uses() == 0, "the day is not over"
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    assert services.log_uses(tomorrow) == 1
    assert services.log_uses(tomorrow) == 0
    event = Event.objects.get(action="connections.token.use")
    assert (event.detail["calls"], event.detail["refused"]) == (4, 2)
    assert event.actor_name == "Sistem SIM Bansos"


def test_identifiers_are_given_by_the_secretariat_only(token_for, make_user):
    head = make_user(Role.AGENCY_HEAD)
    with pytest.raises(ValidationError, match="sekretariat"):
        token_for(IDENTIFIERS, actor=head, agency=head.agency)
    token, _key = token_for(IDENTIFIERS, actor=make_user(Role.SECRETARIAT))
    assert token.scopes == [IDENTIFIERS]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"networks": "kantor"}, "networks"),
        ({"per_minute": 0}, "per_minute"),
        ({"expires_at": timezone.now() - dt.timedelta(days=1)}, "expires_on"),
        ({"expires_at": timezone.now() + dt.timedelta(days=900)}, "expires_on"),
    ],
)
def test_what_is_amiss_is_told(token_for, values, field):
    with pytest.raises(ValidationError) as refused:
        token_for(**values)
    assert field in refused.value.message_dict
    assert not User.objects.filter(is_service=True).exists()


def test_nobody_signs_in_as_a_system_or_finds_it_among_people(token_for, client_for):
    token, _key = token_for()
    account = token.account
    assert not account.is_active
    assert not account.has_usable_password()
    client = client_for()
    assert client.get(f"/akun/{account.pk}/").status_code == 404
    assert account.username not in client.get("/akun/").content.decode()


def test_unmasked_numbers_need_scope_and_purpose_and_are_logged(caller, make_household, make_user):
    home = make_household()
    person = home.members.get()
    path = f"/api/v1/registry/households/{home.pk}"
    reader = caller("registry:read")
    shown = reader.get(path).content.decode()
    assert person.name in shown
    assert person.nik not in shown
    assert home.kk not in shown
    assert reader.post(f"{path}/identifiers", {"purpose": "Pemadanan"}).status_code == 403
    found = caller("registry:read", IDENTIFIERS, actor=make_user(Role.SECRETARIAT))
    assert found.post(f"{path}/identifiers", {"purpose": "x"}).status_code == 422
    answer = found.post(f"{path}/identifiers", {"purpose": "Pemadanan penerima PKH"})
    assert answer.json()["people"] == [{"id": person.pk, "nik": person.nik}]
    event = Event.objects.get(action="registry.household.reveal")
    assert (event.reason, event.actor_name) == ("Pemadanan penerima PKH", "Sistem SIM Bansos")
    looked = reader.post("/api/v1/registry/lookup", {"number": person.nik}).json()
    assert [row["id"] for row in looked] == [home.pk]


def test_heads_manage_their_own_agency_only(client_for, make_agency, token_for, make_user):
    head = client_for(Role.AGENCY_HEAD)
    other, _key = token_for(agency=make_agency("dinkes"), name="SIMPUS")
    own, _key = token_for(agency=head.user.agency)
    page = head.get("/sambungan/").content.decode()
    assert own.name in page
    assert other.name not in page
    answer = head.post(
        "/sambungan/token/baru/",
        {
            "agency": other.agency_id, "name": "X", "purpose": "Y", "scopes": "programs:read",
            "per_minute": 10, "expires_on": timezone.localdate() + dt.timedelta(days=9),
        },
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer.context["form"].errors["agency"]


def test_the_key_shows_once(client_for, django_assert_max_num_queries):
    client = client_for(Role.AGENCY_HEAD)
    form = {
        "agency": client.user.agency_id, "name": "SIM", "purpose": "Laporan", "per_minute": 60,
        "scopes": ["reports:write"], "expires_on": timezone.localdate() + dt.timedelta(days=9),
    }  # fmt: skip
    page = client.post("/sambungan/token/baru/", form).content.decode()
    token = ApiToken.objects.get()
    key = page.split('value="guyub_')[1].split('"')[0]
    assert token.digest == services.digest_of(f"guyub_{key}")
    assert f"guyub_{token.prefix}_" in page
    with django_assert_max_num_queries(12):
        shown = client.get(f"/sambungan/token/{token.pk}/").content.decode()
    assert key not in shown
    client.post(f"/sambungan/token/{token.pk}/cabut/", {"reason": "Selesai dipakai"})
    token.refresh_from_db()
    assert token.revoke_reason == "Selesai dipakai"


def test_a_long_list_of_tokens_is_paged_in_few_queries(
    client_for, token_for, django_assert_max_num_queries
):
    for number in range(27):
        token_for(name=f"Sistem {number}")
    client = client_for()
    with django_assert_max_num_queries(14):
        page = client.get("/sambungan/").content.decode()
    assert "Berikutnya" in page
    assert "Tidak ada token" in client.get("/sambungan/?keadaan=berakhir").content.decode()


def test_a_key_is_changed_and_the_former_one_opens_for_a_day(caller, client_for):
    system = caller("programs:read")
    client = client_for(Role.SECRETARIAT)
    path = f"/sambungan/token/{system.token.pk}/"
    page = client.post(f"{path}kunci/").content.decode()
    key = "guyub_" + page.split('value="guyub_')[1].split('"')[0]
    assert "Kunci lama masih berlaku" in page
    assert key not in client.get(path).content.decode()
    assert system.get("/api/v1/programs").status_code == 200
    renewed = Caller(key)
    assert renewed.get("/api/v1/programs").status_code == 200
    ApiToken.objects.update(former_until=timezone.now())
    assert system.get("/api/v1/programs").status_code == 401
    assert renewed.get("/api/v1/programs").status_code == 200
    client.post(f"{path}kunci/", {"segera": "1"})
    assert renewed.get("/api/v1/programs").status_code == 401
    services.revoke_token(system.token, reason="Selesai dipakai", actor=None)
    refused = client.post(f"{path}kunci/", follow=True).content.decode()
    assert "sudah berakhir" in refused
    assert Event.objects.filter(action="connections.token.renew").count() == 2
