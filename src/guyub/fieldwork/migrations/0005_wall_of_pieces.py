"""Have PostgreSQL keep decisions and pieces of files of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    # A decision hangs on a visit, on a submission, or on both.
    (
        "fieldwork_fielddecision",
        f"{wall.through('fieldwork_visit', 'fieldwork_fielddecision.visit_id')} OR "
        f"{wall.through('fieldwork_submission', 'fieldwork_fielddecision.submission_id')}",
    ),
    (
        "fieldwork_attachmentpart",
        wall.through("fieldwork_attachment", "fieldwork_attachmentpart.attachment_id"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0004_loads")]
    operations = wall.policies(TABLES)
