from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MeetingsConfig(AppConfig):
    name = "guyub.meetings"
    verbose_name = _("Rapat koordinasi")
