from django.urls import path

from guyub.obstacles import views

app_name = "obstacles"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.report, name="report"),
    path("unduh/", views.export, name="export"),
    path("analisis/", views.analysis_page, name="analysis"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/langkah/", views.step, name="step"),
    path("<int:pk>/selesai/", views.solve, name="solve"),
    path("<int:pk>/serahkan/", views.hand_over, name="hand_over"),
    path("<int:pk>/batas-waktu/", views.extend, name="extend"),
    path("<int:pk>/rapat/", views.escalate, name="escalate"),
    path("<int:pk>/buka-lagi/", views.reopen, name="reopen"),
]
