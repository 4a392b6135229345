"""Have PostgreSQL judge what is written too, and keep steps and deliveries of other areas."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    ("beneficiaries_enrolment", wall.BY_HOUSEHOLD.format(column="beneficiaries_enrolment.household_id")),
    *(
        (table, wall.through("beneficiaries_enrolment", f"{table}.enrolment_id"))
        for table in (
            "beneficiaries_enrolmentstep",
            "beneficiaries_delivery",
            "beneficiaries_deliverychange",
        )
    ),
]


class Migration(migrations.Migration):
    dependencies = [("beneficiaries", "0007_alter_enrolment_entry"), ("registry", "0009_wall_of_writes")]
    operations = wall.policies(TABLES)
