from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class RegistryConfig(AppConfig):
    name = "guyub.registry"
    verbose_name = _("Registri")

    def ready(self) -> None:
        from guyub.datasets import store, wording
        from guyub.discussions import subjects
        from guyub.registry.models import Household
        from guyub.registry.restriction import sealed_numbers
        from guyub.registry.wording import decoded, in_words

        wording.register(decoded, in_words)
        store.held_back.append(sealed_numbers)

        subjects.register(
            Household,
            permission="registry.view",
            url=lambda household: reverse("registry:household", args=[household.pk]),
            related=("village",),
            is_personal=True,
        )
