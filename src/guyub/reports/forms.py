"""Forms of progress reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.reports import curves
from guyub.reports.amounts import AmountError, percent, read_count, read_percent, read_rupiah
from guyub.reports.models import Frequency, Report
from guyub.reports.services import Figures

ACCEPTED_FILES = "image/*,.pdf,.xlsx,.docx"


class AmountField(forms.CharField):
    """An amount typed the Indonesian way."""

    def __init__(self, read: Callable[[Any], Any], mode: str = "numeric", **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"})
        super().__init__(required=False, max_length=30, widget=widget, **options)
        self.read = read

    def clean(self, value: Any) -> Any:
        try:
            return self.read(super().clean(value))
        except AmountError as error:
            raise forms.ValidationError(str(error)) from error


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files."""

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(file) for file in files]


def grouped(number: int | None) -> str:
    """Write a whole number with dots between the thousands; nothing for ``None``."""
    return "" if number is None else f"{number:,}".replace(",", ".")


class ReportForm(forms.Form):
    """What a report says. ``version`` is what the user saw; it guards against two who edit at once."""

    # What somebody else has written in the meantime, once that came to light.
    conflict: Report | None = None

    version = forms.IntegerField(widget=forms.HiddenInput)
    physical = AmountField(
        read_percent, "decimal", label=_("Realisasi fisik (%)"),
        help_text=_("Kumulatif sejak awal tahun, misalnya 45,5."),
    )  # fmt: skip
    budget = AmountField(
        read_rupiah, label=_("Realisasi keuangan (Rp)"),
        help_text=_("Kumulatif sejak awal tahun, misalnya 125.000.000."),
    )  # fmt: skip
    reached = AmountField(
        read_count, label=_("Penerima manfaat"),
        help_text=_("Kumulatif sejak awal tahun; tiap penerima dihitung sekali."),
    )  # fmt: skip
    narrative = forms.CharField(
        label=_("Uraian"),
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "Apa yang dikerjakan, apa hasilnya, dan apa yang menghambat. Jangan menulis NIK atau "
            "nama penerima."
        ),
    )
    explanation = forms.CharField(
        label=_("Penjelasan"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Wajib bila angka turun dari laporan sebelumnya atau melebihi anggaran."),
    )
    uploads = FilesField(
        label=_("Tambah foto atau dokumen"),
        required=False,
        widget=FilesInput(attrs={"accept": ACCEPTED_FILES}),
        help_text=_(
            "Foto, PDF, XLSX, atau DOCX; paling besar 10 MB (foto 15 MB). Semua pengguna dapat "
            "membukanya, jadi jangan lampirkan daftar nama atau NIK."
        ),
    )

    def figures(self) -> Figures:
        given = self.cleaned_data
        return Figures(
            physical=given["physical"],
            budget=given["budget"],
            reached=given["reached"],
            narrative=given["narrative"].strip().replace("\r\n", "\n"),
            explanation=given["explanation"].strip().replace("\r\n", "\n"),
        )

    @staticmethod
    def initial_of(report: Report) -> dict[str, Any]:
        return {
            "version": report.version,
            "physical": "" if report.physical is None else percent(report.physical).rstrip("%"),
            "budget": grouped(report.budget),
            "reached": grouped(report.reached),
            "narrative": report.narrative,
            "explanation": report.explanation,
        }


class CorrectionForm(ReportForm):
    """Other figures for an accepted report, and why."""

    reason = forms.CharField(
        label=_("Alasan koreksi"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Terbaca oleh Sekretariat dan tersimpan dalam riwayat."),
    )


class ReviewForm(forms.Form):
    """The secretariat's answer."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    remark = forms.CharField(
        label=_("Catatan"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Wajib bila laporan dikembalikan: apa yang perlu diperbaiki."),
    )


class ScheduleForm(forms.Form):
    frequency = forms.ChoiceField(label=_("Jadwal"), choices=Frequency.choices)
    grace_days = forms.IntegerField(
        label=_("Batas waktu (hari sesudah periode berakhir)"), min_value=0, max_value=60
    )


class YearScheduleForm(ScheduleForm):
    """The schedule for every sub-activity of a year that has none."""

    year = forms.TypedChoiceField(label=_("Tahun anggaran"), coerce=int)
    shape = forms.ChoiceField(
        label=_("Rencana"),
        required=False,
        choices=[
            (curves.S_CURVE, _("Isi usulan kurva S")),
            (curves.LINEAR, _("Isi usulan garis lurus")),
            ("", _("Biarkan kosong")),
        ],
        help_text=_("Usulan dapat diubah oleh perangkat daerah."),
    )
    field_order = ("year", "frequency", "grace_days", "shape")

    def __init__(self, years: Sequence[int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [(year, str(year)) for year in years]  # type: ignore[attr-defined]


class WorkbookForm(forms.Form):
    """A filled-in workbook."""

    file = forms.FileField(
        label=_("Berkas Excel yang sudah diisi"),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
    )
