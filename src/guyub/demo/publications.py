"""The demo's open data: the oldest and the newest state of the reference list, released for everybody."""

from __future__ import annotations

from typing import Any

from guyub.datasets.models import Version
from guyub.portal.services import compute, prepare, publish


def make_publications(actor: Any) -> None:
    """Release the reference dataset's first and last versions, in this order."""
    reference = Version.objects.get(is_reference=True)
    versions = Version.objects.filter(dataset=reference.dataset_id).order_by("as_of")
    for version in (versions[0], reference):
        publish(compute(prepare(version, actor=actor)), actor=actor)
