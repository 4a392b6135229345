"""What the field app on phones asks: its page, what makes it work without signal, visits, and sending."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from guyub.access import wall
from guyub.access.guards import requires
from guyub.fieldwork import phone, queries, receiving
from guyub.fieldwork.models import Attachment, FormVersion, Submission, Visit
from guyub.fieldwork.wording import app_texts

LARGEST_SUBMISSION = 1024 * 1024  # bytes of JSON
# What the service worker keeps. The first ones it loads itself.
WORKER_SCRIPTS = ("vendor/idb/umd.js", "fieldwork/store.js", "fieldwork/sync.js")
MODULES = (
    "fieldwork/app.js", "fieldwork/elements.js", "fieldwork/filling.js", "fieldwork/photos.js",
    "fieldwork/form.js", "fieldwork/expressions.js",
)  # fmt: skip
LOOKS = (
    "vendor/pico/pico.min.css", "ui/guyub.css", "fieldwork/app.css", "ui/mark.svg",
    "fieldwork/icon-192.png",
)  # fmt: skip


@require_GET
@requires("fieldwork.visit")
def app(request: HttpRequest) -> HttpResponse:
    """The app's one page. It holds nothing about anybody, so that phones may keep it."""
    return render(request, "fieldwork/app.html", {"texts": app_texts()})


@require_GET
@requires("fieldwork.visit")
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, which keeps the page and its parts on the phone."""
    # Modules ask for each other by their plain names, whatever name the page asked for the first by.
    plain = [f"/{settings.STATIC_URL.strip('/')}/{name}" for name in MODULES]
    assets = sorted({*plain, *(static(name) for name in (*WORKER_SCRIPTS, *MODULES, *LOOKS))})
    context = {
        "version": _version(),
        "page": reverse("fieldwork:app"),
        "scripts": [static(name) for name in WORKER_SCRIPTS],
        "assets": assets,
    }
    response = render(request, "fieldwork/sw.js", context, content_type="text/javascript")
    response.headers["Cache-Control"] = "no-cache"
    return response


@lru_cache(maxsize=1)
def _contents() -> str:
    digest = hashlib.sha256()
    for name in (*WORKER_SCRIPTS, *MODULES, *LOOKS):
        digest.update(Path(str(finders.find(name))).read_bytes())
    folder = Path(__file__).parent / "templates" / "fieldwork"
    for name in ("app.html", "sw.js"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _version() -> str:
    """Return a name for the parts of the app as they are now, in the language spoken."""
    words = json.dumps(app_texts(), sort_keys=True)
    return hashlib.sha256(f"{_contents()}{words}".encode()).hexdigest()[:16]


@require_GET
@requires("fieldwork.visit")
def manifest(request: HttpRequest) -> JsonResponse:
    """What makes the page installable."""
    here = reverse("fieldwork:app")
    return JsonResponse(
        {
            "name": _("Guyub – kunjungan lapangan"),
            "short_name": "Guyub",
            "description": _("Kunjungan ke rumah keluarga, juga tanpa sinyal"),
            "id": here,
            "start_url": here,
            "scope": here,
            "display": "standalone",
            "lang": request.LANGUAGE_CODE,
            "background_color": "#f5f7f6",
            "theme_color": "#0f766e",
            "icons": [
                {"src": static(f"fieldwork/icon-{size}.png"), "sizes": f"{size}x{size}",
                 "type": "image/png", "purpose": purpose}
                for size, purpose in (("192", "any"), ("512", "any"), ("512", "maskable"))
            ],
        },
        content_type="application/manifest+json",
    )  # fmt: skip


@require_GET
@requires("fieldwork.visit")
def session(request: HttpRequest) -> JsonResponse:
    """Who is signed in, and the token that sending needs."""
    user: Any = request.user
    return JsonResponse(
        {"user": {"id": user.pk, "name": user.get_short_name()}, "csrf": get_token(request)}
    )


@require_GET
@requires("fieldwork.visit")
def data(request: HttpRequest) -> JsonResponse:
    """The visits that the phone carries; ``?desa=`` one village, ``?formulir=`` versions it has."""
    have = frozenset(
        int(text) for text in request.GET.get("formulir", "").split(",")[:200]
        if text.isascii() and text.isdigit() and len(text) < 12
    )  # fmt: skip
    carried = phone.carried(request.user, village=request.GET.get("desa", ""), have=have)
    phone.note_download(request.user, len(carried["visits"]))
    return JsonResponse(carried)


def _problem(status: int, detail: str, **more: Any) -> JsonResponse:
    return JsonResponse({"detail": detail, **more}, status=status)


@require_POST
@requires("fieldwork.visit")
# The visit is checked below. Its household may have moved out of the area since, and stays linked.
@wall.everything()
def send(request: HttpRequest) -> JsonResponse:
    """Store a submission. The same message again gets the same answer; see :mod:`receiving`."""
    try:
        given = _Sent(request)
    except (ValueError, KeyError, TypeError, AttributeError, RequestDataTooBig):
        return _problem(422, _("Kiriman ini tidak terbaca. Buka lagi isiannya, lalu kirim ulang."))
    visit = (
        Visit.objects.select_related("round__form_version", "household__village", "village")
        .filter(key=given.visit)
        .first()
    )
    if visit is None or not queries.may_send(visit, request.user):
        return _problem(
            422, _("Kunjungan ini bukan di wilayah tugas Anda lagi. Hubungi pengelolanya.")
        )
    version = FormVersion.objects.filter(
        pk=given.form, form=visit.round.form_version.form_id
    ).first()
    if version is None:
        return _problem(422, _("Versi formulir ini tidak dikenal. Sinkronkan, lalu isi ulang."))
    try:
        received = receiving.receive(
            instance=given.instance,
            form_version=version,
            visit=visit,
            source="app",
            actor=request.user,
            **given.rest,
        )
    except receiving.OtherContentError as error:
        return _problem(409, str(error))
    except ValidationError as error:
        return _problem(422, " ".join(error.messages))
    return JsonResponse(_stands(received.submission), status=201 if received.is_new else 200)


class _Sent:
    """A submission as the phone writes it; raises what Python raises when it is otherwise."""

    def __init__(self, request: HttpRequest) -> None:
        if int(request.headers.get("Content-Length") or 0) > LARGEST_SUBMISSION:
            raise ValueError
        sent = json.loads(request.body)
        self.instance, self.visit = uuid.UUID(sent["instance"]), uuid.UUID(sent["visit"])
        self.form = int(sent["form"])
        answers, seen = sent["answers"], sent.get("seen") or {}
        values = seen.get("values") or {}
        if not isinstance(answers, dict) or not all(isinstance(v, str) for v in values.values()):
            raise TypeError
        members = {str(one["id"]): dict(one["values"]) for one in seen.get("members") or []}
        if not all(isinstance(v, str) for known in members.values() for v in known.values()):
            raise TypeError
        self.rest: dict[str, Any] = {
            "answers": answers,
            "seen": {"values": values, **({"members": members} if members else {})},
            "begun_at": _moment(sent.get("begun_at")),
            "finished_at": _moment(sent.get("finished_at")),
            "replaces": uuid.UUID(sent["replaces"]) if sent.get("replaces") else None,
            "attachments": [_announced(file) for file in sent.get("files") or []],
        }


def _moment(text: str | None) -> dt.datetime | None:
    moment = parse_datetime(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError
    return moment


def _announced(file: dict[str, Any]) -> receiving.Announced:
    size = int(file["size"])
    if len(file["sha256"]) != 64 or not 0 < size <= receiving.LARGEST_FILE:
        raise ValueError
    return receiving.Announced(
        key=uuid.UUID(file["key"]),
        name=str(file["name"]),
        path=str(file.get("path") or ""),
        media_type=str(file.get("media_type") or ""),
        sha256=str(file["sha256"]),
        size=size,
    )


def _stands(submission: Submission) -> dict[str, Any]:
    files = submission.attachments.prefetch_related("parts")
    return {
        "instance": str(submission.instance),
        "stored": True,
        "state": submission.state,
        "label": str(submission.get_state_display()),
        "files": [
            {
                "key": str(file.key),
                "arrived": receiving.arrived(file),
                "stored": bool(file.stored_at),
            }
            for file in files
        ],
    }


@dataclass(frozen=True)
class OnItsWay:
    """An announced file. Until it is here it is the sender's, in whose area its household may no longer live."""

    attachment: Attachment

    @property
    def area_code(self) -> str:
        sender = self.attachment.submission.sent_by
        return sender.area_code if sender is not None else self.attachment.area_code

    @property
    def owning_agency_id(self) -> int | None:
        return self.attachment.owning_agency_id


@wall.everything()
def load_on_its_way(key: uuid.UUID) -> OnItsWay:
    rows = Attachment.objects.select_related(
        "submission__sent_by__area",
        "submission__village",
        "submission__round",
        "submission__form_version__form",
    )
    return OnItsWay(get_object_or_404(rows, key=key))


@require_POST
@requires("fieldwork.visit", load=load_on_its_way)
@wall.everything()
def part(request: HttpRequest, file: OnItsWay) -> JsonResponse:
    """Store a piece of a file, from byte ``?dari=`` on; tell how much of it is here."""
    attachment = file.attachment
    if attachment.submission.sent_by_id != request.user.pk:
        return _problem(422, _("Lampiran ini milik kiriman orang lain."))
    offset = request.GET.get("dari", "")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 10):
        return _problem(422, _("Kiriman ini tidak terbaca. Buka lagi isiannya, lalu kirim ulang."))
    try:
        here = receiving.store_part(attachment, int(offset), request.body)
    except RequestDataTooBig:
        return _problem(413, _("Potongan lampiran terlalu besar."))
    except ValidationError as error:
        return _problem(422, " ".join(error.messages), arrived=0)
    attachment.refresh_from_db(fields=["stored_at"])
    return JsonResponse({"arrived": here, "stored": attachment.stored_at is not None})
