from django.urls import include, path, re_path

from guyub.home import views

area_urls = (
    [re_path(r"^(?P<code>\d\d\.\d\d(\.\d\d(\.\d{4})?)?)/$", views.area_page, name="area")],
    "home",
)

urlpatterns = [
    path("", views.front, name="home"),
    path("angka/", include(area_urls)),
]
