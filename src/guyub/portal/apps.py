from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "guyub.portal"
    verbose_name = _("Portal publik")

    def ready(self) -> None:
        from guyub.imports.tasks import resumers
        from guyub.portal.tasks import take_up_abandoned

        if take_up_abandoned not in resumers:
            resumers.append(take_up_abandoned)
