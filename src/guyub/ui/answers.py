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


def tried(request: HttpRequest, deed: Callable[[], Any], done: str) -> bool:
    """Do ``deed`` and say how it went."""
    try:
        deed()
    except ValidationError as error:
        refused(request, error)
        return False
    messages.success(request, done)
    return True
