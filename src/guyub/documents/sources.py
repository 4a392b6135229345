"""Where the figures of a report come from: datasets with their dates, and the reference version."""

from __future__ import annotations

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.datasets.models import Dataset
from guyub.datasets.queries import reference
from guyub.documents.paper import Source


def reference_text() -> str:
    """Name the reference version: dataset, version and date; say so when none is marked."""
    version = reference()
    if version is None:
        return _("belum ditetapkan")
    return _("%(name)s versi %(number)d per %(date)s") % {
        "name": version.dataset.code.upper(),
        "number": version.number,
        "date": date_format(version.as_of, "j F Y"),
    }


def registry_source() -> str:
    """Return the source line of figures from the registry."""
    return _("Registri Guyub, data acuan %(reference)s; keadaan %(day)s") % {
        "reference": reference_text(),
        "day": date_format(timezone.localdate(), "j F Y"),
    }


def module_source(name: str) -> str:
    """Return the source line of figures that a module of Guyub keeps."""
    return _("%(module)s di Guyub, keadaan %(day)s") % {
        "module": name,
        "day": date_format(timezone.localdate(), "j F Y"),
    }


def datasets() -> list[Source]:
    """Return every dataset with data, its owner, newest version and date. One query."""
    rows = Dataset.objects.filter(current_version__isnull=False).select_related(
        "owner", "current_version"
    )
    return [
        Source(
            dataset.name,
            str(dataset.owner),
            _("versi %(number)d") % {"number": dataset.current_version.number},
            date_format(dataset.current_version.as_of, "j F Y"),
            dataset.current_version.is_reference,
        )
        for dataset in rows
        if dataset.current_version is not None
    ]


def made_at() -> str:
    """Return the present moment as reports state it."""
    return date_format(timezone.localtime(), "j F Y, H.i") + " WIB"
