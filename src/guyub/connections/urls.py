from django.urls import path

from guyub.connections import exchange_views, views, webhook_views

app_name = "connections"
urlpatterns = [
    path("", views.list_page, name="tokens"),
    path("token/baru/", views.create, name="create_token"),
    path("token/<int:pk>/", views.detail, name="token"),
    path("token/<int:pk>/cabut/", views.revoke, name="revoke_token"),
    path("kabar/", webhook_views.list_page, name="webhooks"),
    path("kabar/baru/", webhook_views.create, name="create_webhook"),
    path("kabar/<int:pk>/", webhook_views.detail, name="webhook"),
    path("kabar/<int:pk>/percobaan/", webhook_views.ping, name="ping_webhook"),
    path("kabar/<int:pk>/alih/", webhook_views.switch, name="switch_webhook"),
    path("kabar/<int:pk>/rahasia/", webhook_views.renew, name="renew_webhook"),
    path("kabar/kiriman/<int:pk>/ulang/", webhook_views.resend, name="resend"),
    path("rujukan/", views.reference_page, name="reference"),
    path("mitra/", exchange_views.list_page, name="partners"),
    path("mitra/baru/", exchange_views.create, name="create_partner"),
    path("mitra/<int:pk>/", exchange_views.detail, name="partner"),
    path("mitra/<int:pk>/alih/", exchange_views.switch, name="switch_partner"),
]
