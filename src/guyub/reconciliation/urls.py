from django.urls import path

from guyub.reconciliation import queue_views, views

app_name = "reconciliation"
urlpatterns = [
    path("", queue_views.queue, name="queue"),
    path("bandingkan/", queue_views.compare, name="compare"),
    path("kemajuan/", queue_views.progress, name="progress"),
    path("putuskan/", queue_views.settle, name="settle"),
    path("perbedaan/<int:pk>/cek/", queue_views.verify, name="verify"),
    path("aturan/", queue_views.rules, name="rules"),
    path("aturan/<str:attribute>/", queue_views.rule, name="rule"),
    path("perbaikan/<slug:code>/", queue_views.corrections, name="corrections"),
    path("gabung/", views.merges, name="merges"),
    path("gabung/cari/", views.find_pair, name="find_pair"),
    path(
        "gabung/keluarga/<int:first>/<int:second>/",
        views.merge_households,
        name="merge_households",
    ),
    path("gabung/orang/<int:first>/<int:second>/", views.merge_people, name="merge_people"),
    path("gabung/<int:pk>/", views.merge_page, name="merge"),
    path("gabung/<int:pk>/pisah/", views.unmerge, name="unmerge"),
]
