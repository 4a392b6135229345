from django.urls import path

from guyub.agencies import views

app_name = "agencies"
urlpatterns = [
    path("", views.list_page, name="list"),
]
