from django.urls import path

from guyub.fieldwork import app_views, form_views, views

app_name = "fieldwork"
urlpatterns = [
    # The app; its service worker sees to what lies below its own folder.
    path("lapangan/", app_views.app, name="app"),
    path("lapangan/sw.js", app_views.worker, name="worker"),
    path("lapangan/manifest.webmanifest", app_views.manifest, name="manifest"),
    path("lapangan/sesi/", app_views.session, name="session"),
    path("lapangan/data/", app_views.data, name="data"),
    path("lapangan/kirim/", app_views.send, name="send"),
    path("lapangan/lampiran/<uuid:key>/", app_views.part, name="part"),
    path("kunjungan/", views.rounds, name="rounds"),
    path("kunjungan/baru/", views.create, name="create"),
    path("kunjungan/<int:pk>/", views.round_page, name="round"),
    path("kunjungan/<int:pk>/ubah/", views.edit, name="edit"),
    path("kunjungan/<int:pk>/keluarga/", views.add_households, name="add_households"),
    path("kunjungan/<int:pk>/daftar/", views.visits, name="visits"),
    path("kunjungan/<int:pk>/petugas/", views.assign, name="assign"),
    path("kunjungan/<int:pk>/alamat/", views.add_address, name="add_address"),
    path("kunjungan/rumah/<int:pk>/batal/", views.cancel_visit, name="cancel_visit"),
    path("kunjungan/<int:pk>/buka/", views.open_round, name="open"),
    path("kunjungan/<int:pk>/tutup/", views.close_round, name="close"),
    path("kunjungan/<int:pk>/unduh/", views.export, name="export"),
    path("kunjungan/kiriman/<int:pk>/", views.submission, name="submission"),
    path("kunjungan/kiriman/<int:pk>/terima/", views.accept, name="accept"),
    path("kunjungan/kiriman/<int:pk>/putuskan/", views.settle, name="settle"),
    path("kunjungan/kiriman/<int:pk>/cocokkan/", views.match_member, name="match_member"),
    path("kunjungan/kiriman/<int:pk>/tolak/", views.reject, name="reject"),
    path("kunjungan/kiriman/<int:pk>/nik/", views.reveal, name="reveal"),
    path("formulir/", form_views.form_list, name="form_list"),
    path("formulir/bawa/", form_views.bring, name="bring"),
    path("formulir/bawa/<int:pk>/", form_views.form_upload, name="form_upload"),
    path("formulir/<int:pk>/", form_views.form_page, name="form_page"),
    path("formulir/muat/", form_views.load_submissions, name="load_submissions"),
    path("formulir/versi/<int:pk>/xlsform/", form_views.xlsform, name="xlsform"),
    path("formulir/versi/<int:pk>/xform/", form_views.xform, name="xform"),
    path("formulir/muat/<int:pk>/", form_views.load_page, name="load"),
    path("formulir/muat/<int:pk>/kemajuan/", form_views.load_progress, name="load_progress"),
    path("formulir/muat/<int:pk>/laporan/", form_views.load_report, name="load_report"),
    path("kunjungan/lampiran/<int:pk>/", views.attachment, name="attachment"),
]
