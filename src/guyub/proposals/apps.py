from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class ProposalsConfig(AppConfig):
    name = "guyub.proposals"
    verbose_name = _("Usul-sanggah")

    def ready(self) -> None:
        from guyub.discussions import subjects
        from guyub.proposals import queries
        from guyub.proposals.models import Proposal
        from guyub.proposals.panels import household_panel
        from guyub.reconciliation.following import follow
        from guyub.ui import panels

        follow(Proposal, "household")
        panels.register("registry.household", household_panel, order=60)
        subjects.register(
            Proposal,
            permission="proposals.view",
            url=lambda proposal: reverse("proposals:detail", args=[proposal.pk]),
            related=("village",),
            also=queries.may_see,
        )
