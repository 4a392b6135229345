import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guyub.access.roles import Role
from guyub.agencies.services import load_agencies
from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.programs import services
from guyub.programs.copying import a_year_later, scaled
from guyub.programs.models import Mission, Program, SubActivity


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31)))
def test_a_year_later_is_the_same_day_or_the_last_of_february(day):
    later = a_year_later(day)
    assert later.year == day.year + 1
    assert later.month == day.month
    assert later.day == day.day or (day.month, day.day, later.day) == (2, 29, 28)


@given(st.integers(0, 10**14), st.integers(0, 300))
def test_scaled_money_is_within_half_a_rupiah(amount, percent):
    assert abs(scaled(amount, percent) * 100 - amount * percent) <= 50
    assert scaled(amount, 100) == amount


def copy(agency, percent=100, year=2026):
    return services.copy_to_next_year(
        SubActivity.objects.filter(agency=agency, year=year),
        actor=None,
        agency=agency,
        year=year,
        percent=percent,
    )


def test_a_copy_has_everything_a_year_later(sub_activity, program, agency, regency):
    mission = Mission.objects.create(number=1, text="M", first_year=2025, last_year=2029)
    services.update_program(program, actor=None, values={"mission": mission})
    sub_activity.areas.set(Area.objects.filter(code__in=["33.02.01", "33.02.17.2009"]))
    [made] = copy(agency, 110).made
    assert (made.year, made.code, made.name) == (2027, sub_activity.code, sub_activity.name)
    assert (made.starts_on, made.ends_on) == (dt.date(2027, 2, 1), dt.date(2027, 11, 30))
    assert set(made.areas.all()) == set(sub_activity.areas.all())
    assert dict(made.fundings.values_list("source", "amount")) == {
        "apbd_regency": 2_200_000_000,
        "apbd_province": 550_000_000,
    }
    assert made.activity.program.mission == mission
    assert made.activity.program.year == 2027
    event = Event.objects.latest("sequence")
    assert event.action == "programs.copy"
    assert event.detail["made"] == [made.pk]
    # What was copied stays as it was.
    sub_activity.refresh_from_db()
    assert (sub_activity.year, sub_activity.quota) == (2026, 100)


def test_a_mission_whose_plan_ends_does_not_come_along(sub_activity, program, agency):
    mission = Mission.objects.create(number=1, text="M", first_year=2022, last_year=2026)
    services.update_program(program, actor=None, values={"mission": mission})
    [made] = copy(agency).made
    assert made.activity.program.mission is None


def test_what_exists_or_is_cancelled_is_passed_over(sub_activity, activity, values, agency):
    other = services.create_sub_activity(
        activity, actor=None, values=values | {"code": "", "name": "Lain"}, fundings={}
    )
    services.cancel_sub_activity(other, actor=None, reason="Batal")
    outcome = copy(agency)
    assert [sub.name for sub in outcome.made] == [sub_activity.name]
    assert outcome.skipped == [(other, "Dibatalkan")]
    events = Event.objects.count()
    again = copy(agency)
    assert again.made == []
    assert {reason for _sub, reason in again.skipped} == {
        "Dibatalkan",
        "Sudah ada di tahun berikutnya",
    }
    assert Event.objects.count() == events
    assert Program.objects.filter(year=2027).count() == 1


def test_the_whole_demo_copies_and_joins_what_is_there(regency):
    load_agencies()
    services.load_programs(2026)
    from guyub.agencies.models import Agency

    made = 0
    for agency in Agency.objects.all():
        outcome = copy(agency)
        assert outcome.skipped == []
        made += len(outcome.made)
    assert made == SubActivity.objects.filter(year=2026).count()
    assert Program.objects.filter(year=2027).count() == Program.objects.filter(year=2026).count()
    assert services.load_programs(2027) == 0


def test_the_page_copies_what_is_ticked(client_for, sub_activity, activity, values, agency):
    other = services.create_sub_activity(
        activity, actor=None, values=values | {"code": "", "name": "Lain"}, fundings={}
    )
    client = client_for(Role.AGENCY_OPERATOR, agency=agency)
    page = client.get("/program/salin/").content.decode()
    assert "Lain" in page
    data = {"perangkat": "dinperkim", "tahun": "2026", "percent": "100"}
    assert "Pilih sedikitnya satu" in client.post("/program/salin/", data).content.decode()
    bad = client.post("/program/salin/", data | {"sub": [other.pk], "percent": "900"})
    assert "errorlist" in bad.content.decode()
    page = client.post("/program/salin/", data | {"sub": [other.pk, "x", 10**30]}).content.decode()
    assert "1 sub kegiatan disalin dari 2026 ke 2027, 0 dilewati" in page
    assert SubActivity.objects.get(year=2027).name == "Lain"
    page = client.get("/program/salin/?tahun=2026").content.decode()
    assert "sudah ada" in page


def test_an_operator_copies_for_the_own_agency_only(client_for, sub_activity, make_agency):
    client = client_for(Role.AGENCY_OPERATOR, agency=make_agency("dinkes"))
    page = client.post(
        "/program/salin/",
        {"perangkat": "dinperkim", "tahun": "2026", "percent": "100", "sub": [sub_activity.pk]},
    ).content.decode()
    assert "Pilih perangkat daerah" in page
    assert not SubActivity.objects.filter(year=2027).exists()


@pytest.mark.parametrize("year", ["1999", "'", ""])
def test_an_unknown_year_shows_the_newest(client_for, sub_activity, agency, year):
    client = client_for(Role.SECRETARIAT)
    page = client.get(f"/program/salin/?perangkat=dinperkim&tahun={year}").content.decode()
    assert sub_activity.name in page
