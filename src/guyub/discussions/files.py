"""Files that people attach: what they are is told by their content, and pictures are drawn anew."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

MAX_BYTES = 10 * 1024 * 1024
PICTURE_EDGE = 1600  # pixels
PICTURE_PIXELS = 80_000_000
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
JPEG = "image/jpeg"
PDF = "application/pdf"
# The part that tells what an Office file is, its ending and its media type.
OFFICE = {
    "xl/workbook.xml": (
        ".xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "word/document.xml": (
        ".docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
}
ACCEPT = ".jpg,.jpeg,.png,.webp,.pdf,.xlsx,.docx,image/*"  # for file fields


@dataclass(frozen=True)
class Checked:
    """A file that may be kept."""

    name: str
    media_type: str
    content: bytes


def _named(name: str, ending: str) -> str:
    """Return a harmless file name with the ending that fits the content."""
    stem = PurePosixPath(name.replace("\\", "/")).stem
    stem = re.sub(r"[^\w .,()+-]", "_", stem).strip(" .")[:100]
    return (stem or _("lampiran")) + ending


def _picture(content: bytes) -> bytes | None:
    """Draw a picture anew as JPEG, without the place and device that cameras write in."""
    try:
        with Image.open(io.BytesIO(content), formats=PICTURE_FORMATS) as opened:
            if opened.width * opened.height > PICTURE_PIXELS:
                return None
            picture = ImageOps.exif_transpose(opened)
            if picture.mode in ("RGBA", "LA", "P"):
                # What is transparent becomes white, as on the page it came from.
                layer = picture.convert("RGBA")
                picture = Image.new("RGB", layer.size, "white")
                picture.paste(layer, mask=layer.getchannel("A"))
            picture = picture.convert("RGB")
    except Exception:  # a damaged picture fails anywhere within its decoder
        return None
    picture.thumbnail((PICTURE_EDGE, PICTURE_EDGE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()


def _office(content: bytes) -> tuple[str, str] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            names = set(parts.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    return next((OFFICE[part] for part in OFFICE if part in names), None)


def check(upload: Any) -> Checked:
    """Return what may be kept of an uploaded file.

    Raises:
        ValidationError: it is too large, empty, or none of picture, PDF, XLSX and DOCX.
    """
    name = str(upload.name)[-150:]
    if upload.size > MAX_BYTES:
        raise ValidationError(
            _("Berkas %(name)s lebih dari %(limit)d MB. Kecilkan dahulu.")
            % {"name": name, "limit": MAX_BYTES // 1024 // 1024}
        )
    content = upload.read()
    if content[:1024].lstrip().startswith(b"%PDF-"):
        return Checked(_named(name, ".pdf"), PDF, content)
    if content.startswith(b"PK"):
        office = _office(content)
        if office is not None:
            return Checked(_named(name, office[0]), office[1], content)
    else:
        picture = _picture(content)
        if picture is not None:
            return Checked(_named(name, ".jpg"), JPEG, picture)
    raise ValidationError(
        _(
            "Berkas %(name)s tidak dapat dilampirkan. Yang diterima: foto (JPEG, PNG), PDF, Excel "
            "(.xlsx) dan Word (.docx) tanpa makro dan tanpa kata sandi."
        )
        % {"name": name}
    )
