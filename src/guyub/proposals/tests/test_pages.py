"""The pages: what each role finds, and what citizens may do without an account."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.proposals import services
from guyub.proposals.models import Proposal
from guyub.proposals.tests.conftest import NIK, REASON, minutes, picture
from guyub.proposals.vocabulary import ProposalState

pytestmark = pytest.mark.django_db


def sign_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_the_whole_way_through_the_pages(
    village: Any, village_operator: Any, agency_operator: Any
) -> None:
    desk, office = sign_in(village_operator), sign_in(agency_operator)
    answer = desk.post(
        reverse("proposals:new"),
        {"village": village.pk, "reason_kind": "unlisted", "head_name": "Warsito",
         "nik": f"{NIK[:8]} {NIK[8:]}", "address": "Jl. Kauman 3", "rt": "1", "reason": REASON,
         "photos": [picture("a.jpg"), picture("b.jpg")]},
    )  # fmt: skip
    proposal = Proposal.objects.get()
    assert answer.status_code == 302
    assert proposal.rt == "001"
    assert proposal.steps.get().files.count() == 2
    url = reverse("proposals:detail", args=[proposal.pk])
    page = desk.get(url).content.decode()
    assert proposal.shown_code in page
    assert NIK not in page
    assert "Catat musyawarah desa" in page
    assert "Putuskan" not in page
    file = proposal.steps.get().files.first()
    assert desk.get(reverse("proposals:file", args=[file.pk]))["Content-Type"] == "image/jpeg"
    day = timezone.localdate().isoformat()
    refused = desk.post(reverse("proposals:deliberate", args=[proposal.pk]), {"happened_on": day})
    assert refused.status_code == 200
    assert "Belum tersimpan" in refused.content.decode()
    for name, client, values in (
        ("deliberate", desk, {"happened_on": day, "outcome": "accepted", "minutes": [minutes()]}),
        ("verify", desk, {"happened_on": day, "outcome": "accepted", "text": REASON}),
        ("decide", office, {"outcome": "accepted", "text": REASON, "answer": "Sudah kami data."}),
    ):
        done = client.post(reverse(f"proposals:{name}", args=[proposal.pk]), values)
        assert done.status_code == 302, done.content.decode()
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.DECIDED
    assert proposal.household is not None
    again = office.post(
        reverse("proposals:decide", args=[proposal.pk]), {"outcome": "rejected", "text": REASON}
    )
    assert "tidak berlaku lagi" in again.content.decode()
    home = desk.get(reverse("registry:household", args=[proposal.household.pk]))
    assert f"Usulan no. {proposal.pk}" in home.content.decode()


def test_lists_are_narrowed_paged_and_read_few_queries(
    client_for: Any, complain: Any, django_assert_max_num_queries: Any, village: Any
) -> None:
    for _number in range(30):
        complain()
    client = client_for(Role.SECRETARIAT)
    with django_assert_max_num_queries(14):
        page = client.get(reverse("proposals:list"))
    assert len(page.context["page"].object_list) == 25
    for query, count in (
        ("jenis=complaint", 30), ("jenis=propose", 0), ("keadaan=submitted", 30),
        ("wilayah=33.02.01", 30), ("wilayah=33.02.02", 0), ("terlambat=1", 0),
        ("jenis=x&keadaan=y&wilayah=z&halaman=99", 30), ("giliran=1", 0),
    ):  # fmt: skip
        found = client.get(reverse("proposals:list") + "?" + query)
        assert found.context["page"].paginator.count == count, query
    elsewhere = client_for(Role.AREA_OPERATOR, area=_area("33.02.17.2001"))
    assert elsewhere.get(reverse("proposals:list")).context["page"].paginator.count == 0


def _area(code: str) -> Any:
    from guyub.areas.models import Area

    return Area.objects.get(code=code)


def test_a_village_reaches_only_its_own_households(
    village_operator: Any, make_household: Any
) -> None:
    client = sign_in(village_operator)
    own, other = make_household(), make_household("33.02.17.2001")
    new = reverse("proposals:new")
    assert client.get(f"{new}?keluarga={own.pk}&jenis=object").status_code == 200
    # Under --web-role the database has no such household for them, so the page finds none.
    answer = client.get(f"{new}?keluarga={other.pk}&jenis=object")
    assert answer.status_code in (403, 404)
    for wrong in ("0", "abc", "9" * 30, "²"):
        assert client.get(new, {"keluarga": wrong}).status_code == 404
    sent = client.post(new, {"village": other.village.pk, "head_name": "A", "reason": REASON})
    assert "village" in sent.context["form"].errors
    client.post(f"{new}?keluarga={own.pk}&jenis=object", {"reason_kind": "moved", "reason": REASON})
    assert Proposal.objects.get().household == own


@pytest.mark.usefixtures("as_web_role")
def test_whoever_is_proposed_in_another_village_is_not_proposed_again(
    village_operator: Any, make_user: Any
) -> None:
    there = _area("33.02.17.2001")
    values = {
        "reason_kind": "unlisted", "head_name": "Warsito", "nik": NIK, "reason": REASON,
        "address": "Jl. Kauman 3", "rt": "001",
    }  # fmt: skip
    first = services.submit(
        village=there,
        kind="propose",
        values=values,
        actor=make_user(Role.AREA_OPERATOR, area=there),
    )
    sent = sign_in(village_operator).post(
        reverse("proposals:new"), {**values, "village": village_operator.area_id}
    )
    assert "masih diproses" in sent.content.decode()
    assert list(Proposal.objects.all()) == [first]


def lodge(client: Client, village: Any, **values: Any) -> Any:
    given = {"reason_kind": "help_missing", "village": village.pk, "reason": REASON, **values}
    return client.post(reverse("proposals:lodge"), given)


def test_a_citizen_complains_and_follows_by_code(village: Any, agency_operator: Any) -> None:
    client = Client()
    sent = lodge(
        client, village, reason=f"{REASON} {NIK}", citizen_name="Sutini", head_name="Warsito",
        address=f"RT 3, NIK {NIK}",
        agency=agency_operator.agency_id, photos=[picture()],
    )  # fmt: skip
    proposal = Proposal.objects.get()
    assert proposal.shown_code in sent.content.decode()
    assert NIK not in proposal.reason
    assert NIK not in proposal.address
    assert proposal.address.startswith("RT 3")
    services.answer(proposal, actor=agency_operator, text="Bantuan dikirim pekan depan.")
    track = reverse("proposals:track")
    page = client.post(track, {"code": proposal.shown_code.lower()}).content.decode()
    assert "Bantuan dikirim pekan depan." in page
    for secret in ("Sutini", "Warsito", REASON, str(agency_operator)):
        assert secret not in page
    wrong = client.post(track, {"code": "AAAAA-AAAAA"})
    odd = client.post(track, {"code": "'; --"})
    for answer in (wrong, odd):
        assert "Tidak ada yang berkode ini" in answer.content.decode()
    # The code is never read from the address.
    assert "Bantuan dikirim" not in client.get(track, {"code": proposal.code}).content.decode()


def test_right_and_wrong_codes_cost_the_same_queries(
    complain: Any, django_assert_num_queries: Any
) -> None:
    from guyub.proposals import queries

    code = complain().code
    for asked in (code, "AAAAAAAAAA", "", "x" * 500):
        with django_assert_num_queries(1):
            queries.steps_of_code(asked)


def test_programs_and_floods_are_kept_out(village: Any, settings: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    client = Client()
    trapped = lodge(client, village, website="http://contoh.test")
    assert trapped.status_code == 200
    assert "Terkirim" in trapped.content.decode()
    assert not Proposal.objects.exists()
    for _number in range(10):
        assert lodge(client, village).status_code == 200
    assert lodge(client, village).status_code == 429
    assert Proposal.objects.count() == 10
    track = reverse("proposals:track")
    code = Proposal.objects.first().code
    answers = [client.post(track, {"code": code}).status_code for _number in range(31)]
    assert answers == [200] * 30 + [429]
    assert code not in caplog.text


def test_a_citizen_appeals_by_code(
    village: Any, owner: Any, village_operator: Any, agency_operator: Any
) -> None:
    from guyub.proposals.tests.test_services import decide

    lodge(Client(), village, reason_kind="shock", head_name="Warsito")
    proposal = Proposal.objects.get()
    assert proposal.kind == "propose"
    assert proposal.agency == owner
    services.deliberate(
        proposal, actor=village_operator, happened_on=timezone.localdate(), agreed=True,
        text="", minutes=[minutes()],
    )  # fmt: skip
    services.verify(
        proposal, actor=village_operator, happened_on=timezone.localdate(), fits=False,
        text=REASON,
    )  # fmt: skip
    decide(proposal, agency_operator, accepted=False)
    track = reverse("proposals:track")
    client = Client()
    short = client.post(track, {"code": proposal.code, "text": "Tidak"})
    assert "Uraikan sedikit lagi" in short.content.decode()
    client.post(track, {"code": proposal.code, "text": REASON})
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.APPEALED
    assert proposal.steps.last().actor is None


def test_confidential_pages_are_closed_to_the_village_and_other_agencies(
    complain: Any, village_operator: Any, agency_operator: Any, make_user: Any, make_agency: Any
) -> None:
    complaint = complain("conduct")
    url = reverse("proposals:detail", args=[complaint.pk])
    other = make_user(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    assert sign_in(village_operator).get(url).status_code == 403
    assert sign_in(other).get(url).status_code == 403
    assert complaint.shown_code not in sign_in(agency_operator).get(url).content.decode()
    assert "Rahasia" in sign_in(agency_operator).get(url).content.decode()


def test_the_public_page_leads_to_both() -> None:
    page = Client().get(reverse("public")).content.decode()
    assert reverse("proposals:lodge") in page
    assert reverse("proposals:track") in page


def test_no_reason_is_chosen_before_somebody_chooses(village: Any, village_operator: Any) -> None:
    desk = sign_in(village_operator)
    page = desk.get(reverse("proposals:new")).content.decode()
    assert '<option value="" selected>Pilih</option>' in page

    answer = desk.post(
        reverse("proposals:new"),
        {"village": village.pk, "reason_kind": "", "head_name": "Warsito", "nik": NIK,
         "address": "Jl. Kauman 3", "reason": REASON},
    )  # fmt: skip

    assert answer.status_code == 200
    assert "reason_kind" in answer.context["form"].errors
    assert not Proposal.objects.exists()
