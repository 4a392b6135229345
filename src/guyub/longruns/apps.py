from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LongRunsConfig(AppConfig):
    name = "guyub.longruns"
    verbose_name = _("Pekerjaan panjang")
