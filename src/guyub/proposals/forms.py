"""Forms of proposals, objections and complaints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guyub.agencies.models import Agency
from guyub.areas.models import Area
from guyub.proposals.checks import LONGEST_TEXT, MOST_FILES
from guyub.proposals.models import Proposal
from guyub.proposals.vocabulary import REASONS, Outcome, ProposalKind, Reason
from guyub.registry.models import Household
from guyub.registry.vocabulary import Sex, Status


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class FilesField(forms.FileField):
    """Several files at once, as a list."""

    def __init__(self, *, accept: str, **options: Any) -> None:
        super().__init__(widget=_Files(attrs={"multiple": True, "accept": accept}), **options)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        uploads = data if isinstance(data, list | tuple) else [data] if data else []
        if not uploads:
            super().clean(None, initial)
            return []
        return [super(FilesField, self).clean(upload, initial) for upload in uploads]


def _photos(label: Any) -> FilesField:
    return FilesField(
        label=label,
        accept="image/*",
        required=False,
        help_text=_("JPEG atau PNG, paling banyak %(n)d, masing-masing 10 MB.") % {"n": MOST_FILES},
    )


def _text(label: Any, *, rows: int = 4, required: bool = True, help_text: Any = "") -> Any:
    return forms.CharField(
        label=label,
        max_length=LONGEST_TEXT,
        required=required,
        widget=forms.Textarea(attrs={"rows": rows}),
        help_text=help_text,
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        initial=timezone.localdate,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


def _agreed(label: Any, yes: Any, no: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=[(Outcome.ACCEPTED, yes), (Outcome.REJECTED, no)],
        widget=forms.RadioSelect,
    )


def _reasons(kind: str) -> list[tuple[str, Any]]:
    return [(reason.value, reason.label) for reason in REASONS[kind]]


def _one_of(reasons: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Put an empty choice first: what stands there would else be what most proposals say."""
    return [("", _("Pilih")), *reasons]


def _answer() -> Any:
    return _text(
        _("Pesan untuk pelapor"),
        rows=2,
        required=False,
        help_text=_("Dibaca siapa pun yang memegang kode lacak: jangan tulis nama atau NIK."),
    )


class VillageField(forms.TypedChoiceField):
    """A village, grouped by district."""

    def __init__(self, villages: Sequence[Area], **options: Any) -> None:
        by_id = {village.pk: village for village in villages}
        districts = groupby(villages, key=lambda village: str(village.parent))
        grouped: list[Any] = [
            (district, [(village.pk, village.name) for village in group])
            for district, group in districts
        ]
        super().__init__(
            label=_("Desa/kelurahan"),
            choices=[*([("", _("Pilih"))] if len(by_id) > 1 else []), *grouped],
            coerce=lambda pk: by_id[int(pk)],
            **options,
        )


class _HeadFields(forms.Form):
    nik = forms.CharField(
        label=_("NIK kepala keluarga"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text=_("16 angka, seperti di KTP. Tampil disamarkan setelah disimpan."),
    )
    kk = forms.CharField(
        label=_("Nomor KK"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    birth_date = forms.DateField(
        label=_("Tanggal lahir"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    sex = forms.ChoiceField(label=_("Jenis kelamin"), choices=_one_of(Sex.choices), required=False)

    def clean_nik(self) -> str:
        return re.sub(r"[\s.\-]", "", self.cleaned_data["nik"])

    def clean_kk(self) -> str:
        return re.sub(r"[\s.\-]", "", self.cleaned_data["kk"])


def _number(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=3,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )


class NewForm(_HeadFields):
    """A village proposes a household that is not in the registry."""

    reason_kind = forms.ChoiceField(
        label=_("Perihal"), choices=_one_of(_reasons(ProposalKind.PROPOSE))
    )
    head_name = forms.CharField(label=_("Nama kepala keluarga"), max_length=150)
    address = forms.CharField(label=_("Alamat"), max_length=250)
    rt = _number(_("RT"))
    rw = _number(_("RW"))
    reason = _text(_("Uraian"), help_text=_("Keadaan keluarga dan mengapa diusulkan."))
    photos = _photos(_("Foto rumah atau surat pendukung"))

    def __init__(self, villages: Sequence[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["village"] = VillageField(villages)
        self.fields["nik"].required = True
        self.order_fields(
            ["village", "reason_kind", "head_name", "nik", "kk", "birth_date", "sex", "address",
             "rt", "rw", "reason", "photos"]
        )  # fmt: skip

    def clean_rt(self) -> str:
        return self._digits("rt")

    def clean_rw(self) -> str:
        return self._digits("rw")

    def _digits(self, name: str) -> str:
        value = str(self.cleaned_data[name]).strip()
        if value and not (value.isascii() and value.isdigit()):
            raise forms.ValidationError(_("Isi dengan angka, misalnya 001."))
        return value.zfill(3) if value else ""


class KnownForm(forms.Form):
    """A village proposes or objects to a household of the registry."""

    reason_kind = forms.ChoiceField(label=_("Perihal"))
    reason = _text(_("Uraian"), help_text=_("Apa yang diketahui, dari siapa, sejak kapan."))
    photos = _photos(_("Foto"))

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason_kind"].choices = _one_of(_reasons(kind))  # type: ignore[attr-defined]


class LodgeForm(forms.Form):
    """What a citizen writes, without an account."""

    reason_kind = forms.ChoiceField(
        label=_("Perihal"),
        choices=_one_of(
            [
                (_("Pengaduan"), _reasons(ProposalKind.COMPLAINT)),
                (_("Usulan keluarga miskin"), _reasons(ProposalKind.PROPOSE)),
            ]
        ),
    )
    head_name = forms.CharField(
        label=_("Nama kepala keluarga yang dibicarakan"),
        max_length=150,
        required=False,
        help_text=_("Wajib untuk usulan."),
    )
    address = forms.CharField(
        label=_("Alamatnya"),
        max_length=250,
        required=False,
        help_text=_("Dusun, RT/RW, atau petunjuk lain agar rumahnya ditemukan."),
    )
    reason = _text(
        _("Uraian"),
        rows=5,
        help_text=_("Jangan tulis NIK atau nomor KK; petugas menanyakannya nanti."),
    )
    agency = forms.ModelChoiceField(
        label=_("Pengaduan ditujukan kepada"),
        queryset=Agency.objects.filter(is_active=True),
        required=False,
        empty_label=_("Sekretariat TKPKD (bila ragu)"),
    )
    photos = _photos(_("Foto"))
    citizen_name = forms.CharField(
        label=_("Nama Anda (boleh kosong)"), max_length=100, required=False
    )
    citizen_contact = forms.CharField(
        label=_("Nomor HP atau surel Anda (boleh kosong)"),
        max_length=100,
        required=False,
        help_text=_("Hanya dilihat petugas yang menangani."),
    )
    # A box that people do not see and programs fill in.
    website = forms.CharField(
        label=_("Kosongkan"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    def __init__(self, villages: Sequence[Area], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["village"] = VillageField(villages)
        self.order_fields(["reason_kind", "village"])


class TrackForm(forms.Form):
    code = forms.CharField(
        label=_("Kode lacak"),
        max_length=30,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "placeholder": "XXXXX-XXXXX",
            }
        ),
    )


class AppealForm(forms.Form):
    text = _text(_("Alasan banding"), rows=3)


class DeliberateForm(forms.Form):
    happened_on = _day(_("Tanggal musyawarah"))
    outcome = _agreed(_("Hasil"), _("Disetujui"), _("Tidak disetujui"))
    text = _text(_("Catatan"), rows=3, required=False)
    minutes = FilesField(
        label=_("Berita acara"),
        accept="image/*,.pdf",
        help_text=_("PDF atau foto, paling banyak %(n)d berkas.") % {"n": MOST_FILES},
    )


class VerifyForm(_HeadFields):
    happened_on = _day(_("Tanggal kunjungan"))
    outcome = _agreed(_("Temuan"), _("Sesuai keadaan"), _("Tidak sesuai keadaan"))
    text = _text(_("Uraian temuan"), rows=4)
    photos = _photos(_("Foto rumah"))

    def __init__(self, proposal: Proposal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["happened_on", "outcome", "text", "photos"])
        is_new = proposal.kind == ProposalKind.PROPOSE and proposal.household_id is None
        for name in _HeadFields.base_fields:
            # Only what is still missing is asked for.
            if not is_new or getattr(proposal, name):
                del self.fields[name]

    def clean_nik(self) -> str:
        return super().clean_nik() if "nik" in self.fields else ""

    def head(self) -> dict[str, Any]:
        return {
            name: self.cleaned_data[name] for name in _HeadFields.base_fields if name in self.fields
        }


# The status that an objection of this reason leads to.
_STATUS = {
    Reason.MOVED: Status.MOVED,
    Reason.NOT_FOUND: Status.MOVED,
    Reason.DIED: Status.DIED,
    Reason.WELL_OFF: Status.GRADUATED,
}


def _status(proposal: Proposal) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Bila diterima, status keluarga menjadi"),
        choices=_one_of(
            [(s.value, s.label) for s in (Status.MOVED, Status.DIED, Status.GRADUATED)]
        ),
        required=False,
        initial=_STATUS.get(proposal.reason_kind, ""),  # type: ignore[call-overload]
    )


class DecideForm(forms.Form):
    outcome = _agreed(_("Putusan"), _("Diterima"), _("Ditolak"))
    text = _text(_("Alasan putusan"), rows=3)
    answer = _answer()

    def __init__(self, proposal: Proposal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if proposal.kind == ProposalKind.OBJECT:
            self.fields["status"] = _status(proposal)
            self.order_fields(["outcome", "status"])


class AppealDecisionForm(forms.Form):
    outcome = _agreed(_("Putusan banding"), _("Dikabulkan"), _("Tidak dikabulkan"))
    text = _text(_("Alasan putusan"), rows=3)
    answer = _answer()

    def __init__(self, proposal: Proposal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if proposal.kind == ProposalKind.OBJECT and proposal.outcome == Outcome.REJECTED:
            self.fields["status"] = _status(proposal)
            self.order_fields(["outcome", "status"])


class AnswerForm(forms.Form):
    answer = _text(
        _("Jawaban"),
        help_text=_("Dibaca siapa pun yang memegang kode lacak: jangan tulis nama atau NIK."),
    )


class TurnForm(forms.Form):
    reason_kind = forms.ChoiceField(
        label=_("Dijadikan"),
        choices=_one_of(
            [
                (_("Usulan"), _reasons(ProposalKind.PROPOSE)),
                (_("Sanggahan"), _reasons(ProposalKind.OBJECT)),
            ]
        ),
    )
    head_name = forms.CharField(
        label=_("Nama kepala keluarga yang diusulkan"), max_length=150, required=False
    )
    household = forms.IntegerField(
        label=_("Nomor keluarga di registri"),
        required=False,
        min_value=1,
        help_text=_("Angka di alamat halaman keluarganya; wajib untuk sanggahan."),
    )

    def clean_household(self) -> Household | None:
        number = self.cleaned_data["household"]
        if number is None:
            return None
        found = Household.objects.filter(pk=number).first()
        if found is None:
            raise forms.ValidationError(_("Tidak ada keluarga bernomor itu di registri."))
        return found
