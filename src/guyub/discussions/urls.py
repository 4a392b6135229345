from django.urls import path

from guyub.discussions import views

app_name = "discussions"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.start, name="start"),
    path("cari/", views.search, name="search"),
    path("antar/<int:pk>/", views.conversation, name="conversation"),
    path("kabar/", views.notifications, name="notifications"),
    path("kabar/<int:pk>/", views.open_notification, name="open_notification"),
    path("kabar/dibaca/", views.read_all, name="read_all"),
    path("kabar/pilihan/", views.preferences, name="preferences"),
    path("kabar/aliran/", views.stream, name="stream"),
    path("lampiran/<int:pk>/", views.attachment, name="attachment"),
    path("pesan/<int:pk>/tarik/", views.withdraw, name="withdraw"),
    path("tentang/<str:subject_type>/<str:subject_id>/", views.thread, name="thread"),
    path("tentang/<str:subject_type>/<str:subject_id>/tulis/", views.write, name="write"),
    path("tentang/<str:subject_type>/<str:subject_id>/sebut/", views.mentions, name="mentions"),
]
