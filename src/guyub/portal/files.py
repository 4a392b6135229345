"""The files of a release: CSV for Excel, Parquet for programs, each with the same rows.

CSV is UTF-8 with a byte order mark and semicolons: Excel on a computer set to Indonesian takes a comma for
the decimal sign, so that it splits at semicolons, and without the mark it would misread letters. There
are no lines of remarks above the head, so programs can read it as well; what a file is stands in the
catalogue and in the data dictionary.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from guyub.areas.models import Area, Level
from guyub.datasets.exports import harmless
from guyub.portal.models import CountTable, Release, ReleasedCell, ReleasedFile

FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
SHOWN, HIDDEN, WITHHELD = "ditampilkan", "disembunyikan", "tidak diterbitkan"
LEVELS = {Level.REGENCY: "kabupaten", Level.DISTRICT: "kecamatan", Level.VILLAGE: "desa/kelurahan"}


@dataclass(frozen=True)
class Field:
    """A column of a file: its name, what it holds, and the name of its type in Polars."""

    name: str
    meaning: Any
    type: str = "String"


@dataclass(frozen=True)
class Publication:
    """A dataset that every release publishes. ``table`` is empty where it holds no counts."""

    key: str
    title: Any
    description: Any
    keywords: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Callable[[Release], Sequence[tuple[Any, ...]]]
    table: str = ""


AS_OF = Field("per_tanggal", _("Keadaan data per tanggal"), "Date")
AREA_FIELDS = (
    Field("kode_kemendagri", _("Kode wilayah menurut Kementerian Dalam Negeri")),
    Field("wilayah", _("Nama kabupaten, kecamatan, desa, atau kelurahan")),
    Field("tingkat", _("kabupaten, kecamatan, atau desa/kelurahan")),
    Field("kode_kecamatan", _("Kode kecamatan tempat desa atau kelurahan; kosong untuk kabupaten")),
)
STATE = Field(
    "keterangan",
    _("“ditampilkan”; “disembunyikan” agar tidak ada keluarga yang dapat dikenali (angkanya bukan nol); atau "
      "“tidak diterbitkan” karena terlalu banyak angka sejenis yang harus disembunyikan (dapat nol)"),
)  # fmt: skip


def _state(cell: ReleasedCell) -> str:
    if cell.is_withheld:
        return WITHHELD
    return HIDDEN if cell.value is None else SHOWN


def _area(area: Area) -> tuple[str, str, str, str]:
    district = ".".join(area.code.split(".")[:3]) if area.level > Level.REGENCY else ""
    return area.code, area.title, LEVELS[Level(area.level)], district


def _cells(release: Release, table: str) -> Sequence[ReleasedCell]:
    order = {column["key"]: place for place, column in enumerate(release.columns[table])}
    cells = ReleasedCell.objects.filter(release=release, table=table).select_related("area")
    return sorted(cells, key=lambda c: (c.area.level, c.area.code, order[c.column]))


def _household_rows(release: Release) -> list[tuple[Any, ...]]:
    labels = {column["key"]: column["label"] for column in release.columns[CountTable.HOUSEHOLDS]}
    return [
        (
            release.as_of,
            *_area(cell.area),
            cell.column,
            labels[cell.column],
            cell.value,
            _state(cell),
        )
        for cell in _cells(release, CountTable.HOUSEHOLDS)
    ]


def _recipient_rows(release: Release) -> list[tuple[Any, ...]]:
    columns = {column["key"]: column for column in release.columns[CountTable.RECIPIENTS]}
    return [
        (
            release.as_of,
            release.year,
            *_area(cell.area),
            cell.column,
            columns[cell.column]["label"],
            columns[cell.column]["agency"],
            cell.value,
            _state(cell),
        )
        for cell in _cells(release, CountTable.RECIPIENTS)
    ]


def _program_rows(release: Release) -> list[tuple[Any, ...]]:
    return [
        (
            release.year,
            row["agency"],
            row["program"],
            row["code"],
            row["name"],
            row["help_kind"],
            row["recipient"],
            row["budget"],
            row["realised"],
            row["physical"],
            row["as_of"] or None,
            HIDDEN if row["hidden"] else SHOWN,
        )
        for row in release.programs
    ]


def _figure_rows(release: Release) -> list[tuple[Any, ...]]:
    return [
        (
            row["measure"],
            row["label"],
            row["area_code"] or "ID",
            row["year"],
            float(row["value"]),
            row["source"],
            row["url"],
        )
        for row in release.figures
    ]


PUBLICATIONS: tuple[Publication, ...] = (
    Publication(
        "keluarga-desil",
        _("Keluarga menurut wilayah, desil kesejahteraan, dan kemiskinan ekstrem"),
        _("Jumlah keluarga pada daftar acuan menurut kabupaten, kecamatan, dan desa/kelurahan."),
        ("kemiskinan", "desil", "keluarga", "kecamatan", "desa"),
        (
            AS_OF,
            *AREA_FIELDS,
            Field("kelompok", _("Kode kelompok keluarga")),
            Field("nama_kelompok", _("Kelompok keluarga dalam kata-kata")),
            Field("keluarga", _("Jumlah keluarga; kosong bila disembunyikan"), "Int64"),
            STATE,
        ),
        _household_rows,
        CountTable.HOUSEHOLDS,
    ),
    Publication(
        "penerima-bantuan",
        _("Penerima bantuan menurut kecamatan, bentuk bantuan, dan sub kegiatan"),
        _("Jumlah penerima yang ditetapkan; penerima dua bantuan dihitung pada keduanya."),
        ("bantuan sosial", "penerima", "program", "kecamatan"),
        (
            AS_OF,
            Field("tahun", _("Tahun anggaran"), "Int64"),
            *AREA_FIELDS,
            Field("kode_bantuan", _("Kode bentuk bantuan atau sub kegiatan")),
            Field("bantuan", _("Bentuk bantuan atau sub kegiatan")),
            Field("perangkat_daerah", _("Perangkat daerah pelaksana sub kegiatan")),
            Field("penerima", _("Jumlah penerima; kosong bila disembunyikan"), "Int64"),
            STATE,
        ),
        _recipient_rows,
        CountTable.RECIPIENTS,
    ),
    Publication(
        "program-anggaran",
        _("Program, anggaran, dan kemajuan penanggulangan kemiskinan"),
        _("Sub kegiatan beserta anggaran, realisasi keuangan, dan kemajuan fisiknya."),
        ("anggaran", "program", "realisasi", "kemajuan"),
        (
            Field("tahun", _("Tahun anggaran"), "Int64"),
            Field("perangkat_daerah", _("Perangkat daerah pelaksana")),
            Field("program", _("Nama program")),
            Field("kode_sub_kegiatan", _("Kode nomenklatur sub kegiatan")),
            Field("sub_kegiatan", _("Nama sub kegiatan")),
            Field("bentuk_bantuan", _("Apa yang diberikan")),
            Field("jenis_penerima", _("Keluarga, perorangan, atau kelompok")),
            Field("anggaran_rupiah", _("Anggaran dari semua sumber dana, rupiah"), "Int64"),
            Field("realisasi_rupiah", _("Realisasi sejak awal tahun, rupiah"), "Int64"),
            Field("fisik_persen", _("Kemajuan fisik, persen bulat"), "Int64"),
            Field("sampai_tanggal", _("Realisasi sampai dengan tanggal")),
            STATE,
        ),
        _program_rows,
    ),
    Publication(
        "angka-kemiskinan",
        _("Angka kemiskinan terbitan BPS"),
        _("Angka resmi kabupaten, provinsi, dan nasional beserta sumbernya."),
        ("kemiskinan", "P0", "garis kemiskinan", "BPS"),
        (
            Field("ukuran", _("Kode ukuran")),
            Field("nama_ukuran", _("Nama ukuran")),
            Field("kode_kemendagri", _("Kode wilayah; ID untuk seluruh Indonesia")),
            Field("tahun", _("Tahun"), "Int64"),
            Field("nilai", _("Nilai"), "Float64"),
            Field("sumber", _("Terbitan tempat angka ini dimuat")),
            Field("alamat_sumber", _("Alamat web sumber")),
        ),
        _figure_rows,
    ),
)
BY_KEY = {publication.key: publication for publication in PUBLICATIONS}


def write_all(release: Release) -> list[ReleasedFile]:
    """Write every file of ``release`` and return their records, unsaved."""
    release.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [
        _record(release, publication.key, name, rows)
        for publication in PUBLICATIONS
        for name, rows in _write(publication, publication.rows(release), release.folder).items()
    ]


def _write(
    publication: Publication, rows: Sequence[tuple[Any, ...]], folder: Path
) -> dict[str, int]:
    # Imported late: it takes half a second, and only the worker writes files.
    import polars as pl

    path = folder / f"{publication.key}.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([field.name for field in publication.fields])
        writer.writerows([_written(value) for value in row] for row in rows)
        file.flush()
        os.fsync(file.fileno())
    frame = pl.DataFrame(
        rows,
        schema={field.name: getattr(pl, field.type) for field in publication.fields},
        orient="row",
    )
    frame.write_parquet(folder / f"{publication.key}.parquet")
    return dict.fromkeys(FORMATS, len(rows))


def _written(value: Any) -> str:
    """Return a value as a cell of CSV: decimal commas, dates as ISO 8601, no formulas."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".").replace(".", ",")
    return harmless(str(value))


def _record(release: Release, dataset: str, name: str, rows: int) -> ReleasedFile:
    file = ReleasedFile(release=release, dataset=dataset, format=name, rows=rows)
    content = file.path.read_bytes()
    file.size, file.digest = len(content), hashlib.sha256(content).hexdigest()
    return file


def regency_code() -> str:
    """Return the Kemendagri code of the regency without dots, which is BPS's code of it as well."""
    return settings.REGENCY_CODE.replace(".", "")
