import csv

from guyub.agencies.services import load_agencies
from guyub.audit.models import Event
from guyub.programs.models import Program
from guyub.programs.services import DATA, load_programs


def test_every_listed_program_has_an_agency_of_the_directory(db):
    load_agencies()
    with (DATA / "banyumas.csv").open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    assert load_programs(2026) == len(listed) == Program.objects.count()
    for program in Program.objects.all():
        program.full_clean()


def test_loading_the_same_year_again_makes_nothing(db):
    load_agencies()
    load_programs(2026)
    events = Event.objects.count()
    assert load_programs(2026) == 0
    assert Event.objects.count() == events


def test_each_year_has_its_own_programs(db):
    load_agencies()
    made = load_programs(2026)
    assert load_programs(2027) == made
    assert Program.objects.filter(year=2027).count() == made


def test_programs_of_absent_agencies_are_passed_over(db, make_agency):
    make_agency("dinkes")
    assert load_programs(2026) == 2
