"""Amounts of rupiah on pages."""

from __future__ import annotations

from django import template

from guyub.programs import money

register = template.Library()

register.filter("rupiah", money.rupiah)
register.filter("rupiah_short", money.rupiah_short)
