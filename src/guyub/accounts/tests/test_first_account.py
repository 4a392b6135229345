"""``guyub account`` in an installation that nobody can sign in to yet."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from guyub.access.roles import Role
from guyub.accounts.models import User
from guyub.audit.models import Event


@pytest.mark.django_db
def test_the_first_account_sets_its_password_by_the_link_that_is_shown() -> None:
    said = StringIO()
    call_command("account", "ani.lestari", "ani@contoh.test", "Ani Lestari", stdout=said)
    user = User.objects.get()
    assert (user.role, user.is_demo, user.has_usable_password()) == (Role.SECRETARIAT, False, False)
    assert Event.objects.filter(action="accounts.account.create", actor_id=None).count() == 1
    link = re.search(r"https?://[^/]+(/\S+)", said.getvalue())
    assert link
    client = Client()
    page = client.get(link[1], follow=True)
    address = page.redirect_chain[-1][0] if page.redirect_chain else link[1]
    words = "kopi tubruk pagi hari"
    client.post(address, {"password1": words, "password2": words})
    user.refresh_from_db()
    assert user.check_password(words)


@pytest.mark.django_db
def test_a_wrong_address_is_told() -> None:
    with pytest.raises(CommandError, match="alamat"):
        call_command("account", "ani.lestari", "bukan-alamat", "Ani Lestari")
    assert not User.objects.exists()
