"""Attachments: what is let in, what is kept, who gets it."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image

from guyub.access.roles import Role
from guyub.discussions import files, services
from guyub.discussions.models import Attachment, Message

PDF = b"%PDF-1.7\n%%EOF"


def picture(kind="JPEG", mode="RGB", size=(3000, 20)):
    out = io.BytesIO()
    image = Image.new(mode, size)
    exif = image.getexif()
    exif[0x010F] = "KameraRahasia"
    image.save(out, kind, exif=exif)
    return out.getvalue()


def workbook():
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def with_part(content, part):
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as parts:
        parts.writestr(part, b"x")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_pictures_are_drawn_anew(kind):
    kept = files.check(ContentFile(picture(kind), "foto.exe"))
    assert (kept.name, kept.media_type) == ("foto.jpg", "image/jpeg")
    assert b"KameraRahasia" not in kept.content
    assert max(Image.open(io.BytesIO(kept.content)).size) == files.PICTURE_EDGE


def test_a_transparent_picture_gets_a_white_ground():
    kept = files.check(ContentFile(picture("PNG", "RGBA"), "cap.png"))
    assert Image.open(io.BytesIO(kept.content)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "name", "kept"),
    [
        (PDF, "surat.docx", "surat.pdf"),
        (workbook(), "../../data.xls", "data.xlsx"),
        (workbook(), "C:\\Users\\x\\data.xlsx", "data.xlsx"),
        (PDF, "<b>.pdf", "_b_.pdf"),
        (PDF, ".pdf", "pdf.pdf"),
    ],
)
def test_documents_are_known_by_content(content, name, kept):
    upload = ContentFile(content)
    upload.name = name
    assert files.check(upload).name == kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90",
        b"<html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04 broken",
        with_part(workbook(), "xl/vbaProject.bin"),
        with_part(b"", "catatan.txt"),
    ],
)
def test_anything_else_is_refused(content):
    with pytest.raises(ValidationError, match="tidak dapat dilampirkan"):
        files.check(ContentFile(content, "surat.pdf"))


def test_too_large(monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 5)
    with pytest.raises(ValidationError, match="lebih dari"):
        files.check(ContentFile(PDF, "surat.pdf"))


def test_attachments_go_with_the_message(make_household, client_for):
    home = make_household("33.02.17.2001")
    client = client_for()
    url = reverse("discussions:write", args=["registry.household", str(home.pk)])
    uploads = [
        ContentFile(PDF, "NIK 3302011203850001.pdf"),
        ContentFile(picture(), "rumah.jpg"),
    ]
    client.post(url, {"pesan": "", "lampiran": uploads})
    document, photo = Attachment.objects.all()
    assert "3302011203850001" not in document.name
    link = reverse("discussions:attachment", args=[document.pk])
    response = client.get(link)
    assert b"".join(response.streaming_content) == PDF
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    photo_link = reverse("discussions:attachment", args=[photo.pk])
    assert client.get(photo_link)["Content-Type"] == "image/jpeg"
    for role in (Role.AREA_OPERATOR, Role.REGENT, Role.AUDITOR):
        assert client_for(role).get(link).status_code == 403
    assert (
        f'src="{photo_link}"'
        in client.get(reverse("registry:household", args=[home.pk])).content.decode()
    )


def test_files_go_with_a_withdrawn_message(
    make_dataset, make_user, django_capture_on_commit_callbacks
):
    author = make_user(Role.SECRETARIAT)
    message = services.write(
        make_dataset(), "x", author=author, uploads=[ContentFile(PDF, "a.pdf")]
    ).message
    name = Attachment.objects.get().file.name
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(message, actor=author)
    assert not default_storage.exists(name)
    assert not Attachment.objects.exists()


def test_a_bad_file_keeps_the_whole_message_back(make_dataset, client_for):
    make_dataset("rtlh")
    url = reverse("discussions:write", args=["datasets.dataset", str(make_dataset("rtlh").pk)])
    response = client_for().post(
        url,
        {"pesan": "Terlampir", "lampiran": ContentFile(b"MZ", "virus.pdf")},
        headers={"HX-Request": "true"},
    )
    assert not Message.objects.exists()
    assert "virus.pdf" in response.content.decode()
    many = [ContentFile(PDF, f"{n}.pdf") for n in range(services.MOST_FILES + 1)]
    response = client_for().post(
        url, {"pesan": "x", "lampiran": many}, headers={"HX-Request": "true"}
    )
    assert "Terlalu banyak lampiran" in response.content.decode()
