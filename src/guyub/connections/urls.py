from django.urls import path

from guyub.connections import partner_views, views, webhook_views

app_name = "connections"
urlpatterns = [
    path("", views.list_page, name="tokens"),
    path("token/baru/", views.create, name="create_token"),
    path("token/<int:pk>/", views.detail, name="token"),
    path("token/<int:pk>/cabut/", views.revoke, name="revoke_token"),
    path("token/<int:pk>/kunci/", views.renew, name="renew_token"),
    path("kabar/", webhook_views.list_page, name="webhooks"),
    path("kabar/baru/", webhook_views.create, name="create_webhook"),
    path("kabar/<int:pk>/", webhook_views.detail, name="webhook"),
    path("kabar/<int:pk>/percobaan/", webhook_views.ping, name="ping_webhook"),
    path("kabar/<int:pk>/alih/", webhook_views.switch, name="switch_webhook"),
    path("kabar/<int:pk>/rahasia/", webhook_views.renew, name="renew_webhook"),
    path("kabar/kiriman/<int:pk>/ulang/", webhook_views.resend, name="resend"),
    path("rujukan/", views.reference_page, name="reference"),
    path("mitra/", partner_views.list_page, name="partners"),
    path("mitra/baru/", partner_views.create, name="create_partner"),
    path("mitra/<int:pk>/", partner_views.detail, name="partner"),
    path("mitra/<int:pk>/ubah/", partner_views.edit, name="edit_partner"),
    path("mitra/<int:pk>/kunci/", partner_views.read_keys, name="read_partner_keys"),
    path("mitra/langganan/<int:pk>/akhiri/", partner_views.end_watch, name="end_watch"),
    path("mitra/pemberitahuan/<int:pk>/ulang/", partner_views.send_again, name="resend_notice"),
    path("mitra/<int:pk>/alih/", partner_views.switch, name="switch_partner"),
]
