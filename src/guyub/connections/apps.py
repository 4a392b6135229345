from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "guyub.connections"
    verbose_name = _("Sambungan sistem")
