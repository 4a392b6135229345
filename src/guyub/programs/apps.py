from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class ProgramsConfig(AppConfig):
    name = "guyub.programs"
    verbose_name = _("Program")

    def ready(self) -> None:
        from guyub.discussions import subjects
        from guyub.programs.models import Program, SubActivity

        subjects.register(
            Program,
            permission="programs.view",
            url=lambda program: reverse("programs:detail", args=[program.pk]),
        )
        subjects.register(
            SubActivity,
            permission="programs.view",
            url=lambda part: reverse("programs:sub_activity", args=[part.pk]),
        )
