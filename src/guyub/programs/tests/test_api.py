import pytest

from guyub.access.roles import Role
from guyub.agencies.services import load_agencies
from guyub.programs import services
from guyub.programs.models import Program, SubActivity


@pytest.fixture
def loaded(regency):
    load_agencies()
    services.load_programs(2026)


def test_sub_activities_are_narrowed_and_paged(loaded, client_for, django_assert_max_num_queries):
    client = client_for(Role.REGENT)
    with django_assert_max_num_queries(8):
        found = client.get("/api/v1/programs/sub-activities?help_kind=house_repair&limit=2").json()
    assert found["count"] == 7
    assert len(found["items"]) == 2
    rest = client.get(
        f"/api/v1/programs/sub-activities?help_kind=house_repair&cursor={found['next']}"
    ).json()
    assert len(rest["items"]) == 5
    assert rest["next"] is None
    zakat = client.get("/api/v1/programs/sub-activities?source=zakat&q=bedah").json()["items"]
    assert [(row["name"], row["budget"]) for row in zakat] == [
        ("Bedah rumah mustahik", 1_900_000_000)
    ]
    assert client.get("/api/v1/programs/sub-activities?limit=9999").status_code == 422


def test_one_sub_activity_and_its_program(loaded, client_for, django_assert_max_num_queries):
    client = client_for(Role.AUDITOR)
    sub = SubActivity.objects.get(name="Jamban mustahik")
    found = client.get(f"/api/v1/programs/sub-activities/{sub.pk}").json()
    assert found["fundings"] == {"zakat": 525_000_000}
    assert found["agency"] == "baznas"
    assert "33.02.01" in found["areas"]
    with django_assert_max_num_queries(9):
        program = client.get(f"/api/v1/programs/{found['program_id']}").json()
    names = [row["name"] for branch in program["activities"] for row in branch["sub_activities"]]
    assert "Jamban mustahik" in names
    assert client.get("/api/v1/programs/99999").status_code == 404


def test_programs_carry_their_mission(loaded, client_for):
    found = client_for(Role.REGENT).get("/api/v1/programs?agency=dinkes&year=2026").json()
    assert found["count"] == Program.objects.filter(agency__code="dinkes").count()
    assert {row["mission"] for row in found["items"]} == {1}
