from django.urls import path

from guyub.proposals import citizens, views

app_name = "proposals"
urlpatterns = [
    path("usul-sanggah/", views.list_page, name="list"),
    path("usul-sanggah/baru/", views.new, name="new"),
    path("usul-sanggah/berkas/<int:pk>/", views.file, name="file"),
    path("usul-sanggah/<int:pk>/", views.detail, name="detail"),
    path("usul-sanggah/<int:pk>/musyawarah/", views.deliberate, name="deliberate"),
    path("usul-sanggah/<int:pk>/verifikasi/", views.verify, name="verify"),
    path("usul-sanggah/<int:pk>/putuskan/", views.decide, name="decide"),
    path("usul-sanggah/<int:pk>/banding/", views.appeal, name="appeal"),
    path("usul-sanggah/<int:pk>/putuskan-banding/", views.decide_appeal, name="decide_appeal"),
    path("usul-sanggah/<int:pk>/jawab/", views.answer, name="answer"),
    path("usul-sanggah/<int:pk>/teruskan/", views.turn, name="turn"),
    path("pengaduan/", citizens.lodge, name="lodge"),
    path("pengaduan/lacak/", citizens.track, name="track"),
]
