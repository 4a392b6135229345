from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guyub.access.guards import public, requires


@requires("home.view")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/base.html")


@public
def public_page(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/base.html")
