from django.urls import path

from guyub.scorecard import views

app_name = "scorecard"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("bukti/<slug:code>/", views.evidence, name="evidence"),
    path("perangkat/<slug:code>/", views.agency_card, name="agency"),
]
