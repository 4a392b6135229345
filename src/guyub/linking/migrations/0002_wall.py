"""Have PostgreSQL keep pairs and answers about people of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    ("linking_pair", wall.through("registry_person", "linking_pair.person_id")),
    ("linking_decision", wall.through("registry_person", "linking_decision.person_id")),
]


class Migration(migrations.Migration):
    dependencies = [("linking", "0001_initial"), ("registry", "0009_wall_of_writes")]
    operations = wall.policies(TABLES)
