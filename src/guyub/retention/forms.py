from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.discussions.numbers import mask_numbers
from guyub.retention.models import Schedule


class ScheduleForm(forms.ModelForm):
    class Meta:
        model = Schedule
        fields = ("years", "basis", "is_active")

    def clean_years(self) -> int:
        years = int(self.cleaned_data["years"])
        if not 1 <= years <= 100:
            raise forms.ValidationError(_("Isi 1 sampai 100 tahun."))
        return years


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Alasan"),
        max_length=250,
        help_text=_(
            "Jangan tulis nama atau NIK. Misalnya: menjadi bukti perkara yang belum selesai."
        ),
    )

    def clean_reason(self) -> str:
        return str(mask_numbers(self.cleaned_data["reason"])[0])
