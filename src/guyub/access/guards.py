"""Guards on views: each declares the permission it needs, or that it is public."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from ninja.decorators import decorate_view

from guyub.access import wall
from guyub.access.permissions import GRANTS, Scope, authorize, can, scope_of


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

    ``load(**path_params)`` fetches the record that the operation is about, as in :func:`requires`,
    but the operation keeps its own arguments: Ninja builds the schema from them. The test of the
    access matrix fails on an operation that carries no guard. ::

        @router.get("/{code}")
        @api_requires("agencies.view")
        def agency(request, code: str): ...

    Whoever lacks the permission gets 403 as JSON, before it is looked at what they sent.
    """
    if permission not in GRANTS:
        raise ImproperlyConfigured(f"Unknown permission {permission!r}")

    def decorate(operation: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(operation)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            authorize(request.user, permission)
            _reach(request.user, permission)
            return operation(request, *args, **kwargs)

        def first(run: Callable[..., Any]) -> Callable[..., Any]:
            """Check before Ninja reads the request, whose faults are not an outsider's to know."""
            operation_of_ninja = run.__self__  # type: ignore[attr-defined]

            @wraps(run)
            def checked(request: HttpRequest, **kwargs: Any) -> Any:
                # Who is not signed in is told so by Ninja.
                if request.user.is_authenticated:
                    try:
                        record = None
                        if can(request.user, permission):
                            _reach(request.user, permission)
                        if load is not None and can(request.user, permission):
                            # A path that is no number is Ninja's to refuse.
                            with suppress(ValueError):
                                record = load(**kwargs)
                        authorize(request.user, permission, record)
                    except (PermissionDenied, Http404) as error:
                        return operation_of_ninja.api.on_exception(request, error)
                return run(request, **kwargs)

            return checked

        decorate_view(first)(guarded)
        # Ninja reads the signature, and would look up the names in it here instead of where the
        # operation was written.
        guarded.__signature__ = inspect.signature(operation, eval_str=True)  # type: ignore[attr-defined]
        guarded.required_permission = permission  # type: ignore[attr-defined]
        guarded.guards_record = load is not None  # type: ignore[attr-defined]
        return guarded

    return decorate


PUBLIC = "public"


def public(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Declare a view open to anyone. Every view carries this or :func:`requires`."""
    view.required_permission = PUBLIC  # type: ignore[attr-defined]
    return view
