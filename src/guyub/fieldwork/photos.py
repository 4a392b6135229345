"""Photos of the house that a visit brought, for the household's own page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guyub.fieldwork import household_fields as fields
from guyub.fieldwork.answers import files_about
from guyub.fieldwork.models import Attachment, Submission
from guyub.fieldwork.services import day_of
from guyub.registry.services import add_photo


def hang_photos(submission: Submission, *, actor: Any, only: Attachment | None = None) -> None:
    """Put the photos of the house on the household's page, as far as they have arrived.

    ``only`` is the one that just did, after the submission was accepted.
    """
    if submission.household is None or actor is None:
        return
    names = files_about(submission.form_version.definition, submission.answers, fields.PHOTO)
    found = submission.attachments.filter(name__in=names, stored_at__isnull=False)
    for attachment in found.filter(pk=only.pk) if only is not None else found:
        if attachment.is_picture:
            with attachment.file.open("rb") as file:
                add_photo(
                    submission.household,
                    file,
                    caption=_("Kunjungan lapangan"),
                    taken_on=day_of(submission.finished_at, submission.received_at),
                    actor=actor,
                )
