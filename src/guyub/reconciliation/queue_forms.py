"""Forms of the queue of differences: what it is narrowed to, settling, rules, correction lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area, Level
from guyub.datasets.models import Dataset
from guyub.reconciliation import queue
from guyub.reconciliation.models import DifferenceState, Mode, Side
from guyub.reconciliation.sources import MANUAL
from guyub.registry.forms import ReasonForm

RANKS = ("first", "second", "third", "fourth", "fifth")


def _datasets() -> list[tuple[str, Any]]:
    used = Dataset.objects.exclude(current_version=None).order_by("name")
    return [(dataset.code, dataset.name) for dataset in used]


class QueueFilter(forms.Form):
    """What the queue is narrowed to; nothing personal, so it may stand in the address bar."""

    keadaan = forms.ChoiceField(label=_("Keadaan"), required=False, choices=DifferenceState.choices)
    isian = forms.ChoiceField(label=_("Data"), required=False)
    wilayah = forms.ChoiceField(label=_("Wilayah"), required=False)
    daftar = forms.ChoiceField(label=_("Menurut daftar"), required=False)
    asal = forms.ChoiceField(label=_("Berbeda dengan"), required=False)
    saran = forms.ChoiceField(
        label=_("Saran"),
        required=False,
        choices=[("", _("Semua")), *Side.choices, ("ask", _("Diputuskan orang"))],
    )

    def __init__(self, user: Any, data: Any) -> None:
        super().__init__(data)
        lists = [("", _("Semua")), *_datasets()]
        choices: dict[str, list[Any]] = {
            "isian": [("", _("Semua")), *queue.attributes()],
            "daftar": lists,
            "asal": [*lists, (MANUAL, _("Isian langsung"))],
            "wilayah": [("", _("Semua")), *_areas(user, self.data.get("wilayah", ""))],
        }
        for name, options in choices.items():
            self.fields[name].choices = options  # type: ignore[attr-defined]

    def narrowing(self) -> queue.Narrowing:
        given = self.cleaned_data if self.is_valid() else {}
        return queue.Narrowing(
            state=given.get("keadaan") or DifferenceState.OPEN,
            attribute=given.get("isian", ""),
            area=given.get("wilayah", ""),
            dataset=given.get("daftar", ""),
            other=given.get("asal", ""),
            suggested=given.get("saran", ""),
        )


def _areas(user: Any, chosen: str) -> list[tuple[str, Any]]:
    """Return districts, and the villages of the chosen one; a village officer's own places only."""
    mine = getattr(user, "area_code", "")
    if mine:
        return [(area.code, area.title) for area in Area.objects.filter(parent__code=mine)]
    inside = chosen.rsplit(".", 1)[0] if chosen.count(".") == 3 else chosen
    options: list[tuple[str, Any]] = []
    for area in Area.objects.filter(level=Level.DISTRICT):
        options.append((area.code, area.title))
        if area.code == inside:
            options += [(v.code, f"– {v.name}") for v in area.children.all()]
    return options


class SettleForm(ReasonForm):
    """What becomes of the differences that were ticked."""

    deed = forms.ChoiceField(
        label=_("Putusan"),
        choices=[
            ("suggested", _("Ikuti saran masing-masing")),
            (Side.OURS, _("Isi registri berlaku")),
            (Side.THEIRS, _("Isi daftar berlaku")),
            ("ask", _("Minta desa memeriksa")),
        ],
    )


class VerifyForm(ReasonForm):
    """What was found in the village."""

    side = forms.ChoiceField(label=_("Yang benar"), choices=Side.choices, widget=forms.RadioSelect)
    field_order = ("side", "reason")


class RuleForm(ReasonForm):
    """How an attribute is decided; the ranking counts where sources are ranked."""

    mode = forms.ChoiceField(
        label=_("Cara memutuskan"), choices=Mode.choices, widget=forms.RadioSelect
    )
    field_order = ("mode", *RANKS, "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options = [("", "—"), *_datasets(), (MANUAL, _("Isian langsung"))]
        for number, name in enumerate(RANKS, start=1):
            self.fields[name] = forms.ChoiceField(
                label=_("Sumber ke-%(n)d") % {"n": number}, required=False, choices=options
            )
        self.fields["reason"].required = False
        self.order_fields(self.field_order)

    def ranking(self) -> list[str]:
        return [self.cleaned_data[name] for name in RANKS if self.cleaned_data.get(name)]


class CorrectionsForm(ReasonForm):
    full_numbers = forms.BooleanField(label=_("Sertakan NIK dan nomor KK lengkap"), required=False)
    field_order = ("full_numbers", "reason")
