"""Guards on views: each declares the permission it needs, or that it is public."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from ninja.decorators import decorate_view

from guyub.access import wall
from guyub.access.permissions import GRANTS, Scope, authorize, scope_of


def _reach(user: Any, permission: str) -> None:
    """Let the database show this request what ``permission`` reaches, and no more."""
    own_area = scope_of(user, permission) is Scope.OWN_AREA
    wall.apply((user.area_code or wall.NOTHING) if own_area else wall.ALL)


def requires(
    permission: str, load: Callable[..., Any] | None = None
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Guard a view with ``permission``.

    ``load(**url_kwargs)`` fetches the record the view is about; it is checked and then handed to
    the view as its second positional argument in place of the URL's own arguments. It raises
    ``Http404`` when there is none.
    """
    if permission not in GRANTS:
        raise ImproperlyConfigured(f"Unknown permission {permission!r}")

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            authorize(request.user, permission)
            _reach(request.user, permission)
            if load is None:
                return view(request, *args, **kwargs)
            record = load(*args, **kwargs)
            authorize(request.user, permission, record)
            return view(request, record)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        guarded.guards_record = load is not None  # type: ignore[attr-defined]
        return guarded

    return decorate


def api_requires(
    permission: str, load: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Guard a Django Ninja operation with ``permission``; stand it below ``@router.get(...)``.

    ``load(**path_params)`` fetches the record that the operation is about and raises ``Http404`` when
    there is none. As in :func:`requires` it is fetched once, checked, and then handed to the operation
    as its second argument in place of the path's own, which Ninja knows by the signature of ``load``.
    The test of the access matrix fails on an operation that carries no guard. ::

        def _report(pk: int) -> Report: ...

        @router.post("/{pk}/draft")
        @api_requires("reports.edit", load=_report)
        def save_report(request, report: Report, given: FiguresIn): ...

    Whoever lacks the permission gets 403 as JSON, before it is looked at what they sent.
    """
    if permission not in GRANTS:
        raise ImproperlyConfigured(f"Unknown permission {permission!r}")

    def decorate(operation: Callable[..., Any]) -> Callable[..., Any]:
        # Ninja reads the signature, and would look up the names in it here instead of where the
        # operation was written.
        signature = inspect.signature(operation, eval_str=True)
        path: list[inspect.Parameter] = []
        takes = ""
        if load is not None:
            path = list(inspect.signature(load, eval_str=True).parameters.values())
            request_itself, record_itself, *sent = signature.parameters.values()
            takes = record_itself.name
            signature = signature.replace(parameters=[request_itself, *path, *sent])

        @wraps(operation)
        def guarded(request: HttpRequest, **kwargs: Any) -> Any:
            authorize(request.user, permission)
            _reach(request.user, permission)
            if load is None:
                return operation(request, **kwargs)
            pointers = {one.name: kwargs.pop(one.name) for one in path}
            record = getattr(request, "checked_record", None)
            if record is None:
                # A path that only Ninja can read, such as 5.0 where a number stands.
                record = load(**pointers)
                authorize(request.user, permission, record)
            return operation(request, **{takes: record}, **kwargs)

        def first(run: Callable[..., Any]) -> Callable[..., Any]:
            """Check before Ninja reads the request, whose faults are not an outsider's to know."""
            operation_of_ninja = run.__self__  # type: ignore[attr-defined]

            @wraps(run)
            def checked(request: HttpRequest, **kwargs: Any) -> Any:
                record = None
                # Who is not signed in is told so by Ninja.
                if request.user.is_authenticated:
                    try:
                        authorize(request.user, permission)
                        _reach(request.user, permission)
                        if load is not None:
                            # A path that names no record in any way is Ninja's to refuse.
                            with suppress(ValueError, ValidationError):
                                record = load(**kwargs)
                        authorize(request.user, permission, record)
                    except (PermissionDenied, Http404) as error:
                        return operation_of_ninja.api.on_exception(request, error)
                request.checked_record = record  # type: ignore[attr-defined]
                return run(request, **kwargs)

            return checked

        decorate_view(first)(guarded)
        guarded.__signature__ = signature  # type: ignore[attr-defined]
        guarded.required_permission = permission  # type: ignore[attr-defined]
        guarded.guards_record = load is not None  # type: ignore[attr-defined]
        return guarded

    return decorate


PUBLIC = "public"


def public(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Declare a view open to anyone. Every view carries this or :func:`requires`."""
    view.required_permission = PUBLIC  # type: ignore[attr-defined]
    return view
