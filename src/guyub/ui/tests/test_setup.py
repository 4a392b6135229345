from __future__ import annotations

from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command


@pytest.mark.django_db
def test_setup_can_be_run_again() -> None:
    for _time in range(2):
        said = StringIO()
        call_command("setup", stdout=said)
        assert "Basis data siap." in said.getvalue()
    cache.set("setup", "works", 5)
    assert cache.get("setup") == "works"


@pytest.mark.django_db
def test_setup_is_silent_when_asked() -> None:
    said = StringIO()
    call_command("setup", verbosity=0, stdout=said)
    assert said.getvalue() == ""
