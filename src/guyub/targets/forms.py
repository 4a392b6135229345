"""Forms for indicators, their years, published figures and survey files."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guyub.agencies.models import Agency
from guyub.targets.decimals import BadNumberError, parse_decimal
from guyub.targets.models import Indicator, IndicatorYear
from guyub.targets.services import FIRST_YEAR, YEARS_AHEAD, YearValues


class NumberField(forms.CharField):
    """A number as Indonesians write it: a comma before the decimals."""

    def __init__(self, *, places: int = 4, **kwargs: Any) -> None:
        kwargs.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        )
        super().__init__(max_length=40, **kwargs)
        self.places = places

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return format(value.normalize(), "f").replace(".", ",")
        return value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            number = parse_decimal(text)
        except BadNumberError as error:
            raise forms.ValidationError(str(error)) from error
        if number != round(number, self.places):
            raise forms.ValidationError(
                _("Paling banyak %(places)s angka di belakang koma.") % {"places": self.places}
            )
        return number


class IndicatorForm(forms.ModelForm):  # type: ignore[type-arg]
    """The definition of an indicator."""

    class Meta:
        model = Indicator
        fields = (
            "code",
            "name",
            "kind",
            "owner",
            "unit",
            "decimals",
            "direction",
            "formula",
            "source",
            "is_active",
        )
        widgets = {"formula": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "code": gettext_lazy(
                "Huruf kecil, angka dan tanda hubung, misalnya penduduk-miskin. Tidak dapat diubah "
                "kemudian."
            ),
            "unit": gettext_lazy("Misalnya persen, indeks, tahun, keluarga."),
            "formula": gettext_lazy("Cara menghitungnya, sehingga orang lain mendapat angka sama."),
            "source": gettext_lazy("Dari mana realisasinya akan diambil."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields["owner"]
        owner.queryset = Agency.objects.filter(is_active=True)
        self.fields["decimals"].max_value = 4  # type: ignore[attr-defined]
        if self.instance.pk:
            # The code stands in addresses and files, so it never changes.
            del self.fields["code"]
            owner.queryset = Agency.objects.filter(is_active=True) | Agency.objects.filter(
                pk=self.instance.owner_id
            )
        else:
            del self.fields["is_active"]

    def clean_decimals(self) -> int:
        places = self.cleaned_data["decimals"]
        if places > 4:
            raise forms.ValidationError(_("Paling banyak 4."))
        return int(places)

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class YearForm(forms.Form):
    """An indicator's target and realisation of one year."""

    year = forms.IntegerField(label=gettext_lazy("Tahun"))
    target = NumberField(label=gettext_lazy("Target"), required=False)
    actual = NumberField(label=gettext_lazy("Realisasi"), required=False)
    source = forms.CharField(
        label=gettext_lazy("Sumber realisasi"),
        required=False,
        max_length=250,
        help_text=gettext_lazy("Wajib bila realisasi diisi, misalnya “BPS, Susenas Maret 2026”."),
    )
    note = forms.CharField(
        label=gettext_lazy("Keterangan"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Misalnya mengapa target belum tercapai, dan tindak lanjutnya."),
    )

    def __init__(
        self,
        *args: Any,
        indicator: Indicator,
        entry: IndicatorYear | None,
        year: int,
        may_manage: bool,
        **kwargs: Any,
    ) -> None:
        kwargs["initial"] = {
            "year": year,
            "target": entry.target if entry else None,
            "actual": entry.actual if entry else None,
            "source": (entry.source if entry else "") or "",
            "note": entry.note if entry else "",
        }
        super().__init__(*args, **kwargs)
        last = timezone.localdate().year + YEARS_AHEAD
        self.fields["year"].widget.attrs |= {"min": FIRST_YEAR, "max": last}
        self.entry = entry
        for name in ("target", "actual"):
            label = f"{self.fields[name].label} ({indicator.unit})"
            self.fields[name].label = label
        if entry is not None:
            self.fields["year"].disabled = True
        if not may_manage:
            # The plan sets the target; whoever reports how far it came does not move it.
            self.fields["target"].disabled = True
            self.fields["target"].help_text = _("Target ditetapkan Sekretariat TKPKD.")

    def values(self) -> YearValues:
        data = self.cleaned_data
        target = self.entry.target if self.fields["target"].disabled and self.entry else None
        if not self.fields["target"].disabled:
            target = data["target"]
        return YearValues(target, data["actual"], data["source"], data["note"])


class CopyForm(forms.Form):
    """From which year to which targets are copied."""

    from_year = forms.TypedChoiceField(label=gettext_lazy("Dari tahun"), coerce=int)
    to_year = forms.IntegerField(label=gettext_lazy("Ke tahun"))

    def __init__(self, *args: Any, years: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from_year"].choices = [(year, str(year)) for year in years]  # type: ignore[attr-defined]
        last = timezone.localdate().year + YEARS_AHEAD
        self.fields["to_year"].widget.attrs |= {"min": FIRST_YEAR, "max": last}
        if years:
            self.fields["to_year"].initial = years[0] + 1


class FileForm(forms.Form):
    """One Excel or CSV file."""

    file = forms.FileField(
        label=gettext_lazy("Berkas Excel atau CSV"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )

    def __init__(self, *args: Any, most_bytes: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most_bytes = most_bytes

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > self.most_bytes:
            limit = self.most_bytes // (1024 * 1024)
            raise forms.ValidationError(_("Berkas lebih dari %(limit)s MB.") % {"limit": limit})
        return file


class SurveyForm(FileForm):
    """A survey file, when it was taken, and the poverty line to measure against."""

    title = forms.CharField(
        label=gettext_lazy("Judul"),
        max_length=200,
        help_text=gettext_lazy("Misalnya “Survei sosial ekonomi Banyumas, Maret 2026”."),
    )
    as_of = forms.DateField(
        label=gettext_lazy("Keadaan per tanggal"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    line = NumberField(
        label=gettext_lazy("Garis kemiskinan (rupiah per orang per bulan)"),
        places=2,
        help_text=gettext_lazy("Menurut BPS untuk tahun dan wilayah survei."),
    )
    field_order = ("title", "as_of", "line", "file")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["as_of"].widget.attrs["max"] = timezone.localdate().isoformat()

    def clean_as_of(self) -> Any:
        as_of = self.cleaned_data["as_of"]
        if as_of > timezone.localdate():
            raise forms.ValidationError(_("Tanggal ini belum tiba."))
        return as_of

    def clean_line(self) -> Decimal:
        return check_line(self.cleaned_data["line"])


class LineForm(forms.Form):
    """The poverty line to measure the registry against."""

    line = NumberField(
        label=gettext_lazy("Garis kemiskinan (rupiah per orang per bulan)"), places=2
    )

    def clean_line(self) -> Decimal:
        return check_line(self.cleaned_data["line"])


def check_line(line: Decimal) -> Decimal:
    """Return a poverty line that can be one; raise ``ValidationError`` for others."""
    if not 50_000 <= line <= 10_000_000:
        raise forms.ValidationError(
            _("Garis kemiskinan antara 50.000 dan 10.000.000 rupiah per orang per bulan.")
        )
    return line
