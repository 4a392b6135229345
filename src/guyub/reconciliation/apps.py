from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReconciliationConfig(AppConfig):
    name = "guyub.reconciliation"
    verbose_name = _("Rekonsiliasi")

    def ready(self) -> None:
        from guyub.reconciliation import pointers
        from guyub.reconciliation.panels import household_panel
        from guyub.ui import panels

        pointers.declare()
        panels.register("registry.household", household_panel, order=5)
