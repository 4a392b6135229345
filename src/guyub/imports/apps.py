from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    name = "guyub.imports"
    verbose_name = _("Impor")

    def ready(self) -> None:
        from guyub.imports.tasks import take_up_abandoned
        from guyub.longruns import resuming

        resuming.register(take_up_abandoned)
