"""Forms for talk and for how one is told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.access.roles import AGENCY_ROLES
from guyub.agencies.models import Agency
from guyub.discussions.models import Kind, MailMode, Preference
from guyub.discussions.services import LONGEST


class ConversationForm(forms.Form):
    """A topic, whom to talk to, and the first message."""

    agencies = forms.ModelMultipleChoiceField(
        label=_("Perangkat daerah yang diajak bicara"),
        queryset=Agency.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Kepala dan operatornya ikut serta, begitu pula Sekretariat TKPKD."),
    )
    topic = forms.CharField(
        label=_("Topik"),
        max_length=150,
        help_text=_("Misalnya: Pemadanan data penerima PKH dengan data kependudukan."),
    )
    text = forms.CharField(
        label=_("Pesan pertama"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agencies = Agency.objects.filter(is_active=True)
        if user.role in AGENCY_ROLES:
            agencies = agencies.exclude(pk=user.agency_id)
        self.fields["agencies"].queryset = agencies  # type: ignore[attr-defined]


class PreferenceForm(forms.Form):
    """How one wants to be told by e-mail."""

    mail = forms.ChoiceField(
        label=_("Kabar lewat surel"), choices=MailMode.choices, widget=forms.RadioSelect
    )
    mailed_kinds = forms.MultipleChoiceField(
        label=_("Kabar yang dikirim lewat surel"),
        choices=Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Di halaman Kabar semuanya tetap tampil."),
    )

    @staticmethod
    def initial_for(preference: Preference | None) -> dict[str, Any]:
        """Return what the form shows first."""
        unmailed = preference.unmailed_kinds if preference is not None else []
        return {
            "mail": preference.mail if preference is not None else MailMode.DAILY,
            "mailed_kinds": [kind for kind in Kind.values if kind not in unmailed],
        }
