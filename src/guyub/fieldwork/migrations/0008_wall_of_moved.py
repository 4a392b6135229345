"""Have PostgreSQL show a visit also where its household lives now, not only where it stood when planned."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    (
        "fieldwork_visit",
        f"{wall.BY_VILLAGE.format(column='fieldwork_visit.village_id')} OR "
        f"{wall.BY_HOUSEHOLD.format(column='fieldwork_visit.household_id')}",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0007_matches")]
    operations = wall.policies(TABLES)
