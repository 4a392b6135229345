"""Forms of accounts: ours for the secretariat and for oneself, and allauth's in our words."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Any

from allauth.account import forms as account_forms
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.base import forms as mfa_base_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guyub.access.roles import AGENCY_ROLES, AREA_ROLES, Role
from guyub.accounts.models import User
from guyub.accounts.queries import STATUSES, duty_areas
from guyub.agencies.models import Agency
from guyub.areas.models import Area, Level

CODE_INPUT = {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}


PASSWORD_LABELS = {
    "password": _("Kata sandi"),
    "oldpassword": _("Kata sandi saat ini"),
    "password1": _("Kata sandi baru"),
    "password2": _("Ulangi kata sandi baru"),
}


class _PasswordLabels:
    """Names passwords in our words: Django's and allauth's translations differ from each other."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in PASSWORD_LABELS.items():
            if name in self.fields:
                self.fields[name].label = label
        if "password1" in self.fields:
            self.fields["password1"].help_text = _(
                "Sedikitnya 12 huruf, tidak hanya angka, tidak mirip nama Anda, dan bukan yang umum "
                "dipakai. Rangkaian beberapa kata mudah diingat dan kuat."
            )


class ChangePasswordForm(_PasswordLabels, account_forms.ChangePasswordForm):
    pass


class SetPasswordForm(_PasswordLabels, account_forms.SetPasswordForm):
    pass


class ResetPasswordKeyForm(_PasswordLabels, account_forms.ResetPasswordKeyForm):
    pass


class ConfirmPasswordForm(_PasswordLabels, account_forms.ReauthenticateForm):
    pass


class LoginForm(_PasswordLabels, account_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Nama pengguna atau surel")
        self.fields["login"].widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "autofocus": True,
        }


class ResetPasswordForm(account_forms.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Alamat surel akun Anda")


class ChangeEmailForm(account_forms.AddEmailForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("Alamat surel baru")


class _SpentCode:
    """Keeps a code from working twice for as long as the tolerance lets it work at all."""

    authenticator: Authenticator
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            steps = 2 * mfa_settings.TOTP_TOLERANCE + 1
            cache.set(
                self.authenticator.wrap()._get_used_cache_key(code),
                "y",
                timeout=steps * mfa_settings.TOTP_PERIOD,
            )
        return code


class AuthenticateForm(_SpentCode, mfa_base_forms.AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Kode dari aplikasi, atau kode pemulihan")
        self.fields["code"].widget.attrs = dict(CODE_INPUT)


class ReauthenticateForm(_SpentCode, mfa_base_forms.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Kode dari aplikasi, atau kode pemulihan")
        self.fields["code"].widget.attrs = dict(CODE_INPUT)


class ActivateTOTPForm(totp_forms.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Enam angka")
        self.fields["code"].widget.attrs = dict(CODE_INPUT)


class AddWebAuthnForm(webauthn_forms.AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Nama kunci")
        self.fields["name"].help_text = _("Misalnya nama ponsel atau laptop ini.")
        self.fields["passwordless"].label = _("Pakai juga untuk masuk tanpa kata sandi")
        self.fields["passwordless"].help_text = _(
            "Perangkat akan meminta sidik jari, wajah, atau PIN setiap kali Anda masuk."
        )


class EditWebAuthnForm(webauthn_forms.EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Nama kunci")


def area_choices() -> list[Any]:
    """Return the duty areas as choices: one group per district, the whole district first."""
    choices: list[Any] = [("", gettext("Pilih kecamatan atau desa"))]
    for _district, areas in groupby(duty_areas(), key=lambda area: area.code[:8]):
        group = list(areas)
        first = group[0]
        options = [
            (
                area.pk,
                gettext("Seluruh %(area)s") % {"area": area.title}
                if area.level == Level.DISTRICT
                else area.title,
            )
            for area in group
        ]
        choices.append((first.title, options))
    return choices


class _PhoneForm(forms.ModelForm[User]):
    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"].strip()
        if phone and not re.fullmatch(r"\+?[\d\s()./-]{6,}", phone, re.ASCII):
            raise forms.ValidationError(
                _("Tulis nomor telepon dengan angka, misalnya 0812-3456-7890.")
            )
        return phone


class AccountForm(_PhoneForm):
    """What the secretariat writes about an account."""

    class Meta:
        model = User
        fields = [
            "full_name",
            "position",
            "username",
            "email",
            "phone",
            "role",
            "agency",
            "area",
        ]
        labels = {"username": _("Nama pengguna")}
        help_texts = {
            "username": _("Huruf kecil, angka, titik, dan garis bawah; tanpa spasi."),
            "email": _("Tautan untuk membuat kata sandi dikirim ke alamat ini."),
            "agency": _("Wajib untuk kepala dan operator perangkat daerah."),
            "area": _("Wajib untuk operator kecamatan/desa; hanya data wilayah ini yang terlihat."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, hint in (("full_name", "name"), ("email", "email"), ("phone", "tel")):
            self.fields[name].widget.attrs["autocomplete"] = hint
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "autocomplete": "off"}
        self.fields["username"].widget.attrs.pop("autofocus", None)
        self.fields["role"].choices = [("", gettext("Pilih peran")), *Role.choices]  # type: ignore[attr-defined]
        agency = self.fields["agency"]
        agency.queryset = Agency.objects.filter(is_active=True)  # type: ignore[attr-defined]
        agency.empty_label = gettext("Pilih perangkat daerah")  # type: ignore[attr-defined]
        self.fields["area"].queryset = Area.objects.filter(  # type: ignore[attr-defined]
            level__in=[Level.DISTRICT, Level.VILLAGE]
        )
        self.fields["area"].choices = area_choices()  # type: ignore[attr-defined]

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"].strip()
        if "@" in name:
            raise forms.ValidationError(_("Nama pengguna tidak boleh memuat tanda @."))
        if len(name) < 3:
            raise forms.ValidationError(_("Nama pengguna paling sedikit tiga huruf."))
        others = User.objects.filter(username__iexact=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("Nama pengguna ini sudah dipakai akun lain."))
        return name

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Alamat surel ini sudah dipakai akun lain."))
        return email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # A role keeps only the binding it needs, whatever was left chosen in the other.
        role = data.get("role")
        if role and role not in AGENCY_ROLES:
            data["agency"] = None
        if role and role not in AREA_ROLES:
            data["area"] = None
        return data


class OwnDetailsForm(_PhoneForm):
    """What people may change about themselves."""

    class Meta:
        model = User
        fields = ["full_name", "position", "phone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["full_name"].widget.attrs["autocomplete"] = "name"
        self.fields["phone"].widget.attrs["autocomplete"] = "tel"
        self.fields["phone"].help_text = _("Agar rekan kerja dan Sekretariat mudah menghubungi.")


class ReasonForm(forms.Form):
    """Why something drastic is done; it goes into the audit log."""

    reason = forms.CharField(
        label=_("Alasan"),
        max_length=250,
        min_length=5,
        help_text=_("Tercatat di jejak audit."),
        error_messages={"min_length": _("Tuliskan alasan yang jelas, paling sedikit lima huruf.")},
    )


class FilterForm(forms.Form):
    """Narrowing the list of accounts. All of it is optional."""

    peran = forms.ChoiceField(label=_("Peran"), required=False)
    perangkat = forms.ModelChoiceField(
        Agency.objects.all(), label=_("Perangkat daerah"), required=False, empty_label=_("Semua")
    )
    wilayah = forms.ModelChoiceField(
        Area.objects.filter(level=Level.DISTRICT),
        label=_("Kecamatan"),
        required=False,
        empty_label=_("Semua"),
        to_field_name="code",
    )
    status = forms.ChoiceField(label=_("Status"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["peran"].choices = [("", _("Semua")), *Role.choices]  # type: ignore[attr-defined]
        self.fields["status"].choices = [("", _("Semua")), *STATUSES]  # type: ignore[attr-defined]
