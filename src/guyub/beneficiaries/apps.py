from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BeneficiariesConfig(AppConfig):
    name = "guyub.beneficiaries"
    verbose_name = _("Penerima")

    def ready(self) -> None:
        from guyub.beneficiaries import joining
        from guyub.beneficiaries.panels import household_help, recipients
        from guyub.beneficiaries.tasks import take_up_abandoned
        from guyub.longruns import resuming
        from guyub.ui import panels

        joining.declare()
        panels.register("registry.household", household_help, order=10)
        panels.register("programs.sub_activity", recipients, order=10)
        resuming.register(take_up_abandoned)
