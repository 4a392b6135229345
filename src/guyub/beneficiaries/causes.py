"""Why a row of a file of NIK is refused, in words for the person who can mend it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guyub.beneficiaries.models import Stage
from guyub.imports.causes import CAUSES as SHARED
from guyub.registry.vocabulary import Status

# cause: (what is wrong, how to mend it); `%s` stands for the hint.
CAUSES: dict[str, tuple[Any, Any]] = {
    **{cause: SHARED[cause] for cause in (
        "malformed", "nik_missing", "nik_scientific", "nik_number", "nik_digits", "nik_length",
        "nik_duplicate", "date_format", "rupiah", "too_long",
    )},
    "nik_unknown": (_("NIK ini tidak ada di registri."), _("Cocokkan dengan KTP. Bila orangnya memang belum tercatat, tambahkan dahulu di registri.")),
    "restricted": (_("Pemrosesan datanya sedang dibatasi atas permintaan pemiliknya."), _("Keluarkan dari berkas. Pembatasan hanya dicabut lewat permintaan pemilik data.")),
    "person_gone": (_("Menurut registri, orang ini sudah meninggal, pindah, atau graduasi."), _("Keluarkan dari berkas, atau perbarui statusnya di registri bila keliru.")),
    "household_gone": (_("Menurut registri, keluarganya sudah pindah, graduasi, atau tidak ada lagi."), _("Keluarkan dari berkas, atau perbarui status keluarga di registri bila keliru.")),
    "already_enrolled": (_("Sudah terdaftar pada sub kegiatan ini."), _("Hapus baris ini; yang sudah terdaftar tidak didaftarkan dua kali.")),
    "household_duplicate": (_("Keluarga yang sama sudah ada di baris lain berkas ini."), _("Penerimanya keluarga: cukup satu NIK untuk satu keluarga.")),
    "not_enrolled": (_("Tidak terdaftar sebagai penerima sub kegiatan ini."), _("Daftarkan dan tetapkan dahulu, atau periksa apakah berkasnya untuk sub kegiatan lain.")),
    "wrong_stage": (_("Tahapnya belum ditetapkan atau sudah berakhir."), _("Penyaluran dicatat untuk penerima yang ditetapkan atau sedang menerima.")),
    "delivery_repeated": (_("Penyaluran dengan tanggal dan nilai yang sama sudah tercatat."), _("Hapus baris ini. Bila memang diberikan dua kali, catat yang kedua di halaman penerimanya.")),
    "delivery_duplicate": (_("Baris yang sama (NIK, tanggal, nilai) sudah ada di berkas ini."), _("Hapus salah satu baris.")),
    "day_missing": (_("Tanggal kosong."), _("Isi tanggal penyaluran, misalnya 31/12/2025.")),
    "day_ahead": (_("Tanggal penyaluran ada di masa depan."), _("Periksa tahunnya, atau catat setelah disalurkan.")),
    "day_early": (_("Tanggal penyaluran sebelum sub kegiatan dimulai."), _("Periksa tanggalnya, atau pilih sub kegiatan tahun yang sesuai.")),
    "amount_missing": (_("Nilai kosong."), _("Isi nilai dalam rupiah; untuk barang tanpa nilai, isi 0 dan tulis barangnya di kolom Keterangan.")),
    "amount_zero": (_("Nilai 0 tanpa keterangan."), _("Isi nilai rupiah, atau tulis barang/layanan yang diberikan di kolom Keterangan.")),
}  # fmt: skip


def explain(cause: str, hint: str = "") -> tuple[str, str]:
    """Return (what is wrong, how to mend it) for a cause; ``hint`` makes it more exact."""
    what, how = (str(text) for text in CAUSES[cause])
    if not hint:
        return what, how
    if cause in ("nik_duplicate", "household_duplicate", "delivery_duplicate"):
        return what, gettext("%(how)s Pertama kali muncul di baris %(row)s.") % {
            "how": how,
            "row": hint,
        }
    if cause in ("person_gone", "household_gone"):
        return gettext("%(what)s Statusnya: %(status)s.") % {
            "what": what,
            "status": Status(hint).label,
        }, how
    if cause in ("already_enrolled", "wrong_stage"):
        return gettext("%(what)s Tahapnya: %(stage)s.") % {
            "what": what,
            "stage": Stage(hint).label,
        }, how
    if cause == "day_early":
        return gettext("%(what)s Mulainya %(date)s.") % {"what": what, "date": hint}, how
    return what, how
