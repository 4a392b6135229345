from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TargetsConfig(AppConfig):
    name = "guyub.targets"
    verbose_name = _("Target dan indikator")

    def ready(self) -> None:
        from guyub.targets.agency_panel import indicators_of_agency
        from guyub.ui import panels

        panels.register("agencies.agency", indicators_of_agency, order=40)
