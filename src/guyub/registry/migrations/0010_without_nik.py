"""Let people be without a NIK: children who have none yet."""

from django.db import migrations

import guyub.access.sealed_fields
from guyub.registry.models import sixteen_digits


class Migration(migrations.Migration):
    dependencies = [("registry", "0009_wall_of_writes")]
    operations = [
        migrations.AlterField(
            model_name="person",
            name="nik",
            field=guyub.access.sealed_fields.SealedNumberIfAnyField(
                blank=True, max_length=48, null=True, unique=True, validators=[sixteen_digits],
                verbose_name="NIK",
            ),
        ),
    ]
