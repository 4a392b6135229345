"""Forms of the office: rounds, who is visited, what is decided."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import ANY, scope_of
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level
from guyub.fieldwork import queries
from guyub.fieldwork.deciding import LONGEST_NOTE
from guyub.fieldwork.models import Round
from guyub.fieldwork.vocabulary import Purpose
from guyub.programs.models import SubActivity


def _day() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class RoundForm(forms.Form):
    """A new round. Agencies run their own; the secretariat may run one for any."""

    title = forms.CharField(label=_("Judul"), max_length=150)
    purpose = forms.ChoiceField(label=_("Tujuan"), choices=Purpose.choices)
    form_version: Any = forms.ModelChoiceField(label=_("Formulir"), queryset=None)
    agency: Any = forms.ModelChoiceField(
        label=_("Perangkat daerah"),
        queryset=None,
        required=False,
        empty_label=_("Sekretariat TKPKD"),
        help_text=_("Yang menjalankan dan meninjau hasilnya."),
    )
    sub_activity: Any = forms.ModelChoiceField(
        label=_("Sub kegiatan"),
        queryset=None,
        required=False,
        help_text=_("Untuk verifikasi calon penerima: calon siapa yang diperiksa."),
    )
    due_on = forms.DateField(label=_("Batas waktu"), required=False, widget=_day())
    note = forms.CharField(
        label=_("Petunjuk untuk petugas"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, user: Any, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["form_version"].queryset = queries.form_versions_for(user)
        subs = SubActivity.objects.filter(is_cancelled=False).order_by("-year", "name")
        if scope_of(user, "fieldwork.manage") is ANY:
            fields["agency"].queryset = Agency.objects.filter(is_active=True)
        else:
            del fields["agency"]
            subs = subs.filter(agency=user.agency_id)
        fields["sub_activity"].queryset = subs
        self._own = user.agency

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("purpose") == Purpose.CANDIDATES and not given.get("sub_activity"):
            self.add_error("sub_activity", _("Pilih sub kegiatan yang calonnya diperiksa."))
        if "agency" not in self.fields:
            given["agency"] = self._own
        return given


class ChangeRoundForm(forms.Form):
    title = forms.CharField(label=_("Judul"), max_length=150)
    due_on = forms.DateField(label=_("Batas waktu"), required=False, widget=_day())
    note = forms.CharField(
        label=_("Petunjuk untuk petugas"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class HouseholdsForm(forms.Form):
    """Which households of one village are put on a round."""

    village: Any = forms.ModelChoiceField(label=_("Desa/kelurahan"), queryset=None)
    desil = forms.MultipleChoiceField(
        label=_("Desil"),
        required=False,
        choices=[(str(n), str(n)) for n in range(1, 11)],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Kosongkan untuk semua keluarga."),
    )
    assignee: Any = forms.ModelChoiceField(
        label=_("Petugas"),
        queryset=None,
        required=False,
        empty_label=_("Siapa pun yang bertugas di wilayah itu"),
    )

    def __init__(self, record: Round, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: dict[str, Any] = self.fields
        fields["village"].queryset = (
            Area.objects.filter(level=Level.VILLAGE).select_related("parent").order_by("code")
        )
        fields["village"].label_from_instance = _village_with_district
        fields["assignee"].queryset = queries.officers_for(record)
        if record.purpose in (Purpose.CANDIDATES, Purpose.PROPOSALS):
            del fields["desil"], fields["assignee"]


class AssignForm(forms.Form):
    """Who goes to the open visits of a village, or of the whole round."""

    village = forms.ChoiceField(label=_("Desa/kelurahan"), required=False)
    assignee: Any = forms.ModelChoiceField(
        label=_("Petugas"),
        queryset=None,
        required=False,
        empty_label=_("Siapa pun yang bertugas di wilayah itu"),
    )

    def __init__(self, record: Round, villages: list[Area], *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "tugas_%s", **options})
        fields: dict[str, Any] = self.fields
        fields["village"].choices = [
            ("", _("Semua desa")),
            *((area.code, area.title) for area in villages),
        ]
        fields["assignee"].queryset = queries.officers_for(record)


class AddressForm(forms.Form):
    """Somebody to visit who is not in the registry."""

    village: Any = forms.ModelChoiceField(
        label=_("Desa/kelurahan"),
        queryset=Area.objects.filter(level=Level.VILLAGE).select_related("parent").order_by("code"),
    )
    name = forms.CharField(label=_("Nama"), max_length=150, required=False)
    address = forms.CharField(label=_("Alamat"), max_length=250, required=False)
    rt = forms.CharField(label=_("RT"), max_length=3, required=False)
    rw = forms.CharField(label=_("RW"), max_length=3, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["village"]
        field.label_from_instance = _village_with_district


def _village_with_district(area: Area) -> str:
    return f"{area.parent.name} – {area.title}" if area.parent else area.title


class NoteForm(forms.Form):
    """A word on a decision, for whoever reads it later."""

    note = forms.CharField(
        label=_("Catatan"),
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ReasonForm(forms.Form):
    """Why something is seen, taken out or left unused."""

    note = forms.CharField(
        label=_("Alasan"),
        min_length=10,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Tercatat di jejak audit bersama nama Anda. Paling sedikit 10 huruf."),
        error_messages={"min_length": _("Tulis alasannya, paling sedikit 10 huruf.")},
    )
