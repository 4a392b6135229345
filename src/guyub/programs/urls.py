from django.urls import path

from guyub.programs import views

app_name = "programs"
urlpatterns = [
    path("", views.list_page, name="list"),
]
