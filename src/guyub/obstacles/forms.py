"""Forms for obstacles."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import in_area
from guyub.access.roles import AGENCY_ROLES, AREA_ROLES
from guyub.accounts.queries import duty_areas
from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.obstacles.models import Category, Obstacle, Severity
from guyub.programs.models import SubActivity

USUAL_DAYS = 14  # until the due date that the form offers


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ReportForm(forms.Form):
    """What stands in the way, where, and who is needed."""

    title = forms.CharField(
        label=_("Kendala dalam satu kalimat"),
        max_length=150,
        help_text=_("Misalnya: Data penerima belum padan dengan data kependudukan."),
    )
    description = forms.CharField(
        label=_("Uraian"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Apa yang terjadi, akibatnya, dan yang dibutuhkan. Tanpa NIK dan nomor KK."),
    )
    category = forms.ChoiceField(label=_("Jenis"), choices=[("", "—"), *Category.choices])
    severity = forms.TypedChoiceField(
        label=_("Tingkat"), choices=Severity.choices, coerce=int, initial=Severity.MODERATE
    )
    needed_agency = forms.ModelChoiceField(
        label=_("Dibutuhkan dari"),
        queryset=Agency.objects.none(),
        empty_label="—",
        help_text=_(
            "Perangkat daerah yang dapat menyelesaikannya; boleh perangkat daerah sendiri."
        ),
    )
    due_on = forms.DateField(label=_("Batas waktu"), widget=DateInput())
    sub_activity = forms.ModelChoiceField(
        label=_("Sub kegiatan"),
        queryset=SubActivity.objects.none(),
        required=False,
        empty_label=_("Tidak terkait satu sub kegiatan"),
    )
    area = forms.ModelChoiceField(
        label=_("Wilayah"), queryset=Area.objects.none(), required=False, empty_label=None
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.fields["needed_agency"].queryset = Agency.objects.filter(is_active=True)  # type: ignore[attr-defined]
        self.fields["due_on"].initial = today + dt.timedelta(days=USUAL_DAYS)
        parts = SubActivity.objects.filter(year__gte=today.year - 1, is_cancelled=False)
        if user.role in AGENCY_ROLES:
            parts = parts.filter(agency=user.agency_id)
        self.fields["sub_activity"].queryset = parts.order_by("-year", "name")  # type: ignore[attr-defined]
        areas = duty_areas()
        bound = user.role in AREA_ROLES
        if bound:
            areas = [area for area in areas if in_area(user.area_code, area.code)]
        field = self.fields["area"]
        field.queryset = Area.objects.filter(pk__in=[area.pk for area in areas])  # type: ignore[attr-defined]
        # Drawn from what was read already: villages stand below their district.
        field.choices = [  # type: ignore[attr-defined]
            *([] if bound else [("", _("Seluruh kabupaten"))]),
            *(
                (area.pk, ("" if area.code.count(".") == 2 else "– ") + area.title)
                for area in areas
            ),
        ]
        if bound:
            field.required = True
            field.initial = user.area_id


class StepForm(forms.Form):
    text = forms.CharField(
        label=_("Langkah yang sudah diambil"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Alasan"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class HandOverForm(ReasonForm):
    agency = forms.ModelChoiceField(
        label=_("Serahkan kepada"), queryset=Agency.objects.none(), empty_label="—"
    )
    field_order = ("agency", "reason")

    def __init__(self, *args: Any, obstacle: Obstacle, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = Agency.objects.filter(is_active=True).exclude(pk=obstacle.needed_agency_id)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined]


class ExtendForm(ReasonForm):
    due_on = forms.DateField(label=_("Batas waktu baru"), widget=DateInput())
    field_order = ("due_on", "reason")


class SolveForm(forms.Form):
    solution = forms.CharField(
        label=_("Bagaimana kendala ini diselesaikan"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Akan dibaca orang lain yang menghadapi kendala serupa."),
    )
