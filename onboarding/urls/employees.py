"""Addresses of the pages for employees."""

from django.urls import path

from onboarding.views.employees import access

app_name = "employees"
urlpatterns = [
    path("access/", access.access_page, name="access"),
    path("access/config", access.download_config, name="config"),
    path("access/copied/", access.config_copied, name="config_copied"),
    path("access/<uuid:uuid>/copied/", access.profile_copied, name="profile_copied"),
]
