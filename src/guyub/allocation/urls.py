from django.urls import path

from guyub.allocation import views

app_name = "allocation"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("bandingkan/", views.compare, name="compare"),
    path("<int:pk>/", views.scenario_page, name="scenario"),
    path("<int:pk>/ubah/", views.edit, name="edit"),
    path("<int:pk>/salin/", views.copy, name="copy"),
    path("<int:pk>/hapus/", views.delete, name="delete"),
    path("<int:pk>/hitung/", views.start, name="start"),
    path("<int:pk>/kemajuan/", views.progress, name="progress"),
    path("<int:pk>/pilih/", views.choose, name="choose"),
    path("<int:pk>/keluarga/", views.households, name="households"),
    path("<int:pk>/keluarga/unduh/", views.export, name="export"),
    path("<int:pk>/keluarga/<int:household>/", views.explain, name="explain"),
    path("calon/<int:pk>/", views.adopt, name="adopt"),
]
