"""Seal the sample rows kept with uploaded files of recipients."""

from django.db import migrations

from guyub.imports.resealing import reseal_layouts


def seal(apps, schema_editor):
    reseal_layouts(apps.get_model("beneficiaries", "Batch"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("beneficiaries", "0004_batches_and_changes")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
