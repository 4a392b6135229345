"""Making an uploaded picture safe to keep."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

EDGE = 1600  # pixels
MAX_BYTES = 15 * 1024 * 1024
MAX_PIXELS = 80_000_000
# What cameras and screens make. Pillow would try fifty more, among them such as start programs.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


class UnusablePictureError(Exception):
    """It is no picture, or too large; the message tells the user what to do."""


def clean_jpeg(upload: Any) -> ContentFile[bytes]:
    """Return ``upload`` drawn anew: smaller, and without the place and device that cameras write in.

    Raises:
        UnusablePictureError: it is no picture, or larger than 15 MB.
    """
    if upload.size > MAX_BYTES:
        raise UnusablePictureError(_("Foto lebih dari 15 MB. Kecilkan dahulu."))
    try:
        with Image.open(upload, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise UnusablePictureError(_("Foto terlalu besar. Kecilkan dahulu."))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except UnusablePictureError:
        raise
    except Exception as error:  # a damaged picture fails anywhere within its decoder
        raise UnusablePictureError(
            _("Berkas ini bukan foto yang bisa dibaca (JPEG atau PNG).")
        ) from error
    picture.thumbnail((EDGE, EDGE))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return ContentFile(out.getvalue())
