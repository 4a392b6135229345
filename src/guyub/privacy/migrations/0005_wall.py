"""Have PostgreSQL keep requests of data subjects from pages that forgot to."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    ("privacy_subjectrequest", wall.NO_AREA),
]


class Migration(migrations.Migration):
    dependencies = [("privacy", "0004_erasure"), ("registry", "0009_wall_of_writes")]
    operations = wall.policies(TABLES)
