"""Forms of a scenario: what is assumed, what each sub-activity has to give, and why one is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.allocation.models import Scenario, ScenarioOffer
from guyub.targeting.models import Rule


class ScenarioForm(forms.ModelForm):
    priority_rules = forms.ModelMultipleChoiceField(
        Rule.objects.none(),
        label=_("Dahulukan keluarga yang cocok dengan aturan"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Kebutuhannya naik satu tingkat: ringan menjadi sedang, sedang menjadi berat."),
    )

    class Meta:
        model = Scenario
        fields = (
            "name", "note", "severe_desil", "extreme_is_severe", "moderate_desil", "most_kinds",
            "pool",
        )  # fmt: skip
        help_texts = {
            "severe_desil": _("Kebutuhan keluarga desil ini ke bawah dihitung berat."),
            "moderate_desil": _(
                "Di atas batas berat sampai desil ini dihitung sedang; sisanya ringan."
            ),
            "most_kinds": _("Kosongkan bila tidak dibatasi. Angka kecil meratakan bantuan."),
            "pool": _(
                "Rupiah yang boleh dibagi bebas untuk menambah tempat. Isi 0 bila tidak ada."
            ),
        }
        widgets = {"note": forms.TextInput()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = Rule.objects.filter(current_version__isnull=False).order_by("name")
        self.fields["priority_rules"].queryset = rules  # type: ignore[attr-defined]
        self.fields["pool"].required = False

    def clean_pool(self) -> int:
        return self.cleaned_data["pool"] or 0


class OfferForm(forms.ModelForm):
    class Meta:
        model = ScenarioOffer
        fields = ("included", "places", "money", "unit_cost", "importance")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("included") and values.get("money") and not values.get("unit_cost"):
            self.add_error(
                "unit_cost", _("Isi biaya per penerima, supaya anggarannya bisa dihitung.")
            )
        if values.get("included") and values.get("places") is None and not values.get("money"):
            self.add_error("places", _("Isi sisa tempat atau sisa anggaran."))
        return values


@dataclass(frozen=True)
class KindRows:
    """The rows of one kind of help, which the page folds away."""

    label: str
    rows: list[forms.ModelForm]

    @property
    def included(self) -> int:
        return sum(bool(row["included"].value()) for row in self.rows)

    @property
    def is_open(self) -> bool:
        return any(row.errors for row in self.rows)


class _OfferRows(forms.BaseModelFormSet):
    def kinds(self) -> list[KindRows]:
        """Return the rows by kind of help, in the alphabet's order."""
        found: dict[str, list[forms.ModelForm]] = {}
        for row in self.forms:
            found.setdefault(row.instance.sub_activity.get_help_kind_display(), []).append(row)
        return [KindRows(label, found[label]) for label in sorted(found)]


OfferFormSet = forms.modelformset_factory(
    ScenarioOffer, form=OfferForm, formset=_OfferRows, extra=0
)


class ChooseForm(forms.Form):
    """Why a scenario becomes the year's plan."""

    reason = forms.CharField(
        label=_("Alasan memilih"),
        min_length=10,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Misalnya hasil rapat koordinasi dan pertimbangannya."),
        error_messages={"min_length": _("Tulis alasannya, paling sedikit 10 huruf.")},
    )
