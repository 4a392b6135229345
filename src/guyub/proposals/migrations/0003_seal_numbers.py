"""Seal the numbers that were stored in the clear. Broken off, it goes on where it stopped."""

from django.db import migrations

from guyub.access.rekeying import reseal_column


def seal(apps, schema_editor):
    reseal_column("proposals_proposal", "nik")
    reseal_column("proposals_proposal", "kk")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("proposals", "0002_sealed_numbers")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
