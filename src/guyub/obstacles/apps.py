from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class ObstaclesConfig(AppConfig):
    name = "guyub.obstacles"
    verbose_name = _("Kendala")

    def ready(self) -> None:
        from guyub.discussions import subjects
        from guyub.obstacles import panels as own
        from guyub.obstacles.models import Obstacle
        from guyub.ui import panels

        panels.register("programs.sub_activity", own.of_sub_activity, order=60)
        panels.register("programs.program", own.of_program, order=60)
        panels.register("agencies.agency", own.of_agency, order=60)
        subjects.register(
            Obstacle,
            permission="obstacles.view",
            url=lambda obstacle: reverse("obstacles:detail", args=[obstacle.pk]),
            related=("reporting_area",),
        )
