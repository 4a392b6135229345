from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "guyub.portal"
    verbose_name = _("Portal publik")

    def ready(self) -> None:
        from guyub.longruns import resuming
        from guyub.portal.tasks import take_up_abandoned

        resuming.register(take_up_abandoned)
