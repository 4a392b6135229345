from django.urls import path

from guyub.home import views

urlpatterns = [
    path("", views.home, name="home"),
    path("publik/", views.public_page, name="public"),
]
