from django.urls import path

from guyub.connections import views

app_name = "connections"
urlpatterns = [
    path("", views.list_page, name="tokens"),
    path("token/baru/", views.create, name="create_token"),
    path("token/<int:pk>/", views.detail, name="token"),
    path("token/<int:pk>/cabut/", views.revoke, name="revoke_token"),
]
