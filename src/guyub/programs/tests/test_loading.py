import collections
import csv

import pytest
from django.db.models import Count, Sum

from guyub.agencies.services import load_agencies
from guyub.audit.models import Event
from guyub.programs import nomenclature
from guyub.programs.loading import DATA
from guyub.programs.models import Activity, Funding, Mission, Program, SubActivity
from guyub.programs.services import load_programs
from guyub.programs.vocabulary import FundingSource, HelpKind


@pytest.fixture
def tree(regency):
    load_agencies()
    return load_programs(2026)


def listed(name):
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_whole_tree_is_loaded_and_is_valid(tree):
    assert Program.objects.count() == len(listed("banyumas.csv"))
    assert Activity.objects.count() >= len(listed("activities.csv"))
    assert SubActivity.objects.count() == len(listed("sub_activities.csv"))
    made = Mission.objects.count() + Program.objects.count() + Activity.objects.count()
    assert tree == made + SubActivity.objects.count()
    for record in [*Program.objects.all(), *Activity.objects.all(), *SubActivity.objects.all()]:
        record.full_clean()
    assert not Program.objects.filter(mission=None).exists()
    assert not Program.objects.filter(activities__sub_activities=None).exists()


def test_codes_follow_the_nomenclature(tree):
    for sub in SubActivity.objects.select_related("activity__program"):
        if sub.code:
            nomenclature.parse(sub.code, nomenclature.CodeLevel.SUB_ACTIVITY)
            assert sub.activity.code
            assert sub.activity.program.code
        nomenclature.check_under(sub.code, sub.activity.code)
        nomenclature.check_under(sub.activity.code, sub.activity.program.code)
        assert (sub.agency_id, sub.year) == (sub.activity.program.agency_id, 2026)


def test_every_sub_activity_has_money_a_period_in_its_year_and_an_ordered_target_group(tree):
    assert not SubActivity.objects.annotate(n=Count("fundings")).filter(n=0).exists()
    for sub in SubActivity.objects.all():
        assert sub.starts_on.year == sub.ends_on.year == 2026
        assert (sub.desil_min is None) == (sub.desil_max is None)
        assert sub.desil_min is None or sub.desil_min <= sub.desil_max
    sources = dict(Funding.objects.values_list("source").annotate(Sum("amount")).order_by())
    assert set(sources) == set(FundingSource.values)
    assert set(SubActivity.objects.values_list("help_kind", flat=True)) == set(HelpKind.values)


def test_some_agencies_give_the_same_help(tree):
    givers = collections.defaultdict(set)
    for sub in SubActivity.objects.select_related("agency"):
        givers[sub.help_kind].add(sub.agency.code)
    assert {"dinperkim", "dinsospermasdes", "baznas"} <= givers[HelpKind.HOUSE_REPAIR]
    assert {"dpu", "dinkes", "baznas"} <= givers[HelpKind.SANITATION]
    assert {"dinnakerkopukm", "dinporabudpar"} <= givers[HelpKind.TRAINING]


def test_loading_the_same_year_again_makes_nothing(tree):
    events = Event.objects.count()
    assert load_programs(2026) == 0
    assert Event.objects.count() == events
    assert SubActivity.areas.through.objects.count() == sum(
        len(row["areas"].split()) for row in listed("sub_activities.csv")
    )


def test_what_an_agency_changed_since_is_left_alone(tree):
    program = Program.objects.get(agency__code="dinperkim", code="1.04.04")
    Program.objects.filter(pk=program.pk).update(code="1.04.99")
    Activity.objects.filter(program=program).update(code="1.04.99.2.01")
    SubActivity.objects.filter(activity__program=program).update(quota=7)
    assert load_programs(2026) == 0
    assert SubActivity.objects.get(activity__program=program).quota == 7


def test_each_year_has_its_own_programs(tree):
    made = load_programs(2027)
    assert made == tree - Mission.objects.count()
    assert SubActivity.objects.filter(year=2027, starts_on__year=2027).count() == (
        SubActivity.objects.filter(year=2026).count()
    )


def test_what_belongs_to_absent_agencies_is_passed_over(regency, make_agency):
    make_agency("dinkes")
    load_programs(2026)
    assert set(Program.objects.values_list("agency__code", flat=True)) == {"dinkes"}
    assert Program.objects.count() == 2
    assert SubActivity.objects.count() == sum(
        row["agency"] == "dinkes" for row in listed("sub_activities.csv")
    )
