from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AllocationConfig(AppConfig):
    name = "guyub.allocation"
    verbose_name = _("Alokasi bantuan")

    def ready(self) -> None:
        from guyub.allocation.panels import household_plan
        from guyub.allocation.tasks import take_up_abandoned
        from guyub.longruns import resuming
        from guyub.ui import panels

        panels.register("registry.household", household_plan, order=25)
        resuming.register(take_up_abandoned)
