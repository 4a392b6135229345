from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MeetingsConfig(AppConfig):
    name = "guyub.meetings"
    verbose_name = _("Rapat koordinasi")

    def ready(self) -> None:
        from guyub.meetings.models import AgendaItem
        from guyub.reconciliation.following import stay

        stay(
            AgendaItem,
            "subject_id",
            why="An agenda is about obstacles, overlaps and reports, never about one household.",
        )
