from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from guyub.discussions.numbers import mask_numbers
from guyub.privacy.models import Activity, Breach, Contact, SubjectRequest
from guyub.registry.nik import NikError, check_shape

WHEN = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class LodgeForm(forms.ModelForm):
    class Meta:
        model = SubjectRequest
        fields = ("right", "name", "nik", "contact", "wish")
        widgets = {
            "nik": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            "wish": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "contact": _("Boleh kosong. Jawaban selalu bisa dibaca dengan kode."),
            "wish": _("Untuk perbaikan: data mana yang salah dan bagaimana yang benar."),
        }

    # People leave it empty; programs fill it in.
    website = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What people put between the digits counts too.
        self.fields["nik"] = forms.CharField(
            label=_("NIK"), max_length=24, widget=self.fields["nik"].widget
        )

    def clean_nik(self) -> str:
        nik = re.sub(r"[\s.\-']", "", self.cleaned_data["nik"])
        try:
            check_shape(nik)
        except NikError as error:
            raise forms.ValidationError(error.message) from error
        return nik

    def clean_wish(self) -> str:
        return str(mask_numbers(self.cleaned_data["wish"].strip())[0])


class DeskForm(LodgeForm):
    identity = forms.CharField(
        label=_("Cara identitas diperiksa"),
        max_length=250,
        help_text=_("Misalnya: KTP asli diperlihatkan dan wajahnya dicocokkan."),
    )


class VerifyForm(forms.Form):
    identity = forms.CharField(
        label=_("Cara identitas diperiksa"),
        max_length=250,
        help_text=_("Misalnya: pemohon datang, KTP asli diperlihatkan. Jangan tulis nomornya."),
    )

    def clean_identity(self) -> str:
        return str(mask_numbers(self.cleaned_data["identity"])[0])


class CloseForm(forms.Form):
    granted = forms.ChoiceField(
        label=_("Putusan"),
        choices=[("1", _("Dipenuhi")), ("0", _("Tidak dapat dipenuhi"))],
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("Jawaban"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Dibaca siapa pun yang memegang kode: jangan tulis nama atau NIK. Bila tidak dapat "
            "dipenuhi, sebut dasar hukumnya, misalnya Pasal 15 atau Pasal 33 UU 27/2022."
        ),
    )

    def clean_answer(self) -> str:
        return str(mask_numbers(self.cleaned_data["answer"])[0])


class RestrictForm(CloseForm):
    """Answering a request to restrict: whose data are held back."""

    whole = forms.ChoiceField(
        label=_("Data siapa yang dibatasi"),
        choices=[("0", _("Pemohon saja")), ("1", _("Seluruh keluarganya"))],
        initial="0",
        widget=forms.RadioSelect,
        help_text=_(
            "Yang dibatasi tidak ikut unduhan, penyerahan data, pencarian oleh sistem lain, dan daftar "
            "penerima baru. Pembatasan atas kepala keluarga menahan keluarganya dari daftar baru juga."
        ),
    )


class LiftForm(forms.Form):
    reason = forms.CharField(
        label=_("Alasan pencabutan"),
        max_length=250,
        help_text=_("Misalnya: pemohon mencabut permintaannya."),
    )


class TrackForm(forms.Form):
    code = forms.CharField(
        label=_("Kode"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = ("officer", "office", "email", "phone", "hours")


class ActivityForm(forms.ModelForm):
    class Meta:
        model = Activity
        fields = (
            "name", "purpose", "legal_basis", "data", "subjects", "recipients", "retention_years",
            "retention_basis", "safeguards",
        )  # fmt: skip
        widgets = {
            name: forms.Textarea(attrs={"rows": 3})
            for name in ("purpose", "legal_basis", "data", "recipients", "safeguards")
        }


class BreachForm(forms.ModelForm):
    class Meta:
        model = Breach
        fields = (
            "title", "found_at", "data", "how", "people", "handling", "authority_told_at", "subjects_told_at",
        )  # fmt: skip
        widgets = {
            "found_at": WHEN, "authority_told_at": WHEN, "subjects_told_at": WHEN,
            **{name: forms.Textarea(attrs={"rows": 3}) for name in ("data", "how", "handling")},
        }  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("authority_told_at", "subjects_told_at"):
            if data.get(name) and data.get("found_at") and data[name] < data["found_at"]:
                self.add_error(name, _("Tidak mungkin sebelum kejadiannya diketahui."))
        return data
