from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class DiscussionsConfig(AppConfig):
    name = "guyub.discussions"
    verbose_name = _("Pembicaraan")

    def ready(self) -> None:
        from guyub.discussions import people, subjects, threads
        from guyub.discussions.models import Conversation
        from guyub.ui import panels

        panels.register("ui.topbar", threads.bell)
        subjects.register(
            Conversation,
            permission="discussions.view",
            url=lambda talk: reverse("discussions:conversation", args=[talk.pk]),
            also=people.takes_part,
        )
