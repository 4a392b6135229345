from django.urls import path

from guyub.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.new, name="new"),
    path("<int:pk>/", views.run_page, name="run"),
    path("<int:pk>/kemajuan/", views.progress, name="progress"),
    path("<int:pk>/kolom/", views.map_columns, name="map"),
    path("<int:pk>/lembar/", views.choose_sheet, name="sheet"),
    path("<int:pk>/terapkan/", views.approve, name="approve"),
    path("<int:pk>/batal/", views.cancel, name="cancel"),
    path("<int:pk>/perbaikan/", views.corrections, name="corrections"),
]
