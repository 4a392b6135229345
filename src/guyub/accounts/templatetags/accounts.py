"""Template tags of the sign-in pages."""

from __future__ import annotations

from typing import Any

from django import forms, template
from django.utils.translation import gettext as _

from guyub.accounts import demo

register = template.Library()


@register.simple_tag
def demo_accounts() -> list[demo.DemoAccount]:
    """Return the demo accounts to show on the sign-in page; none outside demo mode."""
    return demo.demo_accounts()


@register.simple_tag
def demo_code(user: Any) -> str:
    """Return the present code of a demo account in demo mode, else an empty text."""
    return next((row.code for row in demo.demo_accounts() if row.user == user), "")


@register.simple_tag
def without_placeholders(form: forms.BaseForm) -> forms.BaseForm:
    """Take allauth's placeholders off ``form``: they repeat the label and hide what is asked."""
    for field in form.fields.values():
        field.widget.attrs.pop("placeholder", None)
    return form


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@register.filter
def device_name(user_agent: str) -> str:
    """Say a browser's self-description in two words: *Chrome, Android*."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), _("Peramban lain"))
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return f"{browser}, {system}" if system else browser


@register.filter
def in_fours(secret: str) -> str:
    """Write a secret in groups of four, as people type it."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
