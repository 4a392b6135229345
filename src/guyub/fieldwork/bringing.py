"""Bringing a form: the uploaded XLSForm, what it would look like, and keeping it as a version."""

from __future__ import annotations

import contextlib
import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guyub.fieldwork import household_fields as fields
from guyub.fieldwork import member_fields, whom
from guyub.fieldwork.models import FormUpload, FormVersion
from guyub.fieldwork.services import keep_form
from guyub.fieldwork.xlsform import Reading, read_file
from guyub.fieldwork.xlsform_sheets import Fault
from guyub.fieldwork.xlsform_writing import UnconvertibleFormError, xform_of
from guyub.imports.reading import UnreadableFileError

LARGEST = 5 * 1024 * 1024  # bytes
KEPT = dt.timedelta(days=7)  # what nobody kept
KNOWN_FIELDS = frozenset({*fields.KNOWN, *whom.FIELDS, *member_fields.KNOWN})


@contextlib.contextmanager
def on_disk(file: Any) -> Iterator[Path]:
    """Give the plain content of a stored or uploaded file a path for as long as it is read."""
    with tempfile.NamedTemporaryFile(prefix="guyub-") as out:
        file.seek(0)
        while block := file.read(1 << 20):
            out.write(block)
        out.flush()
        yield Path(out.name)


def _stem(file_name: str) -> str:
    return PurePath(file_name.replace("\\", "/")).stem[:80]


def look(file: Any, file_name: str) -> Reading:
    """Read an uploaded form.

    Raises:
        ValidationError: it is no workbook that may be opened.
    """
    if file.size > LARGEST:
        raise ValidationError(_("Berkas lebih dari %(n)d MB.") % {"n": LARGEST >> 20})
    try:
        with on_disk(file) as path:
            reading = read_file(path, name=_stem(file_name), known_fields=KNOWN_FIELDS)
    except UnreadableFileError as error:
        raise ValidationError(str(error)) from error
    if reading.definition is not None:
        try:
            xform_of(reading.definition)
        except UnconvertibleFormError as error:
            reading.remarks.append(
                Fault("", 0, "", _("ODK Collect menolak formulir ini: %(message)s") % {"message": str(error)[:300]})
            )  # fmt: skip
    return reading


@transaction.atomic
def bring(file: Any, *, actor: Any) -> FormUpload:
    """Set an uploaded form aside to be looked at; what its sender set aside before is dropped.

    Raises:
        ValidationError: it is no workbook that may be opened.
    """
    look(file, file.name)
    for old in FormUpload.objects.filter(created_by=actor) | FormUpload.objects.filter(
        created_at__lt=timezone.now() - KEPT
    ):
        drop(old)
    upload = FormUpload(
        file_name=PurePath(file.name).name[:150], agency=actor.agency, created_by=actor
    )
    file.seek(0)
    upload.file.save("formulir", ContentFile(file.read()), save=False)
    upload.save()
    return upload


def reading_of(upload: FormUpload) -> Reading:
    """Read a form that was set aside."""
    with upload.file.storage.open(str(upload.file.name)) as file:
        return look(file, upload.file_name)


def drop(upload: FormUpload) -> None:
    """Remove a form that was set aside, with its file."""
    storage, name = upload.file.storage, str(upload.file.name)
    upload.delete()
    transaction.on_commit(lambda: storage.delete(name))


@transaction.atomic
def keep(upload: FormUpload, *, actor: Any) -> FormVersion:
    """Keep a form that was looked at as a version of its own.

    Raises:
        ValidationError: it still has faults, or its name is another agency's.
    """
    reading = reading_of(upload)
    if reading.definition is None:
        raise ValidationError(_("Formulir ini masih berisi kesalahan. Perbaiki, lalu unggah lagi."))
    with upload.file.storage.open(str(upload.file.name)) as file:
        content = ContentFile(file.read())
    version = keep_form(
        reading.definition.as_json(), actor=actor, agency=upload.agency, file=content
    )
    drop(upload)
    return version
