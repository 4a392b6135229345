from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "guyub.connections"
    verbose_name = _("Sambungan sistem")

    def ready(self) -> None:
        from guyub.audit.services import listeners
        from guyub.connections import tasks, watching, webhooks
        from guyub.imports.tasks import resumers

        listeners.append(webhooks.keep)
        listeners.append(watching.keep)
        resumers.append(tasks.take_up_due)
