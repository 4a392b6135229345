"""Have PostgreSQL keep enrolments of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access.wall import BY_HOUSEHOLD, BY_VILLAGE, build, take_down

TABLES = [
    ("beneficiaries_enrolment", BY_HOUSEHOLD.format(column="beneficiaries_enrolment.household_id")),
]


def up(apps, schema_editor):
    for table, condition in TABLES:
        build(schema_editor, table, condition)


def down(apps, schema_editor):
    for table, _condition in TABLES:
        take_down(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("beneficiaries", "0005_seal_samples"), ("registry", "0005_wall")]
    operations = [migrations.RunPython(up, down)]
