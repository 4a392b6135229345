from django.urls import path

from guyub.overlaps import views

app_name = "overlaps"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("hitung/", views.reckon, name="reckon"),
    path("kasus/<int:pk>/", views.case_page, name="case"),
    path("kasus/<int:pk>/putusan/", views.settle, name="settle"),
    path("kasus/<int:pk>/buka/", views.reopen, name="reopen"),
    path("keluarga/", views.gaps, name="gaps"),
    path("keluarga/daftar/", views.households, name="households"),
    path("keluarga/unduh/", views.export, name="export"),
    path("cakupan/", views.coverage, name="coverage"),
    path("cakupan/wilayah/", views.coverage_areas, name="coverage_areas"),
    path("cakupan/unduh/", views.coverage_export, name="coverage_export"),
    path("anggaran/", views.budget, name="budget"),
    path("anggaran/<str:code>/", views.budget_area, name="budget_area"),
]
