from django.urls import path

from guyub.programs import copy_pages, excel_pages, mission_pages, views

app_name = "programs"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("salin/", copy_pages.copy, name="copy"),
    path("unduh/", excel_pages.export, name="export"),
    path("templat/", excel_pages.template, name="template"),
    path("impor/", excel_pages.upload, name="upload"),
    path("impor/<int:pk>/", excel_pages.preview, name="preview"),
    path("impor/<int:pk>/terapkan/", excel_pages.apply, name="apply"),
    path("misi/", mission_pages.missions, name="missions"),
    path("misi/baru/", mission_pages.create_mission, name="create_mission"),
    path("misi/<int:pk>/ubah/", mission_pages.edit_mission, name="edit_mission"),
    path("misi/<int:pk>/hapus/", mission_pages.delete_mission, name="delete_mission"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/ubah/", views.edit, name="edit"),
    path("<int:pk>/hapus/", views.delete, name="delete"),
    path("<int:pk>/kegiatan/baru/", views.create_activity, name="create_activity"),
    path("kegiatan/<int:pk>/ubah/", views.edit_activity, name="edit_activity"),
    path("kegiatan/<int:pk>/hapus/", views.delete_activity, name="delete_activity"),
    path("kegiatan/<int:pk>/sub/baru/", views.create_sub_activity, name="create_sub_activity"),
    path("sub/<int:pk>/", views.sub_activity, name="sub_activity"),
    path("sub/<int:pk>/ubah/", views.edit_sub_activity, name="edit_sub_activity"),
    path("sub/<int:pk>/batal/", views.cancel_sub_activity, name="cancel_sub_activity"),
    path("sub/<int:pk>/jalankan/", views.restore_sub_activity, name="restore_sub_activity"),
    path("sub/<int:pk>/hapus/", views.delete_sub_activity, name="delete_sub_activity"),
]
