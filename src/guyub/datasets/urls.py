from django.urls import path

from guyub.datasets import views

app_name = "datasets"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("<slug:code>/", views.detail, name="detail"),
    path("<slug:code>/ubah/", views.edit, name="edit"),
    path("<slug:code>/<int:number>/acuan/", views.mark_reference, name="mark_reference"),
    path("<slug:code>/<int:number>/unduh/", views.export, name="export"),
    path("<slug:code>/banding/<int:older>/<int:newer>/", views.compare, name="compare"),
]
