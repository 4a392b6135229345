from django.urls import path

from guyub.discussions import views

app_name = "discussions"
urlpatterns = [
    path("pesan/<int:pk>/tarik/", views.withdraw, name="withdraw"),
    path("<str:subject_type>/<str:subject_id>/", views.thread, name="thread"),
    path("<str:subject_type>/<str:subject_id>/tulis/", views.write, name="write"),
]
