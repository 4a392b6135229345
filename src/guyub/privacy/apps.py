from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "guyub.privacy"
    verbose_name = _("Pelindungan data pribadi")

    def ready(self) -> None:
        from guyub.privacy.models import SubjectRequest
        from guyub.reconciliation.following import follow

        follow(SubjectRequest, "person")
