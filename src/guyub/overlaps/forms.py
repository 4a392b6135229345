"""Forms of the secretariat's ruling and of exports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.overlaps.models import OverlapCase, Ruling
from guyub.overlaps.queries import agencies_of
from guyub.registry.forms import ReasonForm

__all__ = ["ReasonForm", "ReopenForm", "SettleForm"]


class SettleForm(forms.Form):
    """What is settled about a case, and who leads."""

    ruling = forms.ChoiceField(label=_("Putusan"), choices=Ruling.choices, widget=forms.RadioSelect)
    lead_agency = forms.ModelChoiceField(
        Agency.objects.none(),
        label=_("Perangkat daerah yang memimpin"),
        required=False,
        empty_label=_("Tidak ada"),
        help_text=_("Wajib bila satu perangkat daerah memimpin atau sub kegiatannya digabung."),
    )
    note = forms.CharField(
        label=_("Isi putusan"),
        max_length=2000,
        min_length=10,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Siapa mengerjakan apa, di mana, dan mulai kapan. Terbaca di halaman sub kegiatannya."
        ),
        error_messages={"min_length": _("Tulis isi putusannya, paling sedikit 10 huruf.")},
    )

    def __init__(self, case: OverlapCase, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        involved = Agency.objects.filter(pk__in=[agency.pk for agency in agencies_of(case)])
        self.fields["lead_agency"].queryset = involved  # type: ignore[attr-defined]


class ReopenForm(forms.Form):
    """Why a settled case is opened again."""

    reason = forms.CharField(
        label=_("Alasan"),
        min_length=10,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"min_length": _("Tulis alasannya, paling sedikit 10 huruf.")},
    )
