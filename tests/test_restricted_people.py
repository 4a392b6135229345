"""Whoever had their data restricted is in no file and in no answer to another system.

A census of the source finds every module that hands something out, so that a new one fails here until
somebody says whether it holds people. Those that do are asked before and after: first the person is
there, then not, while their neighbour stays.
"""

from __future__ import annotations

import io
import json
import re
import uuid
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from guyub.access.roles import Role
from guyub.allocation import queries as plans
from guyub.allocation import services as allocation
from guyub.beneficiaries import services as beneficiaries
from guyub.beneficiaries.batches import approve, take_file
from guyub.beneficiaries.models import BatchKind, Enrolment
from guyub.connections import exchange_search
from guyub.connections.models import Partner
from guyub.fieldwork import services as fieldwork
from guyub.fieldwork.receiving import receive
from guyub.fieldwork.verification import keep_built_in_form
from guyub.imports.tests.conftest import MAN, NEIGHBOUR, csv_bytes, importing  # noqa: F401
from guyub.linking import queries as linked
from guyub.linking import services as linking
from guyub.overlaps import services as overlaps
from guyub.programs.models import Funding
from guyub.proposals.services import submit
from guyub.reconciliation.models import Difference
from guyub.registry import restriction
from guyub.registry.models import Household, Person, Restriction
from guyub.registry.services import RegistryError
from guyub.sharing import services as sharing
from guyub.targeting.queries import households_matching, people_matching

pytestmark = pytest.mark.django_db
SOURCE = Path(__file__).parents[1] / "src" / "guyub"
REASON = "Rapat koordinasi bulan ini"

# Modules that hand out people, all of them asked below.
PEOPLE = {
    "registry/views.py", "registry/api.py", "datasets/views.py", "sharing/views.py",
    "beneficiaries/views.py", "beneficiaries/api.py", "linking/views.py", "linking/api.py",
    "reconciliation/queue_views.py", "reconciliation/api.py", "overlaps/views.py",
    "allocation/views.py", "proposals/api.py", "connections/exchange_search.py",
    "fieldwork/views.py", "fieldwork/reading_api.py",
}  # fmt: skip
SUMS = "programs, budgets, sums and documents; nobody is named"
OWN_UPLOAD = "the rejected rows of the file that the same agency has just uploaded"
HANDLED = "a picture or letter of one case, opened by whoever handles that case"
OTHERS = {
    **dict.fromkeys((
        "programs/excel_pages.py", "obstacles/views.py", "targets/views.py", "reports/bulk.py",
        "portal/views.py", "documents/views.py", "documents/builder_views.py",
        "documents/report_views.py", "documents/api.py", "agencies/api.py", "allocation/api.py",
        "areas/api.py", "datasets/api.py", "meetings/api.py", "obstacles/api.py", "overlaps/api.py",
        "portal/api.py", "programs/api.py", "reports/api.py", "sharing/api.py", "targeting/api.py",
        "targets/api.py", "meetings/views.py",
    ), SUMS),
    "imports/views.py": OWN_UPLOAD,
    "fieldwork/form_views.py": "forms, and the rows of an upload that were refused",
    "fieldwork/api.py": "takes submissions in; of forms it tells the names",
    "beneficiaries/batch_views.py": OWN_UPLOAD,
    "proposals/views.py": HANDLED, "discussions/views.py": HANDLED, "reports/views.py": HANDLED,
    "audit/views.py": "the log holds no values of people",
    "retention/views.py": "certificates, which name nobody",
    "privacy/views.py": "the copy that goes to the person themselves",
}  # fmt: skip
HANDS_OUT = re.compile(r"FileResponse|Content-Disposition|Router\(tags")


def test_every_module_that_hands_something_out_is_known():
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if "/tests/" not in path.as_posix() and HANDS_OUT.search(path.read_text())
    }
    found |= {"connections/exchange_search.py"}
    unknown = found - PEOPLE - set(OTHERS)
    assert not unknown, f"Does it hand out people? Then leave out the restricted: {sorted(unknown)}"
    assert not (PEOPLE | set(OTHERS)) - found


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, (answer.status_code, answer.content[:500])
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if not content.startswith(b"PK"):
        return content.decode()
    book = openpyxl.load_workbook(io.BytesIO(content))
    return "\n".join(str(cell.value) for page in book for row in page.iter_rows() for cell in row)


class Outside:
    """All that leaves Guyub with people in it, about two households: Soekarno's and Tukiman's."""

    def __init__(
        self,
        importing: Any,  # noqa: F811
        client_for: Any,
        make_sub_activity: Any,
        make_agency: Any,
    ) -> None:
        self.run = importing([MAN, NEIGHBOUR])
        self.home, self.neighbour = Household.objects.order_by("pk")
        self.client = client_for(Role.SECRETARIAT)
        user: Any = self.client.user
        dataset = self.run.dataset
        self.sub = make_sub_activity(agency=dataset.owner)
        for home in (self.home, self.neighbour):
            beneficiaries.enrol(self.sub, household=home, person=None, actor=user)
            Difference.objects.create(
                kind="h", subject_id=home.pk, household=home, village=home.village,
                district=home.district, field="address", dataset=dataset, theirs=home.head_name,
                ours="-", their_as_of=timezone.localdate(), our_origin=home.origin, winner="ours",
                our_as_of=timezone.localdate(), why="ask", state="settled",
                settled_at=timezone.now(), found_at=timezone.now(),
            )  # fmt: skip
        wants = make_sub_activity("Jamban", agency=dataset.owner, help_kind="sanitation", quota=5)
        Funding.objects.create(sub_activity=wants, source="apbd_regency", amount=50_000_000)
        self.scenario = allocation.create_scenario(2026, values={"name": "Uji"}, actor=user)
        allocation.start(self.scenario, actor=user, at_once=True)
        allocation.work(self.scenario.pk)
        overlaps.reckon(2026)
        self.link = linking.start_file(
            dataset.owner, title="BLT", file_name="blt.csv",
            chunks=[csv_bytes([[*MAN[:2], "A", *MAN[3:]], [*NEIGHBOUR[:2], "B", *NEIGHBOUR[3:]]])],
            actor=user,
        )  # fmt: skip
        linking.confirm_mapping(self.link, self.link.mapping, actor=user)
        self.link = linking.work(self.link.pk)
        self.partner = Partner.objects.create(name="Mitra", sender_id="m", agency=dataset.owner)
        self.asker = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
        asked = sharing.ask(
            dataset, actor=self.asker.user,
            values={"purpose": REASON, "legal_basis": "-", "columns": ["nik", "name"], "area": None,
                    "with_numbers": True, "wanted_until": timezone.localdate()},
        )  # fmt: skip
        sharing.grant(
            asked, actor=user, chosen=["name"], area=None, with_numbers=True,
            ends_on=timezone.localdate(),
        )  # fmt: skip
        self.asked = asked
        self.round = self.field_work(dataset.owner, user)
        for home in (self.home, self.neighbour):
            submit(
                village=home.village, kind="object", household=home, actor=user,
                values={"reason_kind": "well_off", "reason": "Sudah mampu menurut tetangga."},
            )  # fmt: skip

    def field_work(self, agency: Any, user: Any) -> Any:
        """Return a round of visits to both, each answered once."""
        made = fieldwork.create_round(
            keep_built_in_form(), {"title": "Verifikasi", "agency": agency}, actor=user
        )
        fieldwork.add_households(made, Household.objects.all(), actor=user)
        fieldwork.open_round(made, actor=user)
        for visit in made.visits.all():
            receive(
                instance=uuid.uuid4(), form_version=made.form_version, visit=visit, source="app",
                answers={"/rumah/lantai": "cement"}, attachments=[],
            )  # fmt: skip
        return made

    def texts(self) -> dict[str, str]:
        """Return what each way out gives now."""
        given = {"reason": REASON, "alasan": REASON, "note": REASON, "full_numbers": "on"}
        version = self.run.dataset.versions.get()
        post, get = self.client.post, self.client.get
        found = {}
        for kind in ("xlsx", "csv"):
            form = {**given, "format": kind}
            found |= {
                f"registry {kind}": post(reverse("registry:export"), form),
                f"beneficiaries {kind}": post(
                    reverse("beneficiaries:export", args=[self.sub.pk]), form
                ),
                f"datasets {kind}": post(
                    reverse("datasets:export", args=[self.run.dataset.code, version.number]), form
                ),
            }
        found |= {
            "sharing": self.asker.post(reverse("sharing:take", args=[self.asked.pk])),
            "linking": post(reverse("linking:export", args=[self.link.pk]), given),
            "mending": post(
                reverse("reconciliation:corrections", args=[self.run.dataset.code]), given
            ),
            "overlaps": post(reverse("overlaps:export") + "?temuan=terlewat&tahun=2026", given),
            "fieldwork": post(reverse("fieldwork:export", args=[self.round.pk]), given),
            "allocation": post(reverse("allocation:export", args=[self.scenario.pk]), given),
            "registry api": get("/api/v1/registry/households"),
            "recipients api": get(f"/api/v1/beneficiaries/sub-activities/{self.sub.pk}/recipients"),
            "linking api": get(f"/api/v1/linking/{self.link.pk}/rows"),
            "differences api": get("/api/v1/reconciliation/differences?state=settled"),
            "proposals api": get("/api/v1/proposals"),
            "visits api": get(f"/api/v1/fieldwork/rounds/{self.round.pk}/visits"),
            "submissions api": get("/api/v1/fieldwork/submissions"),
        }
        texts = {name: text_of(answer) for name, answer in found.items()}
        for entity in ("Group", "Member"):
            criteria = {
                "query_type": "predicate", "response_entity": entity,
                "query": [{"expression1": {"attribute_name": "desil", "operator": "ge", "attribute_value": 1}}],
                "authorize": {"purpose": {"text": REASON}},
            }  # fmt: skip
            answer = exchange_search.answer(
                criteria, partner=self.partner, user=self.client.user, reference="r"
            )
            texts[f"spdci {entity}"] = json.dumps(answer)
        return texts


@pytest.fixture
def outside(importing, client_for, make_sub_activity, make_agency):  # noqa: F811
    return Outside(importing, client_for, make_sub_activity, make_agency)


def test_a_restricted_household_is_handed_to_nobody(outside):
    def seen(texts: dict[str, str], home: Household) -> set[str]:
        ids = re.compile(rf'"household(_id)?": {home.pk}[,}}]|^{home.pk}$', re.MULTILINE)
        return {
            name
            for name, text in texts.items()
            if home.head_name in text.upper() or home.kk in text
            or (("api" in name or name == "linking") and ids.search(text))
        }  # fmt: skip

    before = outside.texts()
    assert seen(before, outside.home) == set(before)
    placed = restriction.place(outside.home, reason="Permintaan no. 1", actor=None)
    after = outside.texts()
    assert seen(after, outside.home) == set()
    assert seen(after, outside.neighbour) == set(before)
    # By its address too.
    for path, status in (("", 403), ("/identifiers", 403)):
        url = f"/api/v1/registry/households/{outside.home.pk}{path}"
        answer = outside.client.post(url, {"purpose": REASON}, content_type="application/json")
        answer = outside.client.get(url) if not path else answer
        assert answer.status_code == status
    number = {"number": outside.home.kk}
    answer = outside.client.post("/api/v1/registry/lookup", number, content_type="application/json")
    assert answer.json() == []
    page = outside.client.get(reverse("registry:household", args=[outside.home.pk]))
    assert "Permintaan no. 1" in page.content.decode()
    # Lifted, all is as it was.
    with pytest.raises(RegistryError):
        restriction.lift(placed, reason=" ", actor=None)
    restriction.lift(placed, reason="Sudah diperbaiki", actor=None)
    assert seen(outside.texts(), outside.home) == set(before)


def test_it_is_put_on_no_new_list(outside, make_sub_activity):
    restriction.place(outside.home.members.get(), reason="Permintaan no. 2", actor=None)
    assert list(households_matching("desil >= 1")) == [outside.neighbour]
    assert [p.household for p in people_matching("desil >= 1")] == [outside.neighbour]
    new = make_sub_activity("Air minum", agency=outside.run.dataset.owner, help_kind="water")
    with pytest.raises(beneficiaries.BeneficiariesError, match="dibatasi"):
        beneficiaries.enrol(new, household=outside.home, person=None, actor=None)
    batch = take_file(
        new, BatchKind.ENROL_FILE, file_name="a.csv",
        chunks=[f"NIK\n{MAN[0]}\n{NEIGHBOUR[0]}\n".encode()], actor=outside.client.user,
    )  # fmt: skip
    assert batch.counts["causes"] == {"restricted": 1}
    approve(batch, actor=outside.client.user)
    assert [e.household for e in Enrolment.objects.filter(sub_activity=new)] == [outside.neighbour]
    allocation.start(outside.scenario, actor=outside.client.user, at_once=True)
    scenario = allocation.work(outside.scenario.pk)
    assert list(plans.household_ids(scenario, plans.Narrowing())) == [outside.neighbour.pk]
    run = linking.start_version(outside.run.dataset.versions.get(), actor=outside.client.user)
    run = linking.work(run.pk)
    assert [one.household_id for one in linked.accepted_links(run)] == [outside.neighbour.pk]


def test_of_a_restricted_member_only_they_are_left_out(make_household, client_for):
    home = make_household(name="Tukiman")
    wife = Person.objects.create(
        household=home, origin=home.origin, nik="3302015203870002", name="SITI", relation="spouse"
    )
    restriction.place(wife, reason="Permintaan no. 3", actor=None)
    assert not restriction.is_restricted(home)
    assert restriction.is_restricted(wife)
    assert restriction.household_ids() == []
    client = client_for(Role.SECRETARIAT)
    text = text_of(client.post(reverse("registry:export"), {"format": "csv", "reason": REASON}))
    assert "TUKIMAN" in text
    assert "SITI" not in text
    answer = client.get(f"/api/v1/registry/households/{home.pk}").json()
    assert [one["name"] for one in answer["people"]] == ["TUKIMAN"]
    with pytest.raises(RegistryError):
        restriction.place(wife, reason="Lagi", actor=None)
    assert Restriction.objects.count() == 1
