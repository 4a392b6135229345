"""Forms for households and people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area, Level
from guyub.datasets.models import Freshness
from guyub.registry import queries
from guyub.registry.models import Household, Person
from guyub.registry.nik import NikError, check_against_record, check_shape
from guyub.registry.services import why_nik_is_needed
from guyub.registry.vocabulary import RECORDED_STATUSES, Asset, Relation, Status


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


def _today() -> str:
    return timezone.localdate().isoformat()


class AsOf(forms.Form):
    """When what is entered was true, and the state of the record that the editor saw."""

    as_of = forms.DateField(
        label=_("Keadaan per tanggal"),
        help_text=_("Tanggal keadaan ini diketahui, misalnya tanggal kunjungan."),
        initial=timezone.localdate,
        widget=DateInput(),
    )
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_as_of(self) -> Any:
        as_of = self.cleaned_data["as_of"]
        if as_of > timezone.localdate():
            raise forms.ValidationError(_("Tanggal ada di masa depan."))
        return as_of


class HouseholdForm(AsOf, forms.ModelForm):  # type: ignore[misc]
    assets = forms.MultipleChoiceField(
        label=_("Aset"), choices=Asset.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    extreme_poor = forms.NullBooleanField(
        label=_("Miskin ekstrem"),
        required=False,
        widget=forms.Select(
            choices=[("", _("Tidak diketahui")), ("true", _("Ya")), ("false", _("Tidak"))]
        ),
    )

    class Meta:
        model = Household
        fields = [
            "kk", "village", "address", "hamlet", "rt", "rw", "desil", "extreme_poor", "expenditure",
            "floor", "wall", "roof", "sanitation", "water", "electricity", "ownership", "assets",
            "latitude", "longitude",
        ]  # fmt: skip

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        villages = Area.objects.filter(level=Level.VILLAGE).select_related("parent")
        allowed = queries.villages_of(user)
        if allowed is not None:
            villages = villages.filter(pk__in=allowed)
        field: Any = self.fields["village"]
        field.queryset = villages
        field.label_from_instance = lambda area: f"{area.name} ({area.parent.name})"
        if self.instance.pk and not self.is_bound:
            self.initial["assets"] = self.instance.asset_list
            # Masked like everywhere: it is changed by writing a new one, else left as it is.
            self.initial["kk"] = ""
            known = self.instance.extreme_poor
            self.initial["extreme_poor"] = "" if known is None else str(known).lower()

        if self.instance.pk and self.instance.kk:
            self.fields["kk"].help_text = _("Kosongkan bila nomor KK tetap (%(kk)s).") % {
                "kk": self.instance.masked_kk
            }

    def clean_kk(self) -> str:
        kk = str(self.cleaned_data.get("kk") or "").replace(" ", "")
        return kk or str(self.instance.kk or "")

    def clean_assets(self) -> str:
        return ",".join(sorted(self.cleaned_data["assets"]))

    def clean_rt(self) -> str:
        return self._three_digits("rt")

    def clean_rw(self) -> str:
        return self._three_digits("rw")

    def _three_digits(self, name: str) -> str:
        value = str(self.cleaned_data.get(name) or "").strip()
        if value and not value.isdigit():
            raise forms.ValidationError(_("Isi dengan angka, misalnya 001."))
        return value.zfill(3) if value else ""

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _post_clean(self) -> None:
        # Values are written by services, so the instance must stay as the database has it.
        pass


class PersonForm(AsOf, forms.ModelForm):  # type: ignore[misc]
    confirmed = forms.BooleanField(
        label=_("NIK sudah dicocokkan dengan KTP atau KK"),
        required=False,
        help_text=_("Centang bila NIK memang tidak sama dengan tanggal lahir atau jenis kelamin."),
    )

    class Meta:
        model = Person
        fields = [
            "nik", "name", "sex", "birth_date", "birth_place", "relation", "disability", "work",
            "schooling", "health_insurance",
        ]  # fmt: skip
        widgets = {
            "birth_date": DateInput(),
            "nik": forms.TextInput(attrs={"inputmode": "numeric"}),
        }

    def __init__(self, *args: Any, keep_nik: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # An existing NIK stays masked: it is changed by writing a new one, else left as it is.
        self.keep_nik = keep_nik and bool(self.instance.nik)
        self.fields["nik"].required = False
        self.fields["nik"].help_text = (
            _("Kosongkan bila NIK tetap (%(nik)s).") % {"nik": self.instance.masked_nik}
            if self.keep_nik
            else _("Kosongkan hanya untuk anak yang belum punya NIK.")
        )
        self.initial["nik"] = ""
        self.fields["relation"].required = True

    def clean_nik(self) -> str:
        nik = str(self.cleaned_data.get("nik") or "").replace(" ", "")
        if not nik and self.keep_nik:
            return str(self.instance.nik)
        if not nik:
            return ""
        try:
            check_shape(nik)
        except NikError as error:
            raise forms.ValidationError(error.message) from error
        return nik

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("nik") and not data.get("confirmed"):
            try:
                check_against_record(data["nik"], data.get("birth_date"), data.get("sex", ""))
            except NikError as error:
                self.add_error("nik", error.message)
        if data.get("birth_date") and data["birth_date"] > timezone.localdate():
            self.add_error("birth_date", _("Tanggal lahir ada di masa depan."))
        if not data.get("nik") and not self.errors and (why := why_nik_is_needed(data)):
            self.add_error("nik", why)
        return data

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields if name in self.fields}

    def _post_clean(self) -> None:
        pass


class HeadForm(PersonForm):
    """The head of a new household; everything else about the household is the other form's."""

    as_of = None  # type: ignore[assignment]
    seen_at = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["relation"]
        self.fields["nik"].required, self.fields["nik"].help_text = True, ""


class StatusForm(forms.Form):
    status = forms.ChoiceField(label=_("Status baru"), choices=RECORDED_STATUSES)
    as_of = forms.DateField(
        label=_("Sejak tanggal"), initial=timezone.localdate, widget=DateInput()
    )
    reason = forms.CharField(label=_("Alasan"), max_length=250, min_length=5)

    clean_as_of = AsOf.clean_as_of


class MoveForm(forms.Form):
    kk = forms.CharField(
        label=_("Nomor KK tujuan"), max_length=20, help_text=_("Keluarga tujuan harus sudah ada di registri.")
    )  # fmt: skip
    relation = forms.ChoiceField(label=_("Hubungan di keluarga baru"), choices=Relation.choices)
    as_of = forms.DateField(
        label=_("Tanggal pindah"), initial=timezone.localdate, widget=DateInput()
    )
    reason = forms.CharField(label=_("Alasan"), max_length=250, min_length=5)
    new_head = forms.ModelChoiceField(
        Person.objects.none(),
        label=_("Kepala keluarga yang ditinggalkan"),
        required=False,
        help_text=_("Diisi bila yang pindah adalah kepala keluarga."),
    )

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["new_head"]
        field.queryset = person.household.members.filter(status=Status.ACTIVE).exclude(pk=person.pk)

    clean_as_of = AsOf.clean_as_of


class PhotoForm(forms.Form):
    file = forms.FileField(
        label=_("Foto rumah"), widget=forms.ClearableFileInput(attrs={"accept": "image/*"})
    )
    caption = forms.CharField(label=_("Keterangan"), max_length=150, required=False)
    taken_on = forms.DateField(label=_("Tanggal foto"), required=False, widget=DateInput())


class ReasonForm(forms.Form):
    """Why personal data is needed."""

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


class FilterForm(forms.Form):
    """What the list is narrowed to; nothing personal, so it may stand in the address bar."""

    wilayah = forms.ChoiceField(label=_("Wilayah"), required=False)
    desil = forms.MultipleChoiceField(
        label=_("Desil"),
        required=False,
        choices=[(str(n), str(n)) for n in range(1, 11)],
        widget=forms.CheckboxSelectMultiple,
    )
    dataset = forms.ChoiceField(label=_("Ada di daftar"), required=False)
    kesegaran = forms.ChoiceField(
        label=_("Kesegaran"),
        required=False,
        choices=[("", _("Semua")), *[c for c in Freshness.choices if c[0] != Freshness.EMPTY]],
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[*Status.choices, ("semua", _("Semua"))]
    )
    ekstrem = forms.BooleanField(label=_("Miskin ekstrem"), required=False)

    def __init__(self, user: Any, data: Any) -> None:
        super().__init__(data)
        areas: Any = Area.objects.filter(level=Level.DISTRICT)
        mine = getattr(user, "area_code", "")
        if mine:
            areas = Area.objects.filter(parent__code=mine)
        chosen = self.data.get("wilayah", "")
        options: list[tuple[str, Any]] = [("", _("Semua"))]
        inside = chosen.rsplit(".", 1)[0] if chosen.count(".") == 3 else chosen
        for area in areas:
            options.append((area.code, area.title))
            if area.code == inside and area.level == Level.DISTRICT:
                options += [(v.code, f"– {v.name}") for v in area.children.all()]
        self.fields["wilayah"].choices = options  # type: ignore[attr-defined]
        self.fields["dataset"].choices = [  # type: ignore[attr-defined]
            ("", _("Semua")),
            *[(dataset.code, dataset.name) for dataset in queries.datasets_in_use()],
        ]

    def filters(self) -> queries.Filters:
        data = self.cleaned_data if self.is_valid() else {}
        status = data.get("status") or Status.ACTIVE
        return queries.Filters(
            area=data.get("wilayah", ""),
            desil=tuple(int(n) for n in data.get("desil", [])),
            dataset=data.get("dataset", ""),
            freshness=data.get("kesegaran", ""),
            status="" if status == "semua" else str(status),
            extreme=bool(data.get("ekstrem")),
        )
