from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "guyub.accounts"
    verbose_name = _("Akun")

    def ready(self) -> None:
        # Imported for what they register.
        from guyub import checks  # noqa: F401
        from guyub.accounts import signin_audit  # noqa: F401
