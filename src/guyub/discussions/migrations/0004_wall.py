"""Have PostgreSQL keep the talk about households of other areas from pages that forgot to."""

from django.db import migrations

from guyub.access import wall

TABLES = [
    # Talk about what is no household and no proposal names nobody.
    (
        "discussions_thread",
        f"{wall.SETTING} = 'all' OR CASE subject_type "
        "WHEN 'registry.household' THEN EXISTS (SELECT 1 FROM registry_household h "
        "WHERE h.id = discussions_thread.subject_id::bigint) "
        "WHEN 'proposals.proposal' THEN EXISTS (SELECT 1 FROM proposals_proposal p "
        "WHERE p.id = discussions_thread.subject_id::bigint) ELSE true END",
    ),
    ("discussions_message", wall.through("discussions_thread", "discussions_message.thread_id")),
    (
        "discussions_attachment",
        wall.through("discussions_message", "discussions_attachment.message_id"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("discussions", "0003_conversations_and_news"), ("registry", "0005_wall"), ("proposals", "0004_wall")]
    operations = wall.policies(TABLES)
