"""Have PostgreSQL judge what is written too, and keep moves and restrictions of other areas."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    ("registry_household", wall.BY_VILLAGE.format(column="village_id")),
    ("registry_person", wall.BY_HOUSEHOLD.format(column="registry_person.household_id")),
    ("registry_listing", wall.BY_HOUSEHOLD.format(column="registry_listing.household_id")),
    ("registry_valuechange", wall.BY_HOUSEHOLD.format(column="registry_valuechange.household_id")),
    ("registry_photo", wall.BY_HOUSEHOLD.format(column="registry_photo.household_id")),
    ("registry_personkey", wall.BY_VILLAGE.format(column="village_id")),
    ("registry_addresskey", wall.BY_VILLAGE.format(column="village_id")),
    # Whoever sees where somebody came from or went to sees the move.
    (
        "registry_move",
        f"{wall.BY_HOUSEHOLD.format(column='registry_move.from_household_id')} "
        f"OR {wall.BY_HOUSEHOLD.format(column='registry_move.to_household_id')}",
    ),
    (
        "registry_restriction",
        f"{wall.through('registry_household', 'registry_restriction.household_id')} "
        f"OR {wall.through('registry_person', 'registry_restriction.person_id')}",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_erased_status")]
    operations = wall.policies(TABLES)
