"""Forms for programs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.programs.models import Program

FIRST_YEAR, LAST_YEAR = 2015, 2100

nomenclature_code = RegexValidator(
    r"^(?:\d|X)\.(?:\d{2}|XX)\.\d{2}$",
    _("Tulis tiga bagian dipisah titik, misalnya 1.06.04."),
)


class AgencyField(forms.ModelChoiceField):
    """A choice of agencies by their full names, by which the list is ordered."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class ProgramForm(forms.ModelForm):  # type: ignore[type-arg]
    """A program. Its agency is chosen once, among those that the user may write for."""

    agency = AgencyField(label=_("Perangkat daerah"), queryset=Agency.objects.none())
    year = forms.IntegerField(
        label=_("Tahun anggaran"),
        validators=[
            MinValueValidator(FIRST_YEAR, _("Tahun paling awal %(limit_value)d.")),
            MaxValueValidator(LAST_YEAR, _("Tahun paling akhir %(limit_value)d.")),
        ],
        widget=forms.NumberInput(attrs={"min": FIRST_YEAR, "max": LAST_YEAR}),
    )
    code = forms.CharField(
        label=_("Kode nomenklatur"),
        required=False,
        max_length=40,
        validators=[nomenclature_code],
        help_text=_(
            "Kode program menurut pemutakhiran nomenklatur Kemendagri, misalnya 1.06.04. Boleh "
            "kosong bila belum ada."
        ),
    )

    class Meta:
        model = Program
        fields = ("agency", "year", "code", "name", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "description": _("Apa yang dikerjakan dan bagi siapa, dalam satu dua kalimat.")
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["agency"]
            return
        agencies = Agency.objects.filter(is_active=True)
        if scope_of(user, "programs.edit") is Scope.OWN_AGENCY:
            agencies = agencies.filter(pk=user.agency_id)
            self.fields["agency"].initial = user.agency_id
        field = self.fields["agency"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = agencies
        field.label_from_instance = lambda agency: agency.name  # type: ignore[method-assign, assignment]
        self.fields["year"].initial = timezone.localdate().year

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def validate_unique(self) -> None:
        """Leave duplicates to the service, which knows names apart from their capitals."""

    def values(self) -> dict[str, Any]:
        """Return the fields that were entered but the agency, ready for a service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "agency"}


class DeleteForm(forms.Form):
    """Why a program is deleted."""

    reason = forms.CharField(
        label=_("Alasan"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Tercatat dalam jejak audit."),
    )
