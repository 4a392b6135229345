"""The fields that a file's columns can be mapped to, and the headings that are recognised by themselves.

Headings come from the layouts in use: DTKS, P3KE, DTSEN and what agencies make of them in Excel.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz, process

from guyub.registry.vocabulary import Asset


@dataclass(frozen=True)
class Field:
    """One thing that a column can hold. ``headings`` are known names, without case or punctuation."""

    name: str
    label: Any
    group: Any
    headings: tuple[str, ...]


WHO, WHERE, HOUSE, RANK = _("Orang"), _("Tempat"), _("Rumah"), _("Kesejahteraan")

FIELDS: tuple[Field, ...] = (
    Field("nik", _("NIK"), WHO, ("nik", "no nik", "nomor nik", "nomor induk kependudukan", "no ktp", "nomor ktp", "nik ktp", "nik anggota", "nik kepala keluarga", "nik penerima", "nik kk")),
    Field("kk", _("Nomor KK"), WHO, ("kk", "no kk", "nokk", "nomor kk", "nomor kartu keluarga", "no kartu keluarga", "kartu keluarga")),
    Field("name", _("Nama"), WHO, ("nama", "nama lengkap", "nama anggota", "nama anggota keluarga", "nama art", "nama penerima", "nama kepala keluarga", "nama individu", "nama krt", "nama warga", "nama sesuai ktp", "nama siswa", "nama peserta")),
    Field("sex", _("Jenis kelamin"), WHO, ("jenis kelamin", "jk", "kelamin", "l p", "lp", "jns kelamin", "gender", "sex")),
    Field("birth_date", _("Tanggal lahir"), WHO, ("tanggal lahir", "tgl lahir", "tgllahir", "tanggallahir", "tgl lhr", "lahir")),
    Field("birth_place", _("Tempat lahir"), WHO, ("tempat lahir", "tmp lahir", "tmpt lahir", "kota lahir")),
    Field("relation", _("Hubungan dengan kepala keluarga"), WHO, ("hubungan", "hubungan keluarga", "hub keluarga", "hubungan dengan kepala keluarga", "hub krt", "hubungan krt", "status hubungan dalam keluarga", "shdk", "hubungan dgn kk", "status dalam keluarga", "hub kepala keluarga")),
    Field("disability", _("Disabilitas"), WHO, ("disabilitas", "jenis disabilitas", "penyandang disabilitas", "jenis cacat", "difabel", "ragam disabilitas")),
    Field("work", _("Pekerjaan"), WHO, ("pekerjaan", "jenis pekerjaan", "pekerjaan utama", "status pekerjaan", "lapangan usaha")),
    Field("schooling", _("Pendidikan"), WHO, ("pendidikan", "pendidikan terakhir", "ijazah", "ijazah terakhir", "ijazah tertinggi", "jenjang pendidikan", "pendidikan tertinggi")),
    Field("health_insurance", _("Jaminan kesehatan"), WHO, ("jaminan kesehatan", "jkn", "bpjs", "bpjs kesehatan", "kepesertaan jkn", "kis", "jenis jaminan kesehatan", "status bpjs", "segmen jkn")),
    Field("person_status", _("Keterangan orang (aktif/pindah/meninggal)"), WHO, ("status orang", "keberadaan", "keterangan keberadaan", "keberadaan anggota", "status individu", "status kependudukan")),
    Field("nik_confirmed", _("Konfirmasi NIK (isi “Ya” bila sudah dicocokkan dengan KTP/KK)"), WHO, ("konfirmasi nik", "nik terkonfirmasi", "nik dikonfirmasi", "nik padan dukcapil")),
    Field("village_code", _("Kode desa/kelurahan"), WHERE, ("kode desa", "kode kelurahan", "kode desa kelurahan", "kode wilayah", "kode kemendagri", "kode desa kemendagri", "kdkel", "kode kel", "id desa", "kode deskel")),
    Field("village_name", _("Nama desa/kelurahan"), WHERE, ("desa", "kelurahan", "desa kelurahan", "nama desa", "nama kelurahan", "kelurahan desa", "desa kel", "nama desa kelurahan", "deskel", "kel desa")),
    Field("district_name", _("Nama kecamatan"), WHERE, ("kecamatan", "nama kecamatan", "kec")),
    Field("address", _("Alamat"), WHERE, ("alamat", "alamat lengkap", "alamat tinggal", "alamat rumah", "alamat domisili", "jalan", "alamat sesuai ktp", "alamat jalan")),
    Field("hamlet", _("Dusun"), WHERE, ("dusun", "nama dusun", "grumbul", "lingkungan", "alamat dusun")),
    Field("rt", _("RT"), WHERE, ("rt", "no rt", "alamat rt", "nomor rt")),
    Field("rw", _("RW"), WHERE, ("rw", "no rw", "alamat rw", "nomor rw")),
    Field("rt_rw", _("RT/RW dalam satu kolom"), WHERE, ("rt rw", "rtrw", "alamat rt rw")),
    Field("latitude", _("Lintang"), WHERE, ("lintang", "latitude", "lat", "koordinat lintang", "garis lintang")),
    Field("longitude", _("Bujur"), WHERE, ("bujur", "longitude", "long", "lon", "lng", "koordinat bujur", "garis bujur")),
    Field("floor", _("Lantai"), HOUSE, ("lantai", "jenis lantai", "jenis lantai terluas", "bahan lantai")),
    Field("wall", _("Dinding"), HOUSE, ("dinding", "jenis dinding", "jenis dinding terluas", "bahan dinding")),
    Field("roof", _("Atap"), HOUSE, ("atap", "jenis atap", "jenis atap terluas", "bahan atap")),
    Field("sanitation", _("Jamban"), HOUSE, ("jamban", "fasilitas bab", "fasilitas buang air besar", "sanitasi", "tempat bab", "kepemilikan jamban", "wc")),
    Field("water", _("Sumber air minum"), HOUSE, ("air minum", "sumber air minum", "sumber air", "air bersih")),
    Field("electricity", _("Listrik"), HOUSE, ("listrik", "daya listrik", "sumber penerangan", "daya terpasang", "penerangan", "daya", "sumber listrik")),
    Field("ownership", _("Kepemilikan rumah"), HOUSE, ("kepemilikan rumah", "status rumah", "status kepemilikan rumah", "status bangunan", "penguasaan bangunan", "status tempat tinggal", "status lahan dan rumah")),
    Field("assets", _("Aset (beberapa, dipisah koma)"), HOUSE, ("aset", "kepemilikan aset", "daftar aset", "harta")),
    *(
        Field(f"asset_{asset.value}", asset.label, _("Aset (Ya/Tidak)"), headings)
        for asset, headings in (
            (Asset.REFRIGERATOR, ("lemari es", "kulkas", "memiliki kulkas", "memiliki lemari es")),
            (Asset.GAS_12KG, ("tabung gas", "gas 12 kg", "memiliki tabung gas")),
            (Asset.TELEVISION, ("televisi", "tv", "memiliki televisi")),
            (Asset.COMPUTER, ("komputer", "laptop", "komputer laptop", "memiliki komputer")),
            (Asset.MOBILE_PHONE, ("hp", "telepon genggam", "handphone", "memiliki hp", "nomor hp aktif")),
            (Asset.MOTORCYCLE, ("motor", "sepeda motor", "memiliki sepeda motor", "memiliki motor")),
            (Asset.CAR, ("mobil", "memiliki mobil")),
            (Asset.GOLD, ("emas", "emas perhiasan", "memiliki emas")),
            (Asset.LAND, ("lahan", "lahan lain", "memiliki lahan", "tanah lain")),
            (Asset.LIVESTOCK, ("ternak", "memiliki ternak", "hewan ternak")),
        )
    ),
    Field("expenditure", _("Pengeluaran per kapita per bulan (rupiah)"), RANK, ("pengeluaran per kapita", "pengeluaran perkapita", "pengeluaran kapita", "pengeluaran per kapita per bulan", "konsumsi per kapita")),
    Field("desil", _("Desil"), RANK, ("desil", "desil kesejahteraan", "desil nasional", "peringkat kesejahteraan", "desil dtsen", "desil p3ke", "kelompok desil")),
    Field("extreme_poor", _("Miskin ekstrem (Ya/Tidak)"), RANK, ("miskin ekstrem", "kemiskinan ekstrem", "status miskin ekstrem", "status kemiskinan ekstrem")),
    Field("household_status", _("Keterangan keluarga (aktif/pindah/graduasi)"), RANK, ("status keluarga", "status kepesertaan", "keterangan keluarga", "status graduasi")),
)  # fmt: skip

BY_NAME = {field.name: field for field in FIELDS}
BY_HEADING = {heading: field.name for field in FIELDS for heading in field.headings}
# Columns that Guyub itself adds to the file of rejected rows, or that say nothing about a person.
IGNORED_HEADINGS = frozenset(
    {"no", "nomor", "no urut", "baris asal", "kesalahan", "cara memperbaiki", "keterangan", "umur", "usia",
     "kabupaten", "kabupaten kota", "kab kota", "nama kabupaten", "provinsi", "nama provinsi", "id"}
)  # fmt: skip


def normal(heading: str) -> str:
    """Return a heading without case, punctuation and repeated spaces: *No. KK* is ``no kk``."""
    text = re.sub(r"\(\d+\)$", "", heading.strip().lower())
    text = re.sub(r"([a-z])_(?=[a-z])", r"\1 ", text)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


def recognise(headings: Sequence[str]) -> dict[int, str]:
    """Return {position: field} for the headings that are known, each field at most once.

    Exact names go first; then names one slip away, so that *Jenis Kelamn* is still found.
    """
    names = [normal(heading) for heading in headings]
    found: dict[int, str] = {}
    taken: set[str] = set()
    for position, name in enumerate(names):
        field = BY_HEADING.get(name)
        if field and field not in taken:
            found[position] = field
            taken.add(field)
    for position, name in enumerate(names):
        if position in found or name in IGNORED_HEADINGS or len(name) < 6:
            continue
        best = process.extractOne(name, BY_HEADING.keys(), scorer=fuzz.ratio, score_cutoff=90)
        if best and len(best[0]) >= 6 and BY_HEADING[best[0]] not in taken:
            found[position] = BY_HEADING[best[0]]
            taken.add(found[position])
    return found


def score_headings(cells: Sequence[str]) -> int:
    """Return how many different fields exactly known headings in a row of cells name."""
    names = {normal(cell) for cell in cells if cell and len(cell) < 80}
    return len({BY_HEADING[name] for name in names if name in BY_HEADING})


def signature(headings: Sequence[str]) -> str:
    """Return a fingerprint of a file's headings, by which its mapping is remembered."""
    return hashlib.sha256("\x1f".join(normal(h) for h in headings).encode()).hexdigest()


def mapping_faults(mapping: dict[str, str]) -> list[Any]:
    """Return what keeps a mapping from being used, as messages for the user."""
    fields = list(mapping.values())
    faults: list[Any] = []
    if "nik" not in fields:
        faults.append(_("Pilih kolom yang berisi NIK."))
    if "name" not in fields:
        faults.append(_("Pilih kolom yang berisi nama."))
    if "village_code" not in fields and "village_name" not in fields:
        faults.append(_("Pilih kolom kode atau nama desa/kelurahan."))
    for field in sorted({f for f in fields if fields.count(f) > 1}):
        label = BY_NAME[field].label
        faults.append(_("“%(field)s” dipilih untuk lebih dari satu kolom.") % {"field": label})
    return faults
