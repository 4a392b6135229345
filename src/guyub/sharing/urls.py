from django.urls import path

from guyub.sharing import views

app_name = "sharing"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.ask, name="ask"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/beri/", views.grant, name="grant"),
    path("<int:pk>/tolak/", views.refuse, name="refuse"),
    path("<int:pk>/cabut/", views.revoke, name="revoke"),
    path("<int:pk>/tarik/", views.withdraw, name="withdraw"),
    path("<int:pk>/ambil/", views.take, name="take"),
]
