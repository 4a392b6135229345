from django.apps import AppConfig
from django.db.models.signals import post_save
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class OverlapsConfig(AppConfig):
    name = "guyub.overlaps"
    verbose_name = _("Tumpang tindih")

    def ready(self) -> None:
        from guyub.audit.models import Event
        from guyub.discussions import subjects
        from guyub.overlaps import program_panels
        from guyub.overlaps.models import OverlapCase
        from guyub.overlaps.tasks import after_event
        from guyub.ui import panels

        subjects.register(
            OverlapCase,
            permission="overlaps.view",
            writing="overlaps.comment",
            url=lambda case: reverse("overlaps:case", args=[case.pk]),
        )
        panels.register("programs.sub_activity", program_panels.of_sub_activity, order=30)
        panels.register("programs.program", program_panels.of_program, order=30)
        post_save.connect(after_event, sender=Event, dispatch_uid="overlaps.after_event")
