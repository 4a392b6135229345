"""The upload form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.datasets.models import Dataset
from guyub.imports.models import Extent


class UploadForm(forms.Form):
    """Which dataset a file belongs to, as of when, and whether it is the whole list."""

    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        label=_("Dataset"),
        help_text=_("Daftar milik perangkat daerah Anda yang diperbarui oleh berkas ini."),
    )
    as_of = forms.DateField(
        label=_("Keadaan per tanggal"),
        help_text=_("Tanggal keadaan yang digambarkan daftar, bukan tanggal mengunggah."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    extent = forms.ChoiceField(
        label=_("Cakupan berkas"), choices=Extent.choices, initial=Extent.WHOLE
    )
    file = forms.FileField(
        label=_("Berkas CSV atau XLSX"),
        help_text=_("Paling besar 100 MB atau 1.000.000 baris. Kolom NIK harus berformat Teks."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        datasets = Dataset.objects.select_related("owner")
        if scope_of(user, "imports.run") is not Scope.ANY:
            datasets = datasets.filter(owner_id=user.agency_id)
        self.fields["dataset"].queryset = datasets  # type: ignore[attr-defined]
        self.fields["as_of"].widget.attrs["max"] = timezone.localdate().isoformat()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(
                _("Berkas lebih dari 100 MB. Bagi menjadi beberapa berkas.")
            )
        return file
