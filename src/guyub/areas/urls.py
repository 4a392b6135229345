from django.urls import path

from guyub.areas import views

app_name = "areas"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("<str:code>/", views.detail, name="detail"),
]
