from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class FieldworkConfig(AppConfig):
    name = "guyub.fieldwork"
    verbose_name = _("Kerja lapangan")

    def ready(self) -> None:
        from guyub.discussions import subjects
        from guyub.fieldwork import tasks
        from guyub.fieldwork.following import visits_follow_household
        from guyub.fieldwork.models import FieldDecision, Round, Submission, Visit
        from guyub.fieldwork.panels import household_panel, leaving
        from guyub.longruns import resuming
        from guyub.reconciliation.following import follow
        from guyub.ui import panels

        resuming.register(tasks.take_up_abandoned)
        panels.register("registry.household", household_panel, order=65)
        panels.register("ui.topbar", leaving, order=90)
        follow(Visit, "household", by=visits_follow_household)
        follow(Submission, "household")
        follow(FieldDecision, "person")
        subjects.register(
            Round,
            permission="fieldwork.view_rounds",
            url=lambda record: reverse("fieldwork:round", args=[record.pk]),
            related=("agency",),
        )
