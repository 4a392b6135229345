"""Fill the register of processing with what Guyub itself does; the secretariat edits it from there."""

from django.db import migrations

SAFEGUARDS = (
    "NIK dan nomor KK disegel di basis data dan disamarkan di layar; membuka nomor lengkap meminta alasan "
    "dan dicatat; hak menurut peran dan wilayah; masuk dengan dua faktor; jejak audit berantai."
)
ACTIVITIES = [
    {
        "name": "Registri warga miskin",
        "purpose": "Satu data bersama tentang keluarga miskin, supaya bantuan tepat sasaran.",
        "legal_basis": "Pelaksanaan tugas pelayanan publik (Pasal 20 ayat (2) huruf e UU 27/2022); "
        "UU 13/2011 tentang Penanganan Fakir Miskin; Inpres 4/2025 tentang DTSEN.",
        "data": "Nama, NIK, nomor KK, alamat, tanggal lahir, pekerjaan, pendidikan, disabilitas, keadaan "
        "rumah, pengeluaran, desil, foto rumah.",
        "subjects": "Anggota keluarga yang terdaftar di DTSEN atau diusulkan desa/kelurahan",
        "recipients": "Sekretariat TKPKD dan perangkat daerah pengelola bantuan; operator kecamatan dan "
        "desa/kelurahan untuk wilayahnya sendiri.",
        "retention_years": 10,
        "retention_basis": "Jadwal retensi arsip; ditetapkan sekretariat",
    },
    {
        "name": "Penyaluran bantuan",
        "purpose": "Menetapkan penerima bantuan dan membuktikan penyalurannya.",
        "legal_basis": "Pelaksanaan tugas pelayanan publik (Pasal 20 ayat (2) huruf e UU 27/2022); "
        "PP 12/2019 tentang Pengelolaan Keuangan Daerah.",
        "data": "Nama, NIK, alamat, bantuan yang diterima, tanggal dan nilainya, foto bukti.",
        "subjects": "Calon penerima dan penerima bantuan",
        "recipients": "Sekretariat TKPKD, perangkat daerah penyalur, operator wilayah, pemeriksa.",
        "retention_years": 10,
        "retention_basis": "Bukti pertanggungjawaban keuangan",
    },
    {
        "name": "Usul-sanggah dan pengaduan",
        "purpose": "Memperbaiki daftar melalui usulan, sanggahan, dan pengaduan warga.",
        "legal_basis": "UU 25/2009 tentang Pelayanan Publik; Permensos 3/2021.",
        "data": "Nama dan NIK kepala keluarga yang diusulkan, alamat, uraian, nama dan kontak pelapor bila "
        "ditulis.",
        "subjects": "Warga yang diusulkan, disanggah, atau mengadu",
        "recipients": "Sekretariat TKPKD, perangkat daerah yang memutuskan, operator wilayah kecuali untuk "
        "pengaduan tentang petugas.",
        "retention_years": 5,
        "retention_basis": "Jadwal retensi arsip; ditetapkan sekretariat",
    },
]


def fill(apps, schema_editor):
    activity = apps.get_model("privacy", "Activity")
    activity.objects.bulk_create(
        activity(safeguards=SAFEGUARDS, **values) for values in ACTIVITIES
    )


class Migration(migrations.Migration):
    dependencies = [("privacy", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
