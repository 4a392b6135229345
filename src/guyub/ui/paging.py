"""Paging of long lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

PAGE_SIZE = 25


def page_of(
    request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], size: int = PAGE_SIZE
) -> Page[Any]:
    """Return the page that ``?halaman=`` asks for, the nearest real one when it asks amiss."""
    return Paginator(rows, size).get_page(request.GET.get("halaman"))


class Slice:
    """A page of a list whose length is not counted, because counting would read it all.

    ``rows`` holds one row more than a page when there is a next page.
    """

    paginator = None

    def __init__(self, rows: Sequence[Any], number: int, size: int = PAGE_SIZE) -> None:
        self.object_list = list(rows)[:size]
        self.number = number
        self._more = len(rows) > size

    def __iter__(self) -> Any:
        return iter(self.object_list)

    def __len__(self) -> int:
        return len(self.object_list)

    def has_next(self) -> bool:
        return self._more

    def has_previous(self) -> bool:
        return self.number > 1

    def has_other_pages(self) -> bool:
        return self.has_next() or self.has_previous()

    def next_page_number(self) -> int:
        return self.number + 1

    def previous_page_number(self) -> int:
        return self.number - 1


def page_number(request: HttpRequest) -> int:
    """Return the 1-based page number that ``?halaman=`` asks for; 1 when it is missing or wrong."""
    text = request.GET.get("halaman", "1")
    return max(1, int(text)) if text.isdigit() and len(text) < 7 else 1
