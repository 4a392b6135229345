from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "guyub.documents"
    verbose_name = _("Dokumen & laporan")

    def ready(self) -> None:
        from guyub.documents import panels as own
        from guyub.documents import tasks
        from guyub.longruns import resuming
        from guyub.ui import panels

        panels.register("agencies.agency", own.of_agency, order=80)
        panels.register("programs.program", own.of_program, order=80)
        panels.register("areas.area", own.of_area, order=80)
        resuming.register(tasks.take_up_abandoned)
