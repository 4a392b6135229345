"""The six roles of people who sign in. Whoever has not signed in is the public and has none."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person does in the fight against poverty, and so what they may see and change."""

    SECRETARIAT = "secretariat", _("Sekretariat TKPKD")
    AGENCY_HEAD = "agency_head", _("Kepala perangkat daerah")
    AGENCY_OPERATOR = "agency_operator", _("Operator perangkat daerah")
    AREA_OPERATOR = "area_operator", _("Operator kecamatan/desa")
    REGENT = "regent", _("Bupati")
    AUDITOR = "auditor", _("Auditor")


AGENCY_ROLES = frozenset({Role.AGENCY_HEAD, Role.AGENCY_OPERATOR})
AREA_ROLES = frozenset({Role.AREA_OPERATOR})
