"""Forms of meetings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.meetings.models import (
    ActionItem,
    ActionState,
    AgendaItem,
    Invitation,
    MandateScope,
    Meeting,
)


class AgencyField(forms.ModelChoiceField):
    """A choice of active agencies by their full names."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("queryset", Agency.objects.filter(is_active=True))
        super().__init__(**options)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class AgenciesField(forms.ModelMultipleChoiceField):
    """A choice of several active agencies by their full names."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("queryset", Agency.objects.filter(is_active=True))
        options.setdefault("widget", forms.CheckboxSelectMultiple)
        super().__init__(**options)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


def _moment(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(
        label=label, widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
    )


def _day(label: Any, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, help_text=help_text)


class MeetingForm(forms.ModelForm):  # type: ignore[type-arg]
    starts_at = _moment(_("Mulai"))
    ends_at = _moment(_("Selesai"))
    online_url = forms.URLField(label=_("Tautan daring"), required=False, assume_scheme="https")
    input_due_on = _day(
        _("Batas masukan tertulis"),
        _("Sampai tanggal ini perangkat daerah diminta memberi masukan atas agenda."),
    )

    class Meta:
        model = Meeting
        fields = [
            "title", "purpose", "starts_at", "ends_at", "place", "online_url", "chair",
            "input_due_on", "quorum_percent", "ratify_days",
        ]  # fmt: skip
        widgets = {"purpose": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "quorum_percent": _(
                "Bagian perangkat daerah yang harus hadir dengan wewenang memutuskan."
            ),
            "ratify_days": _(
                "Lewat batas ini, keputusan yang belum disahkan kepala yang tidak hadir diteruskan kepada Bupati."
            ),
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        start, end = values.get("starts_at"), values.get("ends_at")
        due = values.get("input_due_on")
        if start and end and end <= start:
            self.add_error("ends_at", _("Rapat harus selesai sesudah dimulai."))
        if start and due and due > start.date():
            self.add_error("input_due_on", _("Masukan harus masuk sebelum rapat dimulai."))
        return values


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]
    agencies = AgenciesField(
        label=_("Perangkat daerah terkait"),
        required=False,
        help_text=_("Yang persetujuannya diperlukan. Kosongkan bila semua yang diundang terkait."),
    )

    class Meta:
        model = AgendaItem
        fields = ["title", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 4})}


class InviteForm(forms.Form):
    agencies = AgenciesField(label=_("Perangkat daerah yang diundang"))


class DeclineForm(forms.Form):
    reason = forms.CharField(label=_("Alasan tidak hadir"), max_length=250)


class MandateForm(forms.ModelForm):  # type: ignore[type-arg]
    mandate_scope = forms.ChoiceField(
        label=_("Wewenang wakil"), choices=MandateScope.choices, widget=forms.RadioSelect
    )

    class Meta:
        model = Invitation
        fields = [
            "delegate_name",
            "delegate_position",
            "mandate_scope",
            "mandate_items",
            "mandate_limits",
        ]
        widgets = {
            "mandate_items": forms.CheckboxSelectMultiple,
            "mandate_limits": forms.Textarea(attrs={"rows": 2}),
        }
        help_texts = {
            "mandate_limits": _("Misalnya batas anggaran yang boleh disanggupi."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items: Any = self.fields["mandate_items"]
        items.queryset = self.instance.meeting.agenda.all()
        items.required = False
        items.help_text = _("Hanya untuk wewenang atas pokok bahasan tertentu.")
        self.fields["delegate_name"].required = True
        if not self.instance.mandate_scope:
            self.initial["mandate_scope"] = MandateScope.ALL


class InputForm(forms.Form):
    item = forms.ModelChoiceField(
        label=_("Pokok bahasan"),
        queryset=AgendaItem.objects.none(),
        required=False,
        empty_label=_("Umum, tidak tentang satu pokok bahasan"),
    )
    text = forms.CharField(
        label=_("Masukan"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        item: Any = self.fields["item"]
        item.queryset = meeting.agenda.all()


class GuestForm(forms.Form):
    """Somebody without an account who scans the code on the wall."""

    name = forms.CharField(label=_("Nama lengkap"), max_length=120)
    position = forms.CharField(label=_("Jabatan"), max_length=120, required=False)
    agency = AgencyField(
        label=_("Perangkat daerah"), required=False, empty_label=_("Bukan dari perangkat daerah")
    )
    mandate_code = forms.CharField(
        label=_("Kode mandat"),
        max_length=12,
        required=False,
        help_text=_("Delapan huruf pada surat mandat, bila Anda mewakili kepala."),
    )


class AttendanceForm(GuestForm):
    """Somebody without a telephone, or not signed in, whom the secretariat enters."""

    as_head = forms.BooleanField(label=_("Kepala hadir sendiri"), required=False)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("as_head") and not given.get("agency") and "agency" not in self.errors:
            self.add_error("agency", _("Pilih perangkat daerah"))
        return given


class DecisionForm(forms.Form):
    text = forms.CharField(label=_("Isi keputusan"), widget=forms.Textarea(attrs={"rows": 4}))


class NoteForm(forms.Form):
    note = forms.CharField(
        label=_("Catatan"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class RulingForm(forms.Form):
    """What the regent says on a decision that agencies could not settle."""

    note = forms.CharField(label=_("Isi arahan"), widget=forms.Textarea(attrs={"rows": 3}))


class ActionForm(forms.ModelForm):  # type: ignore[type-arg]
    agency = AgencyField(label=_("Penanggung jawab"))
    due_on = _day(_("Batas waktu"))

    class Meta:
        model = ActionItem
        fields = ["text", "agency", "due_on", "decision"]

    def __init__(self, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        decision: Any = self.fields["decision"]
        decision.queryset = meeting.decisions.all()
        decision.label = _("Karena keputusan")
        decision.required = False


class ActionUpdateForm(forms.Form):
    text = forms.CharField(
        label=_("Apa yang sudah dilakukan"), widget=forms.Textarea(attrs={"rows": 3})
    )
    state = forms.ChoiceField(label=_("Keadaan"), choices=ActionState.choices)


class CloseForm(forms.Form):
    notes = forms.CharField(
        label=_("Jalannya rapat"), required=False, widget=forms.Textarea(attrs={"rows": 6})
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Alasan"), widget=forms.Textarea(attrs={"rows": 2}))
