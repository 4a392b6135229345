from django.urls import path

from guyub.beneficiaries import batch_views, door_views, views

app_name = "beneficiaries"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("contoh-berkas/", batch_views.example, name="example"),
    path("sub/<int:pk>/", views.sub_activity, name="sub_activity"),
    path("sub/<int:pk>/unduh/", views.export, name="export"),
    path("sub/<int:pk>/tambah/", views.enrol_one, name="enrol_one"),
    path("sub/<int:pk>/dari-aturan/", batch_views.enrol_rule, name="enrol_rule"),
    path("sub/<int:pk>/dari-berkas/", batch_views.enrol_file, name="enrol_file"),
    path("sub/<int:pk>/penyaluran-berkas/", batch_views.deliver_file, name="deliver_file"),
    path("sub/<int:pk>/sekaligus/", batch_views.many, name="many"),
    path("pekerjaan/<int:pk>/", batch_views.batch, name="batch"),
    path("pekerjaan/<int:pk>/kemajuan/", batch_views.progress, name="batch_progress"),
    path("pekerjaan/<int:pk>/terapkan/", batch_views.approve, name="batch_approve"),
    path("pekerjaan/<int:pk>/batal/", batch_views.cancel, name="batch_cancel"),
    path("pekerjaan/<int:pk>/perbaikan/", batch_views.corrections, name="batch_corrections"),
    path("verifikasi/", door_views.door, name="door"),
    path("verifikasi/<int:pk>/", door_views.verify, name="verify"),
    path("verifikasi/<int:pk>/urungkan/", door_views.undo, name="undo"),
    path("<int:pk>/", views.enrolment, name="enrolment"),
    path("<int:pk>/tahap/", views.move, name="move"),
    path("<int:pk>/kembalikan/", views.correct, name="correct"),
    path("<int:pk>/penyaluran/", views.record_delivery, name="record_delivery"),
    path("penyaluran/<int:pk>/ubah/", views.correct_delivery, name="correct_delivery"),
    path("penyaluran/<int:pk>/batal/", views.void_delivery, name="void_delivery"),
    path("penyaluran/<int:pk>/bukti/", views.proof, name="proof"),
]
