"""Forms for recipients: steps, deliveries, rules and files, and the visit at the door."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area, Level
from guyub.beneficiaries.models import Stage
from guyub.beneficiaries.stages import EXPLAINED
from guyub.imports.values import BadValueError, parse_rupiah
from guyub.programs.models import SubActivity
from guyub.targeting.models import Rule

REASON = _("Paling sedikit 5 huruf. Tersimpan di riwayat penerima dan jejak audit.")


class DateInput(forms.DateInput):
    """A date field that browsers show with a calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class RupiahField(forms.CharField):
    """An amount as people write it: ``300000``, ``300.000``, ``Rp 300.000,-``."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_length", 30)
        options.setdefault(
            "widget", forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        )
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_rupiah(str(text))
        except BadValueError as error:
            raise forms.ValidationError(
                gettext("Tulis jumlah rupiah seperti 300000 atau 300.000.")
            ) from error


class StepForm(forms.Form):
    """A step to ``target``: why, and what else it touches."""

    reason = forms.CharField(label=_("Alasan"), max_length=250, required=False, help_text=REASON)
    over_quota = forms.BooleanField(
        label=_("Kuota memang dilampaui; dasarnya saya tulis sebagai alasan"), required=False
    )
    graduate_household = forms.BooleanField(
        label=_("Catat juga di registri bahwa keluarga ini graduasi (keluar dari kemiskinan)"),
        required=False,
    )

    def __init__(
        self, target: str, *args: Any, has_quota: bool, may_graduate: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if target in EXPLAINED:
            self.fields["reason"].required = True
        if target != Stage.ENROLLED or not has_quota:
            del self.fields["over_quota"]
        if target != Stage.GRADUATED or not may_graduate:
            del self.fields["graduate_household"]


class ReasonForm(forms.Form):
    """Why something is corrected or taken away."""

    reason = forms.CharField(label=_("Alasan"), max_length=250, min_length=5, help_text=REASON)


class DeliveryForm(forms.Form):
    """Help handed over."""

    delivered_on = forms.DateField(
        label=_("Tanggal penyaluran"), initial=timezone.localdate, widget=DateInput()
    )
    amount = RupiahField(
        label=_("Nilai (rupiah)"),
        help_text=_("Untuk barang atau layanan tanpa nilai, isi 0 dan tulis keterangannya."),
    )
    description = forms.CharField(
        label=_("Keterangan"),
        max_length=250,
        required=False,
        help_text=_("Misalnya tahap penyaluran, nama barang, atau layanan."),
    )
    proof = forms.FileField(
        label=_("Foto bukti"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*"}),
        help_text=_("Kuitansi atau serah terima. Lokasi dan data kamera dihapus."),
    )
    repeated = forms.BooleanField(
        label=_("Memang diberikan dua kali pada tanggal ini"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["delivered_on"].widget.attrs["max"] = timezone.localdate().isoformat()


class CorrectDeliveryForm(DeliveryForm):
    """What a delivery should have said."""

    reason = forms.CharField(label=_("Alasan"), max_length=250, min_length=5, help_text=REASON)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["repeated"]
        self.fields["proof"].label = _("Foto bukti pengganti")


class ManyDeliveriesForm(DeliveryForm):
    """The same help for many."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["repeated"], self.fields["proof"]


class NikForm(forms.Form):
    """One recipient, by NIK."""

    nik = forms.CharField(
        label=_("NIK"),
        max_length=25,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("16 angka. Orangnya harus sudah tercatat di registri."),
    )

    def clean_nik(self) -> str:
        digits = re.sub(r"[\s.\-']", "", self.cleaned_data["nik"])
        if not re.fullmatch(r"\d{16}", digits):
            raise forms.ValidationError(gettext("NIK harus tepat 16 angka."))
        return digits


class RuleForm(forms.Form):
    """Whom to enrol: all whom a rule matches, in some areas, up to the quota."""

    rule = forms.ModelChoiceField(Rule.objects.none(), label=_("Aturan sasaran"))
    areas = forms.MultipleChoiceField(
        label=_("Hanya di kecamatan"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Kosongkan untuk seluruh wilayah sub kegiatan."),
    )
    up_to_quota = forms.BooleanField(
        label=_("Berhenti bila kuota penuh, mulai dari yang paling miskin"),
        required=False,
        initial=True,
    )

    def __init__(self, sub_activity: SubActivity, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = Rule.objects.exclude(current_version=None).select_related("agency")
        own = rules.filter(
            Q(agency_id=sub_activity.agency_id) | Q(sub_activities=sub_activity)
        ).distinct()
        field: Any = self.fields["rule"]
        field.queryset = own
        field.label_from_instance = lambda rule: f"{rule.name}"
        linked = own.filter(sub_activities=sub_activity).first()
        if linked is not None:
            field.initial = linked.pk
        self.places = list(sub_activity.areas.select_related("parent").order_by("code"))
        if self.places:
            choices = [(area.code, area.title) for area in self.places]
        else:
            districts = Area.objects.filter(level=Level.DISTRICT).order_by("name")
            choices = [(area.code, area.name) for area in districts]
        self.fields["areas"].choices = choices  # type: ignore[attr-defined]
        if sub_activity.quota is None:
            del self.fields["up_to_quota"]

    def area_codes(self) -> list[str]:
        """Return the codes chosen; those of the sub-activity when none is."""
        return self.cleaned_data["areas"] or [area.code for area in self.places]


class FileForm(forms.Form):
    """A file of NIK to enrol."""

    file = forms.FileField(
        label=_("Berkas Excel atau CSV"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text=_("Kolom wajib: NIK. Kolom Catatan boleh ada. Kolom NIK harus berformat Teks."),
    )
    stage = forms.ChoiceField(
        label=_("Didaftarkan sebagai"),
        choices=[
            (Stage.CANDIDATE, _("Calon, untuk diverifikasi dahulu")),
            (Stage.ENROLLED, _("Ditetapkan, karena sudah ada keputusannya")),
        ],
        widget=forms.RadioSelect,
        initial=Stage.CANDIDATE,
    )
    reason = forms.CharField(
        label=_("Dasar penetapan"),
        max_length=250,
        required=False,
        help_text=_("Wajib bila langsung ditetapkan, misalnya nomor SK."),
    )
    over_quota = forms.BooleanField(label=_("Kuota memang dilampaui"), required=False)

    def __init__(self, *args: Any, has_quota: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_quota:
            del self.fields["over_quota"]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(
                gettext("Berkas lebih dari 100 MB. Bagi menjadi beberapa berkas.")
            )
        return file


class DeliveryFileForm(FileForm):
    """A file of deliveries."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["stage"], self.fields["reason"]
        self.fields["file"].help_text = _(
            "Kolom wajib: NIK, Tanggal, Nilai. Kolom Keterangan boleh ada. "
            "Kolom NIK harus berformat Teks."
        )


class UnfitForm(forms.Form):
    """Why a candidate is not fit, as found at the door."""

    REASONS = (
        _("Sudah mampu"),
        _("Sudah pindah"),
        _("Sudah meninggal"),
        _("Tidak ditemukan"),
        _("Sudah menerima bantuan serupa"),
        _("Menolak bantuan"),
    )

    reason = forms.CharField(max_length=250, required=False)
    other = forms.CharField(max_length=250, required=False)
    note = forms.CharField(max_length=250, required=False)
    photo = forms.FileField(required=False)

    def why(self) -> str:
        """Return the reason chosen, or the one written instead."""
        return str(self.cleaned_data.get("other") or self.cleaned_data.get("reason") or "")
