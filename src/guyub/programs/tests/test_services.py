import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guyub.areas.models import Area
from guyub.audit.models import Event
from guyub.programs import queries, services
from guyub.programs.models import Funding, Mission, Program, SubActivity


def faults(error):
    return set(error.value.message_dict)


def amounts(sub):
    return dict(Funding.objects.filter(sub_activity=sub).values_list("source", "amount"))


def test_a_sub_activity_takes_agency_and_year_from_its_program(sub_activity, program):
    assert (sub_activity.agency, sub_activity.year) == (program.agency, 2026)
    assert amounts(sub_activity) == {"apbd_regency": 2_000_000_000, "apbd_province": 500_000_000}
    event = Event.objects.latest("sequence")
    assert event.action == "programs.sub_activity.create"
    assert event.detail["budget"] == 2_500_000_000


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "1.04.04.2.01.3"}, "code"),
        ({"code": "1.04.03.2.03.0002"}, "code"),
        ({"name": ""}, "name"),
        ({"strategy": "luck"}, "strategy"),
        ({"desil_min": 5, "desil_max": 4}, "desil_max"),
        ({"desil_min": 0}, "desil_min"),
        ({"desil_max": 11}, "desil_max"),
        ({"quota": 0}, "quota"),
        ({"starts_on": dt.date(2025, 12, 31)}, "starts_on"),
        ({"ends_on": dt.date(2027, 1, 1)}, "ends_on"),
        ({"starts_on": dt.date(2026, 6, 2), "ends_on": dt.date(2026, 6, 1)}, "ends_on"),
    ],
)
def test_what_is_amiss_is_told_by_field_and_nothing_is_kept(activity, values, change, field):
    events = Event.objects.count()
    with pytest.raises(ValidationError) as error:
        services.create_sub_activity(activity, actor=None, values=values | change, fundings={})
    assert field in faults(error)
    assert not SubActivity.objects.exists()
    assert Event.objects.count() == events


def test_an_impossible_amount_is_told_under_its_source(activity, values):
    with pytest.raises(ValidationError) as error:
        services.create_sub_activity(activity, actor=None, values=values, fundings={"dak": -1})
    assert faults(error) == {"dak"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    low=st.none() | st.integers(-1, 12),
    high=st.none() | st.integers(-1, 12),
    start=st.dates(dt.date(2025, 12, 1), dt.date(2027, 1, 31)),
    end=st.dates(dt.date(2025, 12, 1), dt.date(2027, 1, 31)),
)
def test_ranks_and_dates_are_taken_just_when_they_make_sense(
    activity, values, low, high, start, end
):
    from django.db import transaction

    makes_sense = (
        all(rank is None or 1 <= rank <= 10 for rank in (low, high))
        and (low is None or high is None or low <= high)
        and start.year == end.year == 2026
        and start <= end
    )
    change = {"desil_min": low, "desil_max": high, "starts_on": start, "ends_on": end}
    with transaction.atomic():
        try:
            services.create_sub_activity(activity, actor=None, values=values | change, fundings={})
        except ValidationError:
            assert not makes_sense
        else:
            assert makes_sense
        transaction.set_rollback(True)


def test_a_code_and_a_name_stand_once(sub_activity, activity, values, program):
    with pytest.raises(ValidationError) as error:
        services.create_sub_activity(
            activity, actor=None, values=values | {"name": values["name"].upper()}, fundings={}
        )
    assert faults(error) == {"code", "name"}
    with pytest.raises(ValidationError) as error:
        services.create_activity(
            program, actor=None, values={"code": activity.code, "name": activity.name.upper()}
        )
    assert faults(error) == {"code", "name"}


def test_an_activity_lies_under_its_program(program):
    with pytest.raises(ValidationError, match=r"1\.04\.04"):
        services.create_activity(program, actor=None, values={"code": "1.04.03.2.03", "name": "X"})


def test_codes_above_stay_above_those_below(program, activity, sub_activity):
    with pytest.raises(ValidationError, match=r"1\.04\.04\.2\.01"):
        services.update_program(program, actor=None, values={"code": "1.04.05"})
    with pytest.raises(ValidationError, match=r"0003"):
        services.update_activity(activity, actor=None, values={"code": "1.04.04.2.02"})
    with pytest.raises(ValidationError) as error:
        services.update_program(program, actor=None, values={"year": 2027})
    assert faults(error) == {"year"}


def test_an_update_tells_what_changed(sub_activity, values, regency):
    lumbir = Area.objects.get(code="33.02.01")
    changed = services.update_sub_activity(
        sub_activity,
        actor=None,
        values=values | {"quota": 120},
        fundings={"apbd_regency": 2_400_000_000},
        areas=[lumbir],
    )
    assert set(changed) == {"quota", "fundings", "areas"}
    assert amounts(sub_activity) == {"apbd_regency": 2_400_000_000}
    event = Event.objects.latest("sequence")
    assert event.detail["money"] == {
        "apbd_province": [500_000_000, 0],
        "apbd_regency": [2_000_000_000, 2_400_000_000],
    }
    events = Event.objects.count()
    assert (
        services.update_sub_activity(
            sub_activity,
            actor=None,
            values=values | {"quota": 120},
            fundings={"apbd_regency": 2_400_000_000, "dak": 0},
            areas=[lumbir],
        )
        == []
    )
    assert Event.objects.count() == events


def test_areas_are_kept_without_those_that_others_cover(activity, values, regency):
    district, inside, outside = (
        Area.objects.get(code=code) for code in ("33.02.01", "33.02.01.2001", "33.02.02.2001")
    )
    sub = services.create_sub_activity(
        activity, actor=None, values=values, fundings={}, areas=[inside, district, outside]
    )
    assert set(sub.areas.all()) == {district, outside}
    [first, second] = queries.places(sub)
    assert (first.district, first.villages) == (district, ())
    assert second.villages == (outside,)
    services.update_sub_activity(
        sub, actor=None, values=values, fundings={}, areas=Area.objects.filter(level=3)
    )
    assert not sub.areas.exists()  # all districts are the whole regency


def test_cancelled_money_counts_no_more(sub_activity, program):
    assert queries.tree(program).budget == 2_500_000_000
    services.cancel_sub_activity(sub_activity, actor=None, reason="Anggaran dialihkan")
    assert queries.tree(program).budget == 0
    assert queries.totals(queries.Narrowing()).budget == 0
    with pytest.raises(ValidationError):
        services.cancel_sub_activity(sub_activity, actor=None, reason="Lagi")
    with pytest.raises(ValidationError):
        services.restore_sub_activity(sub_activity, actor=None, reason=" ")
    services.restore_sub_activity(sub_activity, actor=None, reason="Tidak jadi dialihkan")
    assert queries.tree(program).budget == 2_500_000_000
    sub_activity.refresh_from_db()
    assert sub_activity.cancel_reason == ""
    assert list(Event.objects.order_by("sequence").values_list("action", flat=True))[-2:] == [
        "programs.sub_activity.cancel",
        "programs.sub_activity.restore",
    ]


def enrol(sub_activity, home):
    from django.utils import timezone

    from guyub.beneficiaries.models import Enrolment

    return Enrolment.objects.create(
        sub_activity=sub_activity,
        agency=sub_activity.agency,
        year=sub_activity.year,
        help_kind=sub_activity.help_kind,
        household=home,
        stage_since=timezone.now(),
        entry="manual",
    )


def test_what_others_depend_on_is_not_deleted(sub_activity, activity, program, make_household):
    enrol(sub_activity, make_household())
    for delete, record in (
        (services.delete_sub_activity, sub_activity),
        (services.delete_activity, activity),
        (services.delete_program, program),
    ):
        with pytest.raises(ValidationError, match=r"penerima"):
            delete(record, actor=None, reason="Salah")
    assert SubActivity.objects.exists()


def test_a_rule_or_a_report_counts_as_dependent_too(sub_activity):
    from guyub.targeting.models import Rule

    rule = Rule.objects.create(agency=sub_activity.agency, name="RTLH")
    rule.sub_activities.add(sub_activity)
    with pytest.raises(ValidationError, match=r"aturan sasaran"):
        services.delete_sub_activity(sub_activity, actor=None, reason="Salah")


def test_what_is_given_stays_once_people_are_enrolled(sub_activity, values, make_household):
    enrol(sub_activity, make_household())
    for field, value in (("help_kind", "cash"), ("recipient", "person")):
        with pytest.raises(ValidationError) as error:
            services.update_sub_activity(
                sub_activity, actor=None, values=values | {field: value}, fundings={}, areas=[]
            )
        assert faults(error) == {field}
    assert services.update_sub_activity(
        sub_activity, actor=None, values=values | {"quota": 7}, fundings={}, areas=[]
    )


def test_deleting_a_program_takes_its_tree_and_the_log_keeps_it(sub_activity, program):
    with pytest.raises(ValidationError):
        services.delete_program(program, actor=None, reason="  ")
    services.delete_program(program, actor=None, reason="Salah perangkat daerah")
    assert not Program.objects.exists()
    assert not SubActivity.objects.exists()
    event = Event.objects.latest("sequence")
    assert event.reason == "Salah perangkat daerah"
    assert event.detail["sub_activities"] == ["1.04.04.2.01.0003 Perbaikan rumah tidak layak huni"]


def test_missions_belong_to_a_period(program, db):
    mission = services.save_mission(
        Mission(number=1, text="Sehat", first_year=2025, last_year=2029), actor=None
    )
    old = services.save_mission(
        Mission(number=1, text="Lama", first_year=2018, last_year=2023), actor=None
    )
    services.update_program(program, actor=None, values={"mission": mission})
    with pytest.raises(ValidationError) as error:
        services.update_program(program, actor=None, values={"mission": old})
    assert faults(error) == {"mission"}
    with pytest.raises(ValidationError) as error:
        services.save_mission(
            Mission(number=1, text="Dua", first_year=2025, last_year=2024), actor=None
        )
    assert faults(error) == {"number", "last_year"}
    mission.last_year = 2025
    with pytest.raises(ValidationError, match=r"di luar masa"):
        services.save_mission(mission, actor=None)
    mission.refresh_from_db()
    with pytest.raises(ValidationError, match=r"1 program"):
        services.delete_mission(mission, actor=None, reason="Salah")
    services.delete_mission(old, actor=None, reason="Masa lama")
    assert Mission.objects.get() == mission


def test_an_inactive_agency_gets_no_new_program(agency):
    agency.is_active = False
    agency.save()
    with pytest.raises(ValidationError) as error:
        services.create_program(actor=None, agency=agency, values={"year": 2026, "name": "X"})
    assert faults(error) == {"agency"}
