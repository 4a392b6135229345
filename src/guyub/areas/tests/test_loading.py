from guyub.areas.models import Area, Level
from guyub.areas.services import load_regency, national_district_codes
from guyub.audit.models import Event


def test_banyumas_has_its_27_districts_and_331_villages(regency):
    assert regency.name == "Kabupaten Banyumas"
    assert Area.objects.filter(level=Level.DISTRICT).count() == 27
    assert Area.objects.filter(level=Level.VILLAGE).count() == 331
    assert Area.objects.filter(level=Level.DISTRICT, tile_column=None).count() == 0


def test_each_district_has_its_own_tile(regency):
    tiles = Area.objects.filter(level=Level.DISTRICT).values_list("tile_column", "tile_row")
    assert len(set(tiles)) == 27


def test_loading_again_changes_nothing_and_logs_nothing(regency):
    before = Event.objects.count()
    assert load_regency() == 359
    assert Event.objects.count() == before


def test_titles_tell_desa_from_kelurahan(regency):
    assert Area.objects.get(code="33.02.01.2001").title.startswith("Desa ")
    assert Area.objects.get(code="33.02.24.1001").title.startswith("Kelurahan ")
    assert Area.objects.get(code="33.02.01").title == "Kecamatan Lumbir"


def test_national_district_codes_hold_lumbir():
    assert "330201" in national_district_codes()
