from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "guyub.privacy"
    verbose_name = _("Pelindungan data pribadi")

    def ready(self) -> None:
        from guyub.privacy import forgetting
        from guyub.privacy.models import SubjectRequest
        from guyub.reconciliation.following import follow
        from guyub.retention.erasing import keep

        follow(SubjectRequest, "person")
        keep("privacy.SubjectRequest.person", why="requests have a time of their own")
        forgetting.declare()
