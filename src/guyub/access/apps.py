from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccessConfig(AppConfig):
    name = "guyub.access"
    verbose_name = _("Akses")

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from guyub.access.wall import on_connection

        connection_created.connect(on_connection, dispatch_uid="guyub.wall")
