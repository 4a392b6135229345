"""Forms for rules: everything but the conditions, which the editor reads itself."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Case, Q, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.programs.models import SubActivity
from guyub.targeting.models import Rule


class AgencyChoice(forms.ModelChoiceField):
    """A choice of agencies by their full names."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class SubActivityChoice(forms.ModelMultipleChoiceField):
    """A choice of sub-activities by name and year."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} ({obj.year})"


class RuleForm(forms.Form):
    """A rule's name, agency and sub-activities. The agency is chosen once."""

    agency = AgencyChoice(label=_("Perangkat daerah"), queryset=Agency.objects.none())
    name = forms.CharField(
        label=_("Nama aturan"),
        max_length=150,
        help_text=_("Siapa sasarannya, misalnya: Keluarga desil 1–4 tanpa jamban."),
    )
    description = forms.CharField(
        label=_("Uraian"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Dasar dan alasan, misalnya pasal pedoman teknisnya. Boleh kosong."),
    )
    sub_activities = SubActivityChoice(
        label=_("Menentukan sasaran sub kegiatan"),
        required=False,
        queryset=SubActivity.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(
        label=_("Keterangan versi"),
        required=False,
        max_length=250,
        help_text=_("Apa yang berubah dan mengapa. Tampil dalam riwayat."),
    )

    def __init__(
        self,
        *args: Any,
        user: Any,
        rule: Rule | None = None,
        agency: Agency | None = None,
        **kwargs: Any,
    ) -> None:
        """``agency`` is whose sub-activities are offered for a new rule, when that is known."""
        super().__init__(*args, **kwargs)
        if rule is not None:
            del self.fields["agency"]
            agency = rule.agency
        else:
            agencies = Agency.objects.filter(is_active=True)
            if scope_of(user, "targeting.edit") is Scope.OWN_AGENCY:
                agencies = agencies.filter(pk=user.agency_id)
                agency = agencies.first()
            field = self.fields["agency"]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = agencies
            field.initial = agency
        choice = self.fields["sub_activities"]
        assert isinstance(choice, forms.ModelMultipleChoiceField)
        if agency is None:
            del self.fields["sub_activities"]
            return
        chosen = [
            one.pk for one in self.initial.get("sub_activities", ()) if isinstance(one, SubActivity)
        ]
        if rule is not None:
            chosen += rule.sub_activities.values_list("pk", flat=True)
        offered = Q(is_cancelled=False, year__gte=timezone.localdate().year - 1)
        # The chosen ones first, so that none is out of sight.
        choice.queryset = (
            SubActivity.objects.filter(offered | Q(pk__in=chosen), agency=agency)
            .annotate(place=Case(When(pk__in=chosen, then=0), default=1))
            .order_by("place", "-year", "name")
        )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def values(self) -> dict[str, Any]:
        """Return what was entered but the agency, ready for a service."""
        return {name: value for name, value in self.cleaned_data.items() if name != "agency"}
