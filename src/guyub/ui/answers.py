"""Answering what people posted: where a refused value shows, and what is said of a deed that went well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest


def show_errors(form: Any, error: ValidationError) -> None:
    """Put what a service refused beside the field it is about; what is about none above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for field, errors in error.message_dict.items():
        form.add_error(field if field in form.fields else None, errors)


def refused(request: HttpRequest, error: ValidationError, form: Any = None) -> None:
    """Show what a service refused: beside its field where there is one, else above the page."""
    if form is None:
        for text in error.messages:
            messages.error(request, text)
        return
    show_errors(form, error)


def tried(
    request: HttpRequest,
    deed: Callable[[], Any],
    done: str | Callable[[Any], str],
    form: Any = None,
) -> bool:
    """Do ``deed``, say how it went, and tell whether it was done.

    Args:
        deed: calls a service, which raises ``ValidationError`` for what it refuses.
        done: what is said when it went well; a function makes that of what the service returned.
        form: where to show what was refused, beside its fields; else it stands above the page.
    """
    try:
        made = deed()
    except ValidationError as error:
        refused(request, error, form)
        return False
    messages.success(request, done if isinstance(done, str) else done(made))
    return True
