from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from guyub.access.guards import requires


@requires("imports.view")
def list_page(request: HttpRequest) -> HttpResponse:
    return render(request, "ui/base.html")
