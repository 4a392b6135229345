from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TargetingConfig(AppConfig):
    name = "guyub.targeting"
    verbose_name = _("Aturan sasaran")

    def ready(self) -> None:
        from guyub.targeting.panels import target_group
        from guyub.ui import panels

        panels.register("programs.sub_activity", target_group, order=20)
