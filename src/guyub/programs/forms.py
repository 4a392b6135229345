"""Forms for programs, activities, sub-activities and missions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import Scope, scope_of
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.programs import money, nomenclature
from guyub.programs.models import Activity, Mission, Program, SubActivity
from guyub.programs.nomenclature import CodeLevel
from guyub.programs.rules import FIRST_YEAR, LAST_YEAR
from guyub.programs.vocabulary import FundingSource

WHOLE, PART = "all", "some"
MAX_BYTES = 5 * 1024 * 1024


class CodeField(forms.CharField):
    """A code of the nomenclature, of one level. It may stay empty."""

    def __init__(self, *, level: CodeLevel, **kwargs: Any) -> None:
        self.level = level
        kwargs.setdefault("label", _("Kode nomenklatur"))
        kwargs.setdefault(
            "help_text",
            _("Menurut Kepmendagri 900.1.15.5-1317/2023, misalnya %(code)s. Boleh kosong.")
            % {"code": nomenclature.EXAMPLES[level]},
        )
        super().__init__(required=False, max_length=40, **kwargs)

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        if not text:
            return ""
        try:
            return str(nomenclature.parse(text, self.level))
        except nomenclature.BadCodeError as error:
            raise forms.ValidationError(str(error)) from error


class RupiahField(forms.CharField):
    """An amount of rupiah, with or without points between the thousands. Empty is nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            max_length=30,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        return f"{value:,}".replace(",", ".") if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value))
        if not text:
            return 0
        try:
            return money.parse_rupiah(text)
        except money.BadAmountError as error:
            raise forms.ValidationError(str(error)) from error


class AgencyField(forms.ModelChoiceField):
    """A choice of agencies by their full names, by which the list is ordered."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


def agencies_of(user: Any) -> Any:
    """Return the active agencies whose programs ``user`` may write."""
    agencies = Agency.objects.filter(is_active=True)
    if scope_of(user, "programs.edit") is Scope.OWN_AGENCY:
        agencies = agencies.filter(pk=user.agency_id)
    return agencies


def _year_field(**kwargs: Any) -> forms.IntegerField:
    return forms.IntegerField(
        validators=[
            MinValueValidator(FIRST_YEAR, _("Tahun paling awal %(limit_value)d.")),
            MaxValueValidator(LAST_YEAR, _("Tahun paling akhir %(limit_value)d.")),
        ],
        widget=forms.NumberInput(attrs={"min": FIRST_YEAR, "max": LAST_YEAR}),
        **kwargs,
    )


class Written(forms.ModelForm):  # type: ignore[type-arg]
    """A form whose values a service writes, so that its instance stays as the database has it."""

    def _post_clean(self) -> None:
        """Leave the rules to the service, which tells them better."""

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def values(self) -> dict[str, Any]:
        """Return the entered fields of the model, ready for a service."""
        fields = self._meta.fields or ()
        return {name: self.cleaned_data[name] for name in fields if name in self.cleaned_data}


class ProgramForm(Written):
    """A program. Its agency is chosen once, among those that the user may write for."""

    agency = AgencyField(label=_("Perangkat daerah"), queryset=Agency.objects.none())
    year = _year_field(label=_("Tahun anggaran"))
    code = CodeField(level=CodeLevel.PROGRAM)

    class Meta:
        model = Program
        fields = ("agency", "year", "code", "name", "mission", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "description": _("Apa yang dikerjakan dan bagi siapa, dalam satu dua kalimat."),
            "mission": _("Misi dalam RPJMD yang didukung program ini."),
        }

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        missions: Any = self.fields["mission"]
        missions.label_from_instance = lambda mission: (
            f"{mission.number}. {mission.text} ({mission.first_year}–{mission.last_year})"
        )
        missions.empty_label = _("Belum ditautkan")
        if self.instance.pk:
            del self.fields["agency"]
            return
        field: Any = self.fields["agency"]
        field.queryset = agencies_of(user)
        if scope_of(user, "programs.edit") is Scope.OWN_AGENCY:
            field.initial = user.agency_id
        self.fields["year"].initial = timezone.localdate().year

    def values(self) -> dict[str, Any]:
        """Return the fields that were entered but the agency, ready for a service."""
        return {name: value for name, value in super().values().items() if name != "agency"}


class ActivityForm(Written):
    """An activity of a program."""

    code = CodeField(level=CodeLevel.ACTIVITY)

    class Meta:
        model = Activity
        fields = ("code", "name")


@dataclass(frozen=True)
class AreaGroup:
    """A district in the choice of areas, with its villages; ``chosen`` counts what is ticked."""

    district: Area
    whole: bool
    villages: list[tuple[Area, bool]]

    @property
    def chosen(self) -> int:
        return sum(ticked for _village, ticked in self.villages)


class SubActivityForm(Written):
    """A sub-activity: what it gives, to whom, where, when and with what money."""

    code = CodeField(level=CodeLevel.SUB_ACTIVITY)
    scope = forms.ChoiceField(
        label=_("Wilayah"),
        choices=[(WHOLE, _("Seluruh kabupaten")), (PART, _("Kecamatan atau desa tertentu"))],
        widget=forms.RadioSelect,
        initial=WHOLE,
    )
    areas = forms.ModelMultipleChoiceField(
        label=_("Kecamatan dan desa"),
        queryset=Area.objects.filter(level__in=[Level.DISTRICT, Level.VILLAGE]),
        to_field_name="code",
        required=False,
    )

    class Meta:
        model = SubActivity
        fields = (
            "code", "name", "description", "strategy", "help_kind", "recipient", "desil_min",
            "desil_max", "target_note", "quota", "starts_on", "ends_on",
        )  # fmt: skip
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "desil_min": forms.NumberInput(attrs={"min": 1, "max": 10}),
            "desil_max": forms.NumberInput(attrs={"min": 1, "max": 10}),
            "quota": forms.NumberInput(attrs={"min": 1}),
        }
        help_texts = {
            "desil_min": _("1 paling miskin. Kosongkan bila tidak dibatasi."),
            "desil_max": _("Misalnya 4 untuk desil 1 sampai 4."),
            "target_note": _("Ciri keluarga atau orangnya, misalnya: belum punya jamban."),
            "quota": _("Banyaknya keluarga, orang atau kelompok. Kosongkan bila belum ditetapkan."),
        }

    basics = ("code", "name", "description")
    help_fields = ("strategy", "help_kind", "recipient")
    target_fields = ("desil_min", "desil_max", "quota", "target_note")
    period_fields = ("starts_on", "ends_on")

    def __init__(self, *args: Any, year: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sub = self.instance if self.instance.pk else None
        amounts = dict(sub.fundings.values_list("source", "amount")) if sub is not None else {}
        for source in FundingSource:
            self.fields[source.value] = RupiahField(
                label=source.label, initial=amounts.get(source.value)
            )
        self._stored = set(sub.areas.values_list("code", flat=True)) if sub is not None else set()
        self.fields["scope"].initial = PART if self._stored else WHOLE
        for name, day in (("starts_on", dt.date(year, 1, 1)), ("ends_on", dt.date(year, 12, 31))):
            self.fields[name].initial = day
            self.fields[name].widget.attrs.update(min=f"{year}-01-01", max=f"{year}-12-31")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("scope") == PART and not cleaned.get("areas"):
            self.add_error(
                "areas",
                _("Pilih sedikitnya satu kecamatan atau desa, atau pilih seluruh kabupaten."),
            )
        return cleaned

    def fundings(self) -> dict[str, int]:
        """Return rupiah by source, as entered."""
        return {source.value: self.cleaned_data[source.value] for source in FundingSource}

    def chosen_areas(self) -> list[Area]:
        """Return the districts and villages that were ticked; none for the whole regency."""
        return list(self.cleaned_data["areas"]) if self.cleaned_data["scope"] == PART else []

    def money_fields(self) -> list[Any]:
        return [self[source.value] for source in FundingSource]

    def fields_of(self, names: tuple[str, ...]) -> list[Any]:
        return [self[name] for name in names]

    def sections(self) -> list[tuple[Any, list[Any]]]:
        """Return the fields in the order of the page, under headings. Areas come after."""
        return [
            (_("Bantuan"), self.fields_of(self.help_fields)),
            (_("Sasaran"), self.fields_of(self.target_fields)),
            (_("Masa pelaksanaan"), self.fields_of(self.period_fields)),
            (_("Anggaran menurut sumber dana"), self.money_fields()),
        ]

    def area_groups(self) -> list[AreaGroup]:
        """Return every district with its villages and what is ticked. One query."""
        ticked = set(self.data.getlist("areas")) if self.is_bound else self._stored  # type: ignore[attr-defined]
        villages: dict[int | None, list[tuple[Area, bool]]] = {}
        districts = []
        for area in Area.objects.filter(level__in=[Level.DISTRICT, Level.VILLAGE]):
            if area.level == Level.DISTRICT:
                districts.append(area)
            else:
                villages.setdefault(area.parent_id, []).append((area, area.code in ticked))
        return [
            AreaGroup(district, district.code in ticked, villages.get(district.pk, []))
            for district in districts
        ]


class MissionForm(Written):
    """A mission of the regency's plan."""

    first_year = _year_field(label=_("Tahun awal"))
    last_year = _year_field(label=_("Tahun akhir"))

    class Meta:
        model = Mission
        fields = ("first_year", "last_year", "number", "text")
        widgets = {"text": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"text": _("Tulis seperti dalam Perda tentang RPJMD.")}

    clean_name = None  # type: ignore[assignment]


class ReasonForm(forms.Form):
    """Why something is deleted, cancelled or taken back."""

    reason = forms.CharField(
        label=_("Alasan"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Tercatat dalam jejak audit."),
    )


class UploadForm(forms.Form):
    """An Excel file of programs."""

    file = forms.FileField(
        label=_("Berkas Excel (.xlsx)"),
        help_text=_("Berkas yang diunduh dari Guyub atau templatnya. Paling besar 5 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("Berkas lebih dari 5 MB. Bagi per perangkat daerah."))
        return file
