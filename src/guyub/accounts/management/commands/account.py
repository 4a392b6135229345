"""``guyub account``: the first account of an installation, which makes all others on the pages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from guyub.access.roles import Role
from guyub.accounts import services


class Command(BaseCommand):
    help = _("Membuat akun Sekretariat TKPKD dan menampilkan tautan untuk membuat kata sandinya.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help=_("nama pengguna, misalnya ani.lestari"))
        parser.add_argument("email", help=_("alamat surel"))
        parser.add_argument("full_name", help=_("nama lengkap, di antara tanda petik"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = services.create_account(
                username=options["username"],
                email=options["email"],
                full_name=options["full_name"],
                role=Role.SECRETARIAT,
            )
            path = services.make_password_link(user, actor=None)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        host = settings.ALLOWED_HOSTS[0]
        scheme = "https" if settings.MODE == "production" else "http"
        self.stdout.write(_("Akun %(name)s dibuat.") % {"name": user.username})
        self.stdout.write(
            _("Buka tautan ini untuk membuat kata sandi; berlaku sekali:")
            + f"\n{scheme}://{host}{path}"
        )
