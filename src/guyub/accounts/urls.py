from django.urls import path

from guyub.accounts import views

app_name = "accounts"
urlpatterns = [
    path("saya/", views.me, name="me"),
    path("", views.list_page, name="list"),
]
