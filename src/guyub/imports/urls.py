from django.urls import path

from guyub.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.list_page, name="list"),
]
