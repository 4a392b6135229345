"""The words of the field app: the page hands them to its script, so that they are translated with the rest."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def app_texts() -> dict[str, str]:
    """Return the words by the names that the script knows; ``{n}`` and the like it fills in itself."""
    return {
        "language": get_language() or "id",
        "sign_in_url": reverse("account_login"),
        "sign_out_url": reverse("account_logout"),
        "title": _("Kunjungan saya"),
        "list": _("Daftar kunjungan"),
        "back": _("Kembali"),
        # How things stand
        "online": _("Ada sinyal"),
        "offline": _("Tanpa sinyal"),
        "in_queue": _("{n} di antrean"),
        "drafts": _("{n} draf"),
        "synced_at": _("Sinkron terakhir {at}"),
        "never_synced": _("Belum pernah sinkron"),
        "storage": _("{used} terpakai"),
        "sync": _("Sinkronkan"),
        "syncing": _("Menyinkron…"),
        "signed_out": _("Sesi Anda berakhir. Isian tetap aman di ponsel ini."),
        "sign_in": _("Masuk lagi untuk mengirim"),
        "other_user": _(
            "Di ponsel ini masih ada isian {name} yang belum terkirim. Minta {name} masuk dan "
            "menyinkron dahulu; isiannya tidak dikirim atas nama Anda."
        ),
        "forbidden": _("Akun Anda tidak bertugas di lapangan."),
        "busy": _("Server belum bisa dihubungi. Isian tetap di antrean dan dicoba lagi sendiri."),
        "refused": _("{n} kiriman tidak diterima dan tetap disimpan di sini."),
        "look_at_queue": _("Lihat antrean"),
        "no_worker": _("Peramban ini tidak bisa membuka halaman tanpa sinyal. Pakai Chrome terbaru."),
        "not_kept": _(
            "Aplikasi belum tersimpan di ponsel ini dan tidak akan terbuka tanpa sinyal. Muat ulang "
            "halaman ini di tempat yang sinyalnya baik sebelum berangkat."
        ),
        "forgotten": _("Daftar kunjungan dihapus dari ponsel karena lama tidak disinkron."),
        # The list
        "search": _("Cari nama atau alamat"),
        "state": _("Keadaan"),
        "all_states": _("Semua ({n})"),
        "found": _("{n} dari {of} kunjungan"),
        "more": _("Tampilkan {n} lagi"),
        "none_found": _("Tidak ada yang cocok"),
        "none_found_why": _("Ubah kata pencarian atau saringannya."),
        "no_visits": _("Belum ada kunjungan"),
        "no_visits_why": _("Bila ada putaran yang dibuka untuk wilayah Anda, daftarnya tampil di sini."),
        "no_visits_offline": _("Sinkronkan dahulu selagi ada sinyal."),
        "until": _("sampai {day}"),
        "no_note": _("Tidak ada petunjuk khusus."),
        "limited": _(
            "Ponsel membawa {n} dari {of} kunjungan. Pilih satu desa, atau kirim dahulu yang sudah selesai."
        ),
        "village": _("Desa/kelurahan yang dibawa"),
        "all_villages": _("Semua desa"),
        "village_later": _("Pilihan desa berlaku saat ada sinyal."),
        "state_to_go": _("Belum dikunjungi"),
        "state_draft": _("Draf"),
        "state_queue": _("Di antrean"),
        "state_sent": _("Terkirim"),
        "state_conflict": _("Bentrok"),
        "state_done": _("Selesai"),
        "state_refused": _("Tidak diterima"),
        "state_left": _("Pindah wilayah"),
        # One visit
        "where": _("Alamat"),
        "members": _("Jumlah anggota menurut registri"),
        "note": _("Catatan"),
        "begin": _("Mulai isi formulir"),
        "begin_too": _("Isi juga formulir ini"),
        "correct": _("Perbaiki dan kirim ulang"),
        "settled": _("Bentrokan sudah diputuskan"),
        "you_sent": _("Anda mengirim {at}. {state}"),
        "in_queue_here": _("Isian kunjungan ini di antrean, terkirim saat ada sinyal."),
        "refused_here": _("Kiriman kunjungan ini tidak diterima."),
        "no_form": _("Formulirnya belum terunduh. Sinkronkan dahulu selagi ada sinyal."),
        "gone": _("Kunjungan tidak ada lagi"),
        "gone_why": _("Putarannya ditutup atau kunjungannya dipindahkan. Isian Anda di antrean tetap dikirim."),
        "left_why": _(
            "Keluarga ini tercatat pindah dari wilayah Anda, jadi nama dan alamatnya tidak dibawa lagi dan "
            "tidak perlu dikunjungi: petugas di wilayah barunya yang mendatangi. Bila keluarganya ternyata "
            "masih di sini, hubungi pengelola putaran."
        ),
        "left_draft": _(
            "Keluarga ini tercatat pindah dari wilayah Anda. Isian Anda tetap ada: selesaikan dan kirim bila "
            "Anda sudah bertemu keluarganya, atau buang. Pengelola putaran yang memutuskan."
        ),
        "gone_draft": _(
            "Kunjungan ini tidak ada lagi pada daftar Anda: putarannya ditutup, kunjungannya dipindahkan, "
            "atau ponsel kini membawa desa lain. Isian Anda tetap ada: selesaikan dan kirim, atau buang."
        ),
        # Filling in
        "part": _("Bagian {n} dari {of}"),
        "progress": _("Kemajuan pengisian"),
        "previous": _("Sebelumnya"),
        "next": _("Berikutnya"),
        "finish": _("Selesai, masukkan antrean"),
        "check_and_send": _("Periksa dan kirim"),
        "complete": _("Semua isian lengkap."),
        "photos": _("Foto dan lampiran: {n}"),
        "incomplete": _("Masih ada {n} isian yang perlu dilengkapi:"),
        "mend": _("{n} isian perlu diperbaiki."),
        "required": _("Wajib diisi."),
        "number": _("Isi dengan angka, misalnya 3."),
        "whole_number": _("Isi dengan bilangan bulat, tanpa koma."),
        "choose_again": _("Pilihannya tidak cocok dengan isian lain. Pilih ulang."),
        "constraint": _("Isian ini tidak memenuhi syarat."),
        "choose": _("Pilih…"),
        "registry_says": _("Menurut registri: {value}"),
        "add_row": _("Tambah {label}"),
        "remove_row": _("Hapus {label} {n}"),
        "take_place": _("Ambil letak"),
        "place": _("{lat}, {lon} (± {metres} m)"),
        "no_place": _("Belum diambil."),
        "no_gps": _("Peramban ini tidak punya GPS."),
        "gps_failed": _("Letak tidak didapat. Pastikan GPS menyala dan izinnya diberikan, lalu coba lagi."),
        "photo_unreadable": _("Foto tidak bisa dibaca. Ambil lagi sebagai JPEG."),
        "file_too_large": _("Berkas lebih dari 10 MB."),
        "photo_of": _("Foto: {what}"),
        "remove_file": _("Hapus"),
        "storage_full": _("Penyimpanan ponsel penuh. Kirim dahulu antreannya, atau hapus foto lain."),
        "not_saved": _("Isian gagal disimpan di ponsel. Jangan tutup halaman ini; coba ubah isiannya lagi."),
        "discard": _("Buang isian ini"),
        "discard_sure": _("Isian dan foto kunjungan ini dihapus dari ponsel dan tidak dikirim."),
        "discard_now": _("Ya, buang"),
        "discarded": _("Isian dibuang."),
        "queued": _("Isian masuk antrean."),
        # The queue
        "queue": _("Antrean kirim"),
        "queue_why": _(
            "Yang di sini belum lengkap sampai di server. Ponsel menghapusnya setelah server memastikan "
            "semuanya tersimpan."
        ),
        "queue_empty": _("Antrean kosong"),
        "queue_empty_why": _("Semua yang selesai diisi sudah sampai di server."),
        "queued_at": _("Selesai {at}, {n} lampiran tersisa"),
        "answers_stored": _("Isian sudah tersimpan di server; lampirannya menyusul."),
        "mend_queued": _("Buka lagi untuk diperbaiki"),
        "drop_files": _("Lepaskan lampiran yang gagal"),
        "leave_title": _("Keluar dari ponsel ini"),
        "leave_why": _("Keluar menghapus daftar kunjungan dari ponsel. Draf dan antrean harus kosong dahulu."),
        "leave": _("Keluar dan hapus data"),
        "leave_unsent": _("Masih ada {n} isian yang belum terkirim. Kirim atau buang dahulu, lalu keluar."),
    }  # fmt: skip
