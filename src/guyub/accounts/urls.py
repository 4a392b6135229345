from django.urls import path

from guyub.accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.create, name="create"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/ubah/", views.edit, name="edit"),
    path("<int:pk>/tautan-kata-sandi/", views.password_link, name="password_link"),
    path("<int:pk>/nonaktifkan/", views.deactivate, name="deactivate"),
    path("<int:pk>/aktifkan/", views.reactivate, name="reactivate"),
    path("<int:pk>/atur-ulang-faktor-kedua/", views.reset_second_factor, name="reset_factor"),
    path("saya/", views.me, name="me"),
    path("saya/ubah/", views.edit_me, name="edit_me"),
    path("faktor-kedua/", views.second_factor, name="second_factor"),
    path("lanjut/", views.resume, name="resume"),
]
