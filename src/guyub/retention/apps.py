from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RetentionConfig(AppConfig):
    name = "guyub.retention"
    verbose_name = _("Retensi dan pemusnahan")

    def ready(self) -> None:
        from guyub.retention import classes, erasing  # noqa: F401 (classes register themselves)

        erasing.declare()
