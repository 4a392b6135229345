"""Have PostgreSQL judge what is written too, and keep steps and files of other areas."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    ("proposals_proposal", wall.BY_VILLAGE.format(column="village_id")),
    (
        "proposals_proposalstep",
        wall.through("proposals_proposal", "proposals_proposalstep.proposal_id"),
    ),
    (
        "proposals_proposalfile",
        wall.through("proposals_proposalstep", "proposals_proposalfile.step_id"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("proposals", "0005_alter_proposal_state"), ("registry", "0009_wall_of_writes")]
    operations = wall.policies(TABLES)
