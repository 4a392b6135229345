"""Addresses of rules."""

from __future__ import annotations

from django.urls import path

from guyub.targeting import views

app_name = "targeting"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("susun/", views.workbench, name="workbench"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/ubah/", views.edit, name="edit"),
]
