from django.urls import path

from guyub.linking import views

app_name = "linking"
urlpatterns = [
    path("", views.list_page, name="list"),
    path("baru/", views.new, name="new"),
    path("ganda/", views.duplicates, name="duplicates"),
    path("model/", views.model_page, name="model"),
    path("model/ambang/", views.thresholds, name="thresholds"),
    path("model/pelajari/", views.learn, name="learn"),
    path("pasangan/<int:pk>/putus/", views.decide, name="decide"),
    path("pasangan/<int:pk>/batal/", views.undo, name="undo"),
    path("<int:pk>/", views.run_page, name="run"),
    path("<int:pk>/kemajuan/", views.progress, name="progress"),
    path("<int:pk>/lembar/", views.choose_sheet, name="sheet"),
    path("<int:pk>/kolom/", views.map_columns, name="map"),
    path("<int:pk>/batal/", views.cancel, name="cancel"),
    path("<int:pk>/hasil/", views.outcome, name="outcome"),
    path("<int:pk>/beda/", views.differing, name="differences"),
    path("<int:pk>/model/", views.run_model, name="run_model"),
    path("<int:pk>/tinjau/", views.review, name="review"),
    path("<int:pk>/unduh/", views.export, name="export"),
]
