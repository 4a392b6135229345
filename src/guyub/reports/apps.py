from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "guyub.reports"
    verbose_name = _("Laporan kemajuan")

    def ready(self) -> None:
        from guyub.discussions import subjects
        from guyub.reports import panels
        from guyub.reports.models import Report
        from guyub.ui.panels import register

        register("programs.sub_activity", panels.sub_activity_panel, order=40)
        register("programs.program", panels.program_panel, order=40)
        register("agencies.agency", panels.agency_panel, order=40)
        subjects.register(
            Report,
            permission="reports.view",
            kind=_("Laporan kemajuan"),
            url=lambda report: reverse("reports:report", args=[report.pk]),
            related=("sub_activity",),
        )
