from django.urls import path

from guyub.datasets import views

app_name = "datasets"
urlpatterns = [
    path("", views.list_page, name="list"),
]
