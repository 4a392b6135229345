"""Forms for documents, built reports and schedules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.accounts.models import User
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.documents import built, mailing
from guyub.documents.models import (
    BuiltReport,
    Carriage,
    FileFormat,
    ReportKind,
    Rhythm,
    Section,
    Sharing,
)
from guyub.documents.services import LONGEST
from guyub.programs.models import Program


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class StartForm(forms.Form):
    year = forms.IntegerField(label=_("Tahun pelaporan"), min_value=2000, localize=False)


class AskForm(forms.Form):
    due_on = forms.DateField(label=_("Batas waktu bagi semua perangkat daerah"), widget=DateInput())


class AssignForm(forms.ModelForm):
    class Meta:
        model = Section
        fields = ["title", "agency", "due_on"]
        widgets = {"due_on": DateInput()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["agency"]
        field.queryset = Agency.objects.filter(is_active=True)
        field.empty_label = _("Sekretariat TKPKD")


class WriteForm(forms.Form):
    text = forms.CharField(
        label=_("Uraian"),
        required=False,
        strip=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 16, "data-autosave": ""}),
        help_text=_(
            "Baris kosong memisahkan paragraf; baris yang diawali tanda hubung menjadi butir. "
            "Tanpa nama dan NIK warga."
        ),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, localize=False)
    done = forms.BooleanField(label=_("Bagian ini selesai"), required=False)


class IssueForm(forms.Form):
    note = forms.CharField(
        label=_("Keterangan edisi"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Untuk edisi kedua dan seterusnya: apa yang berubah."),
    )
    anew = forms.BooleanField(
        label=_("Hitung angka terbaru dahulu"),
        required=False,
        help_text=_("Tanpa ini dipakai angka yang tersimpan."),
    )


class SaveForm(forms.ModelForm):
    class Meta:
        model = BuiltReport
        fields = ["name", "description", "sharing"]

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if user.agency_id is None:
            field: Any = self.fields["sharing"]
            field.choices = [c for c in Sharing.choices if c[0] != Sharing.AGENCY]


class ScheduleForm(forms.Form):
    kind = forms.ChoiceField(label=_("Laporan"), choices=ReportKind.choices)
    agency = forms.ModelChoiceField(
        label=_("Perangkat daerah"), queryset=Agency.objects.none(), required=False
    )
    area = forms.ModelChoiceField(label=_("Wilayah"), queryset=Area.objects.none(), required=False)
    program = forms.ModelChoiceField(
        label=_("Program"), queryset=Program.objects.none(), required=False
    )
    built = forms.ModelChoiceField(
        label=_("Laporan tersusun"), queryset=BuiltReport.objects.none(), required=False
    )
    rhythm = forms.ChoiceField(label=_("Jadwal"), choices=Rhythm.choices, initial=Rhythm.MONTHLY)
    carriage = forms.ChoiceField(
        label=_("Dikirim sebagai"), choices=Carriage.choices, initial=Carriage.LINK
    )
    format = forms.ChoiceField(
        label=_("Bentuk berkas"),
        choices=FileFormat.choices,
        help_text=_("Laporan tersusun selalu Excel."),
    )
    recipients = forms.ModelMultipleChoiceField(
        label=_("Penerima"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Tiap penerima mendapat angka sesuai haknya sendiri."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["agency"].queryset = Agency.objects.filter(is_active=True)
        fields["area"].queryset = Area.objects.all()
        areas = Area.objects.order_by("code")
        fields["area"].choices = [
            ("", "—"),
            *((a.pk, ("– " if a.code.count(".") > 2 else "") + a.title) for a in areas),
        ]
        year = timezone.localdate().year
        fields["program"].queryset = Program.objects.filter(year__gte=year - 1)
        fields["built"].queryset = built.visible_to(user)
        fields["recipients"].queryset = mailing.reachable(user)
        for name in ("agency", "program", "built"):
            fields[name].empty_label = "—"
