from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guyub.access.guards import requires


@requires("registry.view")
def search(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/base.html")
