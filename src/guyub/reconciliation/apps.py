from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class ReconciliationConfig(AppConfig):
    name = "guyub.reconciliation"
    verbose_name = _("Rekonsiliasi")

    def ready(self) -> None:
        from guyub.audit.models import Event
        from guyub.imports.reconcile import rulings
        from guyub.reconciliation import pointers
        from guyub.reconciliation.panels import household_panel
        from guyub.reconciliation.ruling import have_a_say
        from guyub.reconciliation.tasks import after_event
        from guyub.ui import panels

        pointers.declare()
        panels.register("registry.household", household_panel, order=5)
        if have_a_say not in rulings:
            rulings.append(have_a_say)
        post_save.connect(after_event, sender=Event, dispatch_uid="reconciliation.after_event")
