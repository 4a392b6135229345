from django.urls import path

from guyub.agencies import views

app_name = "agencies"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("<slug:code>/", views.detail, name="detail"),
    path("<slug:code>/ubah/", views.edit, name="edit"),
    path("<slug:code>/status/", views.status, name="status"),
]
