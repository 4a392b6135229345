from django.urls import path

from guyub.reconciliation import views

app_name = "reconciliation"
urlpatterns = [
    path("gabung/", views.merges, name="merges"),
    path(
        "gabung/keluarga/<int:first>/<int:second>/", views.merge_households, name="merge_households"
    ),
    path("gabung/orang/<int:first>/<int:second>/", views.merge_people, name="merge_people"),
    path("gabung/<int:pk>/", views.merge_page, name="merge"),
    path("gabung/<int:pk>/pisah/", views.unmerge, name="unmerge"),
]
