"""Forms of connections."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.access.permissions import can
from guyub.areas.models import Area, Level
from guyub.connections import minimising, queries, services
from guyub.connections.events import KINDS
from guyub.connections.scopes import GUARDED, SCOPES


class AgencyField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class TokenForm(forms.Form):
    agency = AgencyField(label=_("Perangkat daerah"), queryset=None, empty_label=None)
    name = forms.CharField(
        label=_("Nama sistem"), max_length=80, help_text=_("Misalnya: SIM Bansos Dinsos.")
    )
    purpose = forms.CharField(
        label=_("Kegunaan"),
        max_length=250,
        help_text=_("Untuk apa sistem itu memanggil Guyub; masuk jejak audit."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Cakupan"),
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Pilih hanya yang diperlukan sistem itu."),
        error_messages={"required": _("Pilih paling sedikit satu cakupan.")},
    )
    expires_on = forms.DateField(
        label=_("Berlaku sampai"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Paling lama satu tahun."),
    )
    per_minute = forms.IntegerField(
        label=_("Panggilan per menit"),
        min_value=1,
        max_value=services.MOST_PER_MINUTE,
        initial=120,
    )
    networks = forms.CharField(
        label=_("Hanya dari alamat"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Alamat atau jaringan server, satu per baris. Kosong: dari mana saja."),
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = queries.agencies_for(user)  # type: ignore[attr-defined]
        may_guarded = can(user, "connections.admit")
        self.fields["scopes"].choices = [  # type: ignore[attr-defined]
            (name, f"{scope.label} ({name})")
            for name, scope in SCOPES.items()
            if may_guarded or name not in GUARDED
        ]
        self.fields["expires_on"].initial = timezone.localdate() + dt.timedelta(days=180)

    def values(self) -> dict[str, Any]:
        """Return what :func:`guyub.connections.services.make_token` takes."""
        values = dict(self.cleaned_data)
        day = values.pop("expires_on")
        # To the end of that day in local time.
        end = timezone.make_aware(dt.datetime.combine(day, dt.time(23, 59, 59)))
        return {**values, "expires_at": end}


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Alasan"), max_length=250)


class WebhookForm(forms.Form):
    agency = AgencyField(label=_("Perangkat daerah"), queryset=None, empty_label=None)
    url = forms.CharField(
        label=_("Alamat penerima"),
        max_length=500,
        help_text=_("Alamat https di sistem Anda, misalnya https://sim.contoh.go.id/kabar."),
    )
    events = forms.MultipleChoiceField(
        label=_("Kejadian"),
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, kind.label) for name, kind in KINDS.items()],
        error_messages={"required": _("Pilih paling sedikit satu kejadian.")},
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = queries.agencies_for(user)  # type: ignore[attr-defined]


class PartnerForm(forms.Form):
    name = forms.CharField(label=_("Nama mitra"), max_length=120)
    agency = AgencyField(
        label=_("Perangkat daerah penanggung jawab"),
        queryset=None,
        empty_label=None,
        help_text=_("Mitra datang dengan token milik perangkat daerah ini."),
    )
    sender_id = forms.CharField(
        label="sender_id", max_length=120, help_text=_("Nama mitra di kepala pesannya.")
    )
    purpose = forms.CharField(
        label=_("Tujuan"),
        max_length=250,
        help_text=_("Untuk apa mitra memakai data, menurut perjanjian dengannya."),
    )
    shares = forms.MultipleChoiceField(
        label=_("Data yang diberikan"),
        widget=forms.CheckboxSelectMultiple,
        choices=list(minimising.GROUPS.items()),
        initial=list(minimising.USUAL),
        help_text=_("Pilih hanya yang diperlukan untuk tujuan itu; selebihnya tidak dikirim."),
        error_messages={"required": _("Pilih paling sedikit satu.")},
    )
    areas = forms.ModelMultipleChoiceField(
        label=_("Hanya keluarga di kecamatan"),
        queryset=Area.objects.filter(level=Level.DISTRICT).order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "in-columns"}),
        help_text=_("Tanpa pilihan: seluruh kabupaten."),
    )
    purpose_codes = forms.CharField(
        label=_("Kode tujuan untuk NIK dan KK lengkap"),
        max_length=200,
        required=False,
        help_text=_("Dipisah spasi. Kosong: setiap tujuan yang disebut dalam pesan."),
    )
    keys_url = forms.CharField(
        label=_("Alamat kunci publik (JWKS)"),
        max_length=500,
        required=False,
        help_text=_(
            "Misalnya https://spmis.contoh.go.id/.well-known/jwks.json; dibaca ulang tiap hari."
        ),
    )
    keys = forms.CharField(
        label=_("Atau tempel kuncinya (JWK atau JWKS)"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_(
            "Kunci dengan use: enc dipakai menyandikan pesan kepada mitra; tanpa itu pesan hanya "
            "ditandatangani."
        ),
    )
    callback = forms.CharField(
        label=_("Alamat jawaban"),
        max_length=500,
        required=False,
        help_text=_(
            "Tempat jawaban tertunda dan pemberitahuan dikirim, misalnya "
            "https://spmis.contoh.go.id/registry/on-search. Kosong: hanya pencarian langsung."
        ),
    )

    def __init__(self, user: Any, *args: Any, is_known: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = queries.agencies_for(user)  # type: ignore[attr-defined]
        self.is_known = is_known
        if is_known:
            self.fields["keys"].help_text = _("Kosong: kunci yang sudah terdaftar tetap berlaku.")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not self.is_known and not values.get("keys") and not values.get("keys_url"):
            self.add_error("keys", _("Isi alamat kunci publik, atau tempel kuncinya."))
        return values
