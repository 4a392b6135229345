from django.urls import path

from guyub.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("periksa/", views.verify, name="verify"),
    path("unduh/", views.export, name="export"),
    path("<int:pk>/", views.detail, name="detail"),
]
