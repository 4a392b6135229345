from django.urls import path

from guyub.programs import views

app_name = "programs"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/ubah/", views.edit, name="edit"),
    path("<int:pk>/hapus/", views.delete, name="delete"),
]
