from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScorecardConfig(AppConfig):
    name = "guyub.scorecard"
    verbose_name = _("Kartu nilai kolaborasi")
