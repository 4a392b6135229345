from django.urls import path

from guyub.privacy import views

app_name = "privacy"
urlpatterns = [
    path("", views.notice, name="notice"),
    path("permintaan/", views.lodge, name="lodge"),
    path("lacak/", views.track, name="track"),
    path("masuk/", views.requests, name="requests"),
    path("masuk/baru/", views.desk, name="desk"),
    path("masuk/<int:pk>/", views.detail, name="request"),
    path("masuk/<int:pk>/identitas/", views.verify, name="verify"),
    path("masuk/<int:pk>/jawaban/", views.close, name="close"),
    path("masuk/<int:pk>/cabut/", views.lift, name="lift"),
    path("masuk/<int:pk>/salinan/", views.copy, name="copy"),
    path("catatan/", views.register, name="register"),
    path("catatan/narahubung/", views.contact, name="contact"),
    path("catatan/kegiatan/baru/", views.new_activity, name="new_activity"),
    path("catatan/kegiatan/<int:pk>/", views.activity, name="activity"),
    path("catatan/kegagalan/baru/", views.new_breach, name="new_breach"),
    path("catatan/kegagalan/<int:pk>/", views.breach, name="breach"),
]
