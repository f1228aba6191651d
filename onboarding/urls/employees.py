"""Addresses of the pages for employees."""

from django.urls import path

from onboarding.views.employees import access, config

app_name = "employees"
urlpatterns = [
    path("access/", access.access_page, name="access"),
    path("access/choices/", access.choose, name="choose"),
    path("access/config", config.download_config, name="config"),
    path("access/config/granted", config.download_granted, name="granted"),
    path("access/config/plain", config.download_plain, name="plain"),
    path("access/config/switch-roles", config.download_switch_roles, name="switch_roles"),
    path("access/copied/", config.config_copied, name="config_copied"),
    path("access/<uuid:uuid>/copied/", config.profile_copied, name="profile_copied"),
]
