from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "guyub.documents"
    verbose_name = _("Dokumen & laporan")

    def ready(self) -> None:
        from guyub.documents import panels as own
        from guyub.documents import tasks
        from guyub.imports.tasks import resumers
        from guyub.ui import panels

        panels.register("agencies.agency", own.of_agency, order=80)
        panels.register("programs.program", own.of_program, order=80)
        panels.register("areas.area", own.of_area, order=80)
        if tasks.take_up_abandoned not in resumers:
            resumers.append(tasks.take_up_abandoned)
