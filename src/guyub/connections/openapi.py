"""The HTTP API's frame: who is let in, how errors read, and what the description adds to Ninja's."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as UnreadableError
from ninja.security import HttpBearer, SessionAuth

from guyub.access.guards import PUBLIC
from guyub.connections import repeats
from guyub.connections.problems import MEDIA_TYPE, field_errors, problem
from guyub.connections.scopes import scopes_for

DESCRIPTION = """\
Guyub serves other systems with what its pages show to people, under the same rules.

**Signing in.** Send `Authorization: Bearer <token>`. The secretariat, or the head of an agency for
its own, makes tokens under *Sambungan sistem*; each has scopes, an end and a limit of calls per
minute. A token acts for its agency and may never do more than the agency's operator.

**Lists.** All are paged alike: `limit` (1 to 200) and `cursor`. Hand `next` of one answer back as
`cursor` until it is null.

**Writing.** Give each write an `Idempotency-Key` of your own making. Repeating the call with the same
key and body within 24 hours answers the same and writes nothing twice.

**Errors** are problem details (RFC 9457) in Indonesian; `errors` names fields.

**Personal data.** NIK and KK are masked. Unmasking needs the scope `registry:identifiers` and a
purpose, and each time goes into the audit log.
"""

TAGS = {
    "agencies": "The agencies of the regency and what they are for.",
    "allocation": "Scenarios of who gets what, so that the fewest severe needs stay unmet.",
    "areas": "The regency, its districts and villages, by Kemendagri code.",
    "beneficiaries": "Who receives what: sums for everybody, rows for those who may see names.",
    "datasets": "Each agency's lists: whose, how fresh.",
    "documents": "The yearly LP2KD with its editions, and reports that people built.",
    "fieldwork": "Rounds of visits and what came from the field; forms, and submissions from KoboToolbox and ODK.",
    "linking": "Lists linked to the registry, row by row, and what people still have to judge.",
    "meetings": "Coordination meetings, their decisions and what follows from them.",
    "obstacles": "What stands in a program's way, who is needed, and what was done.",
    "overlaps": "Programs that overlap, and how far help reaches.",
    "programs": "Programs, activities and sub-activities with their budgets.",
    "proposals": "What villages propose and object, and what citizens complain about.",
    "reconciliation": "What sources differ about, who wins, and duplicates that were merged.",
    "public": "What has been released for everybody; no token needed.",
    "registry": "Households and people of the registry, NIK and KK masked.",
    "reports": "Progress reports of sub-activities.",
    "sharing": "One agency asks another for data.",
    "targeting": "Rules that say who a program is for.",
    "targets": "Indicators, targets and poverty figures.",
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Isian keliru",
        "status": 422,
        "detail": "Perbaiki isian yang ditandai.",
        "errors": [{"field": "due_on", "message": "Wajib diisi."}],
    },
}
ERRORS = {
    400: "The request cannot be read.",
    401: "No valid token or session.",
    403: "The token's scopes, agency or address do not allow it.",
    404: "There is no such record.",
    422: "A value is wrong; `errors` says which.",
    429: "Too many calls; wait as long as `Retry-After` says.",
}
WRITE_ERRORS = {
    409: "The record is no longer as the caller saw it, or the step is not possible now."
}


class TokenAuth(HttpBearer):
    """A token; :mod:`guyub.connections.middleware` has looked at it already."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        return request.user if hasattr(request, "api_token") else None


class GuyubAPI(NinjaAPI):
    """Ninja's API with our errors, and with a description that says all that a caller needs."""

    def get_openapi_schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
        schema["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
        permissions = {
            (operation_id, method): getattr(operation.view_func, "required_permission", PUBLIC)
            for operation_id, method, operation in _operations(self)
        }
        for path in schema["paths"].values():
            for method, operation in path.items():
                permission = permissions.get((operation["operationId"], method.upper()), PUBLIC)
                _complete(method, operation, permission)
        return schema


def _operations(api: NinjaAPI) -> Any:
    for _prefix, router in api._routers:
        for path in router.path_operations.values():
            for operation in path.operations:
                name = operation.operation_id or api.get_openapi_operation_id(operation)
                for method in operation.methods:
                    yield name, method, operation


def _complete(method: str, operation: dict[str, Any], permission: str) -> None:
    """Add errors, the header for repeats and the scopes to the description of one operation."""
    writes = method.upper() in repeats.METHODS
    responses = operation.setdefault("responses", {})
    for status, text in {**ERRORS, **(WRITE_ERRORS if writes else {})}.items():
        known = responses.setdefault(status, {"description": text})
        known.setdefault("content", {})[MEDIA_TYPE] = {
            "schema": {"$ref": "#/components/schemas/Problem"}
        }
        if status == 429:
            known["headers"] = {
                "Retry-After": {
                    "description": "Seconds to wait.",
                    "schema": {"type": "integer"},
                }
            }
    if writes:
        operation.setdefault("parameters", []).append(
            {
                "name": repeats.HEADER,
                "in": "header",
                "required": False,
                "description": "Your own key for this write; repeats with it write nothing twice.",
                "schema": {"type": "string", "maxLength": repeats.LONGEST_KEY},
                "example": "2026-03-31-laporan-17",
            }
        )
    scopes = scopes_for(permission)
    if scopes:
        needed = " or ".join(f"`{name}`" for name in scopes)
        said = operation.get("description", "")
        operation["description"] = f"{said}\n\nNeeds the scope {needed}.".strip()
    elif permission != PUBLIC:
        said = operation.get("description", "")
        operation["description"] = f"{said}\n\nFor people only; no token reaches it.".strip()


def answer_errors(api: NinjaAPI) -> None:
    """Have ``api`` answer every error as a problem."""

    def unreadable(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(
            422, _("Perbaiki isian yang ditandai."), errors=field_errors(list(error.errors))
        )

    def refused(request: HttpRequest, error: Any) -> HttpResponse:
        """A service refused the values."""
        if hasattr(error, "error_dict"):
            found = [
                {"field": "" if field == "__all__" else field, "message": text}
                for field, texts in error.message_dict.items()
                for text in texts
            ]
            return problem(422, _("Perbaiki isian yang ditandai."), errors=found)
        return problem(422, " ".join(error.messages))

    api.add_exception_handler(UnreadableError, unreadable)
    api.add_exception_handler(ValidationError, refused)

    def said(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(error.status_code, error.message)

    api.add_exception_handler(HttpError, said)
    api.add_exception_handler(Http404, lambda request, error: problem(404))
    api.add_exception_handler(PermissionDenied, lambda request, error: problem(403))
    api.add_exception_handler(AuthenticationError, lambda request, error: problem(401))


@cache
def make_api() -> GuyubAPI:
    """Return the one API, to which each app's router is added."""
    api = GuyubAPI(
        title="Guyub",
        version="1",
        description=DESCRIPTION,
        auth=[TokenAuth(), SessionAuth()],
        urls_namespace="api",
        docs_url=None,
    )
    answer_errors(api)
    return api
