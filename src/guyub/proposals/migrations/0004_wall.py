"""Have PostgreSQL keep proposals of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access.wall import BY_HOUSEHOLD, BY_VILLAGE, build, take_down

TABLES = [
    ("proposals_proposal", BY_VILLAGE.format(column="village_id")),
]


def up(apps, schema_editor):
    for table, condition in TABLES:
        build(schema_editor, table, condition)


def down(apps, schema_editor):
    for table, _condition in TABLES:
        take_down(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("proposals", "0003_seal_numbers"), ("registry", "0005_wall")]
    operations = [migrations.RunPython(up, down)]
