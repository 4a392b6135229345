"""Have PostgreSQL keep rows of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access.wall import BY_HOUSEHOLD, BY_VILLAGE, build, take_down

TABLES = [
    ("registry_household", BY_VILLAGE.format(column="village_id")),
    ("registry_person", BY_HOUSEHOLD.format(column="registry_person.household_id")),
    ("registry_listing", BY_HOUSEHOLD.format(column="registry_listing.household_id")),
    ("registry_valuechange", BY_HOUSEHOLD.format(column="registry_valuechange.household_id")),
    ("registry_photo", BY_HOUSEHOLD.format(column="registry_photo.household_id")),
    ("registry_personkey", BY_VILLAGE.format(column="village_id")),
    ("registry_addresskey", BY_VILLAGE.format(column="village_id")),
]


def up(apps, schema_editor):
    for table, condition in TABLES:
        build(schema_editor, table, condition)


def down(apps, schema_editor):
    for table, _condition in TABLES:
        take_down(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_seal_numbers"), ("areas", "0001_initial")]
    operations = [migrations.RunPython(up, down)]
