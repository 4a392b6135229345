import json

from guyub.agencies.models import Agency, AgencyFunction
from guyub.agencies.services import DATA, load_agencies
from guyub.audit.models import Event


def test_loading_makes_every_agency_with_its_functions_in_order(db):
    entries = json.loads((DATA / "banyumas.json").read_text(encoding="utf-8"))
    assert load_agencies() == len(entries) == Agency.objects.count() >= 30
    for entry in entries:
        agency = Agency.objects.get(code=entry["code"])
        agency.full_clean()
        assert [function.text for function in agency.functions.all()] == entry["functions"]


def test_loading_again_changes_nothing_and_logs_nothing(db):
    load_agencies()
    events, functions = Event.objects.count(), AgencyFunction.objects.count()
    Agency.objects.filter(code="dinkes").update(head_name="Kepala yang baru")
    load_agencies()
    assert Event.objects.count() == events
    assert AgencyFunction.objects.count() == functions
    assert Agency.objects.get(code="dinkes").head_name == "Kepala yang baru"


def test_loading_logs_what_it_made(db):
    load_agencies()
    event = Event.objects.get(action="agencies.load")
    assert "dinsospermasdes" in event.detail["created"]


def test_invented_contacts_are_marked_so(db):
    load_agencies()
    for agency in Agency.objects.all():
        assert agency.head_name.endswith("(nama rekaan)")
        assert agency.email.endswith(".example")
