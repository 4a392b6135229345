"""What stands before every call of the HTTP API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from guyub.connections import repeats, services
from guyub.connections.admission import RefusedError, admit
from guyub.connections.problems import problem

ROOT = "/api/"
# A number, or a code with a digit in it, in a path.
_VARIABLE = re.compile(r"/[^/]*\d[^/]*(?=/|$)")


class ApiMiddleware:
    """Lets tokens in, keeps repeated writes from writing twice, counts, and words every error."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(ROOT):
            return self.get_response(request)
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            return problem(
                403, _("Panggil lewat HTTPS. Token yang terkirim tanpa enkripsi perlu diganti.")
            )
        scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
        token = None
        if scheme.lower() == "bearer":
            try:
                token = admit(request, key.strip())
            except RefusedError as refusal:
                return refusal.response
        response = _in_words(self._answer(request))
        if token is not None:
            services.count_use(token, _operation(request), response.status_code >= 400)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            storable = _storable(request)
        except RequestDataTooBig:
            return problem(413)
        if not storable:
            return problem(400, _("Kiriman memuat huruf yang tidak dapat disimpan."))
        key = request.headers.get(repeats.HEADER, "").strip()
        if key and request.method in repeats.METHODS and request.user.is_authenticated:
            found: Any = getattr(request, "api_token", None)
            owner = f"t{found.pk}" if found is not None else f"u{request.user.pk}"
            return repeats.once(request, key, owner, self.get_response)
        return self.get_response(request)


def _operation(request: HttpRequest) -> str:
    """Name the operation without what varies in its path."""
    version, _slash, rest = request.path.removeprefix(ROOT).partition("/")
    return f"{request.method} {ROOT}{version}{_VARIABLE.sub('/…', '/' + rest)}"


def _storable(request: HttpRequest) -> bool:
    """Tell whether address and JSON body hold only text that a database takes.

    PostgreSQL refuses the character NUL, and no database takes half a surrogate pair.
    """
    body, kind = request.body, request.content_type or ""
    if not kind.startswith("multipart/"):
        if kind.endswith("json"):
            return _clean(unquote_to_bytes(request.get_full_path())) and _clean_json(body)
        return _clean(unquote_to_bytes(request.get_full_path())) and _clean(unquote_to_bytes(body))
    return _clean(unquote_to_bytes(request.get_full_path()))


def _clean(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode()
    except UnicodeDecodeError:
        return False


def _clean_json(body: bytes) -> bool:
    if b"\\u" not in body:
        return _clean(body)
    try:
        return all(_clean(text.encode()) for text in _texts(json.loads(body)))
    except UnicodeEncodeError:
        return False
    except (ValueError, RecursionError):
        return True  # no JSON; Ninja says so


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _in_words(response: HttpResponse) -> HttpResponse:
    """Turn an error that is a page, as Django and libraries make it, into a problem."""
    if response.status_code < 400 or "json" in response.headers.get("Content-Type", ""):
        return response
    worded = problem(response.status_code)
    for name in ("Allow", "Retry-After"):
        if name in response.headers:
            worded.headers[name] = response.headers[name]
    return worded
