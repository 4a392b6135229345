"""Paging of lists in the HTTP API: the same everywhere, by a cursor that one hands back.

An answer holds ``items``, ``next`` (hand it back as ``cursor``; null on the last page) and ``count``
(null where counting would read too much). ``limit`` is 1 to 200.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from ninja import Field, Schema
from ninja.errors import HttpError
from ninja.pagination import PaginationBase

MOST = 200
# Beyond this an offset reads too much; such lists are narrowed by filters, or are keyed.
FARTHEST = 100_000


@dataclass(frozen=True)
class Keyed:
    """A long list, walked along its primary key instead of being counted.

    ``rows`` is narrowed but neither ordered nor sliced. ``shown`` turns the page's keys into what is
    answered, in the order of keys; without it the rows themselves are.
    """

    rows: QuerySet[Any]
    shown: Any = None


class CursorPages(PaginationBase):
    """Pages of a queryset, a list or a :class:`Keyed` list."""

    class Input(Schema):
        limit: int = Field(50, ge=1, le=MOST, description="How many a page holds.")
        cursor: str = Field(
            "", max_length=24, description="`next` of the page before; leave out for the first."
        )

    class Output(Schema):
        items: list[Any]
        count: int | None = Field(description="Of all pages; null where it is not counted.")
        next: str | None = Field(description="Hand back as `cursor`; null on the last page.")

    def paginate_queryset(
        self, queryset: Any, pagination: Any, request: Any = None, **params: Any
    ) -> dict[str, Any]:
        limit = pagination.limit
        if isinstance(queryset, Keyed):
            after = _number(pagination.cursor, "k")
            keys = list(
                queryset.rows.filter(pk__gt=after)
                .order_by("pk")
                .values_list("pk", flat=True)[: limit + 1]
            )
            wanted = keys[:limit]
            if queryset.shown is None:
                items = list(queryset.rows.filter(pk__in=wanted).order_by("pk"))
            else:
                items = list(queryset.shown(wanted))
            return {
                "items": items,
                "count": None,
                "next": f"k{wanted[-1]}" if len(keys) > limit else None,
            }
        offset = _number(pagination.cursor, "o")
        if offset > FARTHEST:
            raise HttpError(422, _("Daftar ini terlalu panjang untuk dibaca sampai di sana."))
        rows = _stable(queryset) if isinstance(queryset, QuerySet) else queryset
        count = rows.count() if isinstance(rows, QuerySet) else len(rows)
        return {
            "items": list(rows[offset : offset + limit]),
            "count": count,
            "next": f"o{offset + limit}" if offset + limit < count else None,
        }


def _number(cursor: str, letter: str) -> int:
    if not cursor:
        return 0
    digits = cursor.removeprefix(letter)
    if digits == cursor or not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise HttpError(
            422, _("`cursor` tidak dikenal. Pakai nilai `next` dari halaman sebelumnya.")
        )
    return int(digits)


def _stable(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Order rows down to the last tie, so that no row is missed or seen twice."""
    order = list(rows.query.order_by or rows.model._meta.ordering or ())
    if {"pk", "-pk", "id", "-id"} & {part for part in order if isinstance(part, str)}:
        return rows
    return rows.order_by(*order, "pk")
