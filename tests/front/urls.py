"""The product's own addresses, and beside them the component sheet with what it needs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from onboarding.views import errors
from tests.front.sheet import sheet


def fragment(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h3>It opens</h3><p>Nothing more to do.</p>")


def stranger(request: HttpRequest) -> HttpResponse:
    return render(request, "base_partner.html", {"request_number": "TB-2026-0147"})


def nothing(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path("sheet/", sheet),
    path("copied/", nothing),
    path("fragment/", fragment),
    path("stranger/", stranger),
    path("admin/roles/one/", sheet),
    path("", include("portal.urls")),
]

handler404 = errors.not_found
