"""Records past their time, one held back and one disposal waiting for a second person, for the demo."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from guyub.accounts.models import User
from guyub.discussions.models import Message
from guyub.privacy.models import Right, SubjectRequest
from guyub.privacy.services import close, lodge, verify
from guyub.proposals.models import Proposal
from guyub.registry.models import Person
from guyub.retention import services
from guyub.retention.classes import ENDED

# Everything in the demo was written today; this is what it would look like after some years.
OLD_COMPLAINTS, OLD_MESSAGES = 6, 12


def make_retention(actors: dict[str, User], today: dt.date) -> None:
    """Restrict one person at their request, and propose what is past its time."""
    secretary = actors["sekretariat"]
    person = Person.objects.filter(relation="head", status="active").order_by("pk")[5]
    values = {"right": Right.RESTRICT, "name": person.name.title(), "nik": person.nik}
    asked = verify(lodge(values), identity="KTP asli diperlihatkan", actor=secretary)
    close(asked, answer="Data Anda tidak diserahkan lagi.", granted=True, actor=secretary)
    long_ago = timezone.now() - dt.timedelta(days=366 * 6)
    ended: Any = Proposal.objects.filter(state__in=ENDED).order_by("pk")[:OLD_COMPLAINTS]
    Proposal.objects.filter(pk__in=[one.pk for one in ended]).update(
        submitted_at=long_ago, due_on=None
    )
    first = Message.objects.order_by("pk").values_list("pk", flat=True)[:OLD_MESSAGES]
    Message.objects.filter(pk__in=list(first)).update(written_at=long_ago)
    SubjectRequest.objects.filter(right=Right.ACCESS, state="answered").update(closed_at=long_ago)
    made = {disposal.code: disposal for disposal in services.propose(today)}
    if "messages" in made:
        item = made["messages"].items.first()
        assert item is not None
        services.hold(
            item, reason="Menjadi bukti pemeriksaan Inspektorat yang belum selesai", actor=secretary
        )
        services.submit(made["messages"], actor=secretary)
    # One for each of the two to approve; the rest still waits to be looked through.
    if "proposals" in made:
        services.submit(made["proposals"], actor=actors["sekretariat-2"])
