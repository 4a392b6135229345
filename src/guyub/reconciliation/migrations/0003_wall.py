"""Have PostgreSQL keep differences of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    ("reconciliation_difference", wall.BY_VILLAGE.format(column="village_id")),
    ("reconciliation_merge", wall.BY_VILLAGE.format(column="village_id")),
    ("reconciliation_mergedrow", wall.through("reconciliation_merge", "reconciliation_mergedrow.merge_id")),
]


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0002_differences"), ("registry", "0009_wall_of_writes")]
    operations = wall.policies(TABLES)
