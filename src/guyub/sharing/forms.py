"""Forms of data requests."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area, Level
from guyub.datasets import columns
from guyub.datasets.models import Dataset
from guyub.sharing.models import DataRequest


class _AreaField(forms.ModelChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            label=_("Wilayah"),
            queryset=Area.objects.filter(level=Level.DISTRICT),
            required=False,
            empty_label=_("Seluruh kabupaten"),
            **options,
        )

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.title)


def _columns(names: list[str]) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Kolom"),
        choices=[(name, capfirst(columns.LABELS[name])) for name in names],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Pilih hanya yang diperlukan."),
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class AskForm(forms.Form):
    dataset = forms.ModelChoiceField(label=_("Dataset"), queryset=Dataset.objects.none())
    purpose = forms.CharField(
        label=_("Tujuan"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Untuk apa datanya dipakai; menjadi bagian dari izin."),
    )
    legal_basis = forms.CharField(label=_("Dasar hukum"), max_length=250)
    columns = _columns(list(columns.LABELS))
    with_numbers = forms.BooleanField(
        label=_("Perlu NIK dan nomor KK lengkap"),
        required=False,
        help_text=_("Tanpa ini NIK dan KK disamarkan."),
    )
    area = _AreaField()
    wanted_until = _day(_("Dipakai sampai"))

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dataset: Any = self.fields["dataset"]
        dataset.queryset = Dataset.objects.exclude(owner=user.agency_id or 0)


class GrantForm(forms.Form):
    with_numbers = forms.BooleanField(label=_("Beri NIK dan nomor KK lengkap"), required=False)
    area = _AreaField()
    ends_on = _day(_("Berlaku sampai"))
    note = forms.CharField(
        label=_("Catatan"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    field_order = ["columns", "with_numbers", "area", "ends_on", "note"]

    def __init__(self, asked: DataRequest, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "columns": asked.columns,
                "area": asked.area_id,
                "ends_on": asked.wanted_until,
                "with_numbers": False,
            },
        )
        super().__init__(*args, **kwargs)
        self.fields["columns"] = _columns(asked.columns)
        self.order_fields(self.field_order)
        if not asked.with_numbers:
            del self.fields["with_numbers"]


class RefuseForm(forms.Form):
    answer = forms.CharField(label=_("Alasan penolakan"), widget=forms.Textarea(attrs={"rows": 3}))


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("Alasan pencabutan"), max_length=250)
