from django.urls import include, path, re_path

from guyub.portal import managing, views

portal_urls = (
    [
        re_path(r"^publik/kecamatan/(?P<code>\d\d\.\d\d\.\d\d)/$", views.district, name="district"),
        path("publik/program/", views.programs, name="programs"),
        path("publik/data/", views.data, name="data"),
        path("publik/cara-melindungi/", views.method, name="method"),
        path("publik/katalog.jsonld", views.catalogue_json, name="catalogue_json"),
        path("publik/katalog.ttl", views.catalogue_turtle, name="catalogue_turtle"),
        re_path(
            r"^publik/data/(?P<release>\d{1,9})/(?P<dataset>[a-z-]{1,40})\.(?P<form>csv|parquet)$",
            views.download,
            name="download",
        ),
        path("publikasi-data/", managing.list_page, name="list"),
        path("publikasi-data/siapkan/<int:pk>/", managing.prepare, name="prepare"),
        path("publikasi-data/<int:pk>/", managing.preview, name="preview"),
        path("publikasi-data/<int:pk>/terbitkan/", managing.publish, name="publish"),
        path("publikasi-data/<int:pk>/hapus/", managing.discard, name="discard"),
    ],
    "portal",
)

urlpatterns = [
    # Pages of apps above this one lead to the public's first page, by a name of no app.
    path("publik/", views.front, name="public"),
    path("", include(portal_urls)),
]
