from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LinkingConfig(AppConfig):
    name = "guyub.linking"
    verbose_name = _("Pencocokan data")

    def ready(self) -> None:
        from guyub.imports.tasks import resumers
        from guyub.linking import pointers
        from guyub.linking.tasks import take_up_abandoned

        pointers.declare()
        if take_up_abandoned not in resumers:
            resumers.append(take_up_abandoned)
