from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConnectionsConfig(AppConfig):
    name = "guyub.connections"
    verbose_name = _("Sambungan sistem")

    def ready(self) -> None:
        from guyub.audit.services import listeners
        from guyub.connections import tasks, watching, webhooks
        from guyub.connections.models import RegistryChange
        from guyub.longruns import resuming
        from guyub.reconciliation.following import stay

        listeners.append(webhooks.keep)
        listeners.append(watching.keep)
        stay(RegistryChange, "household_id", why="It tells of the record that changed, once.")
        resuming.register(tasks.take_up_due)
