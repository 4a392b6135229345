from django.urls import path

from guyub.targets import poverty_views, views

app_name = "targets"
urlpatterns = [
    path("indikator/", views.list_page, name="list"),
    path("indikator/baru/", views.create, name="create"),
    path("indikator/unduh/", views.download, name="download"),
    path("indikator/unggah/", views.upload, name="upload"),
    path("indikator/salin-target/", views.copy, name="copy"),
    path("indikator/bawaan/", views.load_built_in, name="load_built_in"),
    path("indikator/<slug:code>/", views.indicator, name="indicator"),
    path("indikator/<slug:code>/ubah/", views.edit, name="edit"),
    path("indikator/<slug:code>/<int:year>/", views.year_page, name="year"),
    path("angka-kemiskinan/", poverty_views.published, name="published"),
    path("angka-kemiskinan/bawaan/", poverty_views.load_published, name="load_published"),
    path("angka-kemiskinan/unduh/", poverty_views.published_download, name="published_download"),
    path("angka-kemiskinan/unggah/", poverty_views.published_upload, name="published_upload"),
    path("ukuran-kemiskinan/", poverty_views.estimates, name="estimates"),
    path("ukuran-kemiskinan/survei/", poverty_views.estimate_new, name="estimate_new"),
    path("ukuran-kemiskinan/registri/", poverty_views.registry_estimate, name="registry_estimate"),
    path("ukuran-kemiskinan/<int:pk>/", poverty_views.estimate, name="estimate"),
    path("ukuran-kemiskinan/<int:pk>/kolom/", poverty_views.estimate_columns, name="estimate_columns"),
    path("ukuran-kemiskinan/<int:pk>/hapus/", poverty_views.estimate_delete, name="estimate_delete"),
]  # fmt: skip
