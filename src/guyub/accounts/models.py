"""People who sign in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import SECOND_FACTOR_ROLES
from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role
from guyub.agencies.models import Agency
from guyub.areas.models import Area


class User(AbstractUser):
    """An account: one person, one role, and the agency or area that the role is for."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    full_name = models.CharField(_("nama lengkap"), max_length=120)
    email = models.EmailField(_("surel"), unique=True)
    role = models.CharField(_("peran"), max_length=30, choices=Role.choices)
    position = models.CharField(_("jabatan"), max_length=120, blank=True)
    phone = models.CharField(_("telepon"), max_length=40, blank=True)
    agency = models.ForeignKey(
        Agency, models.PROTECT, null=True, blank=True, verbose_name=_("perangkat daerah")
    )
    area = models.ForeignKey(
        Area, models.PROTECT, null=True, blank=True, verbose_name=_("wilayah tugas")
    )
    # Made by `guyub demo`; a production start refuses to run while any exists.
    is_demo = models.BooleanField(default=False, editable=False)
    # Stands for another system in the log and in records; nobody signs in with it.
    is_service = models.BooleanField(default=False, editable=False)

    REQUIRED_FIELDS = ["email", "full_name", "role"]

    class Meta:
        ordering = ["full_name"]
        verbose_name = _("akun")

    def __str__(self) -> str:
        return self.full_name or self.username

    def clean(self) -> None:
        super().clean()
        if self.role in AGENCY_ROLES and self.agency_id is None:
            raise ValidationError({"agency": _("Peran ini harus terikat pada perangkat daerah.")})
        if self.role in AREA_ROLES and self.area_id is None:
            raise ValidationError({"area": _("Peran ini harus terikat pada kecamatan atau desa.")})

    def get_full_name(self) -> str:
        return self.full_name

    def get_short_name(self) -> str:
        return self.full_name.split(" ", 1)[0] if self.full_name else self.username

    @property
    def area_code(self) -> str:
        """Code of the area the account is bound to; empty when it is bound to none."""
        return self.area.code if self.area is not None else ""

    @property
    def must_use_second_factor(self) -> bool:
        return self.role in SECOND_FACTOR_ROLES and not self.is_service
