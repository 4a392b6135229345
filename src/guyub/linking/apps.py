from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LinkingConfig(AppConfig):
    name = "guyub.linking"
    verbose_name = _("Pencocokan data")

    def ready(self) -> None:
        from guyub.linking import pointers
        from guyub.linking.tasks import take_up_abandoned
        from guyub.longruns import resuming

        pointers.declare()
        resuming.register(take_up_abandoned)
