from django.urls import path

from guyub.retention import views

app_name = "retention"
urlpatterns = [
    path("", views.index, name="list"),
    path("jadwal/<slug:code>/", views.schedule, name="schedule"),
    path("usulkan/", views.propose, name="propose"),
    path("<int:pk>/", views.disposal, name="disposal"),
    path("<int:pk>/kemajuan/", views.progress, name="progress"),
    path("<int:pk>/ajukan/", views.submit, name="submit"),
    path("<int:pk>/setujui/", views.approve, name="approve"),
    path("<int:pk>/batalkan/", views.drop, name="drop"),
    path("<int:pk>/berita-acara/", views.certificate, name="certificate"),
    path("isi/<int:pk>/tahan/", views.hold, name="hold"),
    path("penahanan/<int:pk>/cabut/", views.lift, name="lift"),
]
