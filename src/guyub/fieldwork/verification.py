"""The form that comes with Guyub: checking at the door what the registry says of a household.

Its choices are the registry's own, so that an answer is a value. Labels are in both languages.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from guyub.fieldwork import household_fields as fields
from guyub.fieldwork import member_fields
from guyub.fieldwork.expressions import parse
from guyub.fieldwork.models import FormVersion
from guyub.fieldwork.services import keep_form
from guyub.registry import vocabulary as v

ID_STRING = "guyub_verifikasi"
VERSION = "2"
LANGUAGES = ("id", "en")


def _texts(text: Any) -> dict[str, str]:
    """Return a text in each language of the form; a lazy one is spoken anew."""
    texts = {}
    for language in LANGUAGES:
        with override(language):
            texts[language] = _(text) if isinstance(text, str) else str(text)
    return texts if text else {}


def _choices(pairs: Any) -> list[dict[str, Any]]:
    return [{"name": code, "label": _texts(label), "extra": {}} for code, label in pairs]


YES_NO = ((fields.YES, gettext_noop("Ya")), (fields.NO, gettext_noop("Tidak")))
# What became of whom does not live there any more, with the status that it means.
FOUND = (
    (v.Status.ACTIVE, gettext_noop("Ya, masih tinggal di sini")),
    (v.Status.MOVED, gettext_noop("Tidak, sudah pindah")),
    (v.Status.DIED, gettext_noop("Tidak, semua anggotanya sudah meninggal")),
)
# The same of one member.
HERE = (
    (v.Status.ACTIVE, gettext_noop("Ya")),
    (v.Status.MOVED, gettext_noop("Tidak, sudah pindah")),
    (v.Status.DIED, gettext_noop("Tidak, sudah meninggal")),
)
FUEL = (
    ("kayu", gettext_noop("Kayu bakar atau arang")),
    ("gas3", gettext_noop("Gas 3 kg")),
    ("gas5", gettext_noop("Gas 5,5 kg atau lebih")),
    ("listrik", gettext_noop("Listrik")),
    ("lain", gettext_noop("Lainnya")),
    ("tidak", gettext_noop("Tidak memasak")),
)
INCOME = (
    ("tani", gettext_noop("Bertani atau beternak sendiri")),
    ("buruh_tani", gettext_noop("Buruh tani")),
    ("buruh", gettext_noop("Buruh atau kerja serabutan")),
    ("dagang", gettext_noop("Berdagang atau usaha sendiri")),
    ("gaji", gettext_noop("Gaji atau pensiun")),
    ("kiriman", gettext_noop("Kiriman keluarga")),
    ("bantuan", gettext_noop("Bantuan saja")),
)


MEMBER_CHOICES = (
    ("hubungan", gettext_noop("Hubungan dengan kepala keluarga"), "relation", v.Relation),
    ("pendidikan", gettext_noop("Pendidikan terakhir yang tamat"), "schooling", v.Schooling),
    ("pekerjaan", gettext_noop("Pekerjaan"), "work", v.Work),
    ("disabilitas", gettext_noop("Disabilitas"), "disability", v.Disability),
    ("jaminan", gettext_noop("Jaminan kesehatan"), "health_insurance", v.HealthInsurance),
)


class _Builder:
    """Puts items together; expressions name questions as XLSForms do, ``${nama}``."""

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}

    def _expression(self, source: str) -> dict[str, Any] | None:
        if not source:
            return None
        return {"source": source, "tree": parse(source, self.paths.__getitem__)}

    def group(self, name: str, label: str, *questions: Any) -> dict[str, Any]:
        path = f"/{name}"
        items = [question(path) for question in questions]
        return {**self._item("group", name, path, "", label), "items": items}

    def repeat(self, name: str, label: str, relevant: str, *questions: Any) -> dict[str, Any]:
        return {
            **self.group(name, label, *questions),
            "kind": "repeat",
            "relevant": self._expression(relevant),
        }

    def question(
        self,
        name: str,
        kind: str,
        label: str,
        *,
        hint: str = "",
        choices: Any = (),
        field: str = "",
        required: bool = False,
        required_if: str = "",
        relevant: str = "",
        constraint: str = "",
        message: str = "",
        **values: Any,
    ) -> Any:
        """Return what makes the question when its group is known."""

        def make(group: str) -> dict[str, Any]:
            path = f"{group}/{name}"
            self.paths[name] = path
            return {
                **self._item("question", name, path, kind, label),
                "hint": _texts(hint),
                "choices": _choices(choices),
                "field": field,
                "required": self._expression("true()" if required else required_if),
                "relevant": self._expression(relevant),
                "constraint": self._expression(constraint),
                "constraint_message": _texts(message),
                **values,
            }

        return make

    @staticmethod
    def _item(kind: str, name: str, path: str, type_: str, label: str) -> dict[str, Any]:
        return {
            "kind": kind, "name": name, "path": path, "type": type_, "label": _texts(label),
            "hint": {}, "required": None, "required_message": {}, "relevant": None,
            "constraint": None, "constraint_message": {}, "calculation": None,
            "choice_filter": None, "choices": [], "read_only": False, "default": None,
            "appearance": "", "field": "", "parameters": {}, "repeat_count": None, "items": [],
        }  # fmt: skip


def definition() -> dict[str, Any]:
    """Return the form as it is kept."""
    make = _Builder()
    ask = make.question
    here = f"${{masih_tinggal}} = '{v.Status.ACTIVE}'"
    living = f"${{anggota_ada}} != '{v.Status.MOVED}' and ${{anggota_ada}} != '{v.Status.DIED}'"
    items = [
        make.group(
            "kunjungan", gettext_noop("Kunjungan"),
            ask("mulai", "start", ""),
            ask("masih_tinggal", "select_one",
                gettext_noop("Apakah keluarga ini masih tinggal di sini?"),
                choices=FOUND, field="household.status", required=True),
            ask("pindah_ke", "text", gettext_noop("Pindah ke mana?"),
                hint=gettext_noop("Desa atau kota, kalau diketahui."),
                relevant=f"${{masih_tinggal}} = '{v.Status.MOVED}'"),
            ask("ditemui", "text", gettext_noop("Siapa yang ditemui?"),
                hint=gettext_noop("Hubungannya dengan kepala keluarga cukup, tanpa nama."),
                relevant=here),
            ask("letak", "geopoint", gettext_noop("Letak rumah"), field=fields.LOCATION,
                hint=gettext_noop("Berdirilah di depan rumah, lalu ambil letaknya."),
                relevant=here),
        ),
        make.group(
            "keluarga", gettext_noop("Keluarga"),
            ask("jumlah_anggota", "integer",
                gettext_noop("Berapa orang yang tinggal dan makan bersama di sini?"),
                constraint=". >= 1 and . <= 30", required=True, relevant=here,
                message=gettext_noop("Isi 1 sampai 30.")),
            ask("balita", "integer", gettext_noop("Berapa di antaranya balita?"),
                constraint=". >= 0 and . <= ${jumlah_anggota}", relevant=here,
                message=gettext_noop("Tidak mungkin lebih dari jumlah anggota.")),
            ask("penghasilan", "select_multiple", gettext_noop("Dari mana penghasilannya?"),
                choices=INCOME, relevant=here),
            ask("pengeluaran", "integer",
                gettext_noop("Kira-kira pengeluaran per orang sebulan (rupiah)"),
                field="household.expenditure", constraint=". >= 0 and . <= 50000000",
                relevant=here, message=gettext_noop("Isi 0 sampai 50.000.000.")),
            ask("aset", "select_multiple", gettext_noop("Barang yang dimiliki"),
                choices=v.Asset.choices, field="household.assets", relevant=here),
        ),
        make.repeat(
            "anggota", gettext_noop("Anggota"), here,
            ask("anggota_id", "hidden", "", field=member_fields.ID),
            ask("anggota_ada", "select_one", gettext_noop("Masih tinggal di sini?"), choices=HERE,
                field=member_fields.STATUS),
            ask("anggota_nama", "text", gettext_noop("Nama"), field=member_fields.NAME,
                required_if="${anggota_id} = ''", relevant=living),
            ask("anggota_nik", "text", gettext_noop("NIK"), field=member_fields.NIK,
                appearance="numbers", constraint="regex(., '^[0-9]{16}$')", relevant=living,
                hint=gettext_noop("Isi untuk anggota baru, atau bila yang tercatat keliru."),
                message=gettext_noop("NIK harus tepat 16 angka.")),
            ask("anggota_kelamin", "select_one", gettext_noop("Jenis kelamin"),
                choices=v.Sex.choices, field="member.sex", relevant=living),
            ask("anggota_lahir", "date", gettext_noop("Tanggal lahir"),
                field=member_fields.BIRTH_DATE, relevant=living),
            *(ask(f"anggota_{name}", "select_one", label, choices=choices.choices,
                  field=f"member.{column}", appearance="minimal", relevant=living)
              for name, label, column, choices in MEMBER_CHOICES),
        ),
        make.group(
            "rumah", gettext_noop("Rumah"),
            ask("kepemilikan", "select_one", gettext_noop("Status rumah"),
                choices=v.Ownership.choices, field="household.ownership", relevant=here),
            ask("lantai", "select_one", gettext_noop("Lantai terluas"), choices=v.Floor.choices,
                field="household.floor", required=True, relevant=here),
            ask("dinding", "select_one", gettext_noop("Dinding terluas"),
                choices=v.Wall.choices, field="household.wall", required=True, relevant=here),
            ask("atap", "select_one", gettext_noop("Atap terluas"), choices=v.Roof.choices,
                field="household.roof", relevant=here),
            ask("foto", "image", gettext_noop("Foto rumah dari depan"), field=fields.PHOTO,
                hint=gettext_noop("Minta izin dahulu. Jangan sampai ada orang di foto."),
                relevant=here),
        ),
        make.group(
            "fasilitas", gettext_noop("Air, jamban, dan listrik"),
            ask("air", "select_one", gettext_noop("Sumber air minum"), choices=v.Water.choices,
                field="household.water", relevant=here),
            ask("jamban", "select_one", gettext_noop("Jamban"), choices=v.Sanitation.choices,
                field="household.sanitation", relevant=here),
            ask("listrik", "select_one", gettext_noop("Listrik"),
                choices=v.Electricity.choices, field="household.electricity", relevant=here),
            ask("bahan_bakar", "select_one", gettext_noop("Bahan bakar memasak"), choices=FUEL,
                relevant=here),
        ),
        make.group(
            "simpulan", gettext_noop("Simpulan"),
            ask("layak", "select_one",
                gettext_noop("Menurut Anda, apakah keluarga ini layak dibantu?"), choices=YES_NO,
                field=fields.FIT, relevant=here),
            ask("alasan_tidak_layak", "text", gettext_noop("Mengapa tidak layak?"),
                field=fields.FIT_REASON, required=True, constraint="string-length(.) >= 10",
                relevant=f"{here} and ${{layak}} = '{fields.NO}'",
                message=gettext_noop("Tulis paling sedikit 10 huruf.")),
            ask("catatan", "text", gettext_noop("Catatan"), appearance="multiline"),
        ),
    ]  # fmt: skip
    return {
        "id_string": ID_STRING,
        "version": VERSION,
        "title": _texts(gettext_noop("Verifikasi keluarga")),
        "languages": list(LANGUAGES),
        "items": items,
    }


def keep_built_in_form() -> FormVersion:
    """Return the form as it is kept here, keeping it first where it is not."""
    return keep_form(definition(), actor=None, is_built_in=True)
