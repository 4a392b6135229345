"""The social registry standard: signed both ways, at once and later, within what a token may see."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from django.utils import timezone
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from guyub.access.roles import Role
from guyub.audit.models import Event
from guyub.connections import encryption, exchange, partners, signatures
from guyub.connections.models import Exchange, ExchangeState, Partner
from guyub.connections.services import revoke_token
from guyub.connections.tests.partner_system import ROOT, check_ours

PURPOSE = {"purpose": {"text": "Verifikasi penerima bantuan", "code": "SP"}}


def by_nik(nik, **more):
    return {"query_type": "idtype-value", "query": {"type": "NIK", "value": nik}, **more}


def predicate(name, how, value, **more):
    one = {"attribute_name": name, "operator": how, "attribute_value": value}
    return {"query_type": "predicate", "query": [{"seq_num": 1, "expression1": one}], **more}


def test_a_signed_search_is_answered_signed(system, make_household):
    home = make_household()
    person = home.members.get()
    answer = system.search(by_nik(person.nik, authorize=PURPOSE))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    message = check_ours(body)
    assert (body["header"]["action"], body["header"]["status"]) == ("on-search", "succ")
    (response,) = message["search_response"]
    assert response["pagination"] == {"page_size": 20, "page_number": 1, "total_count": 1}
    (group,) = response["data"]["reg_records"]
    assert group["@type"] == "spdci:Group"
    assert group["group_identifier"][0]["identifier_value"] == home.kk
    (member,) = group["member_list"]
    assert member["demographic_info"]["identifier"][0]["identifier_value"] == person.nik
    assert member["demographic_info"]["sex"] == "male"
    reveal = Event.objects.get(action="registry.household.reveal")
    assert "Verifikasi penerima bantuan" in reveal.reason
    search = Event.objects.get(action="connections.partner.search")
    assert search.detail["by"] == ["NIK"]
    assert person.nik not in json.dumps(search.detail)


def test_without_a_purpose_numbers_stay_masked(system, make_household):
    home = make_household()
    text = system.search(by_nik(home.members.get().nik)).content.decode()
    assert home.kk not in text
    assert "\\u2022" in text
    assert not Event.objects.filter(action="registry.household.reveal").exists()


@pytest.mark.parametrize(
    ("criteria", "names"),
    [
        (predicate("desil", "le", 2), ["A", "B"]),
        (predicate("poverty_score", "in", ["1", 3]), ["A", "C"]),
        (predicate("area_code", "eq", "33.02.17"), ["C"]),
        (
            {"query_type": "predicate", "query": [{
                "expression1": {"attribute_name": "desil", "operator": "gt", "attribute_value": 1},
                "condition": "not",
                "expression2": {
                    "attribute_name": "village", "operator": "eq",
                    "attribute_value": "33.02.17.2001",
                },
            }]},
            ["B"],
        ),
        (
            {"query_type": "expression", "query": {"type": "ns:org:QueryType:expression", "value": {
                "expression": {"collection": "Group", "query": {
                    "$or": [{"desil": {"$gte": 3}}, {"$and": [{"desil": 1}, {"group_size": {"$lt": 5}}]}],
                }},
            }}},
            ["A", "C"],
        ),
    ],
)  # fmt: skip
def test_all_three_kinds_of_query_are_understood(system, make_household, criteria, names):
    make_household(name="A", desil=1)
    make_household(name="B", desil=2)
    make_household("33.02.17.2001", name="C", desil=3)
    criteria = {**criteria, "sort": [{"attribute_name": "desil", "sort_order": "asc"}]}
    message = check_ours(system.search(criteria).json())
    (response,) = message["search_response"]
    assert response["status"] == "succ", response
    found = [
        one["group_head_info"]["demographic_info"]["name"]["given_name"]
        for one in response["data"]["reg_records"]
    ]
    assert found == names


def test_pages_follow_each_other_and_members_can_be_asked_for(system, make_household):
    for name in "ABC":
        make_household(name=name)
    seen = []
    for page in (1, 2):
        criteria = predicate("desil", "eq", 1, response_entity="Member",
                             pagination={"page_size": 2, "page_number": page})  # fmt: skip
        data = system.search(criteria).json()["message"]["search_response"][0]
        seen += [
            one["demographic_info"]["name"]["given_name"] for one in data["data"]["reg_records"]
        ]
        assert data["pagination"]["total_count"] == 3
    assert seen == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        (None, "rjct.search_criteria.invalid"),
        ({}, "rjct.search_criteria.invalid"),
        (by_nik("12"), "rjct.search_criteria.invalid"),
        (predicate("agama", "eq", 1), "rjct.search_criteria.invalid"),
        (predicate("desil", "eq", {"$gt": ""}), "rjct.search_criteria.invalid"),
        (predicate("desil", "eq", 1, pagination={"page_size": 9999}), "rjct.pagination.invalid"),
        (predicate("desil", "eq", 1, sort=[{"attribute_name": "nik"}]), "rjct.sort.invalid"),
    ],
)
def test_what_is_not_understood_is_rejected_alone(system, make_household, criteria, code):
    make_household()
    answer = system.search(criteria, predicate("desil", "eq", 1))
    first, second = check_ours(answer.json())["search_response"]
    assert (first["status"], first["status_reason_code"]) == ("rjct", code)
    assert second["status"] == "succ"


def test_a_changed_old_or_repeated_message_is_not_taken(system):
    body = system.message("search", {"transaction_id": "t", "search_request": [{}]})
    changed = {**body, "message": {**body["message"], "transaction_id": "u"}}
    assert (
        system.send("/sync/search", changed).json()["errors"][0]["code"] == "err.signature.invalid"
    )
    unsigned = {name: body[name] for name in ("header", "message")}
    assert (
        system.send("/sync/search", unsigned).json()["errors"][0]["code"] == "err.signature.missing"
    )
    old = system.search(predicate("desil", "eq", 1), message_ts="2020-01-01T00:00:00Z")
    assert old.status_code == 400
    assert system.send("/sync/search", body).status_code == 200
    assert "message_id" in system.send("/sync/search", body).json()["errors"][0]["message"]
    system.key = signatures.new_key()
    assert system.search(predicate("desil", "eq", 1)).status_code == 401


def test_only_registered_senders_with_the_scope_get_in(system, token_for, make_agency):
    stranger = system.search(predicate("desil", "eq", 1), sender_id="lain.contoh.go.id")
    assert stranger.json()["errors"][0]["code"] == "err.sender_id.invalid"
    _token, key = token_for("registry:read", agency=make_agency("dinkes"))
    system.client = Client(headers={"Authorization": f"Bearer {key}"})
    assert system.search(predicate("desil", "eq", 1)).status_code == 401
    _token, key = token_for("programs:read")
    system.client = Client(headers={"Authorization": f"Bearer {key}"})
    assert system.search(predicate("desil", "eq", 1)).status_code == 403
    system.client = Client()
    assert system.search(predicate("desil", "eq", 1)).status_code == 401
    partners.set_active(system.partner, False, actor=None)
    assert not Exchange.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '"x"', '{"header": 1}', '{"header": {}, "message": []}']
)
def test_what_is_no_message_is_refused(system, body):
    answer = system.client.post(
        f"{ROOT}/sync/search", body.encode(), content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "err.request.bad"


def test_a_later_answer_is_retried_signed_and_forgotten(system, make_household):
    home = make_household()
    nik = home.members.get().nik
    system.statuses = [503]
    taken = system.search(by_nik(nik, authorize=PURPOSE), path="/search")
    assert taken.status_code == 202, taken.content
    correlation = taken.json()["message"]["correlation_id"]
    kept = Exchange.objects.get()
    assert nik not in kept.request
    assert status_of(system, correlation)["header"]["status"] == "pdng"
    assert exchange.answer_later(kept.pk) == ExchangeState.WAITING
    assert exchange.answer_later(kept.pk) is None
    assert exchange.due() == []
    Exchange.objects.filter(is_async=True).update(next_at=timezone.now())
    assert exchange.due() == [kept.pk]
    assert exchange.answer_later(kept.pk) == ExchangeState.DONE
    message = check_ours(system.got[-1])
    assert (message["transaction_id"], message["correlation_id"]) == ("t1", correlation)
    (group,) = message["search_response"][0]["data"]["reg_records"]
    assert group["group_identifier"][0]["identifier_value"] == home.kk
    kept.refresh_from_db()
    assert kept.request == ""
    told = status_of(system, correlation)
    assert told["header"]["status"] == "succ"
    rows = told["message"]["txnstatus_response"]["txn_status"]["search_response"]
    assert [(row["reference_id"], row["status"]) for row in rows] == [("r0", "succ")]


def status_of(system, correlation):
    request = {"reference_id": "s", "txn_type": "search", "attribute_type": "correlation_id",
               "attribute_value": correlation}  # fmt: skip
    message = {"transaction_id": "t2", "txnstatus_request": request}
    body = system.send("/sync/txn/status", system.message("txn-status", message)).json()
    check_ours(body)
    return body


def test_answers_go_only_where_the_partner_is_registered(system):
    away = system.search(
        predicate("desil", "eq", 1), path="/search", sender_uri="https://tempat.lain/on-search"
    )
    assert away.json()["errors"][0]["code"] == "err.sender_uri.invalid"
    assert system.search(predicate("desil", "eq", 1), path="/search").status_code == 202
    revoke_token(system.token, reason="Bocor ke luar", actor=None)
    assert exchange.answer_later(Exchange.objects.get().pk) == ExchangeState.GIVEN_UP
    assert system.got == []


def test_keys_of_other_kinds_verify_and_private_ones_are_refused():
    for private, algorithm, name in (
        (rsa.generate_private_key(65537, 2048), RSAAlgorithm, "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm, "ES256"),
    ):
        whole = {**json.loads(algorithm.to_jwk(private)), "alg": name, "kid": "k"}
        public = json.loads(algorithm.to_jwk(private.public_key()))
        (read,) = signatures.read_keys(json.dumps({"keys": [{**public, "alg": name, "kid": "k"}]}))
        signatures.verify(
            signatures.sign({"a": 1}, {"b": "é"}, whole), {"a": 1}, {"b": "é"}, [read]
        )
        with pytest.raises(ValueError, match="public"):
            signatures.read_keys(json.dumps(whole))
    for text in ("", "[]", "{}", '{"kty": "oct", "k": "AAAA"}', '{"kty": "RSA"}'):
        with pytest.raises(ValueError):
            signatures.read_keys(text)


def test_partners_are_registered_on_a_page(client_for, make_agency):
    client = client_for(Role.SECRETARIAT)
    assert "Belum ada mitra" in client.get("/sambungan/mitra/").content.decode()
    form = {"name": "SPMIS", "agency": make_agency().pk, "sender_id": "spmis", "keys": "{}",
            "purpose": "Penyaluran PKH", "shares": ["names"]}  # fmt: skip
    assert client.post("/sambungan/mitra/baru/", form).context["form"].errors["keys"]
    key = {n: v for n, v in signatures.new_key().items() if n != "d"}
    client.post("/sambungan/mitra/baru/", {**form, "keys": json.dumps(key)})
    partner = Partner.objects.get()
    assert key["kid"] in client.get(f"/sambungan/mitra/{partner.pk}/").content.decode()
    client.post(f"/sambungan/mitra/{partner.pk}/alih/", {"aktif": "0"})
    partner.refresh_from_db()
    assert not partner.is_active


def test_encrypted_messages_are_read_and_answered_encrypted(system, make_household):
    nik = make_household().members.get().nik
    system.registers_encryption_key()
    body = system.message(
        "search", {"transaction_id": "t1", "search_request": [
            {"reference_id": "r1", "search_criteria": by_nik(nik, authorize=PURPOSE)}
        ]}, encrypted=True,
    )  # fmt: skip
    assert nik not in json.dumps(body)
    answer = system.send("/sync/search", body)
    assert answer.status_code == 200, answer.content
    whole = answer.json()
    assert whole["header"]["is_msg_encrypted"] is True
    assert {"alg", "enc", "kid"} <= set(whole["message"]["header"])
    assert nik not in answer.content.decode()
    message = system.opened(whole)
    (group,) = message["search_response"][0]["data"]["reg_records"]
    assert group["member_list"][0]["member_identifier"][0]["identifier_value"] == nik
    # The compact form is taken too, and what was changed on its way is not.
    parts = [body["message"][name] for name in encryption.PARTS]
    compact = system.signed({**body["header"], "message_id": "m2"}, ".".join(parts))
    assert system.send("/sync/search", compact).status_code == 200
    changed = {**body["message"], "tag": "AAAAAAAAAAAAAAAAAAAAAA"}
    broken = system.signed({**body["header"], "message_id": "m3"}, changed)
    assert system.send("/sync/search", broken).json()["errors"][0]["code"] == (
        "err.encryption.invalid"
    )


def test_without_a_key_of_its_own_a_partner_cannot_ask_encrypted(system):
    body = system.message("search", {"transaction_id": "t", "search_request": [{}]}, encrypted=True)
    answer = system.send("/sync/search", body)
    assert answer.json()["errors"][0]["code"] == "err.encryption.invalid"
    plain = system.message("search", {"transaction_id": "t", "search_request": [{}]})
    lying = system.signed({**plain["header"], "is_msg_encrypted": True}, plain["message"])
    assert system.send("/sync/search", lying).json()["errors"][0]["code"] == (
        "err.encryption.invalid"
    )


def test_a_partner_is_given_only_what_was_agreed(system, make_household):
    home = make_household(name="Sutini", address="Jalan Kenanga 7", desil=1)
    far = make_household("33.02.17.2001", name="Jauh")
    partner = system.partner
    partner.shares = ["names"]
    partner.save()
    partner.areas.set([home.district])
    nik = home.members.get().nik
    text = system.search(by_nik(nik, authorize=PURPOSE)).content.decode()
    assert "SUTINI" in text
    for hidden in (nik, home.kk, "Kenanga", "poverty_score", "birth_date", "member_list"):
        assert hidden not in text, hidden
    assert not Event.objects.filter(action="registry.household.reveal").exists()
    away = system.search(by_nik(far.members.get().nik)).json()
    assert away["message"]["search_response"][0]["pagination"]["total_count"] == 0
    by_rank = system.search(predicate("desil", "eq", 1)).json()["message"]["search_response"][0]
    assert by_rank["status_reason_code"] == "rjct.search_criteria.invalid"


def test_full_numbers_only_for_the_purposes_agreed_and_each_handing_over_is_logged(
    system, make_household
):
    home = make_household()
    nik = home.members.get().nik
    system.partner.purpose_codes = ["PKH"]
    system.partner.save()
    assert nik not in system.search(by_nik(nik, authorize=PURPOSE)).content.decode()
    agreed = {"purpose": {"text": "Verifikasi penerima bantuan", "code": "PKH"}}
    assert nik in system.search(by_nik(nik, authorize=agreed)).content.decode()
    events = Event.objects.filter(action="connections.partner.hand", subject_id=str(home.pk))
    assert [event.detail["in_full"] for event in events.order_by("sequence")] == [False, True]
    assert events.first().detail["people"] == [home.members.get().pk]
    assert nik not in json.dumps([event.detail for event in events])


def test_keys_are_read_where_the_partner_publishes_them_and_again_when_they_change(
    system, make_household
):
    home = make_household()
    partners.change(
        system.partner, name="SPMIS", sender_id="spmis.contoh.go.id", agency=system.partner.agency,
        keys="", keys_url=system.uri, callback=system.uri, purpose="", purpose_codes="",
        shares=["names"], areas=[], actor=None,
    )  # fmt: skip
    assert system.search(by_nik(home.members.get().nik)).status_code == 200
    system.key = signatures.new_key()
    assert system.search(by_nik(home.members.get().nik)).status_code == 401
    # Not read again at once, lest anybody with a token make us call all the time.
    Partner.objects.update(keys_read_at=timezone.now() - partners.KEYS_REST)
    assert system.search(by_nik(home.members.get().nik)).status_code == 200
    assert Event.objects.filter(action="connections.partner.keys").count() == 1
    system.publishes = b"<html>"
    Partner.objects.update(keys_read_at=timezone.now() - partners.KEYS_HOLD)
    assert partners.renew_keys() == 0
    assert system.search(by_nik(home.members.get().nik)).status_code == 200


def test_the_state_of_a_message_can_be_asked_for_later_too(system, make_household):
    home = make_household()
    system.search(by_nik(home.members.get().nik), path="/search")
    asked = Exchange.objects.get()
    request = {"reference_id": "s", "txn_type": "search", "attribute_type": "transaction_id",
               "attribute_value": "t1"}  # fmt: skip
    body = system.message("txn-status", {"transaction_id": "t9", "txnstatus_request": request})
    assert system.send("/txn/status", body).status_code == 202
    exchange.answer_later(Exchange.objects.get(kind="status").pk)
    told = system.got[-1]
    assert (told["header"]["action"], told["header"]["status"]) == ("txn-on-status", "pdng")
    assert system.paths[-1] == "/txn/on-status"
    check_ours(told)
    Exchange.objects.filter(pk=asked.pk).update(state="given_up", error="503", tries=6)
    body = system.message("txn-status", {"transaction_id": "t9", "txnstatus_request": request})
    answer = system.send("/sync/txn/status", body).json()
    assert answer["header"]["status"] == "rjct"
    assert "503" in answer["message"]["txnstatus_response"]["status_reason_message"]
