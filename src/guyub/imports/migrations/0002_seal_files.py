"""Seal uploads, dataset versions and attachments that lie in the data folder in the clear."""

from django.db import migrations

from guyub.imports.resealing import reseal_files, reseal_layouts


def seal(apps, schema_editor):
    reseal_layouts(apps.get_model("imports", "ImportRun"))
    reseal_files()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("imports", "0001_initial"), ("registry", "0004_seal_numbers")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
