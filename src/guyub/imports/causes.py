"""Why a row is refused, in words for the person who can mend it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

# cause: (what is wrong, how to mend it)
CAUSES: dict[str, tuple[Any, Any]] = {
    "malformed": (_("Baris tidak bisa dipecah menjadi kolom."), _("Periksa tanda kutip (\") dan pemisah kolom pada baris ini.")),
    "nik_missing": (_("NIK kosong."), _("Isi NIK 16 angka dari KTP atau KK.")),
    "nik_scientific": (_("NIK dirusak Excel menjadi bentuk seperti 3.30E+15; angka aslinya hilang."), _("Ambil lagi NIK dari sumbernya. Di Excel, jadikan kolom NIK berformat Teks sebelum mengetik atau menempel.")),
    "nik_number": (_("NIK tersimpan sebagai angka; Excel hanya menyimpan 15 angka, sehingga angka terakhir tidak bisa dipercaya."), _("Jadikan kolom NIK berformat Teks, lalu isi ulang NIK dari sumbernya.")),
    "nik_length": (_("NIK tidak 16 angka."), _("Cocokkan dengan KTP atau KK; NIK selalu tepat 16 angka.")),
    "nik_digits": (_("NIK memuat huruf atau tanda baca."), _("Tulis NIK hanya dengan angka, tanpa spasi, titik, atau huruf.")),
    "nik_area": (_("Enam angka pertama NIK bukan kode kecamatan yang ada."), _("Cocokkan enam angka pertama dengan KTP.")),
    "nik_date": (_("Tanggal lahir di dalam NIK (angka ke-7 sampai ke-12) tidak mungkin."), _("Cocokkan NIK dengan KTP; untuk perempuan tanggalnya ditambah 40.")),
    "nik_serial": (_("Empat angka terakhir NIK 0000."), _("Nomor urut NIK mulai dari 0001. Kemungkinan NIK dibulatkan Excel; ambil lagi dari sumbernya.")),
    "nik_birth": (_("Tanggal lahir tidak cocok dengan NIK."), _("Cocokkan keduanya dengan KTP. Bila keduanya memang benar, isi “Ya” di kolom Konfirmasi NIK.")),
    "nik_swapped": (_("Tanggal dan bulan lahir tampaknya tertukar."), _("Tulis tanggal dahulu, lalu bulan: hari/bulan/tahun.")),
    "nik_sex": (_("Jenis kelamin tidak cocok dengan NIK."), _("NIK perempuan: tanggal lahir ditambah 40. Cocokkan dengan KTP. Bila memang benar, isi “Ya” di kolom Konfirmasi NIK.")),
    "nik_duplicate": (_("NIK ini sudah ada di baris lain berkas ini."), _("Hapus salah satu baris, atau perbaiki NIK yang salah.")),
    "kk_scientific": (_("Nomor KK dirusak Excel menjadi bentuk seperti 3.30E+15; angka aslinya hilang."), _("Ambil lagi nomor KK dari sumbernya, dengan kolom berformat Teks.")),
    "kk_number": (_("Nomor KK tersimpan sebagai angka; angka terakhirnya tidak bisa dipercaya."), _("Jadikan kolom nomor KK berformat Teks, lalu isi ulang dari sumbernya.")),
    "kk_length": (_("Nomor KK tidak 16 angka."), _("Cocokkan dengan kartu keluarga, atau kosongkan bila belum ada.")),
    "kk_digits": (_("Nomor KK memuat huruf atau tanda baca."), _("Tulis nomor KK hanya dengan angka.")),
    "kk_area": (_("Enam angka pertama nomor KK bukan kode kecamatan yang ada."), _("Cocokkan dengan kartu keluarga.")),
    "kk_village": (_("Anggota dengan nomor KK yang sama tercatat di desa yang berbeda."), _("Samakan desa seluruh anggota, atau perbaiki nomor KK yang salah.")),
    "kk_two_heads": (_("Ada lebih dari satu kepala keluarga pada nomor KK ini."), _("Tetapkan satu kepala keluarga; ubah hubungan yang lain.")),
    "name_missing": (_("Nama kosong."), _("Isi nama sesuai KTP.")),
    "name_digits": (_("Nama memuat angka."), _("Tulis nama sesuai KTP, tanpa angka.")),
    "too_long": (_("Isian terlalu panjang."), _("Persingkat isian ini.")),
    "village_missing": (_("Desa/kelurahan kosong."), _("Isi nama atau kode desa/kelurahan.")),
    "village_unknown": (_("Desa/kelurahan tidak dikenal."), _("Tulis nama seperti di daftar wilayah, atau kode Kemendagri seperti 33.02.01.2001.")),
    "village_ambiguous": (_("Nama desa ini ada di lebih dari satu kecamatan."), _("Isi juga nama kecamatan, atau pakai kode desa.")),
    "date_format": (_("Tanggal tidak terbaca."), _("Tulis seperti 31/12/1980 atau 31 Desember 1980.")),
    "date_range": (_("Tanggal sebelum tahun 1900."), _("Periksa tahunnya.")),
    "date_future": (_("Tanggal lahir sesudah tanggal data."), _("Periksa tahunnya.")),
    "unknown_answer": (_("Isian ini tidak dikenal."), _("Pakai salah satu pilihan yang dikenal.")),
    "yes_no": (_("Isian ini bukan Ya atau Tidak."), _("Tulis Ya atau Tidak.")),
    "desil": (_("Desil bukan angka 1 sampai 10."), _("Tulis angka 1 sampai 10.")),
    "rupiah": (_("Jumlah rupiah tidak terbaca."), _("Tulis seperti 450000 atau 450.000.")),
    "rt": (_("RT/RW tidak terbaca."), _("Tulis angka, misalnya 001; untuk satu kolom RT/RW tulis 001/002.")),
    "degrees": (_("Koordinat tidak terbaca."), _("Tulis derajat desimal, misalnya -7.4212 dan 109.2421.")),
}  # fmt: skip


def explain(cause: str, hint: str = "") -> tuple[str, str]:
    """Return (what is wrong, how to mend it) for a cause; ``hint`` is added to the latter."""
    what, how = CAUSES[cause]
    if hint:
        how = gettext("%(how)s %(hint)s") % {"how": how, "hint": hint}
    return str(what), str(how)
