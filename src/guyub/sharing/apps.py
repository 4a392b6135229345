from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class SharingConfig(AppConfig):
    name = "guyub.sharing"
    verbose_name = _("Permintaan data")

    def ready(self) -> None:
        from guyub.discussions import subjects
        from guyub.sharing.models import DataRequest
        from guyub.sharing.panels import dataset_panel
        from guyub.ui import panels

        panels.register("datasets.dataset", dataset_panel, order=10)
        subjects.register(
            DataRequest,
            permission="sharing.view",
            url=lambda asked: reverse("sharing:detail", args=[asked.pk]),
        )
