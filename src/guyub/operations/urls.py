from django.urls import path

from guyub.operations import views

app_name = "operations"
urlpatterns = [
    path("sehat/hidup", views.live, name="live"),
    path("sehat/siap", views.ready, name="ready"),
    path("metrics", views.figures, name="metrics"),
    path("sistem/", views.overview, name="overview"),
    path("sistem/pekerjaan/<uuid:pk>/ulangi/", views.retry, name="retry"),
]
