from django.urls import path

from guyub.registry import views

app_name = "registry"
urlpatterns = [
    path("", views.search, name="search"),
    path("unduh/", views.export, name="export"),
    path("keluarga/baru/", views.create, name="create"),
    path("keluarga/<int:pk>/", views.household, name="household"),
    path("keluarga/<int:pk>/ubah/", views.edit, name="edit"),
    path("keluarga/<int:pk>/status/", views.status, name="status"),
    path("keluarga/<int:pk>/nomor-lengkap/", views.reveal, name="reveal"),
    path("keluarga/<int:pk>/anggota-baru/", views.add_person, name="add_person"),
    path("keluarga/<int:pk>/foto-baru/", views.add_photo, name="add_photo"),
    path("anggota/<int:pk>/ubah/", views.edit_person, name="edit_person"),
    path("anggota/<int:pk>/status/", views.person_status, name="person_status"),
    path("anggota/<int:pk>/pindah/", views.move, name="move"),
    path("foto/<int:pk>/", views.photo, name="photo"),
    path("foto/<int:pk>/hapus/", views.delete_photo, name="delete_photo"),
]
