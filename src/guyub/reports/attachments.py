"""What may go with a report: photos, which are made anew, and PDF, Excel and Word documents.

What a file is comes from its content, never from its name or from what the browser says of it.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext as _

from guyub.registry.pictures import MAX_BYTES, UnusablePictureError, clean_jpeg

MOST_FILES = 12  # of one report
DOCUMENT_MAX_BYTES = 10 * 1024 * 1024
JPEG = "image/jpeg"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ENDINGS = {JPEG: ".jpg", PDF: ".pdf", XLSX: ".xlsx", DOCX: ".docx"}
# The part that an office document can't do without, and what it is a document of.
OFFICE = {"xl/workbook.xml": XLSX, "word/document.xml": DOCX}
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8")


class AttachmentError(ValueError):
    """The file is not taken; the message tells the user why and what to do."""


@dataclass(frozen=True)
class Prepared:
    """A file that may be kept."""

    content: bytes
    media_type: str
    name: str


def prepare(upload: Any) -> Prepared:
    """Check an uploaded file and return what to keep of it.

    Photos come out as JPEG, smaller, without the place and device that cameras write into them.

    Raises:
        AttachmentError: it is none of the kinds that are taken, too large, or damaged.
    """
    if upload.size > max(MAX_BYTES, DOCUMENT_MAX_BYTES):
        raise AttachmentError(_("Berkas lebih dari 15 MB. Kecilkan dahulu."))
    content = upload.read()
    if content.startswith(PICTURES):
        upload.seek(0)
        try:
            picture = clean_jpeg(upload).read()
        except UnusablePictureError as error:
            raise AttachmentError(str(error)) from error
        return Prepared(picture, JPEG, clean_name(upload.name, JPEG))
    if len(content) > DOCUMENT_MAX_BYTES:
        raise AttachmentError(_("Dokumen lebih dari 10 MB. Kecilkan atau bagi dahulu."))
    media_type = PDF if content.startswith(b"%PDF-") else _office_type(content)
    if not media_type:
        raise AttachmentError(
            _("Berkas ini tidak bisa dilampirkan. Pakai foto (JPEG, PNG), PDF, XLSX, atau DOCX.")
        )
    return Prepared(content, media_type, clean_name(upload.name, media_type))


def _office_type(content: bytes) -> str:
    """Return what an Office document is, empty for anything else.

    Raises:
        AttachmentError: it carries macros, or is a damaged archive.
    """
    if not content.startswith(b"PK"):
        return ""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AttachmentError(
            _("Berkas rusak atau tidak lengkap. Simpan ulang, lalu unggah lagi.")
        ) from error
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise AttachmentError(
            _("Dokumen berisi makro. Simpan ulang tanpa makro (.xlsx atau .docx).")
        )
    if "[Content_Types].xml" not in names:
        return ""
    return next((kind for part, kind in OFFICE.items() if part in names), "")


def clean_name(name: str, media_type: str) -> str:
    """Return a file's name without folders and odd characters, ending as its content demands."""
    stem = PurePath(str(name).replace("\\", "/")).stem
    stem = re.sub(r"[^\w .()-]+", "_", stem).strip(" ._")[:100]
    return (stem or _("lampiran")) + ENDINGS[media_type]
