"""Have PostgreSQL keep what came from doors of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access.wall import BY_VILLAGE, build, take_down

# The submission's own policy holds within.
BY_SUBMISSION = (
    "(SELECT current_setting('guyub.reach', true)) = 'all' OR EXISTS "
    "(SELECT 1 FROM fieldwork_submission s WHERE s.id = submission_id)"
)
TABLES = [
    ("fieldwork_visit", BY_VILLAGE.format(column="village_id")),
    ("fieldwork_submission", BY_VILLAGE.format(column="village_id")),
    ("fieldwork_attachment", BY_SUBMISSION),
]


def up(apps, schema_editor):
    for table, condition in TABLES:
        build(schema_editor, table, condition)


def down(apps, schema_editor):
    for table, _condition in TABLES:
        take_down(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0001_initial"), ("registry", "0005_wall")]
    operations = [migrations.RunPython(up, down)]
