"""What each action in the log is called."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Any] = {
    "accounts.account.create": _("Akun dibuat"),
    "accounts.account.deactivate": _("Akun dinonaktifkan"),
    "accounts.account.edit": _("Akun diubah"),
    "accounts.account.reactivate": _("Akun diaktifkan lagi"),
    "accounts.email.change": _("Surel diganti"),
    "accounts.factor.add": _("Faktor kedua dipasang"),
    "accounts.factor.remove": _("Faktor kedua dilepas"),
    "accounts.factor.renew": _("Kode pemulihan diperbarui"),
    "accounts.login": _("Masuk"),
    "accounts.login_failed": _("Gagal masuk"),
    "accounts.logout": _("Keluar"),
    "accounts.password.change": _("Kata sandi diganti"),
    "accounts.password.link": _("Tautan kata sandi dibuat"),
    "accounts.password.reset": _("Kata sandi disetel ulang"),
    "accounts.factor.reset": _("Faktor kedua disetel ulang"),
    "accounts.second_factor_failed": _("Kode verifikasi salah"),
    "accounts.self.edit": _("Data akun sendiri diubah"),
    "accounts.sso.connect": _("SSO dihubungkan"),
    "accounts.sso.disconnect": _("SSO dilepas"),
    "agencies.agency.activate": _("Perangkat daerah diaktifkan lagi"),
    "agencies.agency.create": _("Perangkat daerah ditambahkan"),
    "agencies.agency.deactivate": _("Perangkat daerah dinonaktifkan"),
    "agencies.agency.update": _("Data perangkat daerah diubah"),
    "agencies.load": _("Perangkat daerah dimuat"),
    "areas.load": _("Wilayah dimuat"),
    "audit.export": _("Jejak audit diunduh"),
    "audit.verify": _("Rantai jejak audit diperiksa"),
    "datasets.dataset.create": _("Dataset dibuat"),
    "datasets.dataset.update": _("Keterangan dataset diubah"),
    "datasets.version.add": _("Versi dataset ditambahkan"),
    "datasets.version.export": _("Versi dataset diunduh"),
    "datasets.version.mark_reference": _("Data acuan ditetapkan"),
    "discussions.message.withdraw": _("Pesan ditarik"),
    "discussions.message.write": _("Pesan ditulis"),
    "imports.run.apply": _("Impor diterapkan"),
    "imports.run.approve": _("Impor disetujui"),
    "imports.run.cancel": _("Impor dibatalkan"),
    "imports.run.checked": _("Berkas impor selesai diperiksa"),
    "imports.run.choose_sheet": _("Lembar Excel dipilih"),
    "imports.run.export_rejections": _("Baris yang ditolak diunduh"),
    "imports.run.map": _("Kolom dicocokkan"),
    "imports.run.upload": _("Berkas diunggah"),
    "programs.load": _("Program dimuat"),
    "programs.program.create": _("Program ditambahkan"),
    "programs.program.delete": _("Program dihapus"),
    "programs.program.update": _("Program diubah"),
    "registry.household.create": _("Keluarga ditambahkan"),
    "registry.household.edit": _("Data keluarga diubah"),
    "registry.household.reveal": _("NIK/KK dibuka"),
    "registry.household.status": _("Status keluarga diubah"),
    "registry.list.export": _("Daftar registri diunduh"),
    "registry.person.create": _("Anggota keluarga ditambahkan"),
    "registry.person.edit": _("Data anggota diubah"),
    "registry.person.move": _("Anggota pindah keluarga"),
    "registry.photo.add": _("Foto ditambahkan"),
    "registry.photo.delete": _("Foto dihapus"),
}

GROUPS = {
    "accounts.": _("Akun dan masuk"),
    "agencies.": _("Perangkat daerah"),
    "audit.": _("Jejak audit"),
    "datasets.": _("Dataset"),
    "imports.": _("Impor"),
    "programs.": _("Program"),
    "targeting.": _("Aturan sasaran"),
    "beneficiaries.": _("Penerima"),
    "overlaps.": _("Tumpang tindih"),
    "reports.": _("Laporan kemajuan"),
    "obstacles.": _("Kendala"),
    "targets.": _("Indikator"),
    "discussions.": _("Pembicaraan"),
    "registry.household.reveal": _("Pembukaan NIK/KK"),
    "registry.list.export": _("Unduhan registri"),
    "registry.": _("Registri"),
}


def label_of(action: str) -> str:
    """Return what ``action`` is called; its own name when it has no other."""
    return str(LABELS.get(action, action))
