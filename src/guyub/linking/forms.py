"""Forms: which list to link, thresholds, and the reasons that are asked for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.datasets.models import Version


class ListForm(forms.Form):
    """A file of an agency, or a version of a dataset that is stored already."""

    version = forms.ModelChoiceField(
        Version.objects.none(),
        label=_("Dataset yang sudah tersimpan"),
        required=False,
        empty_label=_("— unggah berkas lain —"),
    )
    file = forms.FileField(
        label=_("Atau berkas CSV atau XLSX"),
        required=False,
        help_text=_("Paling besar 100 MB atau 1.000.000 baris. NIK boleh kosong atau salah."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )
    title = forms.CharField(
        label=_("Nama daftar"),
        max_length=200,
        required=False,
        help_text=_("Misalnya: Penerima BLT Dana Desa 2026. Kosongkan untuk memakai nama berkas."),
    )
    agency = forms.ModelChoiceField(
        Agency.objects.none(), label=_("Pemilik daftar"), required=False
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        versions = Version.objects.select_related("dataset__owner").filter(
            dataset__current_version=F("pk")
        )
        if scope_of(user, "linking.run") is not Scope.ANY:
            versions = versions.filter(dataset__owner_id=user.agency_id)
            del self.fields["agency"]
        else:
            self.fields["agency"].queryset = Agency.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["version"].queryset = versions.order_by("dataset__name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("version") and not given.get("file") and not self.errors:
            raise forms.ValidationError(_("Pilih dataset, atau pilih berkas untuk diunggah."))
        if given.get("file") and given.get("version"):
            raise forms.ValidationError(_("Pilih salah satu: dataset atau berkas."))
        if given.get("file"):
            if given["file"].size > settings.IMPORT_MAX_BYTES:
                self.add_error("file", _("Berkas lebih dari 100 MB. Bagi menjadi beberapa berkas."))
            if "agency" in self.fields and not given.get("agency"):
                self.add_error("agency", _("Pilih perangkat daerah pemilik daftar."))
        return given


class ThresholdsForm(forms.Form):
    """Where a weight becomes a link or a question."""

    accept = forms.FloatField(
        label=_("Diterima tanpa ditinjau mulai bobot"),
        min_value=0,
        max_value=40,
        help_text=_("Bobot 7 berarti peluang keliru sekitar 1 banding 128."),
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )
    review = forms.FloatField(
        label=_("Ditinjau mulai bobot"),
        min_value=-20,
        max_value=40,
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )
    margin = forms.FloatField(
        label=_("Jarak paling sedikit ke calon lain"),
        min_value=0,
        max_value=40,
        help_text=_("Bila ada calon lain yang hampir sama kuat, orang yang memutuskan."),
        widget=forms.NumberInput(attrs={"step": "0.1"}),
    )
    note = forms.CharField(label=_("Alasan perubahan"), min_length=10, max_length=250)


class NoteForm(forms.Form):
    """Why something is put into force."""

    note = forms.CharField(label=_("Alasan"), min_length=10, max_length=250)


class ExportForm(forms.Form):
    """Taking the outcome out."""

    reason = forms.CharField(
        label=_("Alasan mengunduh"),
        min_length=10,
        max_length=250,
        help_text=_("Alasan ini tercatat dalam jejak audit."),
        error_messages={"min_length": _("Tulis alasannya, paling sedikit 10 huruf.")},
    )
    only_missing = forms.BooleanField(
        label=_("Hanya baris yang tidak ditemukan di registri"), required=False
    )
    full_numbers = forms.BooleanField(label=_("Tampilkan NIK dan nomor KK lengkap"), required=False)
