from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class DatasetsConfig(AppConfig):
    name = "guyub.datasets"
    verbose_name = _("Dataset")

    def ready(self) -> None:
        from guyub.datasets.models import Dataset
        from guyub.discussions import subjects

        subjects.register(
            Dataset,
            permission="datasets.view",
            url=lambda dataset: reverse("datasets:detail", args=[dataset.code]),
        )
