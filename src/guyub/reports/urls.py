from django.urls import path

from guyub.reports import bulk, planning, views

app_name = "reports"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("tinjauan/", views.queue, name="queue"),
    path("ketepatan/", views.lateness, name="lateness"),
    path("penyimpangan/", views.deviations_page, name="deviations"),
    path("jadwal/", planning.schedule_year, name="schedule_year"),
    path("sub-kegiatan/<int:pk>/", planning.sub_activity_page, name="sub_activity"),
    path("sub-kegiatan/<int:pk>/jadwal/", planning.schedule, name="schedule"),
    path("sub-kegiatan/<int:pk>/rencana/", planning.plan, name="plan"),
    path("excel/", bulk.page, name="workbook"),
    path("excel/unduh/", bulk.download, name="download"),
    path("excel/<int:pk>/", bulk.upload_page, name="upload"),
    path("excel/<int:pk>/terapkan/", bulk.apply, name="apply"),
    path("lampiran/<int:pk>/", views.attachment, name="attachment"),
    path("lampiran/<int:pk>/hapus/", views.detach, name="detach"),
    path("<int:pk>/", views.report_page, name="report"),
    path("<int:pk>/isi/", views.edit, name="edit"),
    path("<int:pk>/ajukan/", views.submit, name="submit"),
    path("<int:pk>/tinjau/", views.review, name="review"),
]
