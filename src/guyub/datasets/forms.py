"""Forms for datasets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.datasets.models import Dataset


class DatasetForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Dataset
        fields = ["code", "name", "owner", "description", "legal_basis", "cadence"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "code": _(
                "Huruf kecil, angka, dan tanda hubung; dipakai di alamat dan baris perintah."
            ),
            "legal_basis": _("Peraturan atau keputusan yang menjadi dasar daftar ini."),
        }

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if scope_of(user, "datasets.edit") is not Scope.ANY:
            owner: Any = self.fields["owner"]
            owner.queryset = Agency.objects.filter(pk=user.agency_id)
            owner.initial = user.agency_id
        if self.instance.pk:
            # The code names the folder of the versions, so it stays.
            del self.fields["code"]

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fields}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Alasan"),
        min_length=10,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Tercatat di jejak audit bersama nama Anda. Paling sedikit 10 huruf."),
        error_messages={"min_length": _("Tulis alasannya, paling sedikit 10 huruf.")},
    )


class ExportForm(ReasonForm):
    format = forms.ChoiceField(label=_("Bentuk"), choices=[("xlsx", "Excel"), ("csv", "CSV")])
    full_numbers = forms.BooleanField(label=_("Sertakan NIK dan nomor KK lengkap"), required=False)
