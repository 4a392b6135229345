"""Seal the numbers that were stored in the clear. Broken off, it goes on where it stopped."""

from django.db import migrations

from guyub.access.rekeying import reseal_column


def seal(apps, schema_editor):
    reseal_column("registry_person", "nik")
    reseal_column("registry_household", "kk")
    for column in ("old", "new"):
        reseal_column("registry_valuechange", column, "field IN ('nik', 'kk')")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("registry", "0003_sealed_numbers")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
