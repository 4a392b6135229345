"""The copy of article 7 as a letter: what the JSON file holds, in words that its owner reads.

It is made of that file's content alone, so that the two never differ.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from guyub.privacy.models import SubjectRequest
from guyub.registry.models import Household, Person
from guyub.registry.wording import in_words
from guyub.ui.numbers import grouped
from guyub.ui.typesetting import pdf

TEMPLATE = Path(__file__).parent / "typst" / "copy.typ"


def copy_pdf(request: SubjectRequest, content: dict[str, Any]) -> bytes:
    """Typeset ``content``, what :func:`guyub.privacy.access_file.held_about` returned."""
    about = content["data_diri"]
    return pdf(
        TEMPLATE,
        {
            "title": _("Salinan data pribadi"),
            "regency": settings.REGENCY_NAME,
            "name": request.name,
            "facts": [
                [_("Permintaan"), content["permintaan"]],
                [_("Dibuat"), _moment(content["dibuat"])],
                [_("Dasar"), _("Pasal 7 Undang-Undang Nomor 27 Tahun 2022")],
            ],
            "unknown": ""
            if about
            else _("Registri tidak menyimpan data dengan NIK yang Anda sebutkan."),
            "empty": _("Tidak ada."),
            "parts": [_part(*part) for part in _parts(content)],
            "foot": _(
                "Anggota keluarga lain tidak disebut: data mereka milik mereka. Hak Anda atas data ini "
                "diatur Pasal 5 sampai 13 UU 27/2022; permintaan perbaikan, pembatasan, atau penghapusan "
                "disampaikan lewat halaman Pelindungan data pribadi atau meja layanan."
            ),
        },
    )


def _part(title: str, columns: list[str], rows: list[list[str]]) -> dict[str, Any]:
    return {"title": title, "columns": columns, "rows": rows}


def _parts(content: dict[str, Any]) -> Any:
    """Yield title, columns and rows of each part of the copy."""
    value_columns = [_("Data"), _("Isi"), _("Asal"), _("Per tanggal")]
    if content["data_diri"]:
        yield _("Data diri"), value_columns, _values(content["data_diri"], Person)
        yield _("Data keluarga"), value_columns, _values(content["data_keluarga"], Household)
        yield (
            _("Tercantum dalam daftar"),
            [_("Daftar"), _("Pemilik"), _("Masih tercantum")],
            [
                [row["dataset"], row["pemilik"], _yes(row["masih_tercantum"])]
                for row in content["daftar"]
            ],
        )
        yield (
            _("Riwayat perubahan"),
            [_("Waktu"), _("Data"), _("Semula"), _("Menjadi")],
            [
                [
                    _moment(row["waktu"]), _label(row["data"]),
                    in_words(row["data"], row["semula"]) or "–",
                    in_words(row["data"], row["menjadi"]) or "–",
                ]
                for row in content["riwayat_perubahan"]
            ],
        )  # fmt: skip
        yield (
            _("Bantuan"),
            [_("Program"), _("Perangkat daerah"), _("Tahap")],
            [[row["program"], row["perangkat_daerah"], row["tahap"]] for row in content["bantuan"]],
        )
        yield (
            _("Penyaluran"),
            [_("Tanggal"), _("Program"), _("Nilai")],
            [
                [_day(row["tanggal"]), row["program"], f"Rp {grouped(row['rupiah'])}"]
                for row in content["penyaluran"]
            ],
        )
    yield (
        _("Usul, sanggahan, dan pengaduan"),
        [_("Diajukan"), _("Jenis"), _("Keadaan"), _("Nama"), _("Alamat")],
        [
            [_moment(row["diajukan"]), row["jenis"], row["keadaan"], row["nama"] or "–", row["alamat"] or "–"]
            for row in content["usul_sanggah"]
        ],
    )  # fmt: skip
    if content["data_diri"]:
        yield (
            _("Pembatasan pemrosesan"),
            [_("Sejak"), _("Alasan"), _("Seluruh keluarga"), _("Dicabut")],
            [
                [
                    _moment(row["sejak"]), row["alasan"], _yes(row["seluruh_keluarga"]),
                    _moment(row["dicabut"]) if row["dicabut"] else "–",
                ]
                for row in content["pembatasan"]
            ],
        )  # fmt: skip
        yield (
            _("Siapa yang pernah membuka nomor lengkap"),
            [_("Waktu"), _("Siapa"), _("Peran"), _("Alasan")],
            [
                [_moment(row["waktu"]), row["siapa"], row["peran"], row["alasan"]]
                for row in content["siapa_melihat"]
            ],
        )
    yield (
        _("Untuk apa data diproses"),
        [_("Kegiatan"), _("Tujuan"), _("Dasar hukum"), _("Penerima"), _("Disimpan (tahun)")],
        [
            [
                row["kegiatan"], row["tujuan"], row["dasar_hukum"], row["penerima"],
                str(row["masa_simpan_tahun"]),
            ]
            for row in content["pemrosesan"]
        ],
    )  # fmt: skip


def _values(found: dict[str, Any], model: Any) -> list[list[str]]:
    rows = []
    for name, held in found.items():
        value = held["nilai"]
        shown = "–" if value in (None, "") else in_words(name, str(value))
        rows.append([_label(name, model), shown, held["asal"], _day(held["per_tanggal"])])
    return rows


def _label(name: str, model: Any = None) -> str:
    for one in [model] if model is not None else (Person, Household):
        known: dict[str, Any] = {field.name: field for field in one._meta.get_fields()}
        if name in known:
            text = str(known[name].verbose_name)
            return text[:1].upper() + text[1:]
    return name


def _yes(value: bool) -> str:
    return _("Ya") if value else _("Tidak")


def _day(text: str) -> str:
    return date_format(dt.date.fromisoformat(text), "j F Y")


def _moment(text: str) -> str:
    return date_format(timezone.localtime(dt.datetime.fromisoformat(text)), "j F Y H.i")
